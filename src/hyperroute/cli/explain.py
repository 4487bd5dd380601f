"""``hyperroute explain``: what would be tried and why, what not and why not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hyperroute.cli.asking import Down, Here, Needs, Output, Tokens, planned
from hyperroute.cli.options import Facts, Intent, Json, Model, Tables
from hyperroute.cli.say import answering, emit, misuse, no

if TYPE_CHECKING:
    from hyperroute.routing.plan import Plan

WhyNotOffer = Annotated[
    str | None,
    typer.Option(
        "--why-not",
        metavar="OFFER",
        help="Say why this offer is not tried, or not first, and the least that would change it.",
    ),
]


def explain(
    table: Annotated[
        Path | None,
        typer.Argument(metavar="[TABLE]", help="The same as --tables.", show_default=False),
    ] = None,
    *,
    model: Model = None,
    intent: Intent = None,
    tokens: Tokens = 1000,
    output: Output = None,
    needs: Needs = None,
    down: Down = None,
    facts: Facts = None,
    here: Here = False,
    why_not: WhyNotOffer = None,
    tables: Tables = None,
    as_json: Json = False,
) -> None:
    """Say for every offer why it would be tried, or the first requirement that it fails."""
    if table is not None and tables is not None:
        misuse("name the table once: as an argument, or by --tables", as_json=as_json)
    with answering(as_json=as_json):
        made = planned(
            model=model,
            intent=intent,
            tokens=tokens,
            output=output,
            needs=needs,
            down=down,
            facts=facts,
            tables=table or tables,
            here=here,
            as_json=as_json,
        )
        if why_not is not None:
            _tell(made, why_not, as_json=as_json)
            return
        if as_json:
            emit(made.to_json())
        else:
            print(made.explain())
        if made.refusal is not None:
            no()


def _tell(made: Plan, offer: str, *, as_json: bool) -> None:
    """Answer about one offer; that no single change is enough is a no."""
    from hyperroute.proving.whynot.answer import why_not
    from hyperroute.tables.vocabulary import nearest

    if offer not in made.table.offers:
        known = list(made.table.offers)
        misuse(f"--why-not names no offer: {offer!r}{nearest(offer, known)}", as_json=as_json)
    found = why_not(made, offer)
    if as_json:
        emit(found.to_json())
    else:
        print(found)
    if found.change is None and found.place != 1:
        no()
