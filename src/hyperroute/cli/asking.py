"""A request that nobody wrote: only its measures, for plans and explanations."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hyperroute.cli.options import pairs, place
from hyperroute.cli.say import misuse
from hyperroute.tables.words import size

if TYPE_CHECKING:
    from hyperroute.routing.plan import Plan
    from hyperroute.routing.table import RouteTable


def _size(text: str) -> int:
    try:
        return size(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


Tokens = Annotated[
    int,
    typer.Option(
        "--tokens", metavar="SIZE", parser=_size, help="Tokens of the input, such as 24k."
    ),
]
Output = Annotated[
    int | None,
    typer.Option(
        "--output", metavar="SIZE", parser=_size, help="Tokens the caller allows for the answer."
    ),
]
Needs = Annotated[
    list[str] | None,
    typer.Option(
        "--needs", metavar="WORD", help="What it needs: tools, vision, …; may be repeated."
    ),
]
Down = Annotated[
    list[str] | None,
    typer.Option(
        "--down", metavar="NAME", help="A provider or an offer that is down; may be repeated."
    ),
]
Here = Annotated[
    bool,
    typer.Option(
        "--here", help="Leave out accounts whose credentials are not set in this environment."
    ),
]


def planned(
    *,
    model: str | None,
    intent: str | None,
    tokens: int,
    output: int | None,
    needs: list[str] | None,
    down: list[str] | None,
    facts: list[str] | None,
    tables: Path | None,
    here: bool,
    as_json: bool,
) -> Plan:
    """Plan a request of these measures.

    Raises:
        typer.Exit: The measures make no sense.
        TableError: The table is wrong.
    """
    if (model is None) == (intent is None):
        misuse("say either --model or --intent", as_json=as_json)
    from hyperroute.client import Router
    from hyperroute.proving.tests import answers_of, request_of
    from hyperroute.tables.testcases import Given

    router = Router.load(place(tables, as_json=as_json))
    _known(router.table, needs=needs or [], down=down or [], as_json=as_json)
    _told(router.table, pairs(facts, as_json=as_json), as_json=as_json)
    told = {name: _value(text) for name, text in pairs(facts, as_json=as_json).items()}
    given = Given(
        model=model,
        intent=intent,
        input=tokens,
        output=output,
        needs=tuple(word for text in needs or () for word in text.split(",")),
        parameters={},
        facts=told,
        down=tuple(down or ()),
        day=_today(),
        script={},
    )
    answers = answers_of(given)
    if here:
        from dataclasses import replace

        from hyperroute.runtime.credentials import resolve

        answers = replace(answers, missing=resolve(router.table, router.registry).wanted)
    return router.plan(request_of(given, router.table), answers=answers)


def _known(table: RouteTable, *, needs: list[str], down: list[str], as_json: bool) -> None:
    """Refuse words that the table does not know: an unknown word would only ever say nothing."""
    for word in down:
        if word not in table.providers and word not in table.offers:
            misuse(f"--down names no provider and no offer: {word!r}", as_json=as_json)
    can = frozenset[str]().union(*(service.model.does for service in table.services.values()))
    for text in needs:
        for word in text.split(","):
            if word not in can:
                misuse(
                    f"no model does {word!r}; there is {', '.join(sorted(can))}", as_json=as_json
                )


def _told(table: RouteTable, facts: Mapping[str, str], *, as_json: bool) -> None:
    """Refuse facts that no condition could ever read."""
    from hyperroute.tables.vocabulary import REQUEST_FACTS, nearest

    for name in facts:
        if name not in REQUEST_FACTS and name not in table.facts and not name.startswith("limit."):
            valid = [*REQUEST_FACTS, *table.facts]
            misuse(f"unknown fact {name!r}{nearest(name, valid)}", as_json=as_json)


def _value(text: str) -> Any:
    if "," in text:
        return tuple(_value(part.strip()) for part in text.split(","))
    if text in ("true", "false"):
        return text == "true"
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return int(number) if number == number.to_integral() else number


def _today() -> int:
    from hyperroute.canon.units import DAY
    from hyperroute.runtime.clock import SystemClock

    return SystemClock().unix_ns() // DAY


def usd(amount: int | None, scale: int) -> str | None:
    """Show an amount of the table's units as dollars, exactly and without an exponent."""
    if amount is None:
        return None
    text = format(Decimal(amount) / scale, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


__all__ = ["Down", "Here", "Needs", "Output", "Tokens", "planned", "usd"]
