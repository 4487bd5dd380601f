"""Tools and the choice among them, written for Messages (dialects.md, 3.4, 3.5 and 3.11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hyperroute.canon.content import Json
from hyperroute.canon.request import Conversation, Tool
from hyperroute.dialects.anthropic_messages_blocks import BlockWriter
from hyperroute.dialects.losses import Losses
from hyperroute.dialects.places import place
from hyperroute.dialects.searching import WHY, WORD, searches
from hyperroute.dialects.strictness import in_strict_subset
from hyperroute.errors import ClientWireError

SEARCH = "web_search_20250305"
"""The oldest web search tool, which every version takes.

Source: platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool, read 2026-11-22.
"""


def write_tools(
    conversation: Conversation, writer: BlockWriter, *, forced: bool = True
) -> dict[str, Any]:
    """Write ``tools`` and ``tool_choice``; without tools neither.

    Args:
        conversation: What to write.
        writer: Holds the fitted names and the losses.
        forced: Whether a choice may force a tool; manual thinking forbids it.

    Raises:
        ClientWireError: A server tool that exists at another vendor only.
    """
    choice = conversation.tool_choice
    tools = list(enumerate(conversation.tools))
    if choice is not None and choice.mode == "allowed":
        tools = [(index, tool) for index, tool in tools if tool.name in choice.names]
        writer.losses.add("tool_choice", "approximated", "only the allowed tools are sent")
    where = place(writer.losses.dialect, "tools")
    if not searches(writer.profile):
        for index, tool in tools:
            if tool.kind == "server" and tool.name == WORD:
                writer.losses.at(f"{where}/{index}", "dropped", WHY)
        tools = [one for one in tools if one[1].kind != "server" or one[1].name != WORD]
    if not tools:
        if choice is not None and choice.mode not in {"none", "auto"}:
            writer.losses.add("tool_choice", "dropped", "there is no tool to choose")
        return {}
    written: dict[str, Any] = {
        "tools": [_tool(tool, f"{where}/{index}", writer) for index, tool in tools]
    }
    mode = _choice(conversation, writer, forced=forced)
    if mode:
        written["tool_choice"] = mode
    return written


def _choice(conversation: Conversation, writer: BlockWriter, *, forced: bool) -> dict[str, Any]:
    choice = conversation.tool_choice
    mode: dict[str, Any] = {}
    if choice is not None:
        match choice.mode:
            case "named":
                mode = {"type": "tool", "name": writer.names.get(choice.names[0], choice.names[0])}
            case "allowed":
                mode = {"type": "any" if choice.required else "auto"}
            case "server":
                mode = {"type": "tool", "name": WORD}
            case "none" | "auto" | "any":
                mode = {"type": choice.mode}
        if not forced and mode["type"] in {"any", "tool"}:
            writer.losses.add("tool_choice", "approximated", "manual thinking takes no forced tool")
            mode = {"type": "auto"}
    if conversation.parallel is False:
        mode = mode or {"type": "auto"}
        if mode["type"] != "none":
            mode["disable_parallel_tool_use"] = True
    return mode


def _tool(tool: Tool, where: str, writer: BlockWriter) -> dict[str, Any]:
    if tool.kind == "server":
        return _search(tool, where, writer.losses)
    name = writer.names[tool.name]
    written: dict[str, Any] = {"name": name}
    if tool.description is not None:
        written["description"] = tool.description
    if tool.kind == "custom":
        writer.losses.at(where, "approximated", "a free-form tool becomes a function of one string")
        written["input_schema"] = {
            "type": "object",
            "properties": {"input": {"type": "string"}},
            "required": ["input"],
        }
        return written
    schema = dict(tool.schema or {})
    if schema.get("type") != "object":
        schema = {"type": "object", **{k: v for k, v in schema.items() if k != "type"}}
    if schema.keys() == {"type"}:
        schema["properties"] = {}
    written["input_schema"] = schema
    if tool.strict:
        if in_strict_subset(schema):
            written["strict"] = True
        else:
            writer.losses.at(
                f"{where}/strict", "dropped", "the schema is outside the strict subset"
            )
    return writer.marked(written, tool.cache, where)


def _search(tool: Tool, where: str, losses: Losses) -> dict[str, Any]:
    if tool.name != "web_search":
        raise ClientWireError(f"the tool {tool.name!r} runs at another vendor only", pointer=where)
    config = tool.config or {}
    written: dict[str, Any] = {"type": SEARCH, "name": "web_search"}
    filters = _inner(config, "filters")
    for ours, theirs in (
        ("allowed_domains", "allowed_domains"),
        ("blocked_domains", "blocked_domains"),
    ):
        if isinstance(domains := filters.get(theirs), list | tuple):
            written[ours] = list(domains)
    google = _inner(config, "googleSearch") or _inner(config, "google_search")
    blocked = google.get("excludeDomains", google.get("exclude_domains"))
    if isinstance(blocked, list | tuple):
        written["blocked_domains"] = list(blocked)
    location = _inner(config, "user_location")
    location = _inner(location, "approximate") or location
    kept = {k: location[k] for k in ("city", "region", "country", "timezone") if location.get(k)}
    if kept:
        written["user_location"] = {"type": "approximate", **kept}
    if config.get("search_context_size") not in (None, "medium"):
        losses.at(where, "dropped", "no search_context_size here")
    return written


def _inner(config: Json, key: str) -> Mapping[str, Any]:
    value = config.get(key)
    return value if isinstance(value, Mapping) else {}
