"""``/api/api-usage`` and its export: what an account's requests came to (api.md, 17).

Laws: a key sees the rows of its own owner and no others; one of scope ``admin`` sees all, or those of
``?user=`` or ``?org=``. What we pay is told to admins alone. Amounts are exact decimals in JSON too,
and sums are about all rows of the period, however few of them are listed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final, NoReturn
from urllib.parse import parse_qsl

from hyperroute.accounts.amounts import microcredits
from hyperroute.canon.failure import FailureClass
from hyperroute.canon.journal import ROWS_MAX, Selection, Tally, UsageQuery, UsageRow
from hyperroute.canon.wire import HttpRequest
from hyperroute.dialects import json
from hyperroute.dialects.base import ClientError
from hyperroute.gateway import render
from hyperroute.gateway.door import Caller, Read, Unwelcome
from hyperroute.gateway.message import Paged
from hyperroute.gateway.paths import Place
from hyperroute.gateway.visit import Visit
from hyperroute.usage import export, reports
from hyperroute.usage.rows import in_credits, told

DAYS: Final = 30
LIMIT: Final = 1_000
"""What is meant where nothing is said (api.md, 17)."""

_WORD_MAX: Final = 200
_NUMBER_MAX: Final = 10**12
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a query asks for."""

    selection: Selection
    limit: int
    hidden: frozenset[str]
    to_operator: bool


def answered(
    place: Place, http: HttpRequest, caller: Caller, hidden: frozenset[str], visit: Visit
) -> Generator[Read, Any, Paged]:
    """Answer one question.

    The first rows are read before there is a head, so that a store that is down is a 503.

    Args:
        place: One of the two paths.
        http: For its query.
        caller: Whose rows it may see.
        hidden: Providers that callers do not know.
        visit: For the time and the request's name.

    Raises:
        Unwelcome: The query asks for what there is not, or what the caller may not see.
    """
    asked = _read(place, http, caller, hidden, visit)
    named = (*render.ids(visit.request_id), render.NO_STORE)
    if place.verb == "export":
        pages = reports.pages(asked.selection)
        (first,) = yield Read((next(pages),))
        disposition = f'attachment; filename="{export.name_on(visit.began_unix_ns)}"'
        kind = ("content-type", "text/csv; charset=utf-8; header=present")
        headers = (*named, kind, ("content-disposition", disposition))
        return Paged(status=200, headers=headers, pages=_csv(asked, pages, first))
    questions = reports.questions(asked.selection, limit=asked.limit)
    found = yield Read(questions)
    report = reports.report(questions, found)
    return Paged(status=200, headers=(*named, render.JSON), pages=_json(asked, report))


# --- reading the query -----------------------------------------------------------------------------
def _read(
    place: Place, http: HttpRequest, caller: Caller, hidden: frozenset[str], visit: Visit
) -> _Asked:
    said = _said(http.url, place)
    is_admin = "admin" in caller.scopes
    days = _whole(said, "days", 1, reports.DAYS_MAX) or DAYS
    return _Asked(
        selection=Selection(
            **reports.period(days, now=visit.began_unix_ns),
            owner=_owner(said, caller),
            key=said.get("keyId"),
            endpoint=said.get("endpoint"),
            model=said.get("model"),
            status=_status(said),
            latency_ms_min=_whole(said, "minLatencyMs", 0, _NUMBER_MAX),
            credits_min=_credits(said, "minCost"),
            text=said.get("q"),
        ),
        limit=_whole(said, "limit", 1, ROWS_MAX) or LIMIT,
        hidden=hidden,
        to_operator=is_admin,
    )


_FILTERS: Final = ("endpoint", "model", "status", "minLatencyMs", "minCost", "keyId", "q")
_KNOWN: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "usage": ("days", "limit", *_FILTERS, "user", "org"),
        "export": ("days", *_FILTERS, "user", "org"),
    }
)
"""Parameters, by what the path asks for."""


def _said(url: str, place: Place) -> dict[str, str]:
    known, said = _KNOWN[place.verb], dict[str, str]()
    for name, value in parse_qsl(url.partition("?")[2], keep_blank_values=True):
        if name == "key":
            continue  # a form of the caller's key, where that is let in
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"one of: {', '.join(known)}."
            _wrong(name, f"There is no parameter {name[:40]!r} here; {hint}")
        if name in said:
            _wrong(name, f"The parameter {name} is there twice.")
        if len(value) > _WORD_MAX or not value.isprintable():
            _wrong(name, f"{name} is up to {_WORD_MAX} printable characters.")
        if value:
            said[name] = value
    return said


