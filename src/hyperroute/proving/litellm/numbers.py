"""Numbers as people write them in YAML, read exactly."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

DAY_MS = 86_400_000


def decimal(value: object) -> Decimal | None:
    """Read a decimal, however it was written; ``None`` if it is none."""
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and not isinstance(value, bool) else None


def exact(value: object) -> object:
    """Give a number without its exponent and zeros; what is none as text."""
    found = decimal(value)
    return str(value) if found is None else trimmed(found)


def trimmed(number: Decimal) -> int | Decimal:
    """Take off the zeros that say nothing."""
    return int(number) if number == number.to_integral() else Decimal(f"{number.normalize():f}")


def seconds(value: object) -> str | None:
    """Write seconds as the language has them; ``None`` if it is no time from 1 ms to a day."""
    number = decimal(value)
    if number is None or number <= 0:
        return None
    whole_ms = int(number * 1000)
    if not 0 < whole_ms <= DAY_MS:
        return None
    return f"{whole_ms // 1000}s" if whole_ms % 1000 == 0 else f"{whole_ms}ms"
