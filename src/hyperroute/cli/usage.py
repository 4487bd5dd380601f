"""``hyperroute usage``: what requests came to, and what they would have under other prices."""

from __future__ import annotations

import csv
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hyperroute.cli.options import Json, State, state_url
from hyperroute.cli.say import answering, columns, emit, misuse
from hyperroute.cli.state import opened_state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperroute.canon.journal import (
        Dimension,
        Selection,
        Tally,
        UsagePage,
        UsageQuery,
        UsageRow,
    )
    from hyperroute.stores.base import Store
    from hyperroute.usage.rerating import Rerated

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)

_EPOCH = date(1970, 1, 1)
_DAYS_MAX = 3_650

Days = Annotated[
    int,
    typer.Option(
        "--days",
        metavar="N",
        min=1,
        max=_DAYS_MAX,
        help="Whole days (UTC), today the last of them.",
    ),
]
By = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="WORD",
        help="Sum by day, owner, key, model (the default), endpoint, status.",
    ),
]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV: every row, or with --by the sums.")]


@app.callback(invoke_without_command=True)
def usage(
    context: typer.Context,
    *,
    days: Days = 30,
    by: By = None,
    as_csv: Csv = False,
    user: Annotated[
        str | None, typer.Option("--user", metavar="ID", help="Only this user's requests.")
    ] = None,
    org: Annotated[
        str | None, typer.Option("--org", metavar="ID", help="Only this organisation's requests.")
    ] = None,
    key: Annotated[
        str | None, typer.Option("--key", metavar="ID", help="Only requests with this key.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Only this model's requests.")
    ] = None,
    state: State = None,
    as_json: Json = False,
) -> None:
    """Say what requests came to: charged, and what they cost you. Amounts are credits."""
    if context.invoked_subcommand is not None:
        return
    if user is not None and org is not None:
        misuse("--user and --org are two owners; name one of them", as_json=as_json)
    if as_csv and as_json:
        misuse("--csv and --json are two forms; choose one", as_json=as_json)
    owner = f"user:{user}" if user is not None else f"org:{org}" if org is not None else None
    dimension = _dimension(by or "model", as_json=as_json)
    url = state_url(state, as_json=as_json)
    with answering(as_json=as_json), opened_state(url) as store:
        from hyperroute.canon.journal import Selection
        from hyperroute.runtime.clock import SystemClock
        from hyperroute.usage.reports import period

        bounds = period(days, now=SystemClock.unix_ns())
        selection = Selection(**bounds, owner=owner, key=key, model=model)
        if as_csv and by is None:
            _print_rows(store, selection)
        else:
            _print_sums(store, selection, dimension, as_csv=as_csv, as_json=as_json)


@app.command("rerate")
def rerate(
    *,
    prices: Annotated[
        Path, typer.Option("--prices", metavar="PATH", help="A table: a folder or a file.")
    ],
    since: Annotated[
        str, typer.Option("--from", metavar="DATE", help="The first day (UTC), such as 2026-11-01.")
    ],
    until: Annotated[
        str, typer.Option("--to", metavar="DATE", help="The last day (UTC), such as 2026-11-30.")
    ],
    state: State = None,
    as_json: Json = False,
) -> None:
    """Price a period once more by another table, and say per model what that changes."""
    first = _date("--from", since, as_json=as_json)
    last = _date("--to", until, as_json=as_json)
    if first > last:
        misuse(f"--from {since} lies behind --to {until}", as_json=as_json)
    if not prices.exists():
        misuse(f"there is no table at {str(prices)!r}", as_json=as_json)
    url = state_url(state, as_json=as_json)
    with answering(as_json=as_json), opened_state(url) as store:
        from hyperroute.canon.journal import Selection
        from hyperroute.canon.units import DAY
        from hyperroute.cli.loading import loaded
        from hyperroute.runtime.clock import SystemClock
        from hyperroute.usage.rerating import rerated, together

        table = loaded(prices).table
        tomorrow = SystemClock.unix_ns() // DAY + 1
        since_ns, until_ns = (min(max(0, day), tomorrow) * DAY for day in (first, last + 1))
        selection = Selection(since=since_ns, until=until_ns)
        found: dict[str, Rerated] = {}
        for rows in _pages(store, selection):
            for name, more in rerated(rows, table).items():
                found[name] = together(found.get(name), more)
        _print_rerated([found[name] for name in sorted(found)], as_json=as_json)


