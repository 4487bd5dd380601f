"""From the word a caller wrote to what the table calls it: alias, then pin, then endpoint.

Laws: each alias is visited at most once; ``model`` beats ``intent``; an exact name beats a pattern,
and of two patterns the one with more fixed characters; nothing here looks at prices or health.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from types import MappingProxyType

from hyperroute.canon.request import Request
from hyperroute.catalog.card import Model
from hyperroute.catalog.facts import matches
from hyperroute.routing.candidate import Refusal
from hyperroute.routing.table import Intent, RouteTable, Service

PATHS: Mapping[str, str] = MappingProxyType(
    {
        "chat": "/v1/chat/completions",
        "messages": "/v1/messages",
        "responses": "/v1/responses",
        "gemini": "/v1/gemini",
        "images": "/v1/images/generations",
        "videos": "/v1/videos/generate",
        "audio": "/v1/audio/generations",
        "embeddings": "/v1/embeddings",
        "completions": "/v1/completions",
        "gpu": "/v1/gpu",
    }
)
"""Where a client finds an endpoint, for messages that say which one to use."""


_COMPARED = 300
"""Names compared with a word nobody knows."""

_LONGEST = 100
"""Characters of such a word that are compared and quoted."""

_KINDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "chat": ("chat", "messages", "responses", "gemini"),
        "image": ("images",),
        "video": ("videos",),
        "audio": ("audio",),
        "embed": ("embeddings",),
        "gpu": ("gpu",),
    }
)


def of_kind(kind: str) -> tuple[str, ...]:
    """List the endpoints of a kind."""
    return _KINDS.get(kind, ())


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a request names: a model (``service``) or an intent, and the names passed on the way.

    ``name`` is the model as asked for: of a pattern, the text that matched.
    """

    name: str
    via: tuple[str, ...]
    service: Service | None = None
    intent: Intent | None = None


def resolve_name(request: Request, table: RouteTable) -> Resolved | Refusal:
    """Find what a request names, or say what it could have named instead."""
    known = names_of(table)
    word = request.model
    found = known.models.get(word) if word else known.intents.get(request.intent or "")
    if found is not None:
        return found
    if word:
        name, via = _unaliased(word, table)
        service = find_service(name, table)
        if service is not None:
            return Resolved(name, via, service=service)
        return _no_model(word, table, request)
    if request.intent:
        return _no_intent(request.intent, table, request)
    return Refusal(
        status=400,
        code="missing_model",
        message="Name a model or an intent: the request has neither.",
        param="model",
        available=available(table, request),
    )


@dataclass(frozen=True, slots=True)
class Names:
    """What every exact name of a table means, in the field ``model`` and in ``intent``."""

    models: Mapping[str, Resolved]
    intents: Mapping[str, Resolved]
    available: dict[str, tuple[str, ...]]
    """Models by endpoint, filled in when first asked."""


def names_of(table: RouteTable) -> Names:
    """Find the names that hang on a table, or hang them there."""
    found = vars(table).get("_names")
    if isinstance(found, Names):
        return found
    intents = {name: Resolved(name, (), intent=one) for name, one in table.intents.items()}
    models = {
        **intents,
        **{
            name: Resolved(name, (), service=one)
            for name, one in table.services.items()
            if not one.model.is_pattern
        },
    }
    for alias in table.aliases:
        name, via = _unaliased(alias, table)
        for meanings in (models, intents):
            if name in meanings:
                meanings[alias] = replace(meanings[name], via=via)
    names = Names(models, intents, {})
    vars(table)["_names"] = names
    return names


def _unaliased(word: str, table: RouteTable) -> tuple[str, tuple[str, ...]]:
    """Follow aliases; a name seen before ends the walk, should a hand-built table have a cycle."""
    name, via = word, tuple[str, ...]()
    while name in table.aliases and name not in via:
        via = (*via, name)
        name = table.aliases[name].to
    return name, via


def find_service(name: str, table: RouteTable) -> Service | None:
    """Find a model by its exact name, else by the pattern with most fixed characters."""
    exact = table.services.get(name)
    if exact is not None and "*" not in name:
        return exact
    for pattern in table.patterns:
        if matches(pattern, name):
            return table.services[pattern]
    return None


def sends(model: Model, upstream: str, name: str) -> str:
    """Fill the upstream id: its ``*`` is what the first ``*`` of the model's name matched."""
    if "*" not in upstream:
        return upstream
    head, _, rest = model.name.partition("*")
    following = rest.partition("*")[0]
    tail = name[len(head) :]
    if "*" not in rest:
        matched = tail[: len(tail) - len(rest)] if rest else tail
    else:
        at = tail.find(following) if following else 0
        matched = tail[: max(at, 0)]
    return upstream.replace("*", matched, 1)


def available(table: RouteTable, request: Request) -> tuple[str, ...]:
    """List the models that this endpoint would accept of this caller, in declared order.

    A caller in this process came by no endpoint, and may name any of them.
    """
    known = names_of(table).available
    found = known.get(request.endpoint)
    if found is None:
        found = tuple(
            name
            for name, service in table.services.items()
            if service.model.listed
            and not service.model.is_pattern
            and service.model.offers
            and (not request.endpoint or request.endpoint in service.model.endpoints)
        )
        if request.endpoint in PATHS or not request.endpoint:
            known[request.endpoint] = found
    models = request.narrowing.models
    return found if models is None else tuple(name for name in found if is_open(models, name))


def is_open(models: tuple[str, ...] | None, name: str) -> bool:
    """Say whether a key that is open to these patterns is open to a model; ``None``: to all."""
    return models is None or any(matches(pattern, name) for pattern in models)


def _nearest(word: str, names: Iterable[str]) -> str:
    """Suggest what was meant, among names that begin alike where there are very many.

    A comparison of one word with each of a hundred thousand would let anybody keep us busy.
    """
    likely = list(names)
    if len(likely) > _COMPARED:
        head = word[:3].casefold()
        likely = [name for name in likely if name[:3].casefold() == head][:_COMPARED]
    near = get_close_matches(word[:_LONGEST], likely, n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""


def _no_model(word: str, table: RouteTable, request: Request) -> Refusal:
    names = available(table, request)
    return Refusal(
        status=400,
        code="model_not_found",
        message=f"Unknown model {word[:_LONGEST]!r}.{_nearest(word, [*names, *table.intents, *table.aliases])}",
        param="model",
        available=names,
    )


def _no_intent(word: str, table: RouteTable, request: Request) -> Refusal:
    names = tuple(
        name for name, one in table.intents.items() if one.listed and one.kind == request.kind
    )
    return Refusal(
        status=400,
        code="intent_not_found",
        message=f"Unknown intent {word[:_LONGEST]!r}.{_nearest(word, names)}",
        param="intent",
        available=names,
    )
