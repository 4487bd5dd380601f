"""A comparison of two tables as one page: nothing is loaded from anywhere, and it fits a phone."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from hyperroute.proving.diff import Decided, Diff
from hyperroute.routing.why import plain

SHOWN = 500
"""Kinds of difference on the page; the JSON form has all."""

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1rem;color:#1a1a1a;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}
.bar{display:grid;grid-template-columns:8rem 1fr 5rem;gap:.5rem;align-items:center;margin:.25rem 0}
.bar i{display:block;height:1rem;background:#3b6ea5;border-radius:2px}
.one{border:1px solid #ccc;border-radius:6px;padding:.75rem;margin:.75rem 0;overflow-wrap:anywhere}
.one p{margin:.25rem 0}.tag{background:#eef;border-radius:4px;padding:0 .4rem;margin-right:.3rem}
.old{color:#8a2a2a}.new{color:#1d6b2f}small{color:#555}
@media(prefers-color-scheme:dark){body{background:#161616;color:#eee}.one{border-color:#444}.tag{background:#334}
.old{color:#f0a0a0}.new{color:#9be0a8}small{color:#aaa}}
"""


def page(diff: Diff, old: str, new: str) -> str:
    """Write the page; ``old`` and ``new`` are what the tables are called."""
    return "\n".join(_lines(diff, old, new)) + "\n"


def _lines(diff: Diff, old: str, new: str) -> Iterator[str]:
    title = f"{escape(old)} against {escape(new)}"
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width,initial-scale=1">'
    yield f"<title>{title}</title><style>{_STYLE}</style></head><body>"
    yield f"<h1>{title}</h1>"
    yield f"<p>{diff.changed} of {diff.asked} requests are decided differently.</p>"
    before, after = diff.spent
    yield f"<p>Expected cost of what both serve: {plain(before)} usd before, {plain(after)} usd after.</p>"
    if diff.changed:
        yield "<h2>What differs</h2>"
    for aspect, count in diff.by_aspect().items():
        width = 100 * count // diff.asked
        yield (
            f'<div class="bar"><span>{aspect}</span><span><i style="width:{width}%"></i></span>'
            f"<span>{count}</span></div>"
        )
    groups = diff.groups()
    if groups:
        yield "<h2>Which requests</h2>"
    for one, count in groups[:SHOWN]:
        tags = "".join(f'<span class="tag">{aspect}</span>' for aspect in one.aspects)
        yield f'<div class="one"><p><b>{escape(one.need.name)}</b> {tags}<small>{count} requests</small></p>'
        yield f"<p><small>for example {escape(str(one.need))}</small></p>"
        yield f'<p class="old">{escape(told(one.before))}</p>'
        yield f'<p class="new">{escape(told(one.after))}</p></div>'
    if len(groups) > SHOWN:
        yield f"<p>and {len(groups) - SHOWN} kinds of difference more</p>"
    yield "</body></html>"


def told(found: Decided) -> str:
    """Say in one line what a table decides."""
    if found.refused:
        return f"refused: {found.refused}"
    price = "price unknown" if found.expected is None else f"{plain(found.expected)} usd"
    where = ", ".join(found.regions)
    return f"{' > '.join(found.offers)}; {price}; in {where}; survives {found.survives} providers"
