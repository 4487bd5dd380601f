"""When two documents of different dialects say the same.

Both are read into the canon and brought to one form, in which only that differs which a reader of
the documents would call different: how text is cut into parts, ids that are the envelope's own,
absence where a dialect has a default, and our tags on seals do not count.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from hyperroute.canon.content import (
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Sealed,
    ServerTool,
    Text,
    ToolResult,
    ToolUse,
)
from hyperroute.canon.events import Reply, collect
from hyperroute.canon.request import Conversation, Thinking, Tool
from hyperroute.canon.usage import Usage
from hyperroute.dialects.gemini_spelling import unseal
from hyperroute.dialects.renaming import fitted
from hyperroute.dialects.returning import Returning
from hyperroute.dialects.sealing import NATIVE, TAG, opened
from hyperroute.dialects.translating import DIALECTS

Form = dict[str, Any]


def of_request(document: Mapping[str, Any], dialect: str) -> Form:
    """Read a request."""
    request = DIALECTS[dialect].parse_request(document)
    return conversation(request.conversation)


def conversation(asked: Conversation) -> Form:
    """Bring a conversation to the common form."""
    sampling = asked.sampling
    output = asked.output
    thinking = asked.thinking
    choice = asked.tool_choice
    return {
        "system": "\n\n".join(part.text for part in asked.system if isinstance(part, Text)),
        "turns": list(_turns(asked)),
        "tools": [_tool(tool) for tool in asked.tools],
        "choice": None
        if choice is None or choice.mode == "auto"
        else (choice.mode, tuple(fitted(choice.names).values()), choice.required),
        "parallel": asked.parallel is not False,
        "output": (output.form, output.schema, bool(output.strict), output.verbosity),
        "named": output.name,
        "modalities": tuple(word for word in output.modalities or () if word != "text"),
        "max_output": asked.max_output,
        "stop": asked.stop or (),
        **{field.name: getattr(sampling, field.name) or 0 for field in fields(sampling)},
        "thinking": None if thinking is None else _thinking(thinking),
        "user": asked.user,
        "metadata": dict(asked.metadata or {}),
        "tier": "default" if asked.tier in ("standard", "standard_only") else asked.tier,
        "cache_key": asked.cache_key,
        "store": bool(asked.store),
        "previous_id": asked.previous_id,
        "extensions": {key: dict(value) for key, value in asked.extensions.items()},
    }


def _thinking(asked: Thinking) -> tuple[str | None, int | None, bool]:
    off = asked.budget == "off"
    budget = asked.budget if isinstance(asked.budget, int) else None
    return "none" if off else asked.effort, budget, asked.visible not in (None, "none")


def _turns(asked: Conversation) -> Iterator[tuple[str, list[Any], str | None, str | None]]:
    held: list[Any] = []
    role: str | None = None
    name = phase = None
    for turn in asked.turns:
        if (turn.role, turn.name, turn.phase) != (role, name, phase) and role is not None:
            yield role, _joined(held), name, phase
            held = []
        role, name, phase = turn.role, turn.name, turn.phase
        held.extend(turn.parts)
    if role is not None:
        yield role, _joined(held), name, phase


def _tool(tool: Tool) -> Any:
    if tool.kind == "server":
        return ("server", tool.name, _search(tool.config or {}))
    schema = tool.schema or {}
    shape = {k: v for k, v in schema.items() if v != {}}
    if shape == {"type": "object"}:
        shape = {}
    return (
        tool.kind,
        fitted([tool.name])[tool.name],
        tool.description,
        shape,
        bool(tool.strict),
        tool.cache,
    )


def _search(config: Mapping[str, Any]) -> Any:
    """Read what a web search is limited to, of any vendor's words."""
    filters = config.get("filters")
    domains = (filters if isinstance(filters, Mapping) else config).get("allowed_domains")
    place = config.get("user_location") or {}
    place = place.get("approximate") or place
    near = {key: value for key, value in place.items() if key != "type"}
    return (domains, config.get("search_context_size"), near)


def of_reply(document: Mapping[str, Any], dialect: str) -> Form:
    """Read a whole reply, or a stream."""
    return reply(collected(document, dialect))


def collected(document: Mapping[str, Any], dialect: str) -> Reply:
    """Fold a reply, its seals told whose they are."""
    events = document.get("events")
    body = _bytes(document if events is None else events)
    decoder = DIALECTS[dialect].decoder(stream=events is not None)
    told = [*decoder.feed(body), *decoder.close()]
    return collect(Returning(NATIVE[dialect], "").passed(told))


def _bytes(document: Any) -> bytes:
    if not isinstance(document, list):
        return json.dumps(document).encode()
    out = []
    for event in document:
        data = event["data"]
        name = f"event: {event['event']}\n" if event["event"] else ""
        out.append(f"{name}data: {data if isinstance(data, str) else json.dumps(data)}\n\n")
    return "".join(out).encode()


