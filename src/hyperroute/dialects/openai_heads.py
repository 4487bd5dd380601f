"""What both OpenAI dialects collect alike when they read a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hyperroute.dialects.reading import at


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
