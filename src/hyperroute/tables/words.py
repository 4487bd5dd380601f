"""Scalar grammars: what a size, a time or a price looks like, one function each.

Each takes a value as YAML gave it and returns ours, or raises ``ValueError`` with the form it
expected and what it found. Numbers become integers and ``Decimal``; nothing here is a float.
"""

from __future__ import annotations

import re
from datetime import date as calendar_date
from decimal import Decimal
from typing import Literal

from hyperroute.canon.units import DAY, HOUR, MILLISECOND, MINUTE, SECOND
from hyperroute.catalog.card import Rate
from hyperroute.catalog.shape import Range

_NUMBER = r"(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,12})?"
"""Few enough digits that no product or quotient below is ever rounded (``Decimal`` keeps 28)."""
_SIZE = re.compile(rf"({_NUMBER})([kM]?)")
_TIME = re.compile(rf"({_NUMBER})\s?(ms|s|m|h|d)")
_MONEY = re.compile(rf"({_NUMBER})\s?(usd|credit)")
_SHARE = re.compile(rf"({_NUMBER})\s?%")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RATE = re.compile(
    r"([0-9.]+[kM]?)\s(req|poll|tok|image|second)\s?/\s?(s|min|h|day|month)(?:\sburst\s([0-9.]+[kM]?))?"
)
_QUANTITY = re.compile(r"([0-9.]+[kM]?)\s([a-z]+)")
_SECRET = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:/\S+")
_NAME = re.compile(r"[^\s\x00-\x1f\x7f]{1,200}")
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_REGION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_BUDGET = re.compile(r"(.+?)\s?/\s?(day|month)")
_PIXELS = re.compile(r"([1-9][0-9]{0,5})\s?[x*]\s?([1-9][0-9]{0,5})", re.IGNORECASE)

