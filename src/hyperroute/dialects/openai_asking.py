"""What the two OpenAI request writers decide alike.

Both take the canon and a target's profile, and say what they cannot say (dialects.md, 3 and 9).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from hyperroute.canon.content import Reasoning, ToolResult, ToolUse, Turn
from hyperroute.canon.request import Conversation, Request, Thinking, Tool
from hyperroute.dialects.base import Profile
from hyperroute.dialects.effort import effort_of as effort_for_budget
from hyperroute.dialects.extension import EXTENSIONS
from hyperroute.dialects.json import dumps
from hyperroute.dialects.losses import Losses
from hyperroute.dialects.places import place, place_of_part
from hyperroute.dialects.relay import Edit, Remove, Set, only_model, splice
from hyperroute.dialects.renaming import fitted, fitted_ids
from hyperroute.dialects.strictness import in_strict_subset
from hyperroute.errors import ClientWireError

OPENAI: Final = "openai"
SOURCES: Final = frozenset({"openai.chat", "openai.responses"})

_TIERS: Final[Mapping[str, str]] = MappingProxyType(
    {"standard": "default", "standard_only": "default", "batch": "flex"}
)


def pass_through(request: Request, model: str, edits: Sequence[Edit] = ()) -> bytes:
    """Send a request of the same dialect on as it came, with the splices of law 7.

    Raises:
        ClientWireError: The mapping that the caller gave is not JSON, or not what the bytes hold.
    """
    # An intent is ours too: it stands where a model would, and no provider knows the member.
    ours = [Remove((key,)) for key in (*EXTENSIONS, "intent") if key in request.raw]
    turned: list[Edit] = []
    if bool(request.raw.get("stream")) != request.stream:
        turned.append(Set(("stream",), b"true" if request.stream else b"false"))
    try:
        if request.body is None:  # no bytes of the caller's to keep: written once, edited before
            return splice(_written(request, model), edits)
        body = request.body
        if not (ours or turned or edits) and (place := only_model(body)) is not None:
            return body[: place[0]] + dumps(model) + body[place[1] :]
        return splice(body, [Set(("model",), dumps(model)), *ours, *turned, *edits])
    except ValueError as error:
        raise ClientWireError(f"the body cannot be sent on: {error}") from None


def _written(request: Request, model: str) -> bytes:
    """Write a caller's mapping with what ``pass_through`` changes at its top."""
    members = {**request.raw, "model": model}
    for key in (*EXTENSIONS, "intent"):
        members.pop(key, None)
    if bool(members.get("stream")) != request.stream:
        members["stream"] = request.stream
    return dumps(members)


def body_of(members: Mapping[str, Any]) -> bytes:
    """Write a request that was made from the canon.

    Raises:
        ClientWireError: The caller gave a mapping that JSON cannot hold.
    """
    try:
        return dumps(members)
    except ValueError as error:
        raise ClientWireError(f"the request is not JSON: {error}") from None


def check_pairs(turns: Sequence[Turn], dialect: str) -> None:
    """Refuse results without calls and calls without results, which every provider refuses.

    Raises:
        ClientWireError: One has no other half.
    """
    open_calls: set[str] = set()
    known: set[str] = set()
    for number, turn in enumerate(turns):
        for part in turn.parts:
            if isinstance(part, ToolUse):
                open_calls.add(part.id)
                known.add(part.id)
            elif isinstance(part, ToolResult):
                if part.id not in known:
                    raise ClientWireError(
                        f"the tool result {part.id!r} answers no call",
                        pointer=place_of_part(dialect, number),
                    )
                open_calls.discard(part.id)
    if open_calls:
        raise ClientWireError(
            f"the tool call {min(open_calls)!r} has no result", pointer=place(dialect, "turns")
        )


