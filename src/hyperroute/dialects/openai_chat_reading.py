"""A chat completions request as a canonical conversation.

Total over whatever JSON a caller sends: a surprise is a ``ClientWireError`` with its pointer.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

from hyperroute.canon.content import (
    Opaque,
    Part,
    Reasoning,
    Refusal,
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
from hyperroute.errors import ClientWireError

_NAME: Final = "openai.chat"
_KNOWN: Final = frozenset(
    {
        "messages", "model", "intent", "hyperroute", "hypereal", "stream", "stream_options",
        "tools", "tool_choice", "functions", "function_call", "parallel_tool_calls",
        "response_format", "modalities", "verbosity", "max_tokens", "max_completion_tokens",
        "stop", "temperature", "top_p", "seed", "n", "presence_penalty", "frequency_penalty",
        "logit_bias", "logprobs", "top_logprobs", "reasoning_effort", "user",
        "safety_identifier", "metadata", "service_tier", "prompt_cache_key", "store",
        "web_search_options",
    }
)  # fmt: skip

_MESSAGE: Final = frozenset(
    {
        "role", "content", "name", "refusal", "audio", "tool_calls", "function_call",
        "tool_call_id", "reasoning_content", "reasoning",
    }
)  # fmt: skip
_MODES: Final[Mapping[str, Literal["none", "auto", "any"]]] = MappingProxyType(
    {"none": "none", "auto": "auto", "required": "any"}
)


def read_conversation(raw: Mapping[str, Any]) -> Conversation:
    """Decode the whole request.

    Raises:
        ClientWireError: It is malformed; ``pointer`` says where.
    """
    messages = _Messages()
    system, turns = messages.read(raw)
    limit = integer(raw, "max_completion_tokens", "")
    options = member(raw, "stream_options", "") or {}
    effort = text(raw, "reasoning_effort", "")
    rest = unsaid(raw, _KNOWN, "") | messages.unsaid
    return Conversation(
        system=system,
        turns=turns,
        tools=_tools(raw),
        tool_choice=_tool_choice(raw),
        parallel=flag(raw, "parallel_tool_calls", ""),
        output=_output(raw),
        max_output=integer(raw, "max_tokens", "") if limit is None else limit,
        stop=_stop(raw),
        sampling=_sampling(raw),
        thinking=None if effort is None else Thinking(effort=effort),
        stream_usage=flag(options, "include_usage", "/stream_options"),
        user=text(raw, "safety_identifier", "") or text(raw, "user", ""),
        metadata=metadata(raw),
        tier=text(raw, "service_tier", ""),
        cache_key=text(raw, "prompt_cache_key", ""),
        store=flag(raw, "store", ""),
        extensions=MappingProxyType({_NAME: MappingProxyType(rest)} if rest else {}),
    )


class _Messages:
    """Walks the messages; leading instructions go to the top, results of one turn together."""

    def __init__(self) -> None:
        self.system: list[Part] = []
        self.turns: list[Turn] = []
        self.results: list[Part] = []
        self.unsaid: dict[str, Any] = {}
        self.legacy: list[tuple[str, str]] = []
        """Names and made-up ids of ``function_call``, which had no ids."""

    def read(self, raw: Mapping[str, Any]) -> tuple[tuple[Part, ...], tuple[Turn, ...]]:
        if not isinstance(raw.get("messages"), list | tuple):
            raise wrong("a list", "/messages")
        for index, value in enumerate(raw["messages"]):
            where = f"/messages/{index}"
            self.message(as_object(value, where), where)
        self.flush()
        return tuple(self.system), tuple(self.turns)

    def message(self, message: Mapping[str, Any], where: str) -> None:
        role = need_text(message, "role", where)
        self.unsaid |= unsaid(message, _MESSAGE, where)
        if role in {"tool", "function"}:
            self.results.append(self.result(message, role, where))
            return
        self.flush()
        name = text(message, "name", where)
        parts = _content(message, where)
        match role:
            case "system" | "developer":
                if self.turns:
                    self.turns.append(Turn(role="system", parts=tuple(parts), name=name))
                else:
                    self.system.extend(parts)
            case "user":
                self.turns.append(Turn(role="user", parts=tuple(parts), name=name))
            case "assistant":
                parts = [*_thinking(message, where), *parts, *self.said(message, where)]
                self.turns.append(Turn(role="assistant", parts=tuple(parts), name=name))
            case _:
                raise ClientWireError(
                    "must be system, developer, user, assistant or tool", pointer=at(where, "role")
                )

    def flush(self) -> None:
        if self.results:
            self.turns.append(Turn(role="user", parts=tuple(self.results)))
            self.results = []

    def said(self, message: Mapping[str, Any], where: str) -> list[Part]:
        """Read what an assistant message holds beside its content."""
        parts: list[Part] = []
        if refusal := text(message, "refusal", where):
            parts.append(Refusal(refusal))
        if (audio := member(message, "audio", where)) is not None:
            parts.append(Opaque(_NAME, MappingProxyType({"audio": audio})))
        for index, value in enumerate(items(message, "tool_calls", where)):
            place = at(where, "tool_calls", index)
            parts.append(_call(as_object(value, place), place))
        if (call := member(message, "function_call", where)) is not None:
            place = at(where, "function_call")
            name = need_text(call, "name", place)
            made = f"call_{len(self.legacy)}"
            self.legacy.append((name, made))
            arguments = text(call, "arguments", place) or ""
            parts.append(ToolUse(id=made, name=name, arguments=arguments))
        return parts

    def result(self, message: Mapping[str, Any], role: str, where: str) -> ToolResult:
        parts = tuple(_content(message, where))
        if role == "tool":
            name = text(message, "name", where)
            return ToolResult(id=need_text(message, "tool_call_id", where), parts=parts, name=name)
        name = need_text(message, "name", where)
        made = next((made for known, made in reversed(self.legacy) if known == name), None)
        if made is None:
            raise ClientWireError("answers no function_call", pointer=at(where, "name"))
        return ToolResult(id=made, parts=parts, name=name)


def _content(message: Mapping[str, Any], where: str) -> list[Part]:
    content = message.get("content")
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(content)]
    parts: list[Part] = []
    for index, value in enumerate(items(message, "content", where)):
        place = at(where, "content", index)
        parts.append(_part(as_object(value, place), place))
    return parts


def _part(part: Mapping[str, Any], where: str) -> Part:
    kind = need_text(part, "type", where)
    mark = read_mark(part, where)
    match kind:
        case "text":
            return Text(need_text(part, "text", where), cache=mark)
        case "refusal":
            return Refusal(need_text(part, "refusal", where))
        case "image_url":
            inner = as_object(part.get("image_url"), at(where, "image_url"))
            place = at(where, "image_url")
            detail = text(inner, "detail", place)
            url = need_text(inner, "url", place)
            return read_image(url, at(place, "url"), detail=detail, cache=mark)
        case "input_audio":
            place = at(where, "input_audio")
            return read_sound(as_object(part.get("input_audio"), place), place)
        case "file":
            place = at(where, "file")
            return read_file(as_object(part.get("file"), place), place, cache=mark)
        case _:
            return Opaque(_NAME, part)


def _thinking(message: Mapping[str, Any], where: str) -> list[Part]:
    """Read thinking that compatible servers return and want back."""
    for key in ("reasoning_content", "reasoning"):
        if isinstance(message.get(key), str) and message[key]:
            return [Reasoning(text=need_text(message, key, where))]
    return []


def _call(call: Mapping[str, Any], where: str) -> ToolUse:
    kind = text(call, "type", where) or "function"
    custom = kind == "custom"
    place = at(where, "custom" if custom else "function")
    inner = as_object(call.get("custom" if custom else "function"), place)
    return ToolUse(
        id=need_text(call, "id", where),
        name=need_text(inner, "name", place),
        arguments=text(inner, "input" if custom else "arguments", place) or "",
        custom=custom,
    )


def _tools(raw: Mapping[str, Any]) -> tuple[Tool, ...]:
    found: list[Tool] = []
    for index, value in enumerate(items(raw, "tools", "")):
        where = f"/tools/{index}"
        tool = as_object(value, where)
        kind = need_text(tool, "type", where)
        place = at(where, kind)
        match kind:
            case "function":
                found.append(_function(as_object(tool.get("function"), place), place))
            case "custom":
                inner = as_object(tool.get("custom"), place)
                found.append(
                    Tool(
                        kind="custom",
                        name=need_text(inner, "name", place),
                        description=text(inner, "description", place),
                        format=member(inner, "format", place),
                    )
                )
            case _:
                name = "web_search" if kind.startswith("web_search") else kind
                found.append(Tool(kind="server", name=name, config=tool, dialect=_NAME))
    for index, value in enumerate(items(raw, "functions", "")):
        where = f"/functions/{index}"
        found.append(_function(as_object(value, where), where))
    if (search := member(raw, "web_search_options", "")) is not None:
        found.append(Tool(kind="server", name="web_search", config=search, dialect=_NAME))
    return tuple(found)


def _function(inner: Mapping[str, Any], where: str) -> Tool:
    return Tool(
        name=need_text(inner, "name", where),
        description=text(inner, "description", where),
        schema=member(inner, "parameters", where),
        strict=flag(inner, "strict", where),
    )


def _tool_choice(raw: Mapping[str, Any]) -> ToolChoice | None:
    key = "tool_choice" if raw.get("tool_choice") is not None else "function_call"
    choice, where = raw.get(key), f"/{key}"
    if choice is None:
        return None
    if isinstance(choice, str):
        mode = _MODES.get(choice)
        if mode is None:
            raise ClientWireError("must be none, auto or required", pointer=where)
        return ToolChoice(mode=mode)
    chosen = as_object(choice, where)
    kind = "function" if key == "function_call" else need_text(chosen, "type", where)
    match kind:
        case "function" | "custom":
            inner = chosen if key == "function_call" else chosen.get(kind)
            place = at(where, kind)
            return ToolChoice(
                mode="named", names=(need_text(as_object(inner, place), "name", place),)
            )
        case "allowed_tools":
            return _allowed(as_object(chosen.get(kind), at(where, kind)), at(where, kind))
        case _:
            return ToolChoice(mode="server", names=(kind,))


def _allowed(inner: Mapping[str, Any], where: str) -> ToolChoice:
    names: list[str] = []
    for index, value in enumerate(items(inner, "tools", where)):
        place = at(where, "tools", index)
        tool = as_object(value, place)
        kind = need_text(tool, "type", place)
        names.append(need_text(as_object(tool.get(kind), at(place, kind)), "name", at(place, kind)))
    return ToolChoice(
        mode="allowed", names=tuple(names), required=text(inner, "mode", where) == "required"
    )


def _output(raw: Mapping[str, Any]) -> OutputSpec:
    form = member(raw, "response_format", "") or {}
    where = "/response_format"
    modalities, verbosity = texts(raw, "modalities", ""), text(raw, "verbosity", "")
    match form.get("type"):
        case None | "text":
            return OutputSpec(modalities=modalities, verbosity=verbosity)
        case "json_object":
            return OutputSpec(form="json_object", modalities=modalities, verbosity=verbosity)
        case "json_schema":
            place = at(where, "json_schema")
            inner = as_object(form.get("json_schema"), place)
            return OutputSpec(
                form="json_schema",
                name=text(inner, "name", place),
                description=text(inner, "description", place),
                schema=member(inner, "schema", place),
                strict=flag(inner, "strict", place),
                modalities=modalities,
                verbosity=verbosity,
            )
        case _:
            raise ClientWireError(
                "must be text, json_object or json_schema", pointer=at(where, "type")
            )


def _sampling(raw: Mapping[str, Any]) -> Sampling:
    bias = member(raw, "logit_bias", "")
    return Sampling(
        temperature=number(raw, "temperature", ""),
        top_p=number(raw, "top_p", ""),
        seed=integer(raw, "seed", ""),
        n=integer(raw, "n", ""),
        presence_penalty=number(raw, "presence_penalty", ""),
        frequency_penalty=number(raw, "frequency_penalty", ""),
        logit_bias=None
        if bias is None
        else MappingProxyType({key: number(bias, key, "/logit_bias") or 0 for key in bias}),
        logprobs=flag(raw, "logprobs", ""),
        top_logprobs=integer(raw, "top_logprobs", ""),
    )


def _stop(raw: Mapping[str, Any]) -> tuple[str, ...] | None:
    stop = raw.get("stop")
    return (stop,) if isinstance(stop, str) else texts(raw, "stop", "")
