"""Anthropic Messages, read as a server: the head for routing, the content for translation.

Source: types of anthropic 2.12.0 and platform.claude.com/docs/en/api/messages, read 2026-11-22.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal

from hyperroute.canon.content import (
    CacheMark,
    Media,
    Opaque,
    Part,
    Reasoning,
    Role,
    ServerTool,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)
from hyperroute.canon.request import (
    Conversation,
    OutputSpec,
    Sampling,
    Thinking,
    Tool,
    ToolChoice,
)
from hyperroute.dialects import json, reading
from hyperroute.dialects.reading import Object, as_object, at
from hyperroute.dialects.sealing import carries, opened
from hyperroute.errors import ClientWireError

NAME = "anthropic.messages"

_KNOWN = frozenset(
    {
        "model",
        "messages",
        "system",
        "max_tokens",
        "stream",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "temperature",
        "top_p",
        "top_k",
        "stop_sequences",
        "metadata",
        "service_tier",
        "intent",
        "hyperroute",
        "hypereal",
    }
)
_DISPLAYS: Mapping[str, Literal["none", "summary"]] = MappingProxyType(
    {"summarized": "summary", "omitted": "none"}
)
_SERVER_RESULT = "_tool_result"
_CHOICES: Mapping[str, ToolChoice] = MappingProxyType(
    {
        "none": ToolChoice(mode="none"),
        "auto": ToolChoice(mode="auto"),
        "any": ToolChoice(mode="any"),
    }
)


def decode(raw: Mapping[str, Any]) -> Conversation:
    """Read a whole request body into the canon.

    Raises:
        ClientWireError: Something in it is malformed; the pointer says what.
    """
    choice, parallel = _tool_choice(raw)
    metadata = reading.member(raw, "metadata", "") or {}
    output = reading.member(raw, "output_config", "") or {}
    extensions = {key: raw[key] for key in raw if key not in _KNOWN and raw[key] is not None}
    for key, value, known in (
        ("output_config", output, {"effort", "format"}),
        ("metadata", metadata, {"user_id"}),
    ):
        if further := {name: value[name] for name in value if name not in known}:
            extensions[key] = further
    return Conversation(
        system=_content(raw, "system", "", needed=False),
        turns=tuple(
            _turn(message, f"/messages/{index}") for index, message in enumerate(_messages(raw))
        ),
        tools=tuple(
            _tool(tool, f"/tools/{index}")
            for index, tool in enumerate(reading.items(raw, "tools", ""))
        ),
        tool_choice=choice,
        parallel=parallel,
        output=_output(output),
        max_output=reading.integer(raw, "max_tokens", ""),
        stop=reading.texts(raw, "stop_sequences", ""),
        sampling=Sampling(
            temperature=reading.number(raw, "temperature", ""),
            top_p=reading.number(raw, "top_p", ""),
            top_k=reading.integer(raw, "top_k", ""),
        ),
        thinking=_thinking(raw, output),
        stream_usage=True,
        user=reading.text(metadata, "user_id", "/metadata"),
        tier=reading.text(raw, "service_tier", ""),
        extensions=MappingProxyType({NAME: MappingProxyType(extensions)} if extensions else {}),
    )


def _messages(raw: Object) -> tuple[Any, ...]:
    if not isinstance(raw.get("messages"), list | tuple):
        raise reading.wrong("a list", "/messages")
    return tuple(raw["messages"])


def _turn(message: Any, where: str) -> Turn:
    obj = as_object(message, where)
    role = reading.need_text(obj, "role", where)
    if role not in {"user", "assistant", "system"}:
        raise reading.wrong("user, assistant or system", at(where, "role"))
    known: Role = "user" if role == "user" else "assistant" if role == "assistant" else "system"
    return Turn(role=known, parts=_content(obj, "content", where))


def _content(
    obj: Object, key: str, where: str, *, needed: bool = True, inner: bool = False
) -> tuple[Part, ...]:
    value = obj.get(key)
    where = at(where, key)
    if value is None and not needed:
        return ()
    if isinstance(value, str):
        return (Text(value),)
    if not isinstance(value, list | tuple):
        raise reading.wrong("a string or a list of blocks", where)
    parts: list[Part] = []
    for index, block in enumerate(value):
        part = _block(as_object(block, at(where, index)), at(where, index), inner=inner)
        before = parts[-1] if parts else None
        if isinstance(part, ToolUse) and before is not None and carries(before, own="anthropic"):
            # Another vendor's seal of this call, which we had put on an empty thinking block.
            parts[-1] = replace(part, sealed=before.sealed)
        else:
            parts.append(part)
    return tuple(parts)


def _cache(obj: Object, where: str) -> CacheMark | None:
    mark = reading.member(obj, "cache_control", where)
    return (
        None if mark is None else CacheMark(reading.text(mark, "ttl", at(where, "cache_control")))
    )


def _block(obj: Object, where: str, *, inner: bool) -> Part:
    """Read one block; ``inner`` ones stand in a result, which can hold no further result."""
    kind = reading.need_text(obj, "type", where)
    if inner and kind not in {"text", "image", "document"}:
        return Opaque(NAME, obj)
    match kind:
        case "text":
            citations = tuple(
                as_object(value, at(where, "citations", index))
                for index, value in enumerate(reading.items(obj, "citations", where))
            )
            return Text(reading.need_text(obj, "text", where), citations, _cache(obj, where))
        case "image" | "document":
            return _media(obj, kind, where)
        case "tool_use":
            return ToolUse(
                id=reading.need_text(obj, "id", where),
                name=reading.need_text(obj, "name", where),
                arguments=json.dumps(reading.member(obj, "input", where) or {}).decode(),
                cache=_cache(obj, where),
            )
        case "tool_result":
            return ToolResult(
                id=reading.need_text(obj, "tool_use_id", where),
                parts=_content(obj, "content", where, needed=False, inner=True),
                failed=reading.flag(obj, "is_error", where) or False,
                cache=_cache(obj, where),
            )
        case "thinking":
            signature = reading.text(obj, "signature", where)
            return Reasoning(
                text=reading.text(obj, "thinking", where) or "",
                sealed=opened(signature, "signature") if signature else None,
            )
        case "redacted_thinking":
            data = reading.need_text(obj, "data", where)
            return Reasoning(redacted=True, sealed=opened(data, "redacted"))
        case _:
            return unknown_block(obj, kind)


def unknown_block(obj: Object, kind: str) -> Part:
    """Keep a block that the canon has no word for; server tools are known by their names."""
    if kind == "server_tool_use":
        return ServerTool(dialect=NAME, kind=str(obj.get("name", "")), phase="call", value=obj)
    if kind.endswith(_SERVER_RESULT):
        name = kind.removesuffix(_SERVER_RESULT)
        return ServerTool(dialect=NAME, kind=name, phase="result", value=obj)
    return Opaque(NAME, obj)


def _media(obj: Object, kind: str, where: str) -> Part:
    source = reading.member(obj, "source", where)
    if source is None:
        raise reading.wrong("an object", at(where, "source"))
    inside = at(where, "source")
    extra = {k: v for k, v in obj.items() if k not in {"type", "source", "cache_control", "title"}}
    mime = reading.text(source, "media_type", inside)
    match reading.need_text(source, "type", inside):
        case "base64":
            via, value = "data", reading.need_text(source, "data", inside)
        case "url":
            via, value = "url", reading.need_text(source, "url", inside)
        case "file":
            via, value = "file_id", reading.need_text(source, "file_id", inside)
        case "text":
            data = reading.need_text(source, "data", inside)
            via, value = "data", b64encode(data.encode("utf-8", "surrogatepass")).decode()
            mime = mime or "text/plain"
        case _:
            return Opaque(NAME, obj)
    return Media(
        kind="image" if kind == "image" else "file",
        source="data" if via == "data" else "url" if via == "url" else "file_id",
        value=value,
        mime=mime or ("application/pdf" if kind == "document" and via == "data" else None),
        name=reading.text(obj, "title", where),
        cache=_cache(obj, where),
        extra=MappingProxyType(extra),
    )


def _tool(value: Any, where: str) -> Tool:
    obj = as_object(value, where)
    kind = reading.text(obj, "type", where) or "custom"
    name = reading.text(obj, "name", where)
    if kind != "custom":
        known = "web_search" if kind.startswith("web_search_") else kind
        return Tool(kind="server", name=known, config=obj, dialect=NAME, cache=_cache(obj, where))
    if name is None:
        raise reading.wrong("a string", at(where, "name"))
    return Tool(
        name=name,
        description=reading.text(obj, "description", where),
        schema=reading.member(obj, "input_schema", where),
        strict=reading.flag(obj, "strict", where),
        cache=_cache(obj, where),
    )


def _tool_choice(raw: Object) -> tuple[ToolChoice | None, bool | None]:
    obj = reading.member(raw, "tool_choice", "")
    if obj is None:
        return None, None
    where = "/tool_choice"
    off = reading.flag(obj, "disable_parallel_tool_use", where)
    parallel = None if off is None else not off
    kind = reading.need_text(obj, "type", where)
    if kind in _CHOICES:
        return _CHOICES[kind], parallel
    if kind == "tool":
        name = reading.need_text(obj, "name", where)
        mode: Literal["named", "server"] = "server" if _is_server_tool(raw, name) else "named"
        return ToolChoice(mode=mode, names=(name,)), parallel
    raise reading.wrong("none, auto, any or tool", at(where, "type"))


def _is_server_tool(raw: Object, name: str) -> bool:
    """Say whether a name is that of a tool which Anthropic runs."""
    return any(
        isinstance(tool, Mapping)
        and tool.get("name") == name
        and tool.get("type") not in (None, "custom")
        for tool in reading.items(raw, "tools", "")
    )


def _output(config: Object) -> OutputSpec:
    form = reading.member(config, "format", "/output_config")
    if form is None:
        return OutputSpec()
    where = "/output_config/format"
    if reading.need_text(form, "type", where) != "json_schema":
        raise reading.wrong("json_schema", at(where, "type"))
    schema = reading.member(form, "schema", where)
    if schema is None:
        raise reading.wrong("an object", at(where, "schema"))
    return OutputSpec(form="json_schema", schema=schema)


def _thinking(raw: Object, output: Object) -> Thinking | None:
    obj = reading.member(raw, "thinking", "")
    effort = reading.text(output, "effort", "/output_config")
    if obj is None:
        return None if effort is None else Thinking(effort=effort)
    display = reading.text(obj, "display", "/thinking")
    shown = _DISPLAYS.get(display or "")
    match reading.need_text(obj, "type", "/thinking"):
        case "enabled":
            budget = reading.integer(obj, "budget_tokens", "/thinking")
            if budget is None:
                raise reading.wrong("an integer", "/thinking/budget_tokens")
            return Thinking(effort=effort, budget=budget, visible=shown)
        case "disabled":
            return Thinking(effort=effort, budget="off")
        case "adaptive" | "between_tools":
            return Thinking(effort=effort, budget="auto", visible=shown)
        case _:
            raise ClientWireError("unknown kind of thinking", pointer="/thinking/type")