def reply(answer: Reply) -> Form:
    """Bring a reply to the common form."""
    return {
        "model": answer.model,
        "choices": {
            choice.index: (_joined(choice.parts), choice.finish.reason, choice.finish.detail)
            for choice in answer.choices
        },
        "usage": usage(answer.usage),
    }


def usage(counts: Usage) -> Form:
    """Bring counts to the common form: 0 and absent are alike where a dialect demands a number."""
    return {
        field.name: count
        for field in fields(Usage)
        if (count := getattr(counts, field.name)) and field.name != "estimated"
    }


def _joined(parts: Iterable[Part]) -> list[Any]:
    """Write parts plainly."""
    return rejoined(_part(part) for part in parts)


_CARRIERS = frozenset({"", *NATIVE.values()})
_NOTHING = (("thinking", "", False, None), ("refusal", ""))


def rejoined(parts: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Make neighbouring text one text, and put a carried seal on its call."""
    told: list[Any] = []
    for one in parts:
        if (one[0] == "text" and not (one[1] or one[2] or one[4])) or one in _NOTHING:
            continue
        before = told[-1] if told else None
        if one[0] == "text" == (before or ("",))[0] and _one_seal(told[-1], one):
            seal = told[-1][4] or one[4]
            told[-1] = ("text", told[-1][1] + one[1], _cited(told[-1], one), one[3], seal)
        elif one[0] == "refusal" == (before or ("",))[0]:
            told[-1] = ("refusal", told[-1][1] + one[1])
        elif one[0] == "thinking" == (before or one)[0] and _runs_on(before, one):
            told[-1] = ("thinking", told[-1][1] + one[1], False, one[3])
        elif one[0] == "call" and before is not None and before[:3] == ("thinking", "", False):
            told[-1] = (*one[:5], before[3])
        else:
            told.append(one)
    return told


def _one_seal(before: tuple[Any, ...], one: tuple[Any, ...]) -> bool:
    return before[4] is None or one[4] is None


def _runs_on(before: tuple[Any, ...] | None, one: tuple[Any, ...]) -> bool:
    """Say whether thinking goes on: neither part is hidden, and no seal ended the first."""
    shown = not (one[2] or not one[1])  # what shows nothing may carry the seal of a call
    return shown and before is not None and before[3] is None and not before[2]


def _cited(before: tuple[Any, ...], one: tuple[Any, ...]) -> list[Any]:
    """Join citations; their places count from the beginning of the joined text."""
    shift = len(before[1])
    return [*before[2], *(_shifted(cited, shift) for cited in one[2])]


def _shifted(cited: tuple[Any, ...], shift: int) -> tuple[Any, ...]:
    if len(cited) != 4 or not isinstance(cited[2], int):
        return cited
    return (*cited[:2], cited[2] + shift, cited[3] + shift)


def _part(part: Part) -> tuple[Any, ...]:
    match part:
        case Text():
            cited = [_citation(citation) for citation in part.citations]
            return ("text", part.text, cited, part.cache, _seal(part.sealed))
        case Media():
            detail = None if part.detail == "auto" else part.detail
            name = None if part.name == "file.pdf" else part.name
            extra = dict(part.extra)
            return (part.kind, part.source, part.value, part.mime, name, detail, extra, part.cache)
        case Reasoning():
            seal = _seal(part.sealed)
            hidden = part.redacted or (seal is not None and seal[0] == "redacted")
            return ("thinking", part.text, hidden, seal)
        case ToolUse():
            said = part.arguments
            if not part.custom:
                try:
                    said = json.loads(said or "{}")
                except ValueError:
                    said = part.arguments
            return (
                "call",
                part.id,
                fitted([part.name])[part.name],
                said,
                part.custom,
                _seal(part.sealed),
            )
        case ToolResult():
            inner = [_part(one) for one in part.parts]
            return ("result", part.id, inner, part.failed, part.cache)
        case Refusal():
            return ("refusal", part.text)
        case ServerTool() | Opaque():
            return ("own", part.dialect, dict(part.value))


def _citation(citation: Mapping[str, Any]) -> tuple[Any, ...]:
    keys = ("url", "title", "start_index", "end_index")
    return (
        tuple(citation.get(key) for key in keys) if "url" in citation else tuple(citation.items())
    )


def _seal(sealed: Sealed | None) -> tuple[str, str, str] | None:
    """Open our tag, wherever a dialect put it; a seal that says there is none is none."""
    if sealed is None:
        return None
    found = sealed
    if found.vendor not in _CARRIERS:
        pass  # told whose it is, and not yet written down
    elif found.payload.startswith(TAG):
        found = opened(found.payload, "signature")
    elif (inner := unseal(found.payload)).vendor:
        found = inner
    if found.vendor == "unsigned" or not found.payload:
        return None
    return (found.kind, found.payload, found.vendor)
