"""The closed list of edits to a Messages request that passes through (architecture.md, law 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hyperroute.canon.loss import Loss
from hyperroute.canon.request import Request
from hyperroute.dialects import json
from hyperroute.dialects.anthropic_messages_options import BUDGET_MIN, EFFORTS
from hyperroute.dialects.anthropic_messages_read import NAME
from hyperroute.dialects.base import Profile
from hyperroute.dialects.effort import budget_of, effort_of, nearest
from hyperroute.dialects.extension import EXTENSIONS
from hyperroute.dialects.reading import count
from hyperroute.dialects.relay import Edit, Path, Remove, Set
from hyperroute.dialects.sealing import TAG, belongs, opened
from hyperroute.dialects.searching import WHY, WORD, is_search, searches

_MARK = b'"cache_control":{"type":"ephemeral"}'
_BREAKPOINT = b'{"type":"ephemeral"}'
_TAG = TAG.encode()
_FOREIGN = "thinking of another vendor"


def edits_of(
    request: Request, body: bytes, *, model: str, profile: Profile
) -> tuple[list[Edit], tuple[Loss, ...]]:
    """List the edits, and what they lose."""
    raw = request.raw
    edits: list[Edit] = []
    if raw.get("model") != model:
        edits.append(Set(("model",), json.dumps(model)))
    edits.extend(Remove((key,)) for key in ("intent", *EXTENSIONS) if key in raw)
    drift, losses = _drifted(raw, profile)
    edits.extend(drift)
    if _TAG in body or profile.unsealed:
        seals, more = _seals(raw, profile)
        edits.extend(seals)
        losses = (*losses, *more)
        if profile.unsealed and seals and ("thinking",) not in {edit.path for edit in edits}:
            silent, told = _unthinking(raw)
            edits.extend(silent)
            losses = (*losses, *told)
    if not searches(profile) and WORD not in request.features:
        offered = list(_searches(raw))
        edits.extend(offered)
        losses = (*losses, *(Loss(f"/tools/{e.path[1]}", "dropped", WHY) for e in offered))
    if request.narrowing.cache and b'"cache_control"' not in body:
        gone = {edit.path for edit in edits if isinstance(edit, Remove)}
        edits.extend(
            edit
            for edit in _breakpoint(raw)
            if not any(edit.path[: len(path)] == path for path in gone)
        )
    return edits, losses


def _searches(raw: Mapping[str, Any]) -> Iterator[Remove]:
    """Take out every search that is only offered."""
    tools = raw.get("tools")
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        if isinstance(tool, Mapping) and is_search(tool.get("type")):
            yield Remove(("tools", index))


def _drifted(raw: Mapping[str, Any], profile: Profile) -> tuple[list[Edit], tuple[Loss, ...]]:
    """Ask for thinking in the way this target takes, where it declares that it refuses the caller's.

    Newer models refuse a budget and older ones know no adaptive thinking, and an alias or a fallback
    must not turn a good request into a 400 (api.md, 3). Nothing declared, nothing touched.
    """
    declared = profile.options.get("thinking_types")
    asked = raw.get("thinking")
    if not isinstance(declared, list | tuple | set | frozenset) or not isinstance(asked, Mapping):
        return [], ()
    kind = asked.get("type")
    if kind not in {"enabled", "adaptive", "disabled"} or kind in declared:
        return [], ()
    output = raw.get("output_config")
    said = output.get("effort") if isinstance(output, Mapping) else None
    if kind == "enabled" and "adaptive" in declared:
        budget = count(asked.get("budget_tokens")) or 0
        thinking = {k: v for k, v in asked.items() if k != "budget_tokens"} | {"type": "adaptive"}
        edits: list[Edit] = [Set(("thinking",), json.dumps(thinking))]
        if said is None:
            effort = json.dumps(nearest(effort_of(budget), EFFORTS))
            whole = Set(("output_config",), b'{"effort":' + effort + b"}")
            inside = Set(("output_config", "effort"), effort)
            edits.append(inside if isinstance(output, Mapping) else whole)
        return edits, (Loss("/thinking", "approximated", "a budget becomes an effort"),)
    limit = count(raw.get("max_tokens")) or 0
    if kind == "adaptive" and "enabled" in declared and limit > BUDGET_MIN:
        wanted = budget_of(said if isinstance(said, str) else "medium", limit=limit - 1)
        tokens = min(max(wanted or BUDGET_MIN, BUDGET_MIN), limit - 1)
        told = json.dumps({"type": "enabled", "budget_tokens": tokens})
        why = f"adaptive thinking becomes a budget of {tokens} tokens"
        return [Set(("thinking",), told)], (Loss("/thinking", "approximated", why),)
    why = f"this target takes no {kind} thinking"
    return [Remove(("thinking",))], (Loss("/thinking", "dropped", why),)


def _breakpoint(raw: Mapping[str, Any]) -> Iterator[Edit]:
    """Put one default breakpoint behind what repeats from turn to turn (api.md, 3).

    On the last system block, else on the last tool, else on the last block of the last-but-one user
    turn. Never where the client set one: any byte changed before it would lose its cache.
    """
    system = raw.get("system")
    tools = raw.get("tools")
    if isinstance(system, str) and system.strip():
        yield Set(("system",), _as_block(system))
    elif isinstance(system, list) and _takes_mark(system):
        yield Set(("system", len(system) - 1, "cache_control"), _BREAKPOINT)
    elif isinstance(tools, list) and tools and isinstance(tools[-1], Mapping):
        yield Set(("tools", len(tools) - 1, "cache_control"), _BREAKPOINT)
    else:
        yield from _in_history(raw.get("messages"))


def _in_history(messages: Any) -> Iterator[Edit]:
    if not isinstance(messages, list):
        return
    turns = [
        index
        for index, message in enumerate(messages)
        if isinstance(message, Mapping) and message.get("role") == "user"
    ]
    if len(turns) < 2:
        return
    index = turns[-2]
    content = messages[index].get("content")
    if isinstance(content, str) and content.strip():
        yield Set(("messages", index, "content"), _as_block(content))
    elif isinstance(content, list) and _takes_mark(content):
        yield Set(("messages", index, "content", len(content) - 1, "cache_control"), _BREAKPOINT)


def _takes_mark(blocks: list[Any]) -> bool:
    """Tell whether the last block can hold a breakpoint; empty text cannot."""
    last = blocks[-1] if blocks else None
    if not isinstance(last, Mapping):
        return False
    if last.get("type") == "text":
        return isinstance(last.get("text"), str) and bool(last["text"].strip())
    return last.get("type") in ("image", "document", "tool_use", "tool_result")


def _as_block(text: str) -> bytes:
    return b'[{"type":"text","text":' + json.dumps(text) + b"," + _MARK + b"}]"


def _seals(raw: Mapping[str, Any], profile: Profile) -> tuple[list[Edit], tuple[Loss, ...]]:
    """Open the tagged seals that belong to the target, and remove the blocks of all others."""
    edits: list[Edit] = []
    losses: list[Loss] = []
    left = {turn: len(content) for turn, content in _contents(raw.get("messages"))}
    for path, block in _thinking(raw.get("messages")):
        key = "data" if block.get("type") == "redacted_thinking" else "signature"
        value = block.get(key)
        if not isinstance(value, str) or not (value.startswith(TAG) or profile.unsealed):
            continue
        sealed = opened(value, "signature")
        if not profile.unsealed and belongs(
            sealed, source=NAME, vendor=profile.vendor, group=profile.group
        ):
            edits.append(Set((*path, key), json.dumps(sealed.payload)))
        else:
            turn = path[1]
            left[turn] -= 1
            edits.append(Remove(path if left[turn] else path[:2]))
            where = "".join(f"/{step}" for step in path)
            why = "thinking that the target refused" if profile.unsealed else _FOREIGN
            losses.append(Loss(where, "dropped", why))
    for path in _foreign_citations(raw.get("messages")):
        edits.append(Remove(path))
        where = "".join(f"/{step}" for step in path)
        losses.append(Loss(where, "dropped", "a citation of another vendor's search"))
    return edits, tuple(losses)


def _foreign_citations(messages: Any) -> Iterator[Path]:
    """Point at what we told as a citation of Anthropic's and is none."""
    for turn, content in _contents(messages):
        for index, block in enumerate(content):
            cited = block.get("citations") if isinstance(block, Mapping) else None
            for number, one in enumerate(cited if isinstance(cited, list) else ()):
                mark = one.get("encrypted_index") if isinstance(one, Mapping) else None
                if isinstance(mark, str) and mark.startswith(TAG):
                    yield ("messages", turn, "content", index, "citations", number)


def _unthinking(raw: Mapping[str, Any]) -> tuple[list[Edit], tuple[Loss, ...]]:
    """Ask for no thinking where history has lost its own: with a budget, a call must begin with it."""
    asked = raw.get("thinking")
    if not isinstance(asked, Mapping) or asked.get("type") != "enabled":
        return [], ()
    return [Remove(("thinking",))], (Loss("/thinking", "dropped", "history has no thinking left"),)


def _contents(messages: Any) -> Iterator[tuple[str | int, list[Any]]]:
    for turn, message in enumerate(messages if isinstance(messages, list) else ()):
        content = message.get("content") if isinstance(message, Mapping) else None
        if isinstance(content, list):
            yield turn, content


def _thinking(messages: Any) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for turn, content in _contents(messages):
        for index, block in enumerate(content):
            if not isinstance(block, Mapping):
                continue
            if block.get("type") in ("thinking", "redacted_thinking"):
                yield ("messages", turn, "content", index), block
