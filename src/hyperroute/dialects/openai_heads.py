"""What both OpenAI dialects collect alike when they read a request."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from hyperroute.dialects.reading import at, member, need_text


def unsaid(obj: Mapping[str, Any], known: frozenset[str], where: str) -> dict[str, Any]:
    """Collect the members that the canon has no word for: by name at the top, by pointer inside.

    They go among the extensions, so that every other dialect reports them lost. A member that says
    nothing (``null``, ``[]``), as client libraries write out whole objects, is no loss.
    """
    return {
        at(where, key) if where or key.startswith("/") else key: value
        for key, value in obj.items()
        if key not in known and value not in (None, [], {}, "")
    }


def metadata(raw: Mapping[str, Any]) -> Mapping[str, str] | None:
    """Read the caller's own pairs.

    Raises:
        ClientWireError: A value is no text.
    """
    found = member(raw, "metadata", "")
    if found is None:
        return None
    return MappingProxyType({key: need_text(found, key, "/metadata") for key in found})