def _owner(said: Mapping[str, str], caller: Caller) -> str | None:
    """Say whose rows are meant; ``None``: everybody's."""
    named = [f"{kind}:{said[kind]}" for kind in ("user", "org") if kind in said]
    if len(named) > 1:
        _wrong("org", "user and org are two owners; name one of them.")
    if "admin" in caller.scopes:
        return named[0] if named else None
    if named and named != [caller.owner]:
        message = "Another owner's usage is open to keys of scope admin only."
        raise Unwelcome(ClientError(status=403, kind="forbidden", message=message))
    return caller.owner


def _whole(said: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    text = said.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        _wrong(name, f"{name} is a whole number from {least} to {most}, not {text[:40]!r}.")
    return int(text)


def _credits(said: Mapping[str, str], name: str) -> int | None:
    text = said.get(name)
    if text is None:
        return None
    try:
        return microcredits(Decimal(text))
    except (InvalidOperation, ValueError):
        message = f"{name} is an amount of credits with six decimals at most, not {text[:40]!r}."
        return _wrong(name, message)


def _status(said: Mapping[str, str]) -> tuple[int, int] | None:
    text = said.get("status")
    if text is None:
        return None
    if len(text) == 3 and text.isascii() and text[0] in "12345":
        if text[1:].lower() == "xx":
            return int(text[0]) * 100, int(text[0]) * 100 + 99
        if text.isdigit():
            return int(text), int(text)
    return _wrong(
        "status", f"status is one such as 429, or a class such as 4xx, not {text[:40]!r}."
    )


def _wrong(name: str, message: str) -> NoReturn:
    kind = FailureClass.BAD_REQUEST
    raise Unwelcome(ClientError(status=400, kind=kind, message=message, param=name[:40]))


# --- writing the answer ----------------------------------------------------------------------------
def _csv(
    asked: _Asked, pages: Generator[UsageQuery, Any, None], found: Any
) -> Generator[Read | bytes, Any, None]:
    yield export.header(to_operator=asked.to_operator)
    while True:
        yield export.lines(found.rows, hidden=asked.hidden, to_operator=asked.to_operator)
        try:
            query = pages.send(found)
        except StopIteration:
            return
        (found,) = yield Read((query,))


def _json(asked: _Asked, report: reports.Report) -> Generator[Read | bytes, Any, None]:
    """Write a report, some rows at a time, because other requests want their turn."""

    def row(one: UsageRow) -> bytes:
        return _object(told(one, hidden=asked.hidden, to_operator=asked.to_operator))

    yield b'{"logs":['
    yield from _listed(report.rows, row)
    yield b'],"costByModel":['
    yield from _listed(report.models, lambda one: _object(_model(one, asked)))
    yield b'],"topExpensiveRequests":['
    yield from _listed(report.dearest, row)
    yield b'],"dailyCost":['
    yield from _listed(report.days, lambda one: _object(_day(*one)))
    yield b"]}"


def _listed(things: Iterable[Any], write: Callable[[Any], bytes]) -> Iterator[bytes]:
    written = list[bytes]()
    for number, thing in enumerate(things):
        written.append(b"," + write(thing) if number else write(thing))
        if len(written) == 200:
            yield b"".join(written)
            written.clear()
    if written:
        yield b"".join(written)


def _model(tally: Tally, asked: _Asked) -> dict[str, Any]:
    members: dict[str, Any] = {
        "model": tally.group[0] or None,
        "requests": tally.requests,
        "credits": in_credits(tally.credits),
        "inputTokens": tally.input_tokens,
        "outputTokens": tally.output_tokens,
    }
    if asked.to_operator:
        members["costCredits"] = in_credits(tally.cost)
        members["lostCredits"] = in_credits(tally.lost)
        members["requestsOfUnknownCost"] = tally.uncosted
    return members


def _day(day: int, charged: int) -> dict[str, Any]:
    return {"date": (_EPOCH + timedelta(day)).isoformat(), "credits": in_credits(charged)}


def _object(members: Mapping[str, Any]) -> bytes:
    """Write one object; exact decimals stand last, digit by digit, because no float may touch them."""
    plain = {name: value for name, value in members.items() if not isinstance(value, Decimal)}
    exact = [f'"{name}":{value:f}' for name, value in members.items() if isinstance(value, Decimal)]
    return json.dumps(plain)[:-1] + "".join([f",{one}" for one in exact]).encode() + b"}"


__all__ = ["DAYS", "LIMIT", "answered"]
