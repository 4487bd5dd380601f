"""What the members of a chat message or delta hold, with the repairs that servers need.

Fragments of a tool call should name their call by ``index``. Servers leave it out, leave gaps, give every call the
index 0 with ids of their own, repeat id and name in every fragment, or send no id at all
(reliability.md, row 67).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from hyperroute.canon.content import Media, Part, Reasoning, Refusal, Text
from hyperroute.dialects.json import dumps
from hyperroute.errors import ProviderWireError

CALLS_MAX: Final = 4_096
"""More calls in one answer are a fault of the provider."""
_STRANGE = re.compile(r"[^A-Za-z0-9]", re.ASCII)


@dataclass(slots=True, eq=False)
class OpenCall:
    """One call, half told."""

    number: int
    id: str = ""
    name: str = ""
    custom: bool = False
    queued: bool = False
    told: bool = False
    pieces: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class Calls:
    """The calls of one choice, by the index that the server gave them."""

    by_index: dict[int, OpenCall] = field(default_factory=dict[int, OpenCall])
    last: OpenCall | None = None
    live: OpenCall | None = None
    count: int = 0
    repairs: int = 0
    """Calls that came without an id of their own, or in another place than the next."""
    used: set[str] = field(default_factory=set[str])

    def take(self, entry: dict[str, Any]) -> tuple[OpenCall, str]:
        """Find the call that a fragment belongs to, and give its piece of arguments.

        Raises:
            ProviderWireError: The fragment is no call.
        """
        custom = entry.get("custom")
        inner = custom if isinstance(custom, dict) else entry.get("function")
        if inner is None:
            inner = {}
        if not isinstance(inner, dict):
            raise ProviderWireError("must be an object", pointer="/tool_calls/function")
        identity = entry.get("id")
        identity = identity if isinstance(identity, str) else ""
        name = inner.get("name")
        name = name if isinstance(name, str) else ""
        call = self._find(entry.get("index"), identity, name)
        call.id = call.id or identity
        call.name = call.name or name
        call.custom = call.custom or isinstance(custom, dict) or entry.get("type") == "custom"
        self.last = call
        return call, _arguments(inner.get("input" if isinstance(custom, dict) else "arguments"))

    def identity(self, reply: str, choice: int, call: OpenCall) -> str:
        """Give the call's id, or make one; of two calls with one id the later gets its own.

        Some servers send no id, others the function's name. What is made up is unique in a
        conversation, as far as the ids of replies are.
        """
        own = call.id and call.id not in self.used
        if not own or self.by_index.get(call.number) is not call:
            self.repairs += 1
        if own:
            self.used.add(call.id)
            return call.id
        tail = _STRANGE.sub("", reply)[-24:]
        where = f"{choice}_{call.number}" if choice else f"{call.number}"
        return f"call_{tail}_{where}" if tail else f"call_{where}"

    def _find(self, index: object, identity: str, name: str) -> OpenCall:
        if isinstance(index, int) and not isinstance(index, bool):
            known = self.by_index.get(index)
            if known is None or (name and identity and known.id not in {"", identity}):
                known = self.by_index[index] = self._new()
            return known
        if identity:
            for call in self.by_index.values():
                if call.id == identity:
                    return call
        if self.last is None or identity or name:
            fresh = self._new()
            # Below every index a server would give, so that the two never meet.
            self.by_index[-1 - fresh.number] = fresh
            return fresh
        return self.last

    def _new(self) -> OpenCall:
        self.count += 1
        if self.count > CALLS_MAX:
            raise ProviderWireError(f"more than {CALLS_MAX} tool calls")
        return OpenCall(self.count - 1)


def _arguments(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, dict):  # Ollama's manner
        return dumps(value).decode("utf-8")
    raise ProviderWireError("must be text", pointer="/tool_calls/function/arguments")


def text_of(value: object) -> str:
    """Take text, or nothing."""
    return value if isinstance(value, str) else ""


def spoken(content: list[Any]) -> Iterator[tuple[type[Part], str]]:
    """Read content that comes in parts, as Mistral's reasoning models and some proxies send it."""
    for entry in content:
        if not isinstance(entry, dict):
            continue
        if isinstance(text := entry.get("text"), str) and text:
            yield Text, text
        elif isinstance(text := entry.get("refusal"), str) and text:
            yield Refusal, text
        elif isinstance(inner := entry.get("thinking"), list):
            for kind, piece in spoken(inner):
                yield (Reasoning if kind is Text else kind), piece
        elif isinstance(inner, str) and inner:
            yield Reasoning, inner


def picture(entry: object) -> Media | None:
    """Read an image that an aggregator puts beside the content."""
    place = entry.get("image_url") if isinstance(entry, dict) else None
    url = place.get("url") if isinstance(place, dict) else None
    if not isinstance(url, str) or not url:
        return None
    head, comma, data = url.partition(";base64,")
    if comma and head.startswith("data:"):
        return Media(kind="image", source="data", value=data, mime=head[5:] or None)
    return Media(kind="image", source="url", value=url)


def sound(audio: dict[str, Any]) -> tuple[Media, ...]:
    """Make the spoken answer one part, if there was any."""
    if not audio.get("data") and not audio.get("transcript"):
        return ()
    extra = {key: value for key, value in audio.items() if key != "data"}
    return (Media(kind="audio", source="data", value=text_of(audio.get("data")), extra=extra),)
