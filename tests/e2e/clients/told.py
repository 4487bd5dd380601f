"""What a provider of each dialect was told of an earlier turn, read by hand."""

from __future__ import annotations

import json
from typing import Any

Pairs = list[tuple[str, Any]]


def calls_in(dialect: str, body: Any) -> Pairs:
    """Return names and arguments of the calls in a request's history, in order."""
    match dialect:
        case "openai.chat":
            return [
                _called(call[call["type"]])
                for message in body["messages"]
                for call in message.get("tool_calls") or ()
            ]
        case "openai.responses":
            kinds = {"function_call", "custom_tool_call"}
            return [_called(item) for item in body["input"] if item.get("type") in kinds]
        case "anthropic.messages":
            return [(block["name"], block["input"]) for block in _blocks(body, "tool_use")]
        case _:
            calls = [part["functionCall"] for part in _parts(body) if "functionCall" in part]
            return [(call["name"], call["args"]) for call in calls]


def results_in(dialect: str, body: Any) -> Pairs:
    """Return ids (names, where a dialect has no ids) and texts of the results, in order."""
    match dialect:
        case "openai.chat":
            return [
                (message["tool_call_id"], message["content"])
                for message in body["messages"]
                if message["role"] == "tool"
            ]
        case "openai.responses":
            return [
                (item["call_id"], item["output"])
                for item in body["input"]
                if item.get("type") in {"function_call_output", "custom_tool_call_output"}
            ]
        case "anthropic.messages":
            return [
                (block["tool_use_id"], _text(block["content"]))
                for block in _blocks(body, "tool_result")
            ]
        case _:
            return [
                (part["functionResponse"]["name"], part["functionResponse"]["response"])
                for part in _parts(body)
                if "functionResponse" in part
            ]


def seals_in(dialect: str, body: Any) -> list[str]:
    """Return what a provider gets back of its sealed reasoning."""
    match dialect:
        case "openai.chat":
            return []
        case "openai.responses":
            items = [item for item in body["input"] if item.get("type") == "reasoning"]
            return [item["encrypted_content"] for item in items]
        case "anthropic.messages":
            return [block["signature"] for block in _blocks(body, "thinking")]
        case _:
            return [part["thoughtSignature"] for part in _parts(body) if "thoughtSignature" in part]


def _called(call: Any) -> tuple[str, Any]:
    """Read one call of OpenAI's; what a freeform tool takes is text."""
    if "arguments" in call:
        return call["name"], json.loads(call["arguments"])
    return call["name"], call["input"]


def _blocks(body: Any, kind: str) -> list[Any]:
    return [
        block
        for message in body["messages"]
        if isinstance(message["content"], list)
        for block in message["content"]
        if block["type"] == kind
    ]


def _parts(body: Any) -> list[Any]:
    return [part for content in body["contents"] for part in content["parts"]]


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def tools_in(dialect: str, body: Any) -> set[str]:
    """Return the names of the tools that a provider was offered."""
    tools = body.get("tools") or ()
    if dialect == "gemini.generate":
        tools = [one for tool in tools for one in tool.get("functionDeclarations", ())]
    if dialect == "openai.chat":
        tools = [tool[tool["type"]] for tool in tools]
    return {tool["name"] for tool in tools if "name" in tool}
