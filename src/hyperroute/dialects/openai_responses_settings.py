"""Everything of a Responses request but its input, written from the canon."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from hyperroute.canon.request import Conversation, Tool, ToolChoice
from hyperroute.dialects.base import Profile
from hyperroute.dialects.filling import Places
from hyperroute.dialects.losses import Losses
from hyperroute.dialects.openai_asking import OPENAI, effort_of, strict_of, tier_of, web_search
from hyperroute.dialects.places import place
from hyperroute.dialects.searching import WHY, WORD, searches
from hyperroute.errors import ClientWireError

OUTPUT_MIN: Final = 16
"""The least ``max_output_tokens`` that is taken. Source: dialects.md, 3.9."""
_TIERS: Final = frozenset({"auto", "default", "flex", "scale", "priority", "fast", "ultrafast"})
_ALLOWED: Final = frozenset({"text"})

PLACES: Final[Places] = MappingProxyType(
    {
        "effort": ("reasoning", "effort"),
        "verbosity": ("text", "verbosity"),
        "max_output": ("max_output_tokens",),
        **dict.fromkeys(
            ("n", "seed", "top_k", "presence_penalty", "frequency_penalty", "logprobs", "stop")
        ),
    }
)
"""Where parameters of a shape are said; Responses has no place for the last ones."""


def settings(
    conversation: Conversation, profile: Profile, losses: Losses, names: Mapping[str, str]
) -> dict[str, Any]:
    """Write tools, form, limits, sampling and identity; absent members are ``None``.

    Raises:
        ClientWireError: Something is asked for that Responses must refuse (dialects.md, 9).
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
    choice = conversation.tool_choice
    for tool in conversation.tools:
        if tool.cache is not None:
            losses.at("/tools", "dropped", "tools carry no cache breakpoint here")
        if tool.kind == "server" and tool.name == WORD and not searches(profile):
            losses.at("/tools", "dropped", WHY)
        elif tool.kind == "server":
            written.append(_search(web_search(tool, losses)))
        else:
            written.append(_tool(tool, names[tool.name], losses))
    if not written:
        if choice is not None and choice.mode != "none":
            losses.add("tool_choice", "dropped", "there are no tools to choose from")
        return {}
    return {
        "tools": written,
        "tool_choice": _choice(choice, conversation, names),
        "parallel_tool_calls": conversation.parallel,
    }


def _search(asked: Mapping[str, Any]) -> dict[str, Any]:
    domains = asked["domains"]
    return _given(
        type="web_search",
        filters=None if domains is None else {"allowed_domains": list(domains)},
        search_context_size=asked["size"],
        user_location=asked["location"],
    )


def _tool(tool: Tool, name: str, losses: Losses) -> dict[str, Any]:
    if tool.kind == "custom":
        return _given(
            type="custom", name=name, description=tool.description, format=_format(tool.format)
        )
    strict = strict_of(tool.schema, losses.dialect, strict=tool.strict)
    if tool.strict and not strict:
        losses.at("/tools", "dropped", "the schema is outside OpenAI's strict subset")
    # Both keys are required here, and an omitted strict is read as true.
    required = {"parameters": tool.schema, "strict": strict}
    return {**_given(type="function", name=name, description=tool.description), **required}


def _format(form: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Flatten the grammar of a custom tool, which chat nests once more."""
    if form is None:
        return None
    inner = form.get("grammar")
    if form.get("type") == "grammar" and isinstance(inner, Mapping):
        return {"type": "grammar", **inner}
    return dict(form)


def _choice(
    choice: ToolChoice | None, conversation: Conversation, names: Mapping[str, str]
) -> object:
    if choice is None:
        return None
    custom = {tool.name for tool in conversation.tools if tool.kind == "custom"}

    def named(name: str) -> dict[str, Any]:
        return {"type": "custom" if name in custom else "function", "name": names[name]}

    match choice.mode:
        case "none" | "auto":
            return choice.mode
        case "any":
            return "required"
        case "named":
            return named(choice.names[0])
        case "allowed":
            return {
                "type": "allowed_tools",
                "mode": "required" if choice.required else "auto",
                "tools": [named(name) for name in choice.names],
            }
        case "server":
            if any(word.startswith("web_search") for word in choice.names):
                return {"type": "web_search"}
            raise ClientWireError("no such tool to choose here", pointer="/tool_choice")


def _form(conversation: Conversation, profile: Profile, losses: Losses) -> dict[str, Any]:
    output = conversation.output
    if not _ALLOWED.issuperset(output.modalities or ()):
        raise ClientWireError(
            "Responses answers in text only", pointer=place(losses.dialect, "modalities")
        )
    said = _given(verbosity=output.verbosity)
    if profile.does and output.form != "text" and output.form not in profile.does:
        if output.strict:
            raise ClientWireError("the target cannot keep to a strict schema")
        losses.add("output", "dropped", "the target knows no such form of answer")
    elif output.form == "json_object":
        said["format"] = {"type": "json_object"}
    elif output.form == "json_schema":
        if output.name is None:
            losses.add("output", "synthesised", "a schema needs a name here")
        strict = strict_of(output.schema, losses.dialect, strict=output.strict)
        if output.strict and not strict:
            losses.add("output", "dropped", "the schema is outside OpenAI's strict subset")
        form = _given(
            type="json_schema",
            name=output.name or "response",
            description=output.description,
            schema=output.schema,
        )
        said["format"] = form | {"strict": strict}
    return {"text": said} if said else {}


def _limits(conversation: Conversation, profile: Profile, losses: Losses) -> dict[str, Any]:
    sampling = conversation.sampling
    if sampling.n is not None and sampling.n > 1:
        raise ClientWireError("Responses gives one answer", pointer=place(losses.dialect, "n"))
    losses.drop("Responses has no stop sequences", stop=conversation.stop or None)
    losses.drop(
        "Responses has no such parameter",
        seed=sampling.seed,
        top_k=sampling.top_k,
        presence_penalty=sampling.presence_penalty,
        frequency_penalty=sampling.frequency_penalty,
        logit_bias=sampling.logit_bias,
    )
    limit = conversation.max_output
    if limit is not None and limit < OUTPUT_MIN:
        losses.add("max_output", "clamped", f"at least {OUTPUT_MIN} tokens")
        limit = OUTPUT_MIN
    thinking = conversation.thinking
    summary = "auto" if thinking is not None and thinking.visible in {"summary", "full"} else None
    if thinking is not None and thinking.visible == "full":
        losses.add("thinking", "approximated", "thinking is shown as a summary")
    reasoning = _given(effort=effort_of(thinking, profile, losses), summary=summary)
    logprobs = bool(sampling.logprobs)
    return {
        "max_output_tokens": limit,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_logprobs": sampling.top_logprobs,
        "include": ["message.output_text.logprobs"] if logprobs else None,
        "reasoning": reasoning or None,
    }


def _identity(conversation: Conversation, profile: Profile, losses: Losses) -> dict[str, Any]:
    return {
        "safety_identifier" if profile.vendor == OPENAI else "user": conversation.user,
        "metadata": None if conversation.metadata is None else dict(conversation.metadata),
        "service_tier": tier_of(conversation.tier, _TIERS, losses),
        "prompt_cache_key": conversation.cache_key,
        # Storing is the default here and nowhere else: nobody asked for it.
        "store": bool(conversation.store),
    }


def _given(**members: object) -> dict[str, Any]:
    return {key: value for key, value in members.items() if value is not None}
