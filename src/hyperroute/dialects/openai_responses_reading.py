"""A Responses request as a canonical conversation.

The input is a flat list of items. What the model said in a row (thinking, text, calls) becomes one
assistant turn, the outputs behind it one user turn. Total over whatever JSON a caller sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, Literal

from hyperroute.canon.content import (
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Role,
    ServerTool,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)
from hyperroute.canon.request import Conversation, OutputSpec, Sampling, Thinking, Tool, ToolChoice
from hyperroute.dialects.openai_heads import metadata, unsaid
from hyperroute.dialects.openai_media import read_file, read_image, read_mark, read_sound
from hyperroute.dialects.reading import (
    as_object,
    at,
    flag,
    integer,
    items,
    member,
    need_text,
    number,
    text,
    texts,
    wrong,
)
from hyperroute.dialects.sealing import carries, opened
from hyperroute.errors import ClientWireError

_NAME: Final = "openai.responses"
_KNOWN: Final = frozenset(
    {
        "model", "intent", "hyperroute", "hypereal", "stream", "stream_options", "input",
        "instructions", "tools", "tool_choice", "parallel_tool_calls", "text",
        "max_output_tokens", "temperature", "top_p", "top_logprobs", "reasoning", "user",
        "safety_identifier", "metadata", "service_tier", "prompt_cache_key", "store",
        "previous_response_id", "conversation", "include",
    }
)  # fmt: skip
_ITEM: Final = frozenset(
    {
        "type", "role", "content", "phase", "id", "status", "call_id", "name", "arguments",
        "input", "output", "summary", "encrypted_content",
    }
)  # fmt: skip
_READ: Final = frozenset(
    {
        "message", "function_call", "custom_tool_call", "function_call_output",
        "custom_tool_call_output", "reasoning",
    }
)  # fmt: skip
_TOOL: Final = frozenset({"type", "name", "description", "parameters", "strict", "format"})
_INCLUDED: Final = frozenset({"message.output_text.logprobs", "reasoning.encrypted_content"})
_CLIENT_SIDE: Final = frozenset({"namespace", "tool_search"})
"""Tools that only arrange other tools on the caller's side: another dialect does without them."""
_MODES: Final[Mapping[str, Literal["none", "auto", "any"]]] = MappingProxyType(
    {"none": "none", "auto": "auto", "required": "any"}
)


def read_conversation(raw: Mapping[str, Any]) -> Conversation:
    """Decode the whole request.

    Raises:
        ClientWireError: It is malformed; ``pointer`` says where.
    """
    reader = _Items()
    reader.read(raw)
    rest = unsaid(raw, _KNOWN, "") | reader.unsaid
    tools, arranging = _tools(raw, rest)
    if arranging:
        rest["tools"] = arranging
    include = texts(raw, "include", "") or ()
    if more := [word for word in include if word not in _INCLUDED]:
        rest["include"] = more
    thinking = member(raw, "reasoning", "") or {}
    rest |= unsaid(thinking, frozenset({"effort", "summary"}), "/reasoning")
    return Conversation(
        system=tuple(reader.system),
        turns=tuple(reader.turns),
        tools=tools,
        tool_choice=_tool_choice(raw),
        parallel=flag(raw, "parallel_tool_calls", ""),
        output=_output(raw),
        max_output=integer(raw, "max_output_tokens", ""),
        sampling=Sampling(
            temperature=number(raw, "temperature", ""),
            top_p=number(raw, "top_p", ""),
            logprobs=True if "message.output_text.logprobs" in include else None,
            top_logprobs=integer(raw, "top_logprobs", ""),
        ),
        thinking=_thinking(raw),
        user=text(raw, "safety_identifier", "") or text(raw, "user", ""),
        metadata=metadata(raw),
        tier=text(raw, "service_tier", ""),
        cache_key=text(raw, "prompt_cache_key", ""),
        store=flag(raw, "store", ""),
        previous_id=_previous(raw) or reader.stored,
        extensions=MappingProxyType({_NAME: MappingProxyType(rest)} if rest else {}),
    )


