"""Gemini's tools and ``generationConfig``, read as a server."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from hyperroute.canon.request import (
    Conversation,
    OutputSpec,
    Sampling,
    Thinking,
    Tool,
    ToolChoice,
)
from hyperroute.dialects import reading
from hyperroute.dialects.gemini_read import read_system, read_turns
from hyperroute.dialects.gemini_spelling import LEVELS, NAME, camel, json_schema, key
from hyperroute.dialects.reading import Object, as_object, at
from hyperroute.errors import ClientWireError

_KNOWN = frozenset(
    {
        "model",
        "stream",
        "intent",
        "contents",
        "systemInstruction",
        "tools",
        "toolConfig",
        "generationConfig",
        "cachedContent",
        "labels",
        "serviceTier",
        "hyperroute",
        "hypereal",
    }
)
_CONFIG = frozenset(
    {
        "temperature",
        "topP",
        "topK",
        "seed",
        "candidateCount",
        "presencePenalty",
        "frequencyPenalty",
        "responseLogprobs",
        "logprobs",
        "maxOutputTokens",
        "stopSequences",
        "responseMimeType",
        "responseSchema",
        "responseJsonSchema",
        "responseModalities",
        "thinkingConfig",
    }
)
_SEARCH = ("googleSearch", "googleSearchRetrieval")


def decode(raw: Mapping[str, Any]) -> Conversation:
    """Read a whole request body into the canon.

    Raises:
        ClientWireError: Something in it is malformed; the pointer says what.
    """
    where = key(raw, "generationConfig")
    config = reading.member(raw, where, "") or {}
    where = f"/{where}"
    choice, checked = _tool_choice(raw)
    tools = _tools(raw, strict=True if checked else None)
    labels = reading.member(raw, "labels", "")
    extensions = {k: v for k, v in raw.items() if camel(k) not in _KNOWN and v is not None}
    if further := {k: v for k, v in config.items() if camel(k) not in _CONFIG and v is not None}:
        extensions["generationConfig"] = further
    return Conversation(
        system=read_system(raw),
        turns=read_turns(raw),
        tools=tools,
        tool_choice=choice,
        output=_output(config, where),
        max_output=reading.integer(config, key(config, "maxOutputTokens"), where),
        stop=reading.texts(config, key(config, "stopSequences"), where),
        sampling=_sampling(config, where),
        thinking=_thinking(config, where),
        stream_usage=True,
        metadata=None if labels is None else MappingProxyType({k: str(labels[k]) for k in labels}),
        tier=reading.text(raw, key(raw, "serviceTier"), ""),
        previous_id=reading.text(raw, key(raw, "cachedContent"), ""),
        extensions=MappingProxyType({NAME: MappingProxyType(extensions)} if extensions else {}),
    )


def _sampling(config: Object, where: str) -> Sampling:
    return Sampling(
        temperature=reading.number(config, "temperature", where),
        top_p=reading.number(config, key(config, "topP"), where),
        top_k=reading.integer(config, key(config, "topK"), where),
        seed=reading.integer(config, "seed", where),
        n=reading.integer(config, key(config, "candidateCount"), where),
        presence_penalty=reading.number(config, key(config, "presencePenalty"), where),
        frequency_penalty=reading.number(config, key(config, "frequencyPenalty"), where),
        logprobs=reading.flag(config, key(config, "responseLogprobs"), where),
        top_logprobs=reading.integer(config, "logprobs", where),
    )


def _thinking(config: Object, where: str) -> Thinking | None:
    spelt = key(config, "thinkingConfig")
    obj = reading.member(config, spelt, where)
    if obj is None:
        return None
    where = at(where, spelt)
    budget = reading.integer(obj, key(obj, "thinkingBudget"), where)
    level = (reading.text(obj, key(obj, "thinkingLevel"), where) or "").lower()
    shown = reading.flag(obj, key(obj, "includeThoughts"), where)
    if budget is not None and budget < -1:
        raise reading.wrong("-1, 0 or a number of tokens", at(where, key(obj, "thinkingBudget")))
    return Thinking(
        effort=level if level in LEVELS else None,
        budget="auto" if budget == -1 else "off" if budget == 0 else budget,
        visible=None if shown is None else "summary" if shown else "none",
    )


def _output(config: Object, where: str) -> OutputSpec:
    mime = reading.text(config, key(config, "responseMimeType"), where)
    words = reading.texts(config, key(config, "responseModalities"), where)
    modalities = None if words is None else tuple(word.lower() for word in words)
    plain = reading.member(config, key(config, "responseJsonSchema"), where)
    schema = plain
    if schema is None:
        subset = reading.member(config, key(config, "responseSchema"), where)
        schema = None if subset is None else json_schema(subset)
    if schema is not None:
        return OutputSpec(form="json_schema", schema=schema, modalities=modalities)
    if mime == "application/json":
        return OutputSpec(form="json_object", modalities=modalities)
    return OutputSpec(modalities=modalities)


def _tools(raw: Object, *, strict: bool | None) -> tuple[Tool, ...]:
    found: list[Tool] = []
    for index, value in enumerate(reading.items(raw, "tools", "")):
        where = f"/tools/{index}"
        tool = as_object(value, where)
        spelt = key(tool, "functionDeclarations")
        for place, declared in enumerate(reading.items(tool, spelt, where)):
            found.append(_function(declared, at(where, spelt, place), strict=strict))
        for name, config in tool.items():
            if camel(name) == "functionDeclarations" or config is None:
                continue
            word = "web_search" if camel(name) in _SEARCH else camel(name)
            found.append(Tool(kind="server", name=word, config={name: config}, dialect=NAME))
    return tuple(found)


def _function(value: Any, where: str, *, strict: bool | None) -> Tool:
    obj = as_object(value, where)
    schema = reading.member(obj, key(obj, "parametersJsonSchema"), where)
    if schema is None:
        subset = reading.member(obj, "parameters", where)
        schema = None if subset is None else json_schema(subset)
    return Tool(
        name=reading.need_text(obj, "name", where),
        description=reading.text(obj, "description", where),
        schema=schema,
        strict=strict,
    )


def _tool_choice(raw: Object) -> tuple[ToolChoice | None, bool]:
    """Read the choice, and whether mode VALIDATED asks for checked arguments."""
    outer = key(raw, "toolConfig")
    config = reading.member(raw, outer, "") or {}
    spelt = key(config, "functionCallingConfig")
    where = at("", outer, spelt)
    calling = reading.member(config, spelt, f"/{outer}")
    if calling is None:
        return None, False
    mode = (reading.text(calling, "mode", where) or "MODE_UNSPECIFIED").upper()
    names = reading.texts(calling, key(calling, "allowedFunctionNames"), where) or ()
    match mode:
        case "MODE_UNSPECIFIED":
            return None, False
        case "NONE":
            return ToolChoice(mode="none"), False
        case "AUTO":
            return ToolChoice(mode="auto"), False
        case "ANY" if len(names) == 1:
            return ToolChoice(mode="named", names=names), False
        case "ANY" if names:
            return ToolChoice(mode="allowed", names=names, required=True), False
        case "ANY":
            return ToolChoice(mode="any"), False
        case "VALIDATED" if names:
            return ToolChoice(mode="allowed", names=names), True
        case "VALIDATED":
            return ToolChoice(mode="auto"), True
        case _:
            raise ClientWireError("unknown calling mode", pointer=at(where, "mode"))
