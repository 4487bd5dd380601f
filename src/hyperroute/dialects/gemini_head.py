"""The few facts of a Gemini request that routing reads, without decoding its content.

The model is in the path, or in our one bare path in the body; either way the caller hands it over as
``raw["model"]``, and streaming as ``raw["stream"]``. Neither is sent on: the upstream path says both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from hyperroute.canon.request import Request
from hyperroute.canon.wire import Headers
from hyperroute.dialects import reading
from hyperroute.dialects.extension import read_extension
from hyperroute.dialects.gemini_options import decode
from hyperroute.dialects.gemini_spelling import NAME, SEARCHES, key, pick


def parse_request(
    raw: Mapping[str, Any], *, body: bytes | None = None, headers: Headers = ()
) -> Request:
    """Read the head of a caller's request.

    Raises:
        ClientWireError: A member that routing needs has the wrong type.
    """
    del headers
    narrowing, _ = read_extension(raw)
    where = key(raw, "generationConfig")
    config = reading.member(raw, where, "") or {}
    thinking = reading.member(config, key(config, "thinkingConfig"), f"/{where}") or {}
    level = pick(thinking, "thinkingLevel")
    said = {
        "temperature": config.get("temperature"),
        "top_p": pick(config, "topP"),
        "effort": level.lower() if isinstance(level, str) else None,
        "service_tier": pick(raw, "serviceTier"),
        "n": pick(config, "candidateCount"),
        "seed": config.get("seed"),
    }
    model = reading.text(raw, "model", "")
    return Request(
        model=None if model is None else model.removeprefix("models/"),
        intent=reading.text(raw, "intent", ""),
        dialect=NAME,
        endpoint="gemini",
        raw=raw,
        body=body,
        stream=reading.flag(raw, "stream", "") or False,
        features=frozenset(_features(raw, config, thinking)),
        input_bytes=reading.measured(raw, body),
        max_output=reading.integer(config, key(config, "maxOutputTokens"), f"/{where}"),
        parameters=MappingProxyType({k: v for k, v in said.items() if v is not None}),
        narrowing=narrowing,
        decode=decode,
    )


def _features(
    raw: Mapping[str, Any], config: Mapping[str, Any], thinking: Mapping[str, Any]
) -> Iterator[str]:
    tools = tuple(_objects(raw.get("tools")))
    if any(pick(tool, "functionDeclarations") for tool in tools):
        yield "tools"
    elif any(pick(tool, name) is not None for tool in tools for name in SEARCHES):
        yield "web_search"  # beside functions it is only offered
    if pick(config, "responseJsonSchema") or pick(config, "responseSchema"):
        yield "json_schema"
    elif pick(config, "responseMimeType") == "application/json":
        yield "json_object"
    if pick(config, "responseLogprobs"):
        yield "logprobs"
    if pick(thinking, "thinkingBudget") or pick(thinking, "includeThoughts"):
        yield "thinking"
    if pick(thinking, "thinkingLevel"):
        yield "effort"
    for content in _objects(raw.get("contents")):
        for part in _objects(content.get("parts")):
            yield from _of_part(part)


def _of_part(part: Mapping[str, Any]) -> Iterator[str]:
    response = pick(part, "functionResponse")
    for holder in (part, *_objects(response.get("parts") if isinstance(response, Mapping) else ())):
        data = pick(holder, "inlineData") or pick(holder, "fileData")
        mime = pick(data, "mimeType") if isinstance(data, Mapping) else None
        if not isinstance(mime, str):
            continue
        if mime.startswith("image/"):
            yield "vision"
        elif mime.startswith("audio/"):
            yield "audio_in"
        elif mime == "application/pdf":
            yield "pdf"


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Walk the objects of what should be a list; what is malformed is the decoder's to refuse."""
    if isinstance(value, list | tuple):
        for item in value:
            if isinstance(item, Mapping):
                yield item
    elif isinstance(value, Mapping):
        yield value
