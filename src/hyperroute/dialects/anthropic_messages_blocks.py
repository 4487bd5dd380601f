"""Parts of the canon, written as Messages content blocks."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from hyperroute.canon.content import (
    CacheMark,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    ServerTool,
    Text,
    ToolResult,
    ToolUse,
)
from hyperroute.dialects import json
from hyperroute.dialects.anthropic_messages_read import NAME
from hyperroute.dialects.base import Profile
from hyperroute.dialects.losses import Losses
from hyperroute.dialects.sealing import belongs
from hyperroute.errors import ClientWireError

Block = dict[str, Any]

IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
"""Source: platform.claude.com/docs/en/build-with-claude/vision, read 2026-11-22."""

CACHE_MARKS_MAX = 4


@dataclass(slots=True)
class BlockWriter:
    """Writes parts one by one; knows whose seals may go and how ids and names were fitted."""

    profile: Profile
    losses: Losses
    ids: Mapping[str, str]
    names: Mapping[str, str]
    marks: int = 0
    """Cache breakpoints written so far; the API takes four."""

    def blocks(self, part: Part, where: str, *, assistant: bool) -> Iterator[Block]:
        """Write one part as no block or one.

        Raises:
            ClientWireError: The part must not be lost and cannot be said.
        """
        match part:
            case Text():
                yield from self._text(part, where)
            case Refusal():
                if part.text.strip():
                    self.losses.at(where, "approximated", "a refusal becomes text")
                    yield {"type": "text", "text": part.text}
            case Media():
                if assistant:
                    self.losses.at(where, "dropped", "assistant turns take no media here")
                else:
                    yield self.marked(self._media(part, where), part.cache, where)
            case Reasoning():
                yield from self._reasoning(part, where)
            case ToolUse():
                yield self.marked(self._use(part, where), part.cache, where)
            case ToolResult():
                yield self.marked(self._result(part, where), part.cache, where)
            case ServerTool() | Opaque():
                if part.dialect == NAME:
                    yield dict(part.value)
                else:
                    self.losses.at(where, "dropped", "only its own vendor can read it")
            case _:
                assert_never(part)

    def _text(self, part: Text, where: str) -> Iterator[Block]:
        if not part.text.strip():
            if part.text:
                self.losses.at(where, "dropped", "a text block of white space only is refused here")
            return
        if part.citations:
            self.losses.at(where, "dropped", "citations of another vendor")
        if part.sealed is not None:
            self.losses.at(where, "dropped", "a signature of another vendor")
        yield self.marked({"type": "text", "text": part.text}, part.cache, where)

    def _reasoning(self, part: Reasoning, where: str) -> Iterator[Block]:
        sealed = part.sealed
        if sealed is None or not belongs(
            sealed,
            source=self.losses.dialect,
            vendor=self.profile.vendor,
            group=self.profile.group,
        ):
            self.losses.at(where, "dropped", "thinking without a seal of this vendor")
        elif part.redacted or sealed.kind == "redacted":
            yield {"type": "redacted_thinking", "data": sealed.payload}
        else:
            yield {"type": "thinking", "thinking": part.text, "signature": sealed.payload}

    def _use(self, part: ToolUse, where: str) -> Block:
        if part.sealed is not None:
            self.losses.at(where, "dropped", "a signature of another vendor")
        return {
            "type": "tool_use",
            "id": self.ids[part.id],
            "name": self.names[part.name],
            "input": self._input(part, where),
        }

    def _input(self, part: ToolUse, where: str) -> object:
        if part.custom:
            return {"input": part.arguments}
        if not part.arguments.strip():
            return {}
        try:
            value = json.loads(part.arguments)
        except ValueError:
            value = None
        if isinstance(value, dict):
            return value
        self.losses.at(where, "approximated", "arguments that are no JSON object")
        return {"arguments": part.arguments}

    def _result(self, part: ToolResult, where: str) -> Block:
        content = [
            block
            for inner in part.parts
            for block in self.blocks(inner, where, assistant=False)
            if block["type"] in {"text", "image", "document"}
        ]
        block: Block = {"type": "tool_result", "tool_use_id": self.ids[part.id]}
        if len(content) == 1 and content[0].keys() == {"type", "text"}:
            block["content"] = content[0]["text"]
        elif content:
            block["content"] = content
        if part.failed:
            block["is_error"] = True
        return block

    def _media(self, part: Media, where: str) -> Block:
        if part.kind in {"audio", "video"}:
            raise ClientWireError(f"{part.kind} input cannot be sent to this model", pointer=where)
        if part.detail not in {None, "auto"}:
            self.losses.at(where, "dropped", "no image detail here")
        if part.kind == "file" and part.name is not None:
            head: Block = {"type": "document", "title": part.name}
        else:
            head = {"type": "image" if part.kind == "image" else "document"}
        return {**head, "source": self._source(part, where)}

    def _source(self, part: Media, where: str) -> Block:
        if part.source == "file_id":
            raise ClientWireError("a file of another vendor cannot be read here", pointer=where)
        if part.source == "url":
            if not part.value.startswith(("https://", "http://")):
                raise ClientWireError("must be an https URL", pointer=where)
            return {"type": "url", "url": part.value}
        mime = (part.mime or "").partition(";")[0].strip().lower()
        if part.kind == "image":
            if mime not in IMAGES:
                raise ClientWireError(
                    f"images must be {', '.join(sorted(IMAGES))}, not {mime!r}", pointer=where
                )
            return {"type": "base64", "media_type": mime, "data": part.value}
        if mime.startswith("text/"):
            return {"type": "text", "media_type": "text/plain", "data": _plain(part, where)}
        if mime == "application/pdf":
            return {"type": "base64", "media_type": mime, "data": part.value}
        raise ClientWireError(f"files must be PDF or text, not {mime!r}", pointer=where)

    def marked(self, block: Block, cache: CacheMark | None, where: str) -> Block:
        """Put a cache breakpoint on a block or tool, while there are any left."""
        if cache is None:
            return block
        if self.marks == CACHE_MARKS_MAX:
            self.losses.at(where, "dropped", "more than four cache breakpoints")
            return block
        self.marks += 1
        block["cache_control"] = {"type": "ephemeral"}
        if cache.ttl in {"5m", "1h"}:
            block["cache_control"]["ttl"] = cache.ttl
        elif cache.ttl is not None:
            self.losses.at(where, "approximated", "cache lifetimes are 5m or 1h here")
            block["cache_control"]["ttl"] = "1h"
        return block


def _plain(part: Media, where: str) -> str:
    try:
        return b64decode(part.value, validate=True).decode("utf-8")
    except (Base64Error, ValueError) as error:
        raise ClientWireError("must be base64 of UTF-8 text", pointer=where) from error