class _Items:
    """Walks the items and gathers them into turns."""

    def __init__(self) -> None:
        self.system: list[Part] = []
        self.turns: list[Turn] = []
        self.role: Role | None = None
        self.phase: str | None = None
        self.parts: list[Part] = []
        self.unsaid: dict[str, Any] = {}
        self.stored: str | None = None
        """An item that only its own provider can look up: nobody else can be asked to."""

    def read(self, raw: Mapping[str, Any]) -> None:
        if instructions := text(raw, "instructions", ""):
            self.system.append(Text(instructions))
        given = raw.get("input")
        if isinstance(given, str):
            self.turns.append(Turn(role="user", parts=(Text(given),)))
            return
        if given is None and _previous(raw) is None:
            raise wrong("text or a list", "/input")
        for index, value in enumerate(items(raw, "input", "")):
            where = f"/input/{index}"
            self.item(as_object(value, where), where)
        self.flush()

    def item(self, item: Mapping[str, Any], where: str) -> None:
        kind = text(item, "type", where)
        if kind in _READ:
            self.unsaid |= unsaid(item, _ITEM, where)
        match kind:
            case None | "message" if "role" in item:
                self.message(item, where)
            case "function_call" | "custom_tool_call":
                self.call(_call(item, where, custom=kind == "custom_tool_call"))
            case "function_call_output" | "custom_tool_call_output":
                self.say("user", _result(item, where, custom=kind == "custom_tool_call_output"))
            case "reasoning":
                self.say("assistant", *_reasoning(item, where))
            case None | "item_reference" if "id" in item:
                self.stored = need_text(item, "id", where)
            case None:
                raise ClientWireError("must have a type or a role", pointer=where)
            case "web_search_call":
                part = ServerTool(dialect=_NAME, kind="web_search", phase="call", value=item)
                self.say("assistant", part)
            case _ if kind.endswith("_output"):
                self.say("user", Opaque(_NAME, item))
            case _:
                self.say("assistant", Opaque(_NAME, item))

    def message(self, item: Mapping[str, Any], where: str) -> None:
        role = need_text(item, "role", where)
        parts = _content(item, "content", where)
        match role:
            case "system" | "developer":
                self.flush()
                if self.turns:
                    self.turns.append(Turn(role="system", parts=tuple(parts)))
                else:
                    self.system.extend(parts)
            case "user":
                self.flush()
                self.turns.append(Turn(role="user", parts=tuple(parts)))
            case "assistant":
                phase = text(item, "phase", where)
                if phase != self.phase and any(isinstance(part, Text) for part in self.parts):
                    self.flush()
                self.say("assistant", *parts)
                self.phase = phase
            case _:
                raise ClientWireError(
                    "must be system, developer, user or assistant", pointer=at(where, "role")
                )

    def call(self, part: ToolUse) -> None:
        before = self.parts[-1] if self.role == "assistant" and self.parts else None
        if before is not None and carries(before, own="openai"):
            part = replace(part, sealed=before.sealed)
            self.parts.pop()
        self.say("assistant", part)

    def say(self, role: Role, *parts: Part) -> None:
        if role != self.role:
            self.flush()
        self.role = role
        self.parts.extend(parts)

    def flush(self) -> None:
        if self.role is not None:
            self.turns.append(Turn(role=self.role, parts=tuple(self.parts), phase=self.phase))
        self.role, self.parts, self.phase = None, [], None


def _content(item: Mapping[str, Any], key: str, where: str) -> list[Part]:
    content = item.get(key)
    if isinstance(content, str):
        return [Text(content)]
    parts: list[Part] = []
    for index, value in enumerate(items(item, key, where)):
        place = at(where, key, index)
        parts.append(_part(as_object(value, place), place))
    return parts


def _part(part: Mapping[str, Any], where: str) -> Part:
    kind = need_text(part, "type", where)
    mark = read_mark(part, where)
    match kind:
        case "input_text" | "output_text" | "text" | "summary_text":
            notes = [
                as_object(note, at(where, "annotations", index))
                for index, note in enumerate(items(part, "annotations", where))
            ]
            return Text(need_text(part, "text", where), citations=tuple(notes), cache=mark)
        case "refusal":
            return Refusal(need_text(part, "refusal", where))
        case "input_image":
            detail = text(part, "detail", where)
            if (url := text(part, "image_url", where)) is not None:
                return read_image(url, at(where, "image_url"), detail=detail, cache=mark)
            return Media(
                kind="image",
                source="file_id",
                value=need_text(part, "file_id", where),
                detail=detail,
                cache=mark,
            )
        case "input_file":
            return read_file(part, where, cache=mark)
        case "input_audio":
            place = at(where, "input_audio")
            return read_sound(as_object(part.get("input_audio"), place), place)
        case _:
            return Opaque(_NAME, part)


def _call(item: Mapping[str, Any], where: str, *, custom: bool) -> ToolUse:
    return ToolUse(
        id=need_text(item, "call_id", where),
        name=need_text(item, "name", where),
        arguments=text(item, "input" if custom else "arguments", where) or "",
        custom=custom,
        item_id=text(item, "id", where),
    )


def _result(item: Mapping[str, Any], where: str, *, custom: bool) -> ToolResult:
    return ToolResult(
        id=need_text(item, "call_id", where),
        parts=tuple(_content(item, "output", where)),
        custom=custom,
    )