_TIME_UNITS = {"ms": MILLISECOND, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_SIZE_UNITS = {"": 1, "k": 1_000, "M": 1_000_000}


def shown(value: object) -> str:
    """Write a found value the way an author would recognise it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:57] + "...")
    return str(value)


def exact(value: Decimal) -> str:
    """Spell a number one way, so that equal numbers are equal text; every digit stays."""
    text = format(value, "f")
    return text.rstrip("0").removesuffix(".") if "." in text else text


def _expected(form: str, value: object) -> ValueError:
    return ValueError(f"expected {form}, found {shown(value)}")


def _text(value: object) -> str:
    """Numbers are read as the text they were, so that ``200`` is a size and ``1.5`` a decimal."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    return ""


def _sized(text: str) -> int | None:
    if found := _SIZE.fullmatch(text):
        number = Decimal(found[1]) * _SIZE_UNITS[found[2]]
        if number == number.to_integral_value():
            return int(number)
    return None


def size(value: object) -> int:
    """Read ``200k``, ``1.5M`` or ``4096``: whole, in thousands and millions."""
    number = _sized(_text(value))
    if number is None:
        raise _expected("a size such as 200k", value)
    return number


def time(value: object) -> int:
    """Read ``500ms``, ``1.5s``, ``30d`` into nanoseconds; a bare number has no unit and is refused."""
    if isinstance(value, str) and (found := _TIME.fullmatch(value)):
        nanoseconds = Decimal(found[1]) * _TIME_UNITS[found[2]]
        if nanoseconds == nanoseconds.to_integral_value():
            return int(nanoseconds)
    raise _expected("a time such as 30s (ms s m h d)", value)


def money(value: object) -> Decimal:
    """Read ``0.50 usd`` or ``50 credit`` into exact USD; 100 credit are one."""
    if isinstance(value, str) and (found := _MONEY.fullmatch(value)):
        amount = Decimal(found[1])
        return amount if found[2] == "usd" else amount / 100
    raise _expected("money such as 0.50 usd or 50 credit", value)


def decimal(value: object) -> Decimal:
    """Read a decimal without sign; 0 is one."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and value >= 0:
        return Decimal(value)
    raise _expected("a decimal without sign, such as 0.75", value)


def count(value: object) -> int:
    """Read a whole number from 0."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise _expected("a count such as 3", value)


def positive(value: object) -> int:
    """Read a whole number from 1."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise _expected("a count of at least 1", value)


def status(value: object) -> int:
    """Read an HTTP status."""
    if isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599:
        return value
    raise _expected("an HTTP status such as 503", value)


def share(value: object) -> Decimal:
    """Read ``80%`` as the exact fraction 0.8."""
    if isinstance(value, str) and (found := _SHARE.fullmatch(value)):
        return Decimal(found[1]) / 100
    raise _expected("a share such as 80%", value)


def percent(value: object) -> int:
    """Read a whole number of per cent."""
    if isinstance(value, str) and (found := _SHARE.fullmatch(value)) and "." not in found[1]:
        return int(found[1])
    raise _expected("a whole share such as 80%", value)


def date(value: object) -> int:
    """Read ``2026-02-17`` into days since 1970-01-01."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return (calendar_date.fromisoformat(value) - calendar_date(1970, 1, 1)).days
        except ValueError:
            pass
    raise _expected("a date such as 2026-02-17", value)


def rate(value: object) -> Rate:
    """Read ``300 req / min burst 50``."""
    if isinstance(value, str) and (found := _RATE.fullmatch(" ".join(value.split()))):
        amount = _sized(found[1])
        burst = _sized(found[4]) if found[4] else None
        if amount and (burst or not found[4]):
            return Rate(amount, found[2], found[3], burst)  # type: ignore[arg-type] # by the regex
    raise _expected("a rate such as 300 req / min burst 50", value)


def quantity(value: object) -> tuple[int, str]:
    """Read ``1M tok`` or ``60 second``: how many, of which unit."""
    if isinstance(value, str) and (found := _QUANTITY.fullmatch(value)):
        amount = _sized(found[1])
        if amount:
            return amount, found[2]
    raise _expected("a quantity of a unit such as 1M tok", value)


def secret(value: object) -> str:
    """Read a reference to a secret; the secret itself never stands in a table."""
    if isinstance(value, str) and _SECRET.fullmatch(value):
        return value
    # The value is not shown: it may be the secret itself.
    raise ValueError("expected a reference to a secret: env:NAME or file:/path")


def name(value: object) -> str:
    """Read a name: text without blanks."""
    if isinstance(value, str) and _NAME.fullmatch(value):
        return value
    raise _expected("a name without blanks", value)


def word(value: object) -> str:
    """Read a word of letters, digits, dots, dashes and underscores."""
    if isinstance(value, str) and _WORD.fullmatch(value):
        return value
    raise _expected("a word (letters, digits, . _ -)", value)


def region(value: object) -> str:
    """Read ``eu`` or ``eu-central``; each part lies within what stands before it."""
    if isinstance(value, str) and _REGION.fullmatch(value):
        return value
    raise _expected("a region such as eu or eu-central", value)


def pixels(value: object) -> tuple[int, int]:
    """Read ``1280x720``; ``1280*720`` is the same."""
    if isinstance(value, str) and (found := _PIXELS.fullmatch(value)):
        return int(found[1]), int(found[2])
    raise _expected("width and height such as 1280x720", value)


def canonical_word(text: str) -> str:
    """Give the one spelling under which words of a request are compared: case and ``*`` of a size."""
    found = _PIXELS.fullmatch(text)
    return f"{found[1]}x{found[2]}" if found else text.lower()


def budget(value: object) -> tuple[str, Literal["day", "month"]]:
    """Split ``500 usd / month`` or ``key.limit / month``; what is before the slash is judged later."""
    if isinstance(value, str) and (found := _BUDGET.fullmatch(" ".join(value.split()))):
        return found[1], "day" if found[2] == "day" else "month"
    raise _expected("money or a fact per day or month, such as 500 usd / month", value)


def number(value: object) -> int | Decimal:
    """Read a number as YAML typed it."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(rf"-?{_NUMBER}", value):
        return Decimal(value) if "." in value else int(value)
    raise _expected("a number", value)


def span(value: object, *, times: bool | None = None) -> Range:
    """Read ``1..10``, ``..5`` or ``4s..15s``, both ends in.

    Args:
        value: As YAML gave it.
        times: Whether the ends must be times; ``None``: whichever they are.
    """
    if not isinstance(value, str) or ".." not in value:
        raise _expected("a range such as 4s..15s" if times else "a range such as 1..10", value)
    low_text, high_text = value.split("..", 1)
    low, high = (_end(part.strip(), value, times) for part in (low_text, high_text))
    if low is None and high is None:
        raise _expected("a range with at least one end", value)
    if low is not None and high is not None and low > high:
        raise ValueError(f"the range {value} is empty: its low end is above its high end")
    return Range(low, high)


def _end(text: str, whole: object, times: bool | None) -> int | Decimal | None:
    if not text:
        return None
    if times is not False and _TIME.fullmatch(text):
        return time(text)
    if times is not True:
        try:
            return number(text)
        except ValueError:
            pass
    raise _expected("a range such as 4s..15s" if times else "a range such as 1..10", whole)
