"""Everything of a chat completions request but its messages, written from the canon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hyperroute.canon.request import Conversation, Tool, ToolChoice
from hyperroute.dialects.base import Profile
from hyperroute.dialects.filling import Places
from hyperroute.dialects.losses import Losses
from hyperroute.dialects.openai_asking import OPENAI, effort_of, strict_of, tier_of, web_search
from hyperroute.dialects.places import place
from hyperroute.errors import ClientWireError

STOPS_MAX: Final = 4
_TIERS: Final = frozenset({"auto", "default", "flex", "scale", "priority", "fast"})
_ALLOWED: Final = frozenset({"text"})

_LIMIT: Final = "max_completion_tokens"
_OLD_LIMIT: Final = "max_tokens"
"""What most servers but OpenAI's call it; the entry's option of this name says so."""


def places(profile: Profile) -> Places:
    """Say where parameters of a shape are said; all others are called here as there."""
    return {"effort": ("reasoning_effort",), "max_output": (_limit(profile),)}


def _limit(profile: Profile) -> str:
    return _OLD_LIMIT if profile.options.get("max_tokens") else _LIMIT


def settings(
    conversation: Conversation, profile: Profile, losses: Losses, names: Mapping[str, str]
) -> dict[str, Any]:
    """Write tools, form, limits, sampling and identity; absent members are ``None``.

    Raises:
        ClientWireError: Something is asked for that chat must refuse (dialects.md, 9).
    """
    return {
        **_tools(conversation, profile, losses, names),
        **_form(conversation, profile, losses),
        **_limits(conversation, profile, losses),
        **_identity(conversation, profile, losses),
    }


def _tools(
    conversation: Conversation, profile: Profile, losses: Losses, names: Mapping[str, str]
) -> dict[str, Any]:
    written: list[dict[str, Any]] = []
    said: dict[str, Any] = {}
    choice = conversation.tool_choice
    native = profile.vendor == OPENAI
    kept = set(choice.names) if choice is not None and choice.mode == "allowed" else None
    for tool in conversation.tools:
        if tool.cache is not None:
            losses.at("/tools", "dropped", "tools carry no cache breakpoint here")
        if tool.kind == "server":
            search = web_search(tool, losses)
            if "web_search" not in profile.does:
                losses.at("/tools", "dropped", "the target is not known to search the web")
                continue
            if search["domains"] is not None:
                losses.at("/tools", "dropped", "chat's web search takes no domains")
            place = search["location"]
            near = None if place is None else {k: v for k, v in place.items() if k != "type"}
            said["web_search_options"] = _given(
                search_context_size=search["size"],
                user_location=None
                if near is None
                else {"type": "approximate", "approximate": near},
            )
        elif kept is None or native or tool.name in kept:
            written.append(_tool(tool, names[tool.name], losses, native=native))
        else:
            losses.at("/tools", "approximated", "only the allowed tools are sent")
    if not written:
        if choice is not None and choice.mode != "none":
            losses.add("tool_choice", "dropped", "there are no tools to choose from")
        return said
    said["tools"] = written
    said["tool_choice"] = _choice(choice, conversation, native=native, names=names)
    said["parallel_tool_calls"] = conversation.parallel
    return said


def _tool(tool: Tool, name: str, losses: Losses, *, native: bool) -> dict[str, Any]:
    if tool.kind == "custom" and not native:
        losses.at("/tools", "approximated", "a free-form tool becomes a function of one string")
        inner = _given(name=name, description=tool.description, parameters=_one_string())
        return {"type": "function", "function": inner}
    if tool.kind == "custom":
        inner = _given(name=name, description=tool.description, format=_format(tool.format))
        return {"type": "custom", "custom": inner}
    strict = strict_of(tool.schema, losses.dialect, strict=tool.strict)
    if tool.strict and not strict:
        losses.at("/tools", "dropped", "the schema is outside OpenAI's strict subset")
    inner = _given(name=name, description=tool.description, parameters=tool.schema)
    return {"type": "function", "function": inner | ({"strict": True} if strict else {})}


def _one_string() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"input": {"type": "string"}},
        "required": ["input"],
    }


def _format(form: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Nest the grammar of a custom tool, which Responses writes flat."""
    if form is None or form.get("type") != "grammar" or "grammar" in form:
        return None if form is None else dict(form)
    inner = {key: value for key, value in form.items() if key != "type"}
    return {"type": "grammar", "grammar": inner}


