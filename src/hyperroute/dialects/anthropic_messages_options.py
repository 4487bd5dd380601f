"""Limits, sampling, thinking and output form, written for Messages (dialects.md, 3.7 to 3.10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from hyperroute.canon.content import Reasoning, ToolUse
from hyperroute.canon.request import Conversation, Thinking
from hyperroute.dialects import json
from hyperroute.dialects.base import Profile
from hyperroute.dialects.effort import BUDGETS, budget_of, effort_of, nearest, said_by
from hyperroute.dialects.filling import Places
from hyperroute.dialects.losses import Losses
from hyperroute.dialects.places import place
from hyperroute.dialects.sealing import belongs
from hyperroute.errors import ClientWireError

VERSION = "2023-06-01"
"""What we ask for when a table names no other: it still takes sampling values (dialects.md, 3.9)."""

VERSION_WITHOUT_SAMPLING = "2026-10-21"

MAX_TOKENS = 4_096
"""Sent when neither the caller nor the catalogue says a number, because the API requires one."""

BUDGET_MIN = 1_024
EFFORTS = ("low", "medium", "high", "xhigh", "max")

PLACES: Places = MappingProxyType(
    {
        "effort": ("output_config", "effort"),
        "thinking": ("thinking", "type"),
        "stop": ("stop_sequences",),
        "max_output": ("max_tokens",),
        **dict.fromkeys(
            ("n", "seed", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs")
        ),
        "verbosity": None,
    }
)
"""Where parameters of a shape are said; Messages has no place for the last ones."""


def version_of(profile: Profile) -> str:
    """Give the ``anthropic-version`` we speak to this target."""
    version = profile.options.get("anthropic_version")
    return version if isinstance(version, str) and version else VERSION


def write_limits(conversation: Conversation, profile: Profile, losses: Losses) -> dict[str, Any]:
    """Write ``max_tokens``, which is required, and ``stop_sequences``."""
    written: dict[str, Any] = {}
    asked, limit = conversation.max_output, profile.model_max_output_tokens
    if asked is None:
        written["max_tokens"] = limit or MAX_TOKENS + _thought(conversation.thinking)
        losses.add("max_output", "synthesised", f"required here; {written['max_tokens']} is sent")
    elif asked < 1 or (limit is not None and asked > limit):
        written["max_tokens"] = max(min(asked, limit or asked), 1)
        losses.add("max_output", "clamped", f"{written['max_tokens']} is sent")
    else:
        written["max_tokens"] = asked
    if conversation.stop:
        stop = [word for word in conversation.stop if word.strip()]
        if len(stop) < len(conversation.stop):
            losses.add("stop", "dropped", "a stop sequence of white space only is refused here")
        if stop:
            written["stop_sequences"] = stop
    return written


def _thought(asked: Thinking | None) -> int:
    """Guess the thinking tokens, for which a made-up ``max_tokens`` must leave room."""
    if asked is None or asked.budget in {"auto", "off"}:
        return 0
    if isinstance(asked.budget, int):
        return asked.budget
    return budget_of(asked.effort or "none", limit=BUDGETS["xhigh"]) or 0


@dataclass(frozen=True, slots=True)
class ThinkingPlan:
    """What to write about thinking, and what follows from it."""

    members: Mapping[str, Any]
    effort: str | None = None
    manual: bool = False
    """A token budget: no forced tool, no sampling values."""
    on: bool = False


def plan_thinking(
    conversation: Conversation, profile: Profile, losses: Losses, *, max_tokens: int
) -> ThinkingPlan:
    """Decide how this target is asked to think: by effort where it can, else by budget."""
    asked = conversation.thinking
    if asked is None:
        return ThinkingPlan({})
    if asked.effort is None and asked.budget is None:
        if asked.visible not in {None, "none"}:
            losses.add("thinking", "dropped", "thinking is shown only where it is asked for")
        return ThinkingPlan({})
    kinds = _kinds(profile)
    if asked.effort == "none" or asked.budget in {"off", 0}:
        if "disabled" in kinds:
            return ThinkingPlan({"thinking": {"type": "disabled"}})
        losses.add(said_by(asked), "dropped", "thinking cannot be turned off at this target")
        return ThinkingPlan({})
    if "adaptive" in kinds:
        return _adaptive(asked, losses)
    if "enabled" in kinds:
        return _manual(conversation, asked, profile, losses, max_tokens=max_tokens)
    if asked.effort is not None and "effort" in profile.does:
        return ThinkingPlan({}, effort=_effort(asked.effort, losses))
    losses.add(said_by(asked), "dropped", "this target does not think")
    return ThinkingPlan({})


def _kinds(profile: Profile) -> tuple[str, ...]:
    declared = profile.options.get("thinking_types")
    if isinstance(declared, list | tuple | set | frozenset):
        return tuple(str(kind) for kind in declared)
    if profile.does and "thinking" not in profile.does:
        return ()
    return ("enabled", "disabled")


def _effort(effort: str, losses: Losses) -> str | None:
    found = nearest(effort, EFFORTS)
    if found is None:
        losses.add("effort", "dropped", f"unknown effort {effort!r}")
    elif found != effort:
        losses.add("effort", "approximated", f"effort {found} is sent")
    return found


def _display(asked: Thinking) -> dict[str, str]:
    if asked.visible is None:
        return {}
    return {"display": "omitted" if asked.visible == "none" else "summarized"}


def _adaptive(asked: Thinking, losses: Losses) -> ThinkingPlan:
    effort = asked.effort
    if effort is None and isinstance(asked.budget, int):
        effort = effort_of(asked.budget)
        losses.add(said_by(asked), "approximated", f"a budget becomes effort {effort}")
    thinking: dict[str, Any] = {"type": "adaptive", **_display(asked)}
    return ThinkingPlan(
        {"thinking": thinking}, effort=None if effort is None else _effort(effort, losses), on=True
    )


def _manual(
    conversation: Conversation,
    asked: Thinking,
    profile: Profile,
    losses: Losses,
    *,
    max_tokens: int,
) -> ThinkingPlan:
    budget = asked.budget if isinstance(asked.budget, int) else None
    if budget is None:
        effort = asked.effort or "medium"
        budget = budget_of(effort, limit=max_tokens - 1)
        if budget is None:
            losses.add(said_by(asked), "dropped", f"unknown effort {effort!r}")
            return ThinkingPlan({})
    choice = conversation.tool_choice
    if choice is not None and choice.mode in {"any", "named"} and conversation.tools:
        losses.add(said_by(asked), "dropped", "a forced tool excludes a thinking budget")
        return ThinkingPlan({})
    if _in_unsealed_loop(conversation, profile, source=losses.dialect):
        losses.add(said_by(asked), "dropped", "the tool loop began without thinking of this vendor")
        return ThinkingPlan({})
    fitting = min(max(budget, BUDGET_MIN), max_tokens - 1)
    if fitting < BUDGET_MIN:
        losses.add(said_by(asked), "dropped", f"max_tokens leaves no room for {BUDGET_MIN} tokens")
        return ThinkingPlan({})
    if not isinstance(asked.budget, int):
        losses.add(said_by(asked), "approximated", f"effort becomes a budget of {fitting} tokens")
    elif fitting != budget:
        losses.add(said_by(asked), "clamped", f"a budget of {fitting} tokens is sent")
    members = {"thinking": {"type": "enabled", "budget_tokens": fitting, **_display(asked)}}
    word = asked.effort if "effort" in profile.does else None
    return ThinkingPlan(
        members, effort=None if word is None else _effort(word, losses), manual=True, on=True
    )


def _in_unsealed_loop(conversation: Conversation, profile: Profile, *, source: str) -> bool:
    """Tell whether the last assistant turn called tools without thinking first.

    With a budget the API demands that such a turn begins with its thinking block, and we have none
    of its making to show. Source: platform.claude.com/docs/en/build-with-claude/extended-thinking,
    read 2026-11-22.
    """
    for turn in reversed(conversation.turns):
        if turn.role == "assistant":
            calls = any(isinstance(part, ToolUse) for part in turn.parts)
            first = turn.parts[0] if turn.parts else None
            sealed = first.sealed if isinstance(first, Reasoning) else None
            return calls and not (
                sealed is not None
                and belongs(sealed, source=source, vendor=profile.vendor, group=profile.group)
            )
    return False


def write_sampling(
    conversation: Conversation, profile: Profile, losses: Losses, *, thinking: bool
) -> dict[str, Any]:
    """Write what this version still takes of temperature, ``top_p`` and ``top_k``.

    Raises:
        ClientWireError: More than one answer is asked for.
    """
    asked = conversation.sampling
    if asked.n is not None and asked.n != 1:
        raise ClientWireError(
            "this model gives one answer a request", pointer=place(losses.dialect, "n")
        )
    losses.drop(
        "no such parameter here",
        seed=asked.seed,
        presence_penalty=asked.presence_penalty or None,
        frequency_penalty=asked.frequency_penalty or None,
        logit_bias=asked.logit_bias or None,
        logprobs=asked.logprobs or None,
        top_logprobs=asked.top_logprobs or None,
    )
    why = ""
    if version_of(profile) >= VERSION_WITHOUT_SAMPLING:
        why = f"refused since {VERSION_WITHOUT_SAMPLING}"
    elif thinking:
        why = "refused while thinking"
    if why:
        losses.drop(why, temperature=asked.temperature, top_p=asked.top_p, top_k=asked.top_k)
        return {}
    temperature = asked.temperature
    if temperature is not None and not 0 <= temperature <= 1:
        temperature = min(max(temperature, 0), 1)
        losses.add("temperature", "clamped", f"{temperature} is sent")
    said = {"temperature": temperature, "top_p": asked.top_p, "top_k": asked.top_k}
    return {key: value for key, value in said.items() if value is not None}


def write_output(
    conversation: Conversation, profile: Profile, losses: Losses, *, effort: str | None
) -> tuple[dict[str, Any], str | None]:
    """Write ``output_config``, and the instruction that stands in for what it cannot say.

    Raises:
        ClientWireError: A strict schema for a target that takes none.
    """
    spec = conversation.output
    config: dict[str, Any] = {} if effort is None else {"effort": effort}
    if spec.modalities is not None and set(spec.modalities) - {"text", "TEXT"}:
        losses.add("modalities", "dropped", "text is the only form of answer here")
    losses.drop("no such parameter here", verbosity=spec.verbosity)
    instruction = None
    if spec.form == "json_object":
        instruction = "Answer with one JSON object and nothing else."
        losses.add("output", "approximated", "JSON is asked for by an instruction")
    elif spec.form == "json_schema" and profile.does and "json_schema" not in profile.does:
        if spec.strict:
            raise ClientWireError(
                "this model cannot promise a strict schema", pointer=place(losses.dialect, "output")
            )
        schema = json.dumps(spec.schema or {}).decode()
        instruction = f"Answer with one JSON object of this JSON Schema and nothing else: {schema}"
        losses.add("output", "approximated", "the schema is asked for by an instruction")
    elif spec.form == "json_schema":
        config["format"] = {"type": "json_schema", "schema": spec.schema or {}}
        if spec.name is not None or spec.description is not None:
            losses.add("output", "approximated", "a schema has no name or description here")
    return ({"output_config": config} if config else {}), instruction
