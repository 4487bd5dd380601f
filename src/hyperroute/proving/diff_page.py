"""A comparison of two tables as one page, and one decision in one line."""

from __future__ import annotations

from hyperroute.proving.diff import Decided, Diff
from hyperroute.proving.report import bars, folded, page, text
from hyperroute.routing.why import plain

SHOWN = 500
"""Kinds of difference on the page; the JSON form has all."""


def diff_page(diff: Diff, old: str, new: str) -> str:
    """Write the page; ``old`` and ``new`` are what the tables are called."""
    before, after = (plain(amount) for amount in diff.spent)
    summary = text(f"{diff.changed} of {diff.asked} requests are decided differently.")
    summary += text(f"Expected cost of what both serve: {before} usd before, {after} usd after.")
    sections = [("Summary", summary)]
    if diff.changed:
        rows = [(aspect, count, str(count)) for aspect, count in diff.by_aspect().items()]
        sections.append(("What differs", bars(rows)))
        sections.append(("Which requests", _requests(diff)))
    return page(f"{old} against {new}", sections)


def _requests(diff: Diff) -> str:
    groups = diff.groups()
    parts = [
        folded(
            f"{one.need.name}: {', '.join(one.aspects)} ({count} requests)",
            (f"for example {one.need}", f"before: {told(one.before)}", f"after: {told(one.after)}"),
        )
        for one, count in groups[:SHOWN]
    ]
    if len(groups) > SHOWN:
        parts.append(text(f"and {len(groups) - SHOWN} kinds of difference more"))
    return "".join(parts)


def told(found: Decided) -> str:
    """Say in one line what a table decides."""
    if found.refused:
        return f"refused: {found.refused}"
    price = "price unknown" if found.expected is None else f"{plain(found.expected)} usd"
    where = ", ".join(found.regions)
    return f"{' > '.join(found.offers)}; {price}; in {where}; survives {found.survives} providers"
