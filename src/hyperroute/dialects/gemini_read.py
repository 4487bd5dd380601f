"""Gemini generateContent, read as a server: its content for translation.

Source: types of google-genai 3.4.0 and ai.google.dev/api/generate-content, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from hyperroute.canon.content import (
    Media,
    Opaque,
    Part,
    Reasoning,
    Role,
    Sealed,
    ServerTool,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)
from hyperroute.dialects import json, reading
from hyperroute.dialects.gemini_spelling import NAME, key, pick, standard_base64, unseal
from hyperroute.dialects.reading import Object, as_object, at

_ROLES: Mapping[str, Role] = MappingProxyType(
    {"user": "user", "model": "assistant", "function": "user", "tool": "user", "": "user"}
)
MediaKind = Literal["image", "audio", "video", "file"]
_KINDS: Mapping[str, MediaKind] = MappingProxyType(
    {"image": "image", "audio": "audio", "video": "video"}
)
_MEDIA = ("inlineData", "fileData")
GOOGLE_FILES = ("gs://", "https://generativelanguage.googleapis.com/", "files/")
"""URIs that only Google can read."""

_DATA = frozenset(
    {
        "text",
        "inlineData",
        "fileData",
        "functionCall",
        "functionResponse",
        "executableCode",
        "codeExecutionResult",
        "toolCall",
        "toolResponse",
    }
)
"""The members of which a part has one; ``thought`` and ``thoughtSignature`` stand beside them."""


@dataclass(slots=True)
class _Pairing:
    """Gives every call an id, and every response the id of its call: by id, else name, else order."""

    taken: frozenset[str]
    made: int = 0
    open: list[tuple[str, str, bool]] = field(default_factory=list[tuple[str, str, bool]])
    """Calls still to be answered: id, name, and whether the id is ours."""

    def call(self, ident: str | None, name: str) -> str:
        known = ident or self._make()
        self.open.append((known, name, not ident))
        return known

    def response(self, ident: str | None, name: str) -> str:
        """Find the call; an id that is nobody's may belong to a call that came without one."""
        for known in (
            *(call for call in self.open if ident and call[0] == ident),
            *(call for call in self.open if call[1] == name and (not ident or call[2])),
            *(call for call in self.open if not ident),
        ):
            self.open.remove(known)
            return known[0]
        return ident or self._make()

    def _make(self) -> str:
        while (made := f"call_{self.made}") in self.taken:
            self.made += 1
        self.made += 1
        return made


def read_system(raw: Object) -> tuple[Part, ...]:
    """Read ``systemInstruction``: one Content whose role says nothing, or plain text.

    Raises:
        ClientWireError: It is malformed.
    """
    where = key(raw, "systemInstruction")
    value = raw.get(where)
    if value is None:
        return ()
    if isinstance(value, str):
        return (Text(value),)
    return tuple(_parts(as_object(value, f"/{where}"), f"/{where}", _Pairing(frozenset())))


def read_turns(raw: Object) -> tuple[Turn, ...]:
    """Read ``contents``, one turn of each.

    Raises:
        ClientWireError: They are malformed.
    """
    value = raw.get("contents")
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, list | tuple):
        raise reading.wrong("a list", "/contents")
    pairing = _Pairing(frozenset(_idents(value)))
    return tuple(_turn(content, f"/contents/{i}", pairing) for i, content in enumerate(value))


def _idents(contents: Any) -> Iterator[str]:
    for content in contents:
        parts = content.get("parts") if isinstance(content, Mapping) else None
        for part in parts if isinstance(parts, list) else ():
            call = pick(part, "functionCall") if isinstance(part, Mapping) else None
            if isinstance(call, Mapping) and isinstance(call.get("id"), str):
                yield call["id"]


def _turn(content: Any, where: str, pairing: _Pairing) -> Turn:
    obj = as_object(content, where)
    role = _ROLES.get(reading.text(obj, "role", where) or "")
    if role is None:
        raise reading.wrong("user or model", at(where, "role"))
    return Turn(role=role, parts=tuple(_parts(obj, where, pairing)))


def _parts(obj: Object, where: str, pairing: _Pairing) -> Iterator[Part]:
    value = obj.get("parts")
    parts = [value] if isinstance(value, Mapping) else reading.items(obj, "parts", where)
    for index, part in enumerate(parts):
        here = at(where, "parts", index)
        yield Text(part) if isinstance(part, str) else _part(as_object(part, here), here, pairing)