def _reasoning(item: Mapping[str, Any], where: str) -> list[Part]:
    """Read a thinking item; what it seals is kept with the last of its parts."""
    identity = text(item, "id", where)
    found: list[tuple[str, bool]] = []
    for key, summary in (("summary", True), ("content", False)):
        for index, value in enumerate(items(item, key, where)):
            place = at(where, key, index)
            found.append((need_text(as_object(value, place), "text", place), summary))
    payload = text(item, "encrypted_content", where)
    seal = opened(payload, "encrypted") if payload else None
    if not found:
        return [Reasoning(summary=True, sealed=seal, id=identity)]
    return [
        Reasoning(text=said, summary=summary, id=identity, sealed=seal if last else None)
        for last, (said, summary) in zip([*[False] * (len(found) - 1), True], found, strict=True)
    ]


def _tools(raw: Mapping[str, Any], rest: dict[str, Any]) -> tuple[tuple[Tool, ...], list[Any]]:
    found: list[Tool] = []
    arranging: list[Any] = []
    for index, value in enumerate(items(raw, "tools", "")):
        where = f"/tools/{index}"
        tool = as_object(value, where)
        kind = need_text(tool, "type", where)
        if kind in {"function", "custom"}:
            rest |= unsaid(tool, _TOOL, where)
        match kind:
            case "function":
                found.append(
                    Tool(
                        name=need_text(tool, "name", where),
                        description=text(tool, "description", where),
                        schema=member(tool, "parameters", where),
                        strict=flag(tool, "strict", where),
                    )
                )
            case "custom":
                found.append(
                    Tool(
                        kind="custom",
                        name=need_text(tool, "name", where),
                        description=text(tool, "description", where),
                        format=member(tool, "format", where),
                    )
                )
            case _ if kind in _CLIENT_SIDE:
                arranging.append(tool)
            case _:
                name = "web_search" if kind.startswith("web_search") else kind
                found.append(Tool(kind="server", name=name, config=tool, dialect=_NAME))
    return tuple(found), arranging


def _tool_choice(raw: Mapping[str, Any]) -> ToolChoice | None:
    choice, where = raw.get("tool_choice"), "/tool_choice"
    if choice is None:
        return None
    if isinstance(choice, str):
        mode = _MODES.get(choice)
        if mode is None:
            raise ClientWireError("must be none, auto or required", pointer=where)
        return ToolChoice(mode=mode)
    chosen = as_object(choice, where)
    kind = need_text(chosen, "type", where)
    if kind in {"function", "custom"}:
        return ToolChoice(mode="named", names=(need_text(chosen, "name", where),))
    if kind != "allowed_tools":
        return ToolChoice(mode="server", names=(kind,))
    names = []
    for index, value in enumerate(items(chosen, "tools", where)):
        tool = as_object(value, at(where, "tools", index))
        if tool.get("type") in ("function", "custom"):
            names.append(need_text(tool, "name", at(where, "tools", index)))
    required = text(chosen, "mode", where) == "required"
    return ToolChoice(mode="allowed", names=tuple(names), required=required)


def _output(raw: Mapping[str, Any]) -> OutputSpec:
    spec = member(raw, "text", "") or {}
    verbosity = text(spec, "verbosity", "/text")
    form = member(spec, "format", "/text") or {}
    where = "/text/format"
    match form.get("type"):
        case None | "text":
            return OutputSpec(verbosity=verbosity)
        case "json_object":
            return OutputSpec(form="json_object", verbosity=verbosity)
        case "json_schema":
            return OutputSpec(
                form="json_schema",
                name=text(form, "name", where),
                description=text(form, "description", where),
                schema=member(form, "schema", where),
                strict=flag(form, "strict", where),
                verbosity=verbosity,
            )
        case _:
            raise ClientWireError(
                "must be text, json_object or json_schema", pointer=at(where, "type")
            )


def _thinking(raw: Mapping[str, Any]) -> Thinking | None:
    reasoning = member(raw, "reasoning", "")
    if reasoning is None:
        return None
    summary = text(reasoning, "summary", "/reasoning")
    return Thinking(
        effort=text(reasoning, "effort", "/reasoning"), visible="summary" if summary else None
    )


def _previous(raw: Mapping[str, Any]) -> str | None:
    """Name stored state that the request continues; only its own provider has it."""
    if (previous := text(raw, "previous_response_id", "")) is not None:
        return previous
    conversation = raw.get("conversation")
    if isinstance(conversation, str):
        return conversation
    return text(member(raw, "conversation", "") or {}, "id", "/conversation")
