"""What a fault means: the one place where replies and broken connections become ``Failure`` values.

Codes are read before types, types before the status, and text only where a row of a table says so
(reliability.md, 5.1). A table is data: each row names what a provider shows and the verdict that the
fault catalogue (reliability.md, 3) gives it. A provider extends its dialect's table by rows of its
own, which are asked first; unknown 4xx is ``bad_request``, unknown 5xx is ``server_error``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import IntEnum
from operator import itemgetter
from types import MappingProxyType
from typing import Final

from hyperroute.canon.failure import Failure, FailureClass
from hyperroute.dialects.base import ErrorReport
from hyperroute.providers import verdicts
from hyperroute.providers.classify_rows import Row
from hyperroute.providers.classify_rows_anthropic import ANTHROPIC_ROWS
from hyperroute.providers.classify_rows_bedrock import BEDROCK_ROWS
from hyperroute.providers.classify_rows_gemini import GEMINI_ROWS
from hyperroute.providers.classify_rows_openai import OPENAI_ROWS
from hyperroute.providers.classify_rows_status import STATUS_ROWS

_Placed = tuple[int, Row]

Classify = Callable[[ErrorReport, str], Failure]
"""Gives the verdict on a report that was read in the dialect of that name."""


class _Tier(IntEnum):
    """How much a row knows; the most telling evidence is asked first."""

    CODE = 0
    TEXT = 1
    TYPE = 2
    STATUS = 3


def classify(report: ErrorReport, rows: Iterable[Row] = ()) -> Failure:
    """Give the verdict on an error reply; total.

    Among rows that rest on equal evidence those with a text come first, then the order of the table
    counts. ``status`` may be missing: an error object inside a 200 is judged as if its code were the
    status (rows 51, 61 and 62).

    Args:
        report: What the dialect extracted.
        rows: The tables to ask, the most particular first.
    """
    return _Ranked(rows).judged(report)


class _Ranked:
    """A table and the statuses, each row with its place in the order in which they are asked.

    Most of a table speaks of other errors, so a row is found by its first evidence: one of its codes,
    else of its types, else of its statuses.
    """

    __slots__ = ("_codes", "_others", "_statuses", "_types")

    def __init__(self, rows: Iterable[Row]) -> None:
        self._codes: dict[object, list[_Placed]] = {}
        self._types: dict[object, list[_Placed]] = {}
        self._statuses: dict[object, list[_Placed]] = {}
        self._others: list[_Placed] = []
        table = sorted((*rows, *STATUS_ROWS), key=lambda row: (_tier(row), not row.text))
        for place, row in enumerate(table):
            if row.code:
                self._put(self._codes, row.code, (place, row))
            elif row.type:
                self._put(self._types, row.type, (place, row))
            elif row.status:
                self._put(self._statuses, row.status, (place, row))
            else:
                self._others.append((place, row))

    @staticmethod
    def _put(by: dict[object, list[_Placed]], shown: tuple[object, ...], placed: _Placed) -> None:
        for one in shown:
            by.setdefault(one, []).append(placed)

    def judged(self, report: ErrorReport) -> Failure:
        status = effective_status(report)
        asked = [
            *self._codes.get(report.code, ()),
            *self._types.get(report.type, ()),
            *self._statuses.get(status, ()),
            *self._others,
        ]
        for _, row in sorted(asked, key=itemgetter(0)):
            if row.matches(report, status):
                return _told(row.verdict, report, status)
        return _told(_unknown(status), report, status)


def rows_of(dialect: str) -> tuple[Row, ...]:
    """Return a dialect's own table; one that we do not know has none but the statuses."""
    return _TABLES.get(dialect, BEDROCK_ROWS)


def by_dialect(report: ErrorReport, dialect: str) -> Failure:
    """Give the verdict by the dialect's own table."""
    return _RANKED.get(dialect, _UNKNOWN_RANKED).judged(report)


def classifier(*rows: Row) -> Classify:
    """Build a classifier that asks these rows before those of the dialect."""
    ranked = {dialect: _Ranked((*rows, *table)) for dialect, table in _TABLES.items()}
    unknown = _Ranked((*rows, *BEDROCK_ROWS))

    def judged(report: ErrorReport, dialect: str) -> Failure:
        return ranked.get(dialect, unknown).judged(report)

    return judged


