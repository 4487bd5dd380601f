"""What the two OpenAI reply writers decide alike."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from hyperroute.canon.content import Json
from hyperroute.canon.request import Request
from hyperroute.dialects.citing import is_neutral
from hyperroute.dialects.renaming import fitted


def old_names(request: Request) -> Mapping[str, str]:
    """Map the forms that tool names were sent in back to the caller's own; usually empty.

    Read from the raw tools, not from the conversation: a request that passed through is never
    decoded, and must not fail here.
    """
    names: list[str] = []
    for tool in (tool for key in ("tools", "functions") for tool in _listed(request, key)):
        inner = tool.get(str(tool.get("type")))
        name = (inner if isinstance(inner, Mapping) else tool).get("name")
        if isinstance(name, str):
            names.append(name)
    return MappingProxyType({new: old for old, new in fitted(names).items() if new != old})


def _listed(request: Request, key: str) -> list[Mapping[str, Any]]:
    value = request.raw.get(key)
    listed = value if isinstance(value, list | tuple) else ()
    return [one for one in listed if isinstance(one, Mapping)]


def flat_citation(citation: Json, length: int, *, before: int = 0) -> dict[str, Any] | None:
    """Say a citation of any vendor as a flat ``url_citation``; ``None`` where it has no address.

    Others quote text and give no offsets: theirs become zero-width, behind the text so far
    (dialects.md, 3.11).

    Args:
        citation: Of any vendor, or neutral.
        length: Characters of the text so far.
        before: Those in front of the part, which a neutral citation does not count.
    """
    shift = before if is_neutral(citation) else 0
    inner = citation.get("url_citation")
    found: Mapping[str, Any] = inner if isinstance(inner, Mapping) else citation
    if not isinstance(url := found.get("url") or found.get("uri"), str):
        return None
    start, end = found.get("start_index"), found.get("end_index")
    title = found.get("title")
    return {
        "type": "url_citation",
        "start_index": start + shift if isinstance(start, int) else length,
        "end_index": end + shift if isinstance(end, int) else length,
        "title": title if isinstance(title, str) else "",
        "url": url,
    }
