"""What may be said of a key over HTTP, member by member: read exactly, or refused by its name.

Names are those of ``shown``. ``null`` takes a limit, a list or an end away. What makes a key mighty
(its scopes) or what it is (its secret, its owner once it is made) cannot be said here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from hyperroute.accounts.amounts import CREDITS_MAX, microcredits
from hyperroute.canon.units import Instant
from hyperroute.tables.vocabulary import nearest

CHARS_MAX: Final = 200
"""Of a name, an owner's id, a pattern of models."""

MODELS_MAX: Final = 100

MAKING: Final = (
    "name",
    "ownerType",
    "ownerId",
    "spendingLimit",
    "autoDisable",
    "allowedModels",
    "expiresAt",
)
"""Members of a key that is to be made; the first is required."""

CHANGING: Final = (
    "name",
    "spendingLimit",
    "autoDisable",
    "allowedModels",
    "expiresAt",
    "active",
)
"""Members of a key that can be changed."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Unfit(ValueError):
    """A member is not what it has to be."""

    def __init__(self, member: str, message: str) -> None:
        """Say which, and why."""
        super().__init__(message)
        self.member = member


def read_members(
    said: Mapping[str, Any], known: tuple[str, ...], *, now: Instant
) -> dict[str, Any]:
    """Read what was said into attributes of ``Key``.

    Args:
        said: A JSON object, its fractions as ``Decimal``.
        known: Which members there are.
        now: Unix nanoseconds; a key cannot end before it.

    Raises:
        Unfit: A member is unknown, or not what it has to be.
    """
    for name in said:
        if name not in known:
            raise Unfit(
                name[:CHARS_MAX], f"there is no member {name[:60]!r} here{nearest(name, known)}"
            )
    found: dict[str, Any] = {}
    for name, value in said.items():
        attribute, read = _READERS[name]
        try:
            found[attribute] = read(value)
        except ValueError as error:
            raise Unfit(name, f"{name} is {error}, not {_told(value)}") from None
    ends = found.get("expires_at")
    if ends is not None and ends <= now:
        raise Unfit("expiresAt", f"expiresAt is in the future, not {_told(said['expiresAt'])}")
    return found


def _line(value: object) -> str:
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= CHARS_MAX
        or not value.isprintable()
        or value != value.strip()
    ):
        raise ValueError(f"a line of 1 to {CHARS_MAX} characters")
    return value


def _limit(value: object) -> int | None:
    if value is None:
        return None
    expected = ValueError(
        f"credits a month, from 0 to {CREDITS_MAX} with six decimals at most, or null"
    )
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise expected
    try:
        return microcredits(Decimal(value))
    except (ValueError, ArithmeticError):
        raise expected from None


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")  # noqa: TRY004 - one class of error, with its sentence
    return value


def _models(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not 0 < len(value) <= MODELS_MAX:
        raise ValueError(f"a list of 1 to {MODELS_MAX} patterns, or null for all models")
    try:
        return tuple([_line(one) for one in value])
    except ValueError:
        raise ValueError(f"a list of patterns of 1 to {CHARS_MAX} characters each") from None


def _instant(value: object) -> int | None:
    if value is None:
        return None
    expected = ValueError("a date such as 2027-01-31 or an instant such as 2027-01-31T18:00:00Z")
    if not isinstance(value, str) or len(value) > CHARS_MAX:
        raise expected
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is None and "T" not in value and len(value) == len("2027-01-31"):
            at = at.replace(tzinfo=UTC)
        return (at - _EPOCH) // timedelta(microseconds=1) * 1_000
    except (ValueError, TypeError, OverflowError):
        raise expected from None


def _owner_type(value: object) -> str:
    if value not in ("user", "org"):
        raise ValueError("user or org")
    return str(value)


_READERS: Final[Mapping[str, tuple[str, Callable[[Any], Any]]]] = MappingProxyType(
    {
        "name": ("name", _line),
        "ownerType": ("owner_type", _owner_type),
        "ownerId": ("owner_id", _line),
        "spendingLimit": ("spending_limit_microcredits", _limit),
        "autoDisable": ("auto_disable", _flag),
        "allowedModels": ("allowed_models", _models),
        "expiresAt": ("expires_at", _instant),
        "active": ("active", _flag),
    }
)
"""Each member's attribute, and how it is read."""


def _told(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value}"[:60]
        case str() | int():
            return repr(value)[:60]
        case list():
            return "a list" if value else "an empty list"
        case _:
            return "an object"


__all__ = ["CHANGING", "CHARS_MAX", "MAKING", "Unfit", "read_members"]
