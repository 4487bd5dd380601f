"""Rows as CSV, after RFC 4180: a header row, lines that end in CR LF, UTF-8, times in UTC.

Law: no cell begins like a formula. One that would gets an apostrophe before it, as does one that
begins with an apostrophe, so that what was written can be read back: ``plain``.

Example:
    >>> safe("=HYPERLINK(…)"), safe("gpt-5.5"), plain(safe("=HYPERLINK(…)"))
    ("'=HYPERLINK(…)", 'gpt-5.5', '=HYPERLINK(…)')
"""

from __future__ import annotations

import csv
import io
from collections.abc import Container, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from hyperroute.canon.journal import UsageRow
from hyperroute.canon.units import SECOND, Instant
from hyperroute.usage.rows import told

COLUMNS: Final[tuple[str, ...]] = tuple(told(UsageRow(id="", at=0)))
"""Members of a row, as of ``rows.told``."""

OPERATOR_COLUMNS: Final[tuple[str, ...]] = tuple(told(UsageRow(id="", at=0), to_operator=True))

_BEGINNINGS: Final = frozenset("=+-@\t\r\n'＝＋－＠")  # noqa: RUF001 - spreadsheets take the wide ones too
"""Of formulas, as OWASP lists them (CSV Injection, read 2026-11-22), and the apostrophe."""


def name_on(now: Instant) -> str:
    """Name the file that is exported now, in Unix nanoseconds."""
    date = datetime.fromtimestamp(now // SECOND, UTC).strftime("%Y-%m-%d")
    return f"hypereal-usage-{date}.csv"


def header(*, to_operator: bool = False) -> bytes:
    """Write the first line."""
    return _lines([OPERATOR_COLUMNS if to_operator else COLUMNS])


def lines(
    rows: Iterable[UsageRow], *, hidden: Container[str] = (), to_operator: bool = False
) -> bytes:
    """Write a line for each row; arguments as of ``rows.told``."""
    return _lines(
        [
            [_cell(member) for member in told(row, hidden=hidden, to_operator=to_operator).values()]
            for row in rows
        ]
    )


def safe(text: str) -> str:
    """Keep a cell from being a formula."""
    return f"'{text}" if text[:1] in _BEGINNINGS and text else text


def plain(cell: str) -> str:
    """Read back what ``safe`` wrote."""
    return cell.removeprefix("'")


def _cell(member: Any) -> str:
    if member is None:
        return ""
    if isinstance(member, bool):
        return "true" if member else "false"
    if isinstance(member, Decimal):
        return format(member, "f")
    return safe(str(member))


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


__all__ = ["COLUMNS", "OPERATOR_COLUMNS", "header", "lines", "name_on", "plain", "safe"]