def classify_transport(fault: str, *, begun: bool = False) -> Failure:
    """Give the verdict on bytes that did not get through (rows 1 to 9 and 52 to 60).

    Args:
        fault: A ``TransportFault``; one that is not known is taken as ambiguous, the careful guess.
        begun: Part of the body had arrived. A reset is then a cut (row 60), silence a stall (57).
    """
    verdict = (_LATER.get(fault) if begun else None) or _FAULTS.get(fault, verdicts.RESET)
    return replace(verdict, message=f"transport: {fault}", code=fault)


def effective_status(report: ErrorReport) -> int | None:
    """Say which status an error speaks of: its own code where the reply itself was a success."""
    if report.status is not None and not 200 <= report.status < 300:
        return report.status
    code = report.code or ""
    if len(code) == 3 and code.isascii() and code.isdigit() and int(code) >= 300:
        return int(code)
    return None if report.status is None or report.status == 200 else report.status


_CODE: Final = re.compile(
    r"(?=.{1,64}$)(?:\d{1,6}|[A-Za-z]+(?:[_-][A-Za-z]+|\.[A-Z][A-Za-z]*)*(?:[_-]?\d{1,3})?)"
)
"""A short number, or words that may end in one: what vendors' lists of codes hold, and no host."""

_TABLES: Final = MappingProxyType(
    {
        "openai.chat": OPENAI_ROWS + BEDROCK_ROWS,
        "openai.responses": OPENAI_ROWS + BEDROCK_ROWS,
        "openai.images": OPENAI_ROWS,
        "openai.embeddings": OPENAI_ROWS + BEDROCK_ROWS,
        "openai.completions": OPENAI_ROWS + BEDROCK_ROWS,
        "anthropic.messages": ANTHROPIC_ROWS + BEDROCK_ROWS,
        "gemini.generate": GEMINI_ROWS + BEDROCK_ROWS,
    }
)
_FAULTS: Final = {
    "dns": verdicts.DNS,
    "connect": verdicts.CONNECT,
    "connect_timeout": verdicts.CONNECT_TIMEOUT,
    "tls": verdicts.TLS,
    "pool": verdicts.POOL,
    "unsent": verdicts.UNSENT,
    "goaway": verdicts.GOAWAY,
    "reset": verdicts.RESET,
    "first_byte": verdicts.SLOW_START,
    "idle": verdicts.SLOW_START,
    "cut": verdicts.TRUNCATED,
    "encoding": verdicts.BOMB,
    "protocol": verdicts.MALFORMED,
}
_LATER: Final = {
    "reset": verdicts.TRUNCATED,
    "idle": verdicts.STALLED,
    "goaway": verdicts.TRUNCATED,
}


def _tier(row: Row) -> _Tier:
    if row.code or row.detail:
        return _Tier.CODE
    if row.text:
        return _Tier.TEXT
    return _Tier.TYPE if row.type else _Tier.STATUS


_RANKED: Final = MappingProxyType({dialect: _Ranked(table) for dialect, table in _TABLES.items()})
_UNKNOWN_RANKED: Final = _Ranked(BEDROCK_ROWS)


def _unknown(status: int | None) -> Failure:
    match status:
        case int() if 400 <= status < 500:
            return verdicts.BAD_REQUEST
        case int() if status < 400:
            return verdicts.WRONG_STATUS
        case _:
            return verdicts.SERVER_ERROR


def _told(verdict: Failure, report: ErrorReport, status: int | None) -> Failure:
    # What a CDN or a proxy writes is not the provider's explanation, whatever its status.
    return replace(
        verdict,
        message=report.message,
        explains=verdict.explains and report.json and bool(report.message),
        status=status,
        code=_word(report.code) or _word(report.type),
        hint_ns=report.hint_ns,
        pushback=verdict.pushback or report.pushback,
    )


def _word(code: str | None) -> str | None:
    """Keep a code only if it is one: records and logs show it, so it must be no sentence or id.

    Gateways put messages, account names and request ids where a code belongs (invariant 29).
    """
    return code if code is not None and _CODE.fullmatch(code) else None


def verdict_on(kind: FailureClass) -> Failure:
    """Return the plainest verdict of a class, for simulations and tests."""
    return verdicts.PLAIN[kind]


__all__ = [
    "Classify",
    "Row",
    "by_dialect",
    "classifier",
    "classify",
    "classify_transport",
    "effective_status",
    "rows_of",
    "verdict_on",
]
