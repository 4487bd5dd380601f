"""Tools and ``generationConfig``, written for Gemini (dialects.md, 3.4 to 3.9)."""

from __future__ import annotations

from typing import Any

from hyperroute.canon.request import Conversation, Thinking, Tool
from hyperroute.dialects.base import Profile
from hyperroute.dialects.effort import budget_of, effort_of, nearest, said_by
from hyperroute.dialects.gemini_parts import PartWriter
from hyperroute.dialects.gemini_spelling import LEVELS
from hyperroute.dialects.losses import Losses
from hyperroute.dialects.places import place
from hyperroute.dialects.searching import WHY, WORD, searches
from hyperroute.errors import ClientWireError

STOP_SEQUENCES_MAX = 5
BUDGET_MAX = 32_768
"""The largest ``thinkingBudget`` of any model.

Source: ai.google.dev/gemini-api/docs/thinking, read 2026-11-22.
"""


def write_tools(conversation: Conversation, writer: PartWriter) -> dict[str, Any]:
    """Write ``tools`` and ``toolConfig``; without functions no choice.

    Raises:
        ClientWireError: A server tool that exists at another vendor only.
    """
    losses = writer.losses
    where = place(losses.dialect, "tools")
    functions: list[dict[str, Any]] = []
    tools: list[dict[str, Any]] = []
    checked = _checked(conversation)
    for index, tool in enumerate(conversation.tools):
        here = f"{where}/{index}"
        if tool.cache is not None:
            losses.at(here, "dropped", "caching is implicit here")
        if tool.kind == "server" and tool.name == WORD and not searches(writer.profile):
            losses.at(here, "dropped", WHY)
        elif tool.kind == "server":
            tools.append(_search(tool, here, losses))
        else:
            functions.append(_function(tool, here, writer, checked=checked))
    if functions:
        tools.insert(0, {"functionDeclarations": functions})
    if conversation.parallel is False and functions:
        losses.add("parallel", "dropped", "parallel calls cannot be turned off here")
    written: dict[str, Any] = {"tools": tools} if tools else {}
    if calling := _calling(conversation, writer, some=bool(functions), checked=checked):
        written["toolConfig"] = {"functionCallingConfig": calling}
    return written


def _checked(conversation: Conversation) -> bool:
    """Say whether mode VALIDATED can stand for strict tools: all are, and nothing else is chosen."""
    ours = [tool for tool in conversation.tools if tool.kind != "server"]
    choice = conversation.tool_choice
    free = choice is None or choice.mode == "auto"
    free = free or (choice is not None and choice.mode == "allowed" and not choice.required)
    return free and bool(ours) and all(tool.strict for tool in ours)


def _calling(
    conversation: Conversation, writer: PartWriter, *, some: bool, checked: bool
) -> dict[str, Any]:
    choice = conversation.tool_choice
    if checked and (choice is None or choice.mode == "auto"):
        return {"mode": "VALIDATED"}
    if choice is None:
        return {}
    if not some:
        if choice.mode == "server":
            writer.losses.add("tool_choice", "dropped", "a search cannot be forced here")
        elif choice.mode not in {"none", "auto"}:
            writer.losses.add("tool_choice", "dropped", "there is no tool to choose")
        return {}
    names = [writer.names.get(name, name) for name in choice.names]
    match choice.mode:
        case "none":
            return {"mode": "NONE"}
        case "auto":
            return {"mode": "AUTO"}
        case "any":
            return {"mode": "ANY"}
        case "named":
            return {"mode": "ANY", "allowedFunctionNames": names}
        case "allowed":
            mode = "ANY" if choice.required else "VALIDATED"
            return {"mode": mode, "allowedFunctionNames": names}
        case "server":
            writer.losses.add("tool_choice", "dropped", "a search cannot be forced here")
            return {}


def _function(tool: Tool, where: str, writer: PartWriter, *, checked: bool) -> dict[str, Any]:
    written: dict[str, Any] = {"name": writer.names[tool.name]}
    if tool.description is not None:
        written["description"] = tool.description
    if tool.kind == "custom":
        writer.losses.at(where, "approximated", "a free-form tool becomes a function of one string")
        written["parametersJsonSchema"] = {
            "type": "object",
            "properties": {"input": {"type": "string"}},
            "required": ["input"],
        }
        return written
    if tool.schema:
        written["parametersJsonSchema"] = tool.schema
    if tool.strict and not checked:
        writer.losses.at(f"{where}/strict", "dropped", "arguments are not checked here")
    return written


def _search(tool: Tool, where: str, losses: Losses) -> dict[str, Any]:
    if tool.name != "web_search":
        raise ClientWireError(f"the tool {tool.name!r} runs at another vendor only", pointer=where)
    further = {"filters", "user_location", "allowed_domains", "blocked_domains", "max_uses"}
    if any(tool.config.get(name) for name in further) if tool.config else False:
        losses.at(where, "dropped", "a search has no domains, place or limit here")
    return {"googleSearch": {}}


