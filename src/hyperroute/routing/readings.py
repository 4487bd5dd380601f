"""Callers' parameters in one form: one spelling, times in nanoseconds, numbers exact.

A shape and a price compare values; a caller writes ``5``, ``"5"`` or ``"5s"``, ``1024*1024`` or
``1024X1024``. Reading turns all of them into one form, and writing turns that into what an upstream
body holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from hyperroute.canon.units import DAY, HOUR, MILLISECOND, MINUTE, SECOND
from hyperroute.catalog.condition import Scalar
from hyperroute.catalog.shape import MEDIA_PARAMETERS, SPELLINGS, Parameter

TIMES = frozenset({"duration"})
"""Parameters that are lengths of time; a bare number is seconds."""

TEXTS = frozenset({"prompt", "negative_prompt", "text"})
"""Parameters that hold the caller's own words, and never leave in a message or a record."""

LONG = 120
"""Characters; a longer word is no word of any shape, and may be somebody's text."""

_UNITS: Mapping[str, int] = MappingProxyType(
    {"": SECOND, "ms": MILLISECOND, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
)
_TIME = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(ms|s|m|h|d)?\Z")
_FRAME = re.compile(r"(\d{1,6})[x*\u00d7](\d{1,6})\Z", re.IGNORECASE)
_BASE64_SHARE = Decimal("0.75")


def read(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Read all of a caller's parameters; null is absent."""
    found: dict[str, Any] = {}
    for name, value in parameters.items():
        word = SPELLINGS.get(name, name)
        if value is None:
            continue
        if word in found and is_list(word, None):
            found[word] = [*as_list(found[word]), *as_list(value)]
        else:
            found[word] = read_one(word, value)
    return found


def read_one(name: str, value: Any) -> Any:
    """Read one value: times, frames and numbers; anything else as it stands."""
    if name in TIMES:
        return read_time(value)
    if isinstance(value, float):
        return exact(value)
    if isinstance(value, str) and name not in TEXTS and (frame := _FRAME.match(value)):
        return f"{int(frame[1])}x{int(frame[2])}"
    return value


def read_time(value: Any) -> Any:
    """Read a length of time as nanoseconds; what is none stays as it is, and fits nothing."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value * SECOND
    text = float.__repr__(value) if isinstance(value, float) else value
    found = _TIME.match(text) if isinstance(text, str) else None
    if found is None:
        return value
    nanoseconds = Decimal(found[1]) * _UNITS[found[2] or ""]
    return int(nanoseconds)


def exact(value: float) -> Any:
    """Take a float for the decimal that it was written as; infinities and NaN stay no numbers."""
    number = Decimal(float.__repr__(value))  # of a subclass too, whatever it shows of itself
    return number if number.is_finite() else str(value)


def write_one(name: str, value: Any) -> Any:
    """Write a value as a body holds it: times as seconds, whole numbers as integers."""
    if name in TIMES and isinstance(value, int) and not isinstance(value, bool):
        return value // SECOND if value % SECOND == 0 else value / SECOND
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def is_list(name: str, rule: Parameter | None) -> bool:
    """Say whether a parameter is a list that is counted, rather than one value."""
    if rule is not None and rule.count is not None:
        return True
    scalar = rule is not None and (rule.one_of is not None or rule.range is not None)
    return name in MEDIA_PARAMETERS and not scalar


def as_list(value: Any) -> list[Any]:
    """Take one reference for a list of one."""
    if isinstance(value, list | tuple):
        return list(value)
    return [] if value is None else [value]


def folded(value: Any) -> Any:
    """Words compare without case, everywhere but on the way out."""
    if isinstance(value, str):
        frame = _FRAME.match(value)
        return f"{int(frame[1])}x{int(frame[2])}" if frame else value.casefold()
    return value


def source_of(reference: Any) -> str:
    """Say how a reference is given: ``https``, ``data``, or neither."""
    if isinstance(reference, Mapping):
        if "source" in reference and "bytes" in reference:
            return str(reference["source"])
        reference = reference.get("url")
    if not isinstance(reference, str):
        return "other"
    head = reference[:8].casefold()
    if head.startswith("https://"):
        return "https"
    return "data" if head.startswith("data:") else "other"


def bytes_of(reference: Any) -> int | None:
    """Measure a reference that carries its bytes; of one behind a URL the size is unknown."""
    if isinstance(reference, Mapping):
        size = reference.get("bytes")
        if isinstance(size, int):
            return size
        reference = reference.get("url")
    if not isinstance(reference, str) or source_of(reference) != "data":
        return None
    head, _, payload = reference.partition(",")
    if head.endswith(";base64"):
        return int(len(payload.rstrip("=")) * _BASE64_SHARE)
    return len(payload)


def text_size(value: Any) -> tuple[int, int] | None:
    """Measure a text in characters and bytes; a capsule holds the measure in place of the text."""
    if isinstance(value, str):
        return len(value), len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, Mapping):
        size = value.get("chars"), value.get("bytes")
        if isinstance(size[0], int) and isinstance(size[1], int):
            return size[0], size[1]
    return None


def redacted(name: str, value: Any) -> Any:
    """Keep what decisions read of a value, and nothing of what the caller wrote.

    Texts become their measure, references the way they were given and their size.
    """
    if isinstance(value, list | tuple):
        return [_reference(one) for one in value]
    if name in MEDIA_PARAMETERS and source_of(value) != "other":
        return _reference(value)
    if name in TEXTS or (isinstance(value, str) and len(value) > LONG):
        size = text_size(value)
        return {"chars": size[0], "bytes": size[1]} if size else None
    if isinstance(value, Mapping):
        return {} if "bytes" not in value else _reference(value)
    return value


def _reference(value: Any) -> Any:
    if isinstance(value, bool | int | float | Decimal):
        return value
    return {"source": source_of(value), "bytes": bytes_of(value)}


def shown(name: str, value: Any) -> str:
    """Show a value in a message: bounded, and never the caller's own words."""
    if name in TEXTS and (size := text_size(value)):
        return f"{size[0]} characters"
    if isinstance(value, list | tuple):
        return f"{len(value)} given"
    if name in TIMES and isinstance(value, int) and not isinstance(value, bool):
        return f"{Decimal(value) / SECOND:f}s"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return text if len(text) <= 60 else f"{text[:60]}\u2026"


def listed(name: str, values: tuple[Scalar, ...]) -> str:
    """Show what would have been accepted."""
    return ("one of " if len(values) > 1 else "") + ", ".join(shown(name, one) for one in values)
