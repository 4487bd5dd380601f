"""Parts of the canon, written as Gemini parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from hyperroute.canon.content import (
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Sealed,
    ServerTool,
    Text,
    ToolResult,
    ToolUse,
)
from hyperroute.dialects import json
from hyperroute.dialects.base import Profile
from hyperroute.dialects.gemini_spelling import DUMMY_SIGNATURE, NAME
from hyperroute.dialects.losses import Losses
from hyperroute.dialects.sealing import belongs
from hyperroute.errors import ClientWireError

KNOWN_URIS = (
    "gs://",
    "https://generativelanguage.googleapis.com/",
    "https://www.youtube.com/",
    "https://youtu.be/",
)
"""What ``fileUri`` takes everywhere.

Source: ai.google.dev/gemini-api/docs/video-understanding and /docs/files, read 2026-11-22.
"""


@dataclass(slots=True)
class PartWriter:
    """Writes parts one by one; knows whose seals may go and how names were fitted."""

    profile: Profile
    losses: Losses
    names: Mapping[str, str]
    _signed: bool = False
    """A call of this turn has its signature: of parallel calls only the first needs one."""

    def begin_turn(self) -> None:
        """Start a model turn, whose first call must be signed."""
        self._signed = False

    def parts(self, part: Part, where: str, *, assistant: bool) -> Iterator[dict[str, Any]]:
        """Write one part as no part or one.

        Raises:
            ClientWireError: The part must not be lost and cannot be said.
        """
        match part:
            case Text():
                if part.cache is not None:
                    self.losses.at(where, "dropped", "caching is implicit here")
                if part.citations:
                    self.losses.at(where, "dropped", "citations of another vendor")
                written = {"text": part.text, **self._seal(part.sealed, where)}
                if part.text or len(written) > 1:
                    yield written
            case Refusal():
                if part.text:
                    self.losses.at(where, "approximated", "a refusal becomes text")
                    yield {"text": part.text}
            case Media():
                yield self._media(part, where)
            case Reasoning():
                yield from self._reasoning(part, where)
            case ToolUse():
                yield self._call(part, where)
            case ServerTool() | Opaque():
                if part.dialect == NAME:
                    yield dict(part.value)
                else:
                    self.losses.at(where, "dropped", "only its own vendor can read it")
            case ToolResult():
                assert not assistant, "results are written with the name of their call"
            case _:
                assert_never(part)

    def result(self, part: ToolResult, name: str, where: str) -> dict[str, Any]:
        """Write a tool's result under the ``name`` of its call."""
        text = "".join(inner.text for inner in part.parts if isinstance(inner, Text))
        media = [inner for inner in part.parts if isinstance(inner, Media)]
        if any(not isinstance(inner, Text | Media) for inner in part.parts):
            self.losses.at(where, "dropped", "only its own vendor can read it")
        if part.cache is not None:
            self.losses.at(where, "dropped", "caching is implicit here")
        written: dict[str, Any] = {
            "id": part.id,
            "name": self.names[name],
            "response": {"error": text} if part.failed else _object(text) or {"output": text},
        }
        if media:
            written["parts"] = [self._media(inner, where) for inner in media]
        return {"functionResponse": written}

    def _seal(self, sealed: Sealed | None, where: str) -> dict[str, str]:
        if sealed is None:
            return {}
        if self._own(sealed):
            return {"thoughtSignature": sealed.payload}
        self.losses.at(where, "dropped", "a signature of another vendor")
        return {}

    def _own(self, sealed: Sealed) -> bool:
        return sealed.kind == "signature" and belongs(
            sealed,
            source=self.losses.dialect,
            vendor=self.profile.vendor,
            group=self.profile.group,
        )

    def _reasoning(self, part: Reasoning, where: str) -> Iterator[dict[str, Any]]:
        if part.sealed is not None and self._own(part.sealed):
            yield {"text": part.text, "thought": True, "thoughtSignature": part.sealed.payload}
        else:
            self.losses.at(where, "dropped", "thinking without a seal of this vendor")

    def _call(self, part: ToolUse, where: str) -> dict[str, Any]:
        if part.cache is not None:
            self.losses.at(where, "dropped", "caching is implicit here")
        sealed = self._seal(part.sealed, where)
        if not sealed and not self._signed:
            # Gemini 3 answers 400 where the first call of a step has no signature.
            sealed = {"thoughtSignature": DUMMY_SIGNATURE}
            self.losses.at(where, "synthesised", "a signature for a call of another vendor")
        self._signed = True
        call = {"id": part.id, "name": self.names[part.name], "args": self._arguments(part, where)}
        return {"functionCall": call, **sealed}

    def _arguments(self, part: ToolUse, where: str) -> dict[str, Any]:
        if part.custom:
            return {"input": part.arguments}
        if not part.arguments.strip():
            return {}
        found = _object(part.arguments)
        if found is not None:
            return found
        self.losses.at(where, "approximated", "arguments that are no JSON object")
        return {"arguments": part.arguments}

    def _media(self, part: Media, where: str) -> dict[str, Any]:
        if part.detail not in {None, "auto"}:
            self.losses.at(where, "dropped", "no detail of one image here")
        if part.extra or part.cache is not None:
            self.losses.at(where, "dropped", "members that only the source dialect knows")
        if part.source == "file_id":
            raise ClientWireError("a file of another vendor cannot be read here", pointer=where)
        mime = part.mime
        if mime is not None and "/" not in mime:
            mime = f"{part.kind}/{mime}"
        if part.source == "data":
            if mime is None:
                raise ClientWireError("inline data needs its media type", pointer=where)
            data = {"mimeType": mime, "data": part.value}
            return {"inlineData": data if part.name is None else {**data, "displayName": part.name}}
        if not takes_address(part.value, self.profile):
            raise ClientWireError(
                "this model cannot fetch a URL: send the data itself", pointer=where
            )
        return {"fileData": {"fileUri": part.value, **({"mimeType": mime} if mime else {})}}


def takes_address(url: str, profile: Profile) -> bool:
    """Say whether ``fileUri`` may hold an address: Google's own, and any where the entry says so."""
    return url.startswith(KNOWN_URIS) or bool(profile.options.get("file_urls"))


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
