"""Situations and traces in words: one line for people."""

from __future__ import annotations

from decimal import Decimal

from hyperroute.bounds.situation import Situation
from hyperroute.bounds.worst import Trace
from hyperroute.canon.units import MILLISECOND, SECOND
from hyperroute.routing.table import RouteTable


def amount(key: str, value: int, table: RouteTable) -> str:
    """Write an amount of ``attempts``, ``cost`` (``1 / scale`` USD) or ``time`` (nanoseconds)."""
    if key == "attempts":
        return f"{value} attempt" + ("" if value == 1 else "s")
    if key == "cost":
        return f"{usd(value, table)} usd"
    return seconds(value)


def usd(units: int, table: RouteTable) -> str:
    """Write dollars, every digit, none for show."""
    text = format(Decimal(units) / table.scale, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def seconds(ns: int) -> str:
    """Write a time in seconds, to the millisecond."""
    text = format(Decimal(ns // MILLISECOND) * MILLISECOND / SECOND, "f")
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}s"


def said(situation: Situation) -> str:
    """Describe a request by what sets it apart."""
    told = situation.told()
    told.pop("down", None)
    parts = [f"{name} {_value(value)}" for name, value in told.items()]
    return f"a request ({', '.join(parts)})" if parts else "a request"


def outage(situation: Situation, most: int = 6) -> str:
    """Describe what is out; many are counted."""
    names = situation.told().get("down", [])
    if not names:
        return ""
    if len(names) > most:
        return f" while {len(names)} offers are out"
    return f" while {', '.join(names)} {'is' if len(names) == 1 else 'are'} out"


def run(trace: Trace) -> str:
    """Describe what every attempt comes to; the same one after another is counted."""
    parts: list[tuple[str, int]] = []
    for attempt in trace.attempts:
        ending = "answers" if attempt.failure is None else attempt.failure.kind.value
        if attempt.duration_ns:
            lasts = seconds(attempt.duration_ns)
            ending = f"lasts {lasts}" if attempt.failure is None else f"{ending} after {lasts}"
        text = f"{attempt.offer} {ending}"
        if parts and parts[-1][0] == text:
            parts[-1] = (text, parts[-1][1] + 1)
        else:
            parts.append((text, 1))
    return ", ".join(text if count == 1 else f"{text} {count} times" for text, count in parts)


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(inner)}" for name, inner in value.items())
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


__all__ = ["amount", "outage", "run", "said", "seconds", "usd"]
