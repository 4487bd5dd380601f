"""The few facts of a Messages request that routing reads, without decoding its content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from hyperroute.canon.request import Request
from hyperroute.canon.wire import Headers
from hyperroute.dialects import reading
from hyperroute.dialects.anthropic_messages_read import NAME, decode
from hyperroute.dialects.extension import read_extension
from hyperroute.dialects.searching import needed
from hyperroute.errors import ClientWireError

FORWARDED = frozenset({"anthropic-version", "anthropic-beta"})
"""Headers that go on unchanged: stripping them silently disables features (api.md, 3)."""

THINKING = frozenset({"enabled", "adaptive", "between_tools"})


def parse_request(
    raw: Mapping[str, Any], *, body: bytes | None = None, headers: Headers = ()
) -> Request:
    """Read the head of a caller's request.

    Raises:
        ClientWireError: A member that routing needs has the wrong type, or the request uses
            threads, which live at one provider (clients.md, 3).
    """
    narrowing, _ = read_extension(raw)
    if raw.get("thread") is not None:
        raise ClientWireError(
            "threads are not supported; send the whole conversation", pointer="/thread"
        )
    output = reading.member(raw, "output_config", "") or {}
    thinking = reading.member(raw, "thinking", "") or {}
    said = {
        "temperature": raw.get("temperature"),
        "top_p": raw.get("top_p"),
        "thinking": thinking.get("type"),
        "effort": output.get("effort"),
        "service_tier": raw.get("service_tier"),
    }
    return Request(
        model=reading.text(raw, "model", ""),
        intent=reading.text(raw, "intent", ""),
        dialect=NAME,
        endpoint="messages",
        raw=raw,
        body=body,
        stream=reading.flag(raw, "stream", "") or False,
        features=frozenset(_features(raw, output, thinking)),
        input_bytes=reading.measured(raw, body),
        max_output=reading.integer(raw, "max_tokens", ""),
        parameters=MappingProxyType({k: v for k, v in said.items() if v is not None}),
        narrowing=narrowing,
        headers=tuple((k.lower(), v) for k, v in headers if k.lower() in FORWARDED),
        decode=decode,
    )


def _features(
    raw: Mapping[str, Any], output: Mapping[str, Any], thinking: Mapping[str, Any]
) -> Iterator[str]:
    tools, choice = tuple(_objects(raw.get("tools"))), raw.get("tool_choice")
    chosen = [choice.get("name")] if isinstance(choice, Mapping) and "name" in choice else []
    if needed([tool.get("type") for tool in tools], chosen):
        yield "web_search"
    for tool in tools:
        kind = tool.get("type")
        if not isinstance(kind, str) or kind == "custom":
            yield "tools"
    if output.get("format") is not None:
        yield "json_schema"
    if output.get("effort") is not None:
        yield "effort"
    kind = thinking.get("type")
    if isinstance(kind, str) and kind in THINKING:
        yield "thinking"
    for message in _objects(raw.get("messages")):
        for block in _objects(message.get("content")):
            yield from _of_block(block)


def _of_block(block: Mapping[str, Any]) -> Iterator[str]:
    match block.get("type"):
        case "image":
            yield "vision"
        case "document":
            source = block.get("source")
            if isinstance(source, Mapping) and source.get("type") not in ("text", "content"):
                yield "pdf"
        case "tool_result":
            for inner in _objects(block.get("content")):
                yield from _of_block(inner) if inner.get("type") != "tool_result" else ()
        case _:
            pass


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Walk the objects of what should be a list; what is malformed is the decoder's to refuse."""
    if isinstance(value, list | tuple):
        for item in value:
            if isinstance(item, Mapping):
                yield item
