"""What a message is made of.

Absent, null, empty and zero differ (dialects.md, 1.5): ``None`` is absent, ``""`` is empty.
Text that a provider produced and must get back unread is ``Sealed`` and never looked into.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from hyperroute.canon.quick import quick

Json = Mapping[str, Any]
Role = Literal["user", "assistant", "system"]
"""``system`` only for instructions in mid-conversation; leading ones are ``Conversation.system``."""


def _nothing() -> Json:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Sealed:
    """Opaque provider state: echoed byte for byte to its own vendor and group, or removed.

    ``vendor`` and ``group`` are ``""`` for an untagged value, which belongs to the vendor of the
    model that is asked (dialects.md, 1.4). ``id`` is that of the Responses item which it sealed, and
    without which that vendor does not take it back.
    """

    kind: Literal["signature", "encrypted", "redacted"]
    payload: str
    vendor: str = ""
    group: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class CacheMark:
    """A prompt-cache breakpoint behind this part. ``ttl`` is ``5m``, ``1h``, … or ``None``."""

    ttl: str | None = None


@quick(frozen=True, slots=True)
class Text:
    """Plain text. ``citations`` keep the vendor's own objects."""

    text: str = ""
    citations: tuple[Json, ...] = ()
    cache: CacheMark | None = None
    sealed: Sealed | None = None
    """A Gemini thought signature can sit on any part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """An image, sound, film or document. ``value`` is a URL, base64 text without prefix, or an id."""

    kind: Literal["image", "audio", "video", "file"]
    source: Literal["url", "data", "file_id"]
    value: str
    mime: str | None = None
    name: str | None = None
    detail: str | None = None
    cache: CacheMark | None = None
    extra: Json = field(default_factory=_nothing)
    """Members of the source dialect that the canon has no word for (title, context, citations…)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasoning:
    """Thinking. ``summary`` tells a summary from full thinking; ``id`` is a Responses item id."""

    text: str = ""
    summary: bool = False
    redacted: bool = False
    sealed: Sealed | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUse:
    """The model asks for a tool.

    ``id`` is the pairing id (Responses ``call_id``), ``item_id`` the Responses item's own id.
    ``arguments`` is JSON *text*, verbatim: models emit broken JSON. A ``custom`` tool's is free text.
    """

    id: str
    name: str
    arguments: str = ""
    custom: bool = False
    item_id: str | None = None
    sealed: Sealed | None = None
    cache: CacheMark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """The answer to the ``ToolUse`` of the same ``id``; ``failed`` where the dialect can say so."""

    id: str
    parts: tuple[Part, ...] = ()
    name: str | None = None
    failed: bool = False
    custom: bool = False
    cache: CacheMark | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The model declines, in words."""

    text: str = ""
    category: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTool:
    """A call to, or a result of, a tool that the provider itself runs. ``value`` as it came."""

    dialect: str
    kind: str
    """``web_search`` or the vendor's own word."""
    phase: Literal["call", "result"]
    value: Json


@dataclass(frozen=True, slots=True)
class Opaque:
    """A part that only its own dialect can say; the same dialect emits it again."""

    dialect: str
    value: Json


Part = Text | Media | Reasoning | ToolUse | ToolResult | Refusal | ServerTool | Opaque


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn. ``phase`` is the Responses ``commentary`` | ``final_answer``."""

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None
    phase: str | None = None

    @property
    def text(self) -> str:
        """All plain text, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))