def check_last(turns: Sequence[Turn], profile: Profile, dialect: str) -> None:
    """Refuse an answer that the target shall continue, unless it says that it can.

    Raises:
        ClientWireError: The last turn is the assistant's.
    """
    if turns and turns[-1].role == "assistant" and not profile.options.get("prefill"):
        if any(isinstance(part, ToolUse) for part in turns[-1].parts):
            return  # refused in clearer words by check_pairs
        raise ClientWireError(
            "this target cannot continue a begun answer", pointer=place(dialect, "turns")
        )


def new_names(conversation: Conversation) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Map tool names and pairing ids to forms that fit, for the whole request."""
    names = [tool.name for tool in conversation.tools if tool.kind != "server"]
    ids: list[str] = []
    for turn in conversation.turns:
        for part in turn.parts:
            if isinstance(part, ToolUse):
                names.append(part.name)
                ids.append(part.id)
            elif isinstance(part, ToolResult):
                ids.append(part.id)
    if conversation.tool_choice is not None and conversation.tool_choice.mode != "server":
        names.extend(conversation.tool_choice.names)
    return fitted(names), fitted_ids(ids)


def effort_of(thinking: Thinking | None, profile: Profile, losses: Losses) -> str | None:
    """Say the effort, from a budget if need be: the nearest step that is not above it."""
    if thinking is None or (thinking.effort is None and thinking.budget is None):
        return None
    if profile.does and "effort" not in profile.does and "thinking" not in profile.does:
        losses.add("thinking", "dropped", "the model takes no reasoning effort")
        return None
    if thinking.effort is not None:
        return thinking.effort
    if thinking.budget == "off":
        return "none"
    if not isinstance(thinking.budget, int):
        return None  # the model decides, as it does when nothing is said
    losses.add("thinking", "approximated", "a budget of tokens became an effort")
    return effort_for_budget(thinking.budget)


def strict_of(schema: Mapping[str, Any] | None, source: str, *, strict: bool | None) -> bool:
    """Say whether ``strict`` can be kept: within OpenAI's two dialects always, else if it fits."""
    if not strict or schema is None:
        return False
    return source in SOURCES or in_strict_subset(schema)


def tier_of(tier: str | None, known: frozenset[str], losses: Losses) -> str | None:
    """Say the service tier in OpenAI's words, or nothing if it has none for it."""
    if tier is None:
        return None
    said = _TIERS.get(tier.lower(), tier.lower())
    if said not in known:
        losses.add("tier", "dropped", "no such service tier here")
        return None
    if said != tier:
        losses.add("tier", "approximated", f"sent as {said}")
    return said


def web_search(tool: Tool, losses: Losses) -> dict[str, Any]:
    """Read another vendor's web search as ``allowed_domains``, ``size`` and ``location``.

    Raises:
        ClientWireError: It is another server tool, which only its own vendor runs.
    """
    if tool.name != "web_search":
        raise ClientWireError(f"the tool {tool.name!r} is run by another vendor", pointer="/tools")
    config = tool.config or {}
    filters = config.get("filters")
    domains = config.get("allowed_domains")
    if isinstance(filters, Mapping):
        domains = filters.get("allowed_domains", domains)
    location = config.get("user_location")
    if isinstance(location, Mapping) and isinstance(location.get("approximate"), Mapping):
        location = {"type": "approximate", **location["approximate"]}
    for key in ("blocked_domains", "max_uses", "exclude_domains", "excludeDomains"):
        if config.get(key):
            losses.at(f"/tools/{key}", "dropped", "OpenAI's web search has no such limit")
    return {
        "domains": domains if isinstance(domains, list | tuple) else None,
        "size": config.get("search_context_size"),
        "location": dict(location) if isinstance(location, Mapping) else None,
    }


def hears(profile: Profile) -> bool:
    """Say whether sound may be sent: not to a target that is known to take none (section 9)."""
    return not profile.does or "audio_in" in profile.does


def report_thinking(part: Reasoning, path: str, losses: Losses) -> None:
    """Report history thinking that has no place."""
    what = "sealed thinking" if part.sealed is not None else "thinking"
    losses.at(path, "dropped", f"{what} of another dialect has no place here")