def write_config(conversation: Conversation, profile: Profile, losses: Losses) -> dict[str, Any]:
    """Write ``generationConfig``.

    Raises:
        ClientWireError: A strict schema for a target that takes none.
    """
    asked, spec = conversation.sampling, conversation.output
    losses.drop("no such parameter here", logit_bias=asked.logit_bias, verbosity=spec.verbosity)
    temperature = asked.temperature
    if temperature is not None and not 0 <= temperature <= 2:
        temperature = min(max(temperature, 0), 2)
        losses.add("temperature", "clamped", f"{temperature} is sent")
    config: dict[str, Any] = {
        "temperature": temperature,
        "topP": asked.top_p,
        "topK": asked.top_k,
        "seed": asked.seed,
        "candidateCount": asked.n,
        "presencePenalty": asked.presence_penalty,
        "frequencyPenalty": asked.frequency_penalty,
        "responseLogprobs": asked.logprobs,
        "logprobs": asked.top_logprobs,
        "maxOutputTokens": _max_output(conversation, profile, losses),
    }
    if conversation.stop:
        config["stopSequences"] = list(conversation.stop[:STOP_SEQUENCES_MAX])
        if len(conversation.stop) > STOP_SEQUENCES_MAX:
            losses.add("stop", "clamped", f"{STOP_SEQUENCES_MAX} stop sequences at most")
    if spec.modalities is not None and set(spec.modalities) != {"text"}:
        config["responseModalities"] = [word.upper() for word in spec.modalities]
    config |= _output(conversation, profile, losses)
    if conversation.thinking is not None:
        config["thinkingConfig"] = write_thinking(conversation.thinking, profile, losses) or None
    return {name: value for name, value in config.items() if value is not None}


def _max_output(conversation: Conversation, profile: Profile, losses: Losses) -> int | None:
    asked, limit = conversation.max_output, profile.model_max_output_tokens
    if asked is not None and (asked < 1 or (limit is not None and asked > limit)):
        sent = max(min(asked, limit or asked), 1)
        losses.add("max_output", "clamped", f"{sent} is sent")
        return sent
    return asked


def _output(conversation: Conversation, profile: Profile, losses: Losses) -> dict[str, Any]:
    spec = conversation.output
    if spec.form == "text":
        return {}
    written: dict[str, Any] = {"responseMimeType": "application/json"}
    if profile.does and spec.form not in profile.does:
        if spec.strict:
            raise ClientWireError(
                "this model cannot promise a strict schema", pointer=place(losses.dialect, "output")
            )
        losses.add("output", "dropped", "the target knows no such form of answer")
        return written if "json_object" in profile.does else {}
    if spec.form == "json_schema":
        written["responseJsonSchema"] = spec.schema or {}
        if spec.name is not None or spec.description is not None:
            losses.add("output", "approximated", "a schema has no name or description here")
    return written


def write_thinking(asked: Thinking, profile: Profile, losses: Losses) -> dict[str, Any]:
    """Ask by level where the target declares ``level``, else by budget, which all of them take."""
    declared = profile.options.get("thinking_types")
    levels = isinstance(declared, list | tuple | set | frozenset) and "level" in declared
    if profile.does and not profile.does & {"thinking", "effort"}:
        if asked.effort not in {None, "none"} or asked.budget not in {None, "off", 0}:
            losses.add(said_by(asked), "dropped", "this target does not think")
        return {}
    written = _level(asked, losses) if levels else _budget(asked, losses)
    if asked.visible is not None:
        written["includeThoughts"] = asked.visible != "none"
    return written


def _level(asked: Thinking, losses: Losses) -> dict[str, Any]:
    if asked.budget == "auto" and asked.effort is None:
        return {}
    effort = asked.effort
    if asked.budget == "off":
        effort = "none"
    elif effort is None and isinstance(asked.budget, int):
        effort = effort_of(asked.budget)
        losses.add(said_by(asked), "approximated", f"a budget becomes level {effort}")
    if effort is None:
        return {}
    found = nearest(effort, tuple(LEVELS))
    if found is None:
        losses.add(said_by(asked), "dropped", f"unknown effort {effort!r}")
        return {}
    if found != effort:
        losses.add(said_by(asked), "approximated", f"level {found} is sent")
    return {"thinkingLevel": LEVELS[found]}


def _budget(asked: Thinking, losses: Losses) -> dict[str, Any]:
    if asked.budget == "off" or asked.effort == "none":
        return {"thinkingBudget": 0}
    if asked.budget == "auto" and asked.effort is None:
        return {"thinkingBudget": -1}
    budget = asked.budget if isinstance(asked.budget, int) else None
    if budget is None and asked.effort is not None:
        budget = budget_of(asked.effort, limit=BUDGET_MAX)
        if budget is None:
            losses.add(said_by(asked), "dropped", f"unknown effort {asked.effort!r}")
            return {}
        losses.add(said_by(asked), "approximated", f"effort becomes a budget of {budget} tokens")
    if budget is None:
        return {}
    if budget > BUDGET_MAX:
        losses.add(said_by(asked), "clamped", f"a budget of {BUDGET_MAX} tokens is sent")
    return {"thinkingBudget": min(budget, BUDGET_MAX)}
