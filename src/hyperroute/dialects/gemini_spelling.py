"""Gemini's members in both spellings, and its schemas and seals in ours.

Proto JSON is read in camelCase and snake_case alike, and Google's own SDK mixes them (dialects.md,
6.16). Its SDK writes bytes in the URL-safe alphabet of base64; everybody else wants the other one.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from hyperroute.canon.content import Sealed
from hyperroute.dialects.reading import Object
from hyperroute.dialects.sealing import TAG, opened, tagged

NAME = "gemini.generate"
VENDOR = "google"

DUMMY_SIGNATURE = "skip_thought_signature_validator"
"""What Google documents for calls of a history that has no signature of its making.

Source: ai.google.dev/gemini-api/docs/thought-signatures, read 2026-11-22.
"""


SEARCHES = ("googleSearch", "googleSearchRetrieval")
"""A web search, of newer and older models."""


def _spelt(camel: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in camel)


_SNAKE: Mapping[str, str] = MappingProxyType(
    {
        name: _spelt(name)
        for name in (
            "responseId",
            "modelVersion",
            "usageMetadata",
            "promptFeedback",
            "finishReason",
            "thoughtSignature",
            "citationMetadata",
            "groundingMetadata",
            "functionCall",
            "functionResponse",
            "inlineData",
            "fileData",
            "promptTokenCount",
            "toolUsePromptTokenCount",
            "candidatesTokenCount",
            "thoughtsTokenCount",
            "totalTokenCount",
            "cachedContentTokenCount",
            "promptTokensDetails",
            "candidatesTokensDetails",
            "tokenCount",
        )
    }
)
"""Of the members that are looked for in every chunk of a stream."""

_URL_SAFE = str.maketrans("-_", "+/")
_DEPTH_MAX = 64
_LIMITS = frozenset(
    {"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"}
)


def snake(camel: str) -> str:
    """Spell a member the other way."""
    return _SNAKE.get(camel) or _spelt(camel)


def camel(name: str) -> str:
    """Spell a member as the REST reference does."""
    head, *rest = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


def key(obj: Object, name: str) -> str:
    """Give the spelling of ``name`` (camelCase) that this object uses."""
    return name if name in obj else snake(name)


def pick(obj: Object, name: str) -> Any:
    """Read a member in either spelling, unchecked; ``None`` if absent."""
    value = obj.get(name)
    return obj.get(snake(name)) if value is None else value


def standard_base64(text: str) -> str:
    """Turn URL-safe base64 into the standard alphabet, padded."""
    plain = text.translate(_URL_SAFE).rstrip("=")
    return plain + "=" * (-len(plain) % 4)


def unseal(text: str) -> Sealed:
    """Read a ``thoughtSignature`` that a caller replays; tags travel inside its base64."""
    try:
        inner = b64decode(standard_base64(text)).decode("ascii")
    except (Base64Error, ValueError):
        return Sealed("signature", text)
    return opened(inner, "signature") if inner.startswith(TAG) else Sealed("signature", text)


def seal(sealed: Sealed) -> str:
    """Write a ``thoughtSignature`` for our caller."""
    text = tagged(sealed, own=VENDOR)
    return b64encode(text.encode()).decode() if text.startswith(TAG) else text


def json_schema(schema: Any, depth: int = 0) -> Any:
    """Rewrite a Gemini ``Schema`` (OpenAPI 3.03 subset) as JSON Schema.

    Types are lowered, ``nullable`` becomes a union with null, and limits that proto JSON writes as
    text become numbers.
    """
    if not isinstance(schema, Mapping) or depth > _DEPTH_MAX:
        return schema
    made: dict[str, Any] = {}
    for name, value in schema.items():
        word = camel(name) if isinstance(name, str) else name
        match word:
            case "type" if isinstance(value, str):
                made["type"] = value.lower()
            case "properties" if isinstance(value, Mapping):
                made["properties"] = {k: json_schema(v, depth + 1) for k, v in value.items()}
            case "items" | "additionalProperties":
                made[word] = json_schema(value, depth + 1)
            case "anyOf" if isinstance(value, list | tuple):
                made["anyOf"] = [json_schema(v, depth + 1) for v in value]
            case "nullable" | "propertyOrdering":
                pass
            case _ if word in _LIMITS and isinstance(value, str) and value.isdecimal():
                made[word] = int(value)
            case _:
                made[word] = value
    return _nullable(made) if pick(schema, "nullable") is True else made


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    if not isinstance(kind, str):
        return {"anyOf": [schema, {"type": "null"}]}
    schema["type"] = [kind, "null"]
    if isinstance(schema.get("enum"), list):
        schema["enum"] = [*schema["enum"], None]
    return schema


def upper_modalities(words: tuple[str, ...]) -> list[str]:
    """Spell ``text``, ``image`` and ``audio`` as Gemini does."""
    return [word.upper() for word in words]


LEVELS: Mapping[str, str] = MappingProxyType(
    {
        "minimal": "MINIMAL",
        "low": "LOW",
        "medium": "MEDIUM",
        "high": "HIGH",
        "xhigh": "XHIGH",
    }
)
"""``thinkingLevel`` by effort."""
