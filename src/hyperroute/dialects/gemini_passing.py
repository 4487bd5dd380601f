"""The closed list of edits to a Gemini request that passes through (architecture.md, law 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hyperroute.canon.loss import Loss
from hyperroute.canon.request import Request
from hyperroute.dialects import json
from hyperroute.dialects.base import Profile
from hyperroute.dialects.extension import EXTENSIONS
from hyperroute.dialects.gemini_spelling import DUMMY_SIGNATURE, NAME, SEARCHES, key, pick, unseal
from hyperroute.dialects.relay import Edit, Path, Remove, Set
from hyperroute.dialects.sealing import belongs
from hyperroute.dialects.searching import WHY, WORD, searches

_OURS = ("model", "stream", "intent", *EXTENSIONS)
"""``model`` and ``stream`` are said by the path upstream."""

_TAGGED = b"aHIxL"
"""How the base64 of every tag begins."""


def edits_of(
    request: Request, body: bytes, *, profile: Profile
) -> tuple[list[Edit], tuple[Loss, ...]]:
    """List the edits, and what they lose."""
    edits: list[Edit] = [Remove((name,)) for name in _OURS if name in request.raw]
    losses: list[Loss] = []
    if not searches(profile) and WORD not in request.features:
        for path in _searches(request.raw.get("tools")):
            edits.append(Remove(path))
            losses.append(Loss("".join(f"/{step}" for step in path), "dropped", WHY))
    if _TAGGED not in body and not profile.unsealed:
        return edits, tuple(losses)
    for path, part in _parts(request.raw.get("contents")):
        name = key(part, "thoughtSignature")
        text = part.get(name)
        sealed = unseal(text) if isinstance(text, str) else None
        if sealed is None or not (sealed.vendor or profile.unsealed):
            continue
        if not profile.unsealed and belongs(
            sealed, source=NAME, vendor=profile.vendor, group=profile.group
        ):
            edits.append(Set((*path, name), json.dumps(sealed.payload)))
            continue
        where = "".join(f"/{step}" for step in path)
        whose = "that the target refused" if profile.unsealed else "of another vendor"
        losses.append(Loss(where, "dropped", f"a signature {whose}"))
        if part.get("thought") is True:
            # Emptied and not removed, so that no turn is left without parts.
            edits.append(Set(path, b'{"text":""}'))
        elif pick(part, "functionCall") is not None:
            edits.append(Set((*path, name), json.dumps(DUMMY_SIGNATURE)))
        else:
            edits.append(Remove((*path, name)))
    return edits, tuple(losses)


def _searches(tools: Any) -> Iterator[Path]:
    """Point at every search that is only offered, and at the whole tool where it is nothing else."""
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        held = [key(tool, name) for name in SEARCHES] if isinstance(tool, Mapping) else []
        found = [name for name in held if name in tool]
        if found and len(found) == len(tool):
            yield ("tools", index)
        else:
            yield from (("tools", index, name) for name in found)


def _parts(contents: Any) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for turn, content in enumerate(contents if isinstance(contents, list) else ()):
        parts = content.get("parts") if isinstance(content, Mapping) else None
        for index, part in enumerate(parts if isinstance(parts, list) else ()):
            if isinstance(part, Mapping):
                yield ("contents", turn, "parts", index), part
