"""The head of a Responses request: what routing needs, and nothing that costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from hyperroute.canon.request import Reference, Request
from hyperroute.canon.wire import Headers
from hyperroute.dialects.extension import read_extension
from hyperroute.dialects.openai_responses_reading import read_conversation
from hyperroute.dialects.reading import (
    flag,
    integer,
    measured,
    member,
    need_text,
    number,
    text,
    texts,
)
from hyperroute.dialects.searching import is_search, needed

NAME: Final = "openai.responses"
ENDPOINT: Final = "responses"

_FORWARDED: Final = frozenset({"openai-beta"})
_TELLS: Final = frozenset({"type", "role"})
"""An item with an id and without any of these is a reference."""


def parse_request(
    raw: Mapping[str, Any], *, body: bytes | None = None, headers: Headers = ()
) -> Request:
    """Read the head of a caller's request; content is decoded on first use.

    Raises:
        ClientWireError: A member that routing needs has the wrong type.
    """
    narrowing, _ = read_extension(raw)
    reasoning = member(raw, "reasoning", "") or {}
    effort = text(reasoning, "effort", "/reasoning")
    features, media_bytes = _features(raw, effort)
    found = {
        "temperature": number(raw, "temperature", ""),
        "top_p": number(raw, "top_p", ""),
        "top_logprobs": integer(raw, "top_logprobs", ""),
        "service_tier": text(raw, "service_tier", ""),
        "verbosity": text(member(raw, "text", "") or {}, "verbosity", "/text"),
        "effort": effort,
    }
    return Request(
        model=text(raw, "model", ""),
        intent=text(raw, "intent", ""),
        dialect=NAME,
        endpoint=ENDPOINT,
        raw=raw,
        body=body,
        stream=flag(raw, "stream", "") or False,
        features=features,
        input_bytes=max(measured(raw, body) - media_bytes, 0),
        max_output=integer(raw, "max_output_tokens", ""),
        parameters=MappingProxyType({k: v for k, v in found.items() if v is not None}),
        refers=tuple(_references(raw)),
        narrowing=narrowing,
        headers=tuple((name, value) for name, value in headers if name.lower() in _FORWARDED),
        decode=read_conversation,
    )


def _references(raw: Mapping[str, Any]) -> Iterator[Reference]:
    """Name what the request builds on and does not send.

    Raises:
        ClientWireError: An id is no text.
    """
    if (previous := text(raw, "previous_response_id", "")) is not None:
        yield Reference("/previous_response_id", previous)
    conversation = raw.get("conversation")
    if isinstance(conversation, Mapping):
        conversation = text(conversation, "id", "/conversation")
    if isinstance(conversation, str):
        yield Reference("/conversation", conversation)
    entries = raw.get("input")
    for place, item in enumerate(entries if isinstance(entries, list | tuple) else ()):
        if isinstance(item, Mapping) and (
            item.get("type") == "item_reference" or ("id" in item and not item.keys() & _TELLS)
        ):
            yield Reference(f"/input/{place}", need_text(item, "id", f"/input/{place}"))


def _features(raw: Mapping[str, Any], effort: str | None) -> tuple[frozenset[str], int]:
    """Say what the request cannot be served without, and how many of its bytes are media."""
    found: set[str] = set()
    kinds: list[object] = []
    tools = raw.get("tools")
    for tool in tools if isinstance(tools, list | tuple) else ():
        kind = tool.get("type") if isinstance(tool, Mapping) else None
        kinds.append(kind)
        if not is_search(kind):
            found.add("tools")
    if needed(kinds, _chosen(raw.get("tool_choice"))):
        found.add("web_search")
    form = member(member(raw, "text", "") or {}, "format", "/text") or {}
    if form.get("type") in ("json_schema", "json_object"):
        found.add(form["type"])
    if "message.output_text.logprobs" in (texts(raw, "include", "") or ()):
        found.add("logprobs")
    if effort not in {None, "none"}:
        found.add("effort")
    media = 0
    entries = raw.get("input")
    for item in entries if isinstance(entries, list | tuple) else ():
        for key in ("content", "output"):
            content = item.get(key) if isinstance(item, Mapping) else None
            for part in content if isinstance(content, list | tuple) else ():
                if isinstance(part, Mapping):
                    media += _media(part, found)
    return frozenset(found), media


def _chosen(choice: object) -> list[object]:
    """List the types of the tools that a choice names."""
    if not isinstance(choice, Mapping):
        return []
    named = choice.get("tools") if choice.get("type") == "allowed_tools" else [choice]
    return [
        one.get("type")
        for one in (named if isinstance(named, list | tuple) else ())
        if isinstance(one, Mapping)
    ]


def _media(part: Mapping[str, Any], found: set[str]) -> int:
    value: object = None
    match part.get("type"):
        case "input_image":
            found.add("vision")
            value = part.get("image_url")
        case "input_file":
            found.add("pdf")
            value = part.get("file_data")
        case "input_audio":
            found.add("audio_in")
            sound = part.get("input_audio")
            value = sound.get("data") if isinstance(sound, Mapping) else None
        case _:
            pass
    return len(value) if isinstance(value, str) and not value.startswith("http") else 0