def _choice(
    choice: ToolChoice | None,
    conversation: Conversation,
    *,
    native: bool,
    names: Mapping[str, str],
) -> object:
    if choice is None:
        return None
    custom = {tool.name for tool in conversation.tools if native and tool.kind == "custom"}

    def named(name: str) -> dict[str, Any]:
        kind = "custom" if name in custom else "function"
        return {"type": kind, kind: {"name": names[name]}}

    match choice.mode:
        case "none" | "auto":
            return choice.mode
        case "any":
            return "required"
        case "named":
            return named(choice.names[0])
        case "allowed" if native:
            inner = {
                "mode": "required" if choice.required else "auto",
                "tools": [named(name) for name in choice.names],
            }
            return {"type": "allowed_tools", "allowed_tools": inner}
        case "allowed":
            return "required" if choice.required else "auto"
        case "server":
            raise ClientWireError("chat cannot choose a server tool", pointer="/tool_choice")


def _form(conversation: Conversation, profile: Profile, losses: Losses) -> dict[str, Any]:
    output = conversation.output
    if not _ALLOWED.issuperset(output.modalities or ()):
        raise ClientWireError(
            "chat of another vendor answers in text only",
            pointer=place(losses.dialect, "modalities"),
        )
    said: dict[str, Any] = {"verbosity": output.verbosity}
    if profile.does and output.form != "text" and output.form not in profile.does:
        if output.strict:
            raise ClientWireError("the target cannot keep to a strict schema")
        losses.add("output", "dropped", "the target knows no such form of answer")
        return said
    if output.form == "json_object":
        said["response_format"] = {"type": "json_object"}
    elif output.form == "json_schema":
        if output.name is None:
            losses.add("output", "synthesised", "a schema needs a name here")
        strict = strict_of(output.schema, losses.dialect, strict=output.strict)
        if output.strict and not strict:
            losses.add("output", "dropped", "the schema is outside OpenAI's strict subset")
        inner = _given(
            name=output.name or "response", description=output.description, schema=output.schema
        )
        inner |= {"strict": True} if strict else {}
        said["response_format"] = {"type": "json_schema", "json_schema": inner}
    return said


def _limits(conversation: Conversation, profile: Profile, losses: Losses) -> dict[str, Any]:
    sampling = conversation.sampling
    stop = conversation.stop
    if stop is not None and len(stop) > STOPS_MAX:
        losses.add("stop", "clamped", f"at most {STOPS_MAX} stop sequences")
        stop = stop[:STOPS_MAX]
    top_k = sampling.top_k
    if top_k is not None and not profile.options.get("top_k"):
        losses.drop("chat has no top_k", top_k=top_k)
        top_k = None
    if conversation.thinking is not None and conversation.thinking.visible not in {None, "none"}:
        losses.add("thinking", "dropped", "chat shows no thinking")
    return {
        _limit(profile): conversation.max_output,
        "stop": list(stop) if stop else None,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": top_k,
        "seed": sampling.seed,
        "n": sampling.n,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "logit_bias": None if sampling.logit_bias is None else dict(sampling.logit_bias),
        "logprobs": sampling.logprobs,
        "top_logprobs": sampling.top_logprobs,
        "reasoning_effort": effort_of(conversation.thinking, profile, losses),
    }


def _identity(conversation: Conversation, profile: Profile, losses: Losses) -> dict[str, Any]:
    native = profile.vendor == OPENAI
    said: dict[str, Any] = {
        "safety_identifier" if native else "user": conversation.user,
        "service_tier": tier_of(conversation.tier, _TIERS, losses),
    }
    own = {
        "metadata": None if conversation.metadata is None else dict(conversation.metadata),
        "prompt_cache_key": conversation.cache_key,
        "store": conversation.store,
    }
    if native:
        return said | own
    losses.drop(
        "only OpenAI itself takes it",
        metadata=conversation.metadata,
        cache_key=conversation.cache_key,
        store=conversation.store or None,  # not to store is what others do anyway
    )
    return said


def _given(**members: object) -> dict[str, Any]:
    return {key: value for key, value in members.items() if value is not None}
