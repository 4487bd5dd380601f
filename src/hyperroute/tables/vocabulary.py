"""The closed words of the routing language, and the nearest of them to a mistake.

What plugins add comes in as ``PluginWords``, a plain value, so that this package knows no plugin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

KINDS = ("chat", "image", "video", "audio", "embed", "gpu")

ENDPOINTS = (
    "chat",
    "messages",
    "responses",
    "gemini",
    "images",
    "videos",
    "audio",
    "embeddings",
    "completions",
    "gpu",
)

KIND_ENDPOINTS: Mapping[str, frozenset[str]] = {
    "chat": frozenset({"chat", "messages", "responses", "gemini"}),
    "image": frozenset({"images"}),
    "video": frozenset({"videos"}),
    "audio": frozenset({"audio"}),
    "embed": frozenset({"embeddings"}),
    "gpu": frozenset({"gpu"}),
}
"""What a model accepts that does not say ``endpoints``."""

DOES: Mapping[str, frozenset[str]] = {
    "chat": frozenset(
        {
            "tools",
            "parallel_tools",
            "vision",
            "pdf",
            "audio_in",
            "json_object",
            "json_schema",
            "thinking",
            "effort",
            "prompt_cache",
            "web_search",
            "logprobs",
        }
    ),
    "image": frozenset({"text_to_image", "edit", "mask"}),
    "video": frozenset(
        {"text_to_video", "image_to_video", "first_last_frame", "reference", "audio"}
    ),
    "audio": frozenset({"speech", "clone", "transcribe"}),
    "embed": frozenset(),
    "gpu": frozenset(),
}

PARAMETERS = frozenset(
    {
        "n",
        "size",
        "aspect_ratio",
        "resolution",
        "quality",
        "format",
        "mode",
        "prompt",
        "negative_prompt",
        "seed",
        "images",
        "mask",
        "duration",
        "first_frame",
        "last_frame",
        "video",
        "audio",
        "voice",
        "text",
        "language",
        "cfg_scale",
        "temperature",
        "top_p",
        "thinking",
        "effort",
        "service_tier",
    }
)

TIME_PARAMETERS = frozenset({"duration"})
"""Their values are times: nanoseconds inside."""

COMMON_OPTIONS: Mapping[str, str] = {
    "cancel_stops_billing": "flag",
    "sse_when_not_requested": "text",
}
"""Of every provider entry, whatever its plugin; to their types."""

OPTION_WORDS: Mapping[str, tuple[str, ...]] = {
    "sse_when_not_requested": ("aggregate", "passthrough"),
}
"""What an option that takes one of a few words may say."""

FactType = Literal[
    "word", "words", "size", "time", "flag", "count", "share", "money", "value", "any"
]
"""What a fact's value may be; ``value`` is a parameter's: any scalar; ``any`` a broken fact's."""

MODEL_FACTS: Mapping[str, FactType] = {
    "model": "word",
    "kind": "word",
    "vendor": "word",
    "tags": "words",
    "does": "words",
    "endpoints": "words",
    "context": "size",
    "input": "size",
    "output": "size",
    "fps": "count",
    "wait": "time",
    "max_run": "time",
}
"""Read by ``from``; beside them ``quality.NAME``, a count."""

OFFER_FACTS: Mapping[str, FactType] = {
    **MODEL_FACTS,
    "offer": "word",
    "provider": "word",
    "variant": "word",
    "region": "word",
    "retain": "time",
    "trains": "flag",
}
"""Read by ``require`` and ``never``; beside them ``quality.NAME``."""

REQUEST_FACTS: Mapping[str, FactType] = {
    "req.kind": "word",
    "req.endpoint": "word",
    "req.tokens": "size",
    "req.max_out": "size",
    "req.needs": "words",
    "req.tags": "words",
    "req.client": "word",
    "req.session": "word",
    "req.stream": "flag",
    "org.id": "word",
    "org.region": "word",
    "org.plan": "word",
    "org.tags": "words",
    "user.id": "word",
    "user.tags": "words",
    "key.id": "word",
    "key.models": "words",
    "key.limit": "money",
    "key.tags": "words",
}
"""Read by ``for`` and ``when``; beside them ``limit.NAME.used`` and what ``facts`` declares."""

MEASURES = ("latency.", "ttft.", "speed.")
"""Rank keys that end in a percentile, ``p1`` to ``p99``."""

RANKINGS = ("cost", "sell", "load")

LIMIT_SCOPES = ("user", "key", "org", "provider", "offer", "model", "credential")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderWords:
    """What an installed provider plugin tells the loader.

    ``options`` maps an option to its type (``text``, ``count``, ``flag``, ``decimal`` or ``any``);
    ``None``: not checked.
    """

    options: Mapping[str, str] | None = None
    speaks: tuple[str, ...] | None = None
    secret: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginWords:
    """Everything that installed plugins add to the language.

    Attributes:
        providers: By the name that ``plugin:`` takes.
        does: Capability to the kinds it is for; empty: all.
        meters: Meter to its unit.
        tables: Plugin name to texts by file name, for ``include: [plugin:NAME]``.
    """

    providers: Mapping[str, ProviderWords] = field(default_factory=dict[str, ProviderWords])
    does: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    parameters: frozenset[str] = frozenset()
    meters: Mapping[str, str] = field(default_factory=dict[str, str])
    rankings: frozenset[str] = frozenset()
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, "Mapping[str, str]"])


def likely(word: str, valid: Iterable[str]) -> list[str]:
    """Give the valid word that a typing mistake most likely meant, or nothing."""
    return get_close_matches(word, sorted(set(valid)), n=1, cutoff=0.6)


def nearest(word: str, valid: Iterable[str]) -> str:
    """Suggest the valid word that a typing mistake most likely meant, as the end of a message.

    Few candidates are listed whole, because then the list is the better help.
    """
    words = sorted(set(valid))
    for meant in likely(word, words):
        return f"; did you mean {meant!r}?"
    if 0 < len(words) <= 12:
        return f"; one of: {', '.join(words)}"
    return ""
