"""Which path asks for what: one table, whatever prefix a client puts before it.

Base URLs are pasted with and without ``/v1``, with ``/api``, with the Gemini endpoint as a base; so
every leading step of that kind is taken off before the table is asked (api.md, 0 and 5).

    path                              method     asks for
    chat/completions                  POST       answer, openai.chat
    chat                              POST       answer, openai.chat (older generation's defaults)
    responses                         POST       answer, openai.responses
    messages                          POST       answer, anthropic.messages
    messages/count_tokens             POST       count, anthropic.messages
    embeddings                        POST       answer, openai.embeddings
    images/generations                POST       answer, openai.images
    images/generate                   POST       the same, as the older generation called it
    completions                       POST       answer, openai.completions
    gemini                            POST       answer, by its body
    models/NAME:generateContent       POST       answer, gemini.generate
    models/NAME:streamGenerateContent POST       answer, gemini.generate (streamed)
    models/NAME:countTokens           POST       count, gemini.generate
    models                            GET        models
    models/NAME                       GET        model
    api-usage                         GET        usage
    api-usage/export                  GET        export
    api-keys                          GET, POST  keys
    api-keys/ID                       GET, …     keys (PATCH and DELETE too)
    healthz, readyz                   GET        health, ready
    (nothing), hello, health          HEAD, GET  probe
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import unquote

Verb = Literal[
    "answer",
    "count",
    "models",
    "model",
    "health",
    "ready",
    "metrics",
    "probe",
    "usage",
    "export",
    "keys",
]

CHAT: Final = "openai.chat"
RESPONSES: Final = "openai.responses"
MESSAGES: Final = "anthropic.messages"
GEMINI: Final = "gemini.generate"
EMBEDDINGS: Final = "openai.embeddings"
IMAGES: Final = "openai.images"
COMPLETIONS: Final = "openai.completions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a path asks for.

    Attributes:
        dialect: Whose words errors are told in, and the body is read in unless ``either``.
        model: As the path names it; ``None`` where the body does.
        stream: As the path says it; ``None`` where the body does.
        array: A Gemini stream that is one JSON array, because ``alt=sse`` was not asked for.
        either: Both a Gemini and an OpenAI chat body are read here (api.md, 9).
        older: The first generation's chat, with its defaults (api.md, 2).
        item: The key that the path names; ``None``: all of them.
    """

    verb: Verb
    methods: tuple[str, ...]
    dialect: str = CHAT
    model: str | None = None
    stream: bool | None = None
    array: bool = False
    either: bool = False
    older: bool = False
    item: str | None = None


_POST: Final = ("POST",)
_GET: Final = ("GET", "HEAD")

_PLACES: Final[Mapping[str, Place]] = MappingProxyType(
    {
        "": Place(verb="probe", methods=_GET),
        "hello": Place(verb="probe", methods=_GET, dialect=MESSAGES),
        "health": Place(verb="health", methods=_GET),
        "healthz": Place(verb="health", methods=_GET),
        "readyz": Place(verb="ready", methods=_GET),
        "metrics": Place(verb="metrics", methods=_GET),
        "chat/completions": Place(verb="answer", methods=_POST),
        "chat": Place(verb="answer", methods=_POST, older=True),
        "responses": Place(verb="answer", methods=_POST, dialect=RESPONSES),
        "messages": Place(verb="answer", methods=_POST, dialect=MESSAGES),
        "messages/count_tokens": Place(verb="count", methods=_POST, dialect=MESSAGES),
        "gemini": Place(verb="answer", methods=_POST, dialect=GEMINI, either=True),
        "embeddings": Place(verb="answer", methods=_POST, dialect=EMBEDDINGS),
        "images/generations": Place(verb="answer", methods=_POST, dialect=IMAGES),
        "images/generate": Place(verb="answer", methods=_POST, dialect=IMAGES),
        "completions": Place(verb="answer", methods=_POST, dialect=COMPLETIONS),
        "models": Place(verb="models", methods=_GET),
        "api-usage": Place(verb="usage", methods=("GET",)),
        "api-usage/export": Place(verb="export", methods=("GET",)),
        "api-keys": Place(verb="keys", methods=(*_GET, "POST")),
    }
)
_ACTIONS: Final[Mapping[str, Place]] = MappingProxyType(
    {
        "generateContent": Place(verb="answer", methods=_POST, dialect=GEMINI, stream=False),
        "streamGenerateContent": Place(verb="answer", methods=_POST, dialect=GEMINI, stream=True),
        "countTokens": Place(verb="count", methods=_POST, dialect=GEMINI),
    }
)
_KEY: Final = Place(verb="keys", methods=(*_GET, "PATCH", "DELETE"))
_MODEL: Final = Place(verb="model", methods=_GET)
_PREFIXES: Final = frozenset({"api", "v1", "v1beta", "v1beta1", "v1alpha"})
_GOOGLE: Final = frozenset({"v1beta", "v1beta1", "v1alpha", "gemini"})


def find(url: str) -> Place | None:
    """Say what a path asks for, ``None`` where it is none of ours.

    Args:
        url: The path, with its query if it has one.
    """
    path, _, query = url.partition("?")
    name, google = _bare(path)
    place = _PLACES.get(name)
    if place is None and name.startswith("models/"):
        place = _of_model(name.removeprefix("models/"), query)
    if place is None and name.startswith("api-keys/"):
        place = replace(_KEY, item=unquote(name.removeprefix("api-keys/")))
    if place is None:
        return None
    return replace(place, dialect=GEMINI) if google and place.verb in ("models", "model") else place


def nearest(url: str) -> str | None:
    """Name the path that a wrong one may have meant."""
    near = get_close_matches(bare(url), [path for path in _PLACES if path], n=1, cutoff=0.5)
    if not near:
        return None
    return f"/api/{near[0]}" if near[0].startswith("api-") else f"/v1/{near[0]}"


def bare(url: str) -> str:
    """Name what a URL asks for, however it is prefixed: the path that ``find`` looks up."""
    return _bare(url.partition("?")[0])[0]


def query_of(url: str, name: str) -> str | None:
    """Return the first value of a query parameter."""
    query = url.partition("?")[2]
    for pair in query.split("&") if query else ():
        key, _, value = pair.partition("=")
        if key == name:
            return unquote(value.replace("+", " "))
    return None


def _bare(path: str) -> tuple[str, bool]:
    """Take prefixes off; the second value tells that one of them was Google's."""
    steps = [step for step in path.split("/") if step]
    google = False
    while steps and (steps[0] in _PREFIXES or (steps[0] == "gemini" and len(steps) > 1)):
        google = google or steps[0] in _GOOGLE
        steps.pop(0)
    return "/".join(steps), google


def _of_model(rest: str, query: str) -> Place | None:
    name, colon, action = rest.rpartition(":")
    if not colon or action not in _ACTIONS:
        return replace(_MODEL, model=unquote(rest))
    place = replace(_ACTIONS[action], model=unquote(name))
    if place.stream and "alt=sse" not in query.split("&"):
        place = replace(place, array=True)
    return place


__all__ = [
    "CHAT",
    "COMPLETIONS",
    "EMBEDDINGS",
    "GEMINI",
    "MESSAGES",
    "RESPONSES",
    "Place",
    "Verb",
    "bare",
    "find",
    "nearest",
    "query_of",
]