def _part(obj: Object, where: str, pairing: _Pairing) -> Part:
    sealed = _sealed(obj, where)
    thought = reading.flag(obj, "thought", where) or False
    if obj.get("text") is not None:
        text = reading.need_text(obj, "text", where)
        return Reasoning(text=text, sealed=sealed) if thought else Text(text, sealed=sealed)
    if pick(obj, "inlineData") is not None:
        return _media(obj, "inlineData", where)
    if pick(obj, "fileData") is not None:
        return _media(obj, "fileData", where)
    if pick(obj, "functionCall") is not None:
        return _call(obj, where, pairing, sealed)
    if pick(obj, "functionResponse") is not None:
        return _response(obj, where, pairing)
    for name in _DATA:
        if pick(obj, name) is not None:
            return unknown_part(obj)
    if sealed is not None:
        return Reasoning(sealed=sealed) if thought else Text(sealed=sealed)
    return Text() if not obj else unknown_part(obj)


def unknown_part(obj: Object) -> Part:
    """Keep a part that the canon has no word for; what Google's own tools did is known."""
    if pick(obj, "executableCode") is not None:
        return ServerTool(dialect=NAME, kind="code_execution", phase="call", value=obj)
    if pick(obj, "codeExecutionResult") is not None:
        return ServerTool(dialect=NAME, kind="code_execution", phase="result", value=obj)
    return Opaque(NAME, obj)


def _sealed(obj: Object, where: str) -> Sealed | None:
    text = reading.text(obj, key(obj, "thoughtSignature"), where)
    return unseal(text) if text else None


def _media(obj: Object, name: str, where: str) -> Media:
    spelt = key(obj, name)
    data = as_object(obj[spelt], at(where, spelt))
    inside = at(where, spelt)
    mime = reading.text(data, key(data, "mimeType"), inside)
    kind: MediaKind = _KINDS.get((mime or "").partition("/")[0], "file")
    further = {k: v for k, v in obj.items() if k not in {spelt, "thought"} and v is not None}
    shown = reading.text(data, key(data, "displayName"), inside)
    if name == "inlineData":
        value = standard_base64(reading.need_text(data, "data", inside))
        return Media(
            kind=kind, source="data", value=value, mime=mime, name=shown, extra=_frozen(further)
        )
    uri = reading.need_text(data, key(data, "fileUri"), inside)
    return Media(
        kind=kind,
        source="file_id" if uri.startswith(GOOGLE_FILES) or "://" not in uri else "url",
        value=uri,
        mime=mime,
        name=shown,
        extra=_frozen(further),
    )


def _frozen(value: dict[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(value)


def _call(obj: Object, where: str, pairing: _Pairing, sealed: Sealed | None) -> Part:
    spelt = key(obj, "functionCall")
    call = as_object(obj[spelt], at(where, spelt))
    inside = at(where, spelt)
    if pick(call, "partialArgs") is not None or pick(call, "willContinue"):
        return Opaque(NAME, obj)
    name = reading.need_text(call, "name", inside)
    arguments = reading.member(call, "args", inside)
    return ToolUse(
        id=pairing.call(reading.text(call, "id", inside), name),
        name=name,
        arguments="{}" if arguments is None else json.dumps(arguments).decode(),
        sealed=sealed,
    )


def _response(obj: Object, where: str, pairing: _Pairing) -> Part:
    spelt = key(obj, "functionResponse")
    said = as_object(obj[spelt], at(where, spelt))
    inside = at(where, spelt)
    name = reading.need_text(said, "name", inside)
    response = reading.member(said, "response", inside) or {}
    parts: list[Part] = []
    failed = False
    if response.keys() == {"output"}:
        parts.append(Text(_as_text(response["output"])))
    elif response.keys() == {"error"}:
        failed = True
        parts.append(Text(_as_text(response["error"])))
    elif response:
        parts.append(Text(_as_text(response)))
    for index, part in enumerate(reading.items(said, "parts", inside)):
        here = at(inside, "parts", index)
        media = as_object(part, here)
        parts.extend(_media(media, kind, here) for kind in _MEDIA if pick(media, kind) is not None)
    return ToolResult(
        id=pairing.response(reading.text(said, "id", inside), name),
        name=name,
        parts=tuple(parts),
        failed=failed,
    )


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value).decode()
