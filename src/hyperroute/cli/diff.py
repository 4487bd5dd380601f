"""``hyperroute diff``: which requests two tables decide differently."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hyperroute.cli.options import Json, place
from hyperroute.cli.say import answering, emit, misuse, no

if TYPE_CHECKING:
    from hyperroute.proving.diff import Diff

SHOWN = 20
"""Kinds of difference printed for people."""


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A table.", show_default=False)],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The other.", show_default=False)],
    *,
    traffic: Annotated[
        Path | None,
        typer.Option(
            "--traffic",
            metavar="FILE",
            help="Compare by recorded needs, one JSON object a line, not by representatives.",
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page as well.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say which requests change offer, price, region or survivability; 1 if any does."""
    places = [place(old, as_json=as_json), place(new, as_json=as_json)]
    if traffic is not None and not traffic.is_file():
        misuse(f"there is no file at {str(traffic)!r}", as_json=as_json)
    with answering(as_json=as_json):
        from hyperroute.cli.loading import loaded
        from hyperroute.proving.diff import compare
        from hyperroute.proving.representatives import representatives
        from hyperroute.proving.traffic import recorded

        one, other = (loaded(path).table for path in places)
        needs = representatives((one, other)) if traffic is None else recorded(traffic, other)
        found = compare(one, other, needs)
        if html is not None:
            from hyperroute.proving.diff_page import diff_page

            html.write_text(diff_page(found, str(old), str(new)), "utf-8")
        if as_json:
            emit(found.to_json())
        else:
            _tell(found, traffic is not None)
        if found.changed:
            no()


def _tell(found: Diff, measured: bool) -> None:
    from hyperroute.proving.diff_page import told
    from hyperroute.routing.why import plain

    what = "recorded requests" if measured else "representative requests"
    print(f"{found.changed} of {found.asked} {what} are decided differently")
    if not found.changed:
        return
    print(", ".join(f"{aspect} {count}" for aspect, count in found.by_aspect().items()))
    if measured:
        before, after = found.spent
        print(f"expected cost {plain(before)} usd before, {plain(after)} usd after")
    groups = found.groups()
    for one, count in groups[:SHOWN]:
        print(f"\n{one.need}  ({count} such, {', '.join(one.aspects)})")
        print(f"  - {told(one.before)}")
        print(f"  + {told(one.after)}")
    if len(groups) > SHOWN:
        print(f"\nand {len(groups) - SHOWN} kinds of difference more; --json has all")
