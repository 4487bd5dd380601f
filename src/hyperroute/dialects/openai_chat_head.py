"""The head of a chat completions request: what routing needs, and nothing that costs.

The conversation is read on first use (``openai_chat_reading``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from hyperroute.canon.request import Request
from hyperroute.canon.wire import Headers
from hyperroute.dialects.extension import read_extension
from hyperroute.dialects.openai_chat_reading import read_conversation
from hyperroute.dialects.reading import flag, integer, measured, member, number, text
from hyperroute.dialects.searching import needed

NAME: Final = "openai.chat"
ENDPOINT: Final = "chat"

_READERS: Final[Mapping[str, Callable[[Mapping[str, Any], str, str], Any]]] = MappingProxyType(
    dict.fromkeys(("temperature", "top_p", "presence_penalty", "frequency_penalty"), number)
    | dict.fromkeys(("n", "seed", "top_logprobs"), integer)
    | dict.fromkeys(("service_tier", "verbosity", "reasoning_effort"), text)
)
_NO_PARAMETERS: Final[Mapping[str, Any]] = MappingProxyType({})
_FORWARDED: Final = frozenset({"openai-beta"})


def parse_request(
    raw: Mapping[str, Any], *, body: bytes | None = None, headers: Headers = ()
) -> Request:
    """Read the head of a caller's request; content is decoded on first use.

    Raises:
        ClientWireError: A member that routing needs has the wrong type.
    """
    narrowing, _ = read_extension(raw)
    features, media_bytes = _features(raw)
    limit = integer(raw, "max_completion_tokens", "")
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
        max_output=integer(raw, "max_tokens", "") if limit is None else limit,
        parameters=_parameters(raw),
        narrowing=narrowing,
        headers=tuple([one for one in headers if one[0].lower() in _FORWARDED]),
        decode=read_conversation,
    )


def _parameters(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    if _READERS.keys().isdisjoint(raw):
        return _NO_PARAMETERS
    found: dict[str, Any] = {}
    for key, reader in _READERS.items():
        if key in raw and (value := reader(raw, key, "")) is not None:
            found["effort" if key == "reasoning_effort" else key] = value
    return MappingProxyType(found)


def _features(raw: Mapping[str, Any]) -> tuple[frozenset[str], int]:
    """Say what the request cannot be served without, and how many of its bytes are media."""
    found: set[str] = set()
    if raw.get("tools") or raw.get("functions"):
        found.add("tools")
    form = member(raw, "response_format", "") or {}
    if form.get("type") in ("json_schema", "json_object"):
        found.add(form["type"])
    if flag(raw, "logprobs", ""):
        found.add("logprobs")
    if raw.get("web_search_options") is not None or _searches(raw):
        found.add("web_search")
    if (text(raw, "reasoning_effort", "") or "none") != "none":
        found.add("effort")
    media = 0
    messages = raw.get("messages")
    for message in messages if isinstance(messages, list | tuple) else ():
        content = message.get("content") if isinstance(message, dict | Mapping) else None
        for part in content if isinstance(content, list | tuple) else ():
            if isinstance(part, Mapping):
                media += _media(part, found)
    return frozenset(found), media


def _searches(raw: Mapping[str, Any]) -> bool:
    """Say whether some tool is a search that the request cannot do without."""
    tools, choice = raw.get("tools"), raw.get("tool_choice")
    if not tools:
        return False
    kinds = [
        tool.get("type")
        for tool in (tools if isinstance(tools, list | tuple) else ())
        if isinstance(tool, Mapping)
    ]
    return needed(kinds, [choice.get("type")] if isinstance(choice, Mapping) else ())


def _media(part: Mapping[str, Any], found: set[str]) -> int:
    match part:
        case {"type": "image_url", "image_url": {"url": str(value)}}:
            found.add("vision")
        case {"type": "image_url"}:
            found.add("vision")
            return 0
        case {"type": "file", "file": {"file_data": str(value)}}:
            found.add("pdf")
        case {"type": "file"}:
            found.add("pdf")
            return 0
        case {"type": "input_audio", "input_audio": {"data": str(value)}}:
            found.add("audio_in")
        case {"type": "input_audio"}:
            found.add("audio_in")
            return 0
        case _:
            return 0
    return 0 if value.startswith("http") else len(value)