@app.command("prune")
def prune(
    *,
    keep: Annotated[
        str,
        typer.Option("--keep", metavar="TIME", help="How far back rows are kept, such as 400d."),
    ],
    state: State = None,
    as_json: Json = False,
) -> None:
    """Forget old rows for good; the sums by day stay."""
    keep_days = _whole_days(keep, as_json=as_json)
    url = state_url(state, as_json=as_json)
    with answering(as_json=as_json), opened_state(url) as store:
        from hyperroute.canon.journal import Forget
        from hyperroute.canon.units import DAY
        from hyperroute.runtime.clock import SystemClock
        from hyperroute.usage.forgetting import before, forgetting

        until = before(keep_days, now=SystemClock.unix_ns())
        asking, gone = forgetting(until), 0
        got: UsagePage | None = None
        while True:
            try:
                wish = asking.send(got)
            except StopIteration as end:
                gone = end.value
                break
            if isinstance(wish, Forget):
                store.commit([wish])
                got = None
            else:
                got = _page(store, wish)
        kept_from = str(_EPOCH + timedelta(until // DAY))
        if as_json:
            emit({"forgotten": gone, "keptFrom": kept_from})
        else:
            print(f"{gone} rows are forgotten; kept are those from {kept_from} on", file=sys.stderr)


# --- reading the store -----------------------------------------------------------------------------
def _page(store: Store, question: UsageQuery) -> UsagePage:
    from hyperroute.canon.journal import UsagePage

    (found,) = store.read([question])
    assert isinstance(found, UsagePage)
    return found


def _pages(store: Store, selection: Selection) -> Iterator[tuple[UsageRow, ...]]:
    from hyperroute.usage.reports import pages

    asking = pages(selection)
    question = next(asking)
    while True:
        found = _page(store, question)
        yield found.rows
        try:
            question = asking.send(found)
        except StopIteration:
            return


def _tallies(store: Store, selection: Selection, by: Dimension) -> tuple[Tally, ...]:
    from hyperroute.canon.journal import Tallies, UsageSums

    (found,) = store.read([UsageSums(selection=selection, by=(by,))])
    assert isinstance(found, Tallies)
    return found.tallies


# --- printing --------------------------------------------------------------------------------------
def _print_rows(store: Store, selection: Selection) -> None:
    from hyperroute.usage.export import header, lines

    _write(header(to_operator=True))
    for rows in _pages(store, selection):
        _write(lines(rows, to_operator=True))


def _write(data: bytes) -> None:
    """Write to stdout as it is, so that lines end as CSV has it on every system."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _print_sums(
    store: Store, selection: Selection, by: Dimension, *, as_csv: bool, as_json: bool
) -> None:
    told = [_told(by, tally) for tally in _tallies(store, selection, by)]
    if by != "day":
        told.sort(key=lambda one: one["credits"], reverse=True)
    if as_json:
        emit({"by": by, "sums": told})
    elif as_csv:
        from hyperroute.usage.export import safe

        heads = (by, *_SUMS)
        rows = [heads, *[[safe(_shown(one[head])) for head in heads] for one in told]]
        csv.writer(sys.stdout, lineterminator="\n").writerows(rows)
    elif told:
        total = {name: sum(one[name] for one in told) for name in _SUMS}
        heads = (by.upper(), *_SUMS.values())
        for line in columns([heads, *[_cells(by, one) for one in (*told, {by: "all"} | total)]]):
            print(line)
        if total["uncosted"]:
            print(f"hyperroute: of {total['uncosted']} a cost is unknown", file=sys.stderr)
    else:
        print("hyperroute: there was no request", file=sys.stderr)


_SUMS = MappingProxyType(
    {
        "requests": "REQUESTS",
        "credits": "CREDITS",
        "costCredits": "COST",
        "lostCredits": "LOST",
        "uncosted": "UNCOSTED",
        "inputTokens": "INPUT",
        "outputTokens": "OUTPUT",
    }
)
"""Members of a sum, and how they are headed."""


def _told(by: Dimension, tally: Tally) -> dict[str, Any]:
    from hyperroute.usage.rows import in_credits

    (group,) = tally.group
    if by == "day":
        assert isinstance(group, int)
        group = (_EPOCH + timedelta(group)).isoformat()
    return {
        by: group,
        "requests": tally.requests,
        "credits": in_credits(tally.credits),
        "costCredits": in_credits(tally.cost),
        "lostCredits": in_credits(tally.lost),
        "uncosted": tally.uncosted,
        "inputTokens": tally.input_tokens,
        "outputTokens": tally.output_tokens,
    }


def _cells(by: Dimension, one: dict[str, Any]) -> list[str]:
    return [_shown(one[by]) or "-", *[_shown(one[name]) for name in _SUMS]]


def _shown(value: object) -> str:
    return format(value.normalize(), "f") if isinstance(value, Decimal) else str(value)


def _print_rerated(found: list[Rerated], *, as_json: bool) -> None:
    from hyperroute.usage.rows import in_credits

    told = [
        {
            "model": one.model,
            "requests": one.requests,
            "credits": in_credits(one.charged),
            "wouldBeCredits": in_credits(one.would_charge),
            "costCredits": in_credits(one.cost),
            "wouldBeCostCredits": in_credits(one.would_cost),
            "unpriced": one.unpriced,
            "uncosted": one.uncosted,
        }
        for one in found
    ]
    if as_json:
        emit({"models": told})
        return
    heads = ("MODEL", "REQUESTS", "CREDITS", "WOULD BE", "COST", "WOULD BE", "UNPRICED", "UNCOSTED")
    for line in columns([heads, *[[_shown(cell) for cell in one.values()] for one in told]]):
        if told:
            print(line)
    if not told:
        print("hyperroute: nothing was delivered in that time", file=sys.stderr)


# --- reading what was written ----------------------------------------------------------------------
def _dimension(word: str, *, as_json: bool) -> Dimension:
    from hyperroute.canon.journal import DIMENSIONS
    from hyperroute.tables.vocabulary import nearest

    found = next((dimension for dimension in DIMENSIONS if dimension == word), None)
    if found is None:
        misuse(f"--by {word!r} is no sum{nearest(word, DIMENSIONS)}", as_json=as_json)
    return found


def _date(option: str, text: str, *, as_json: bool) -> int:
    from hyperroute.tables.words import date as read_date

    try:
        return read_date(text)
    except ValueError:
        misuse(f"{option} is a date such as 2026-11-01, not {text!r}", as_json=as_json)


def _whole_days(text: str, *, as_json: bool) -> int:
    from hyperroute.canon.units import DAY
    from hyperroute.tables.words import time

    try:
        kept = time(text)
    except ValueError:
        kept = 0
    if kept < DAY or kept % DAY:
        misuse(f"--keep is a number of days such as 400d, not {text!r}", as_json=as_json)
    return kept // DAY


__all__ = ["app"]
