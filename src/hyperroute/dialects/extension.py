"""What a request asks of the router itself: the ``hyperroute`` (or ``hypereal``) body member.

It may narrow, never widen (tables.md), and is removed before anything is sent on, because a provider
refuses members that it does not know. A member that we do not know is refused too: a caller who
mistypes ``fallback`` must not be failed over in silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hyperroute.canon.request import NO_NARROWING, Narrowing
from hyperroute.canon.units import DAY, HOUR, MILLISECOND, MINUTE, SECOND
from hyperroute.errors import ClientWireError

EXTENSIONS = ("hyperroute", "hypereal")
"""The member's name and the older one, which means the same."""

DEADLINE_NS_MAX = 7 * DAY

_UNITS = {"ms": MILLISECOND, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_TIME = re.compile(r"\s*([0-9]{1,12}(?:\.[0-9]{1,9})?)\s*(ms|s|m|h|d)\s*", re.ASCII)
_MONEY = re.compile(r"\s*([0-9]{1,12}(?:\.[0-9]{1,12})?)\s*(usd|credit|credits)?\s*", re.ASCII)
_KNOWN = ("fallback", "providers", "max_cost", "deadline", "cache")


def read_extension(raw: Mapping[str, Any]) -> tuple[Narrowing, tuple[str, ...]]:
    """Read the narrowing, and name the top-level members to strip.

    Times are text (``30s``) or a number of seconds; money is text (``0.05``, ``0.05 usd``,
    ``5 credit``) or a number of dollars. ``null`` is the same as absent.

    Raises:
        ClientWireError: The object, or a member of it, is unknown or of the wrong type.
    """
    present = tuple(name for name in EXTENSIONS if name in raw)
    if not present:
        return NO_NARROWING, ()
    if len(present) > 1:
        raise ClientWireError(
            "say it once: hyperroute and hypereal are the same", pointer="/hypereal"
        )
    where = f"/{present[0]}"
    value = raw[present[0]]
    if value is None:
        return NO_NARROWING, present
    said = _object(value, where, _KNOWN)
    providers = _object(said.get("providers") or {}, f"{where}/providers", ("only", "avoid"))
    only = _names(providers.get("only"), f"{where}/providers/only")
    narrowing = Narrowing(
        fallback=_flag(said.get("fallback"), f"{where}/fallback"),
        only=only,
        avoid=_names(providers.get("avoid"), f"{where}/providers/avoid") or (),
        max_cost=_money(said.get("max_cost"), f"{where}/max_cost"),
        deadline_ns=_duration(said.get("deadline"), f"{where}/deadline"),
        cache=said.get("cache") == "auto" or _flag(said.get("cache"), f"{where}/cache"),
    )
    return narrowing, present


def _object(value: Any, where: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ClientWireError("must be an object", pointer=where)
    for key in value:
        if key not in known:
            step = str(key).replace("~", "~0").replace("/", "~1")
            raise ClientWireError(
                f"unknown member; known are {', '.join(known)}", pointer=f"{where}/{step}"
            )
    return value


def _flag(value: Any, where: str) -> bool:
    if value is None or value is True:
        return True
    if value is False:
        return False
    raise ClientWireError("must be true or false", pointer=where)


def _names(value: Any, where: str) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple):
        raise ClientWireError("must be a list of names", pointer=where)
    for index, name in enumerate(value):
        if not isinstance(name, str):
            raise ClientWireError("must be a name", pointer=f"{where}/{index}")
    return tuple(value)


def _number(value: Any) -> Decimal | None:
    """Take a JSON number exactly as it prints; ``true`` and NaN are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = Decimal(str(value)) if not isinstance(value, int) else Decimal(value)
    return number if number.is_finite() and 0 <= number < 10**12 else None


def _money(value: Any, where: str) -> str | None:
    if value is None:
        return None
    amount = _number(value)
    if isinstance(value, str) and (match := _MONEY.fullmatch(value.lower())):
        amount = Decimal(match[1])
        if (match[2] or "").startswith("credit"):
            amount = amount.scaleb(-2)
    if amount is None:
        raise ClientWireError("must be money such as '0.05 usd' or '5 credit'", pointer=where)
    return f"{amount:f}"


def _duration(value: Any, where: str) -> int | None:
    if value is None:
        return None
    number, unit = _number(value), SECOND
    if isinstance(value, str) and (match := _TIME.fullmatch(value)):
        number, unit = Decimal(match[1]), _UNITS[match[2]]
    ns = None if number is None else int(number * unit)
    if ns is None or not 0 < ns <= DEADLINE_NS_MAX:
        raise ClientWireError("must be a time such as '30s' or '500ms', up to 7d", pointer=where)
    return ns
