"""Small tables made by hand, without the loader: the planner is tested against its types alone."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hyperroute.canon.request import Conversation, Narrowing, Request
from hyperroute.catalog.card import KeyEntry, Model, Offer, ProviderEntry
from hyperroute.catalog.condition import Condition, Line
from hyperroute.catalog.price import Price, Sell, Sheet
from hyperroute.routing.table import From, Intent, RankKey, Restrict, RouteTable, Service, Term

SCALE = 10**12
ENDPOINTS = {
    "chat": frozenset({"chat", "messages", "responses", "gemini"}),
    "image": frozenset({"images"}),
    "video": frozenset({"videos"}),
    "audio": frozenset({"audio"}),
    "embed": frozenset({"embeddings"}),
    "gpu": frozenset({"gpu"}),
}
UNKNOWN: Any = object()


def usd(text: str) -> int:
    """Dollars in table units."""
    units = Decimal(text) * SCALE
    return int(units)


def price(rate_in: int | None, rate_out: int = 0, **more: Any) -> Price:
    """A sheet of two token rates, in table units; none at all for ``None``."""
    if rate_in is None:
        return ()
    return (Sheet(rates={"in": rate_in, "out": rate_out, **more}, steps={}),)


def line(fact: str, op: Any, *values: Any) -> Line:
    return Line(fact, op, values, f"{fact}: {op} {values}")


def offer(model: str, provider: str, cost: Price = (), **facts: Any) -> Offer:
    """An offer with a window large enough not to matter."""
    kind = facts.setdefault("kind", "chat")
    variant = facts.get("variant")
    given = {
        "id": f"{model}@{provider}" + (f"/{variant}" if variant else ""),
        "sends": model,
        "does": frozenset(),
        "endpoints": ENDPOINTS[kind],
        "context": 1_000_000,
        "quality": {},
        "fields": {},
        "adds": {},
    }
    return Offer(model=model, provider=provider, price=cost, **{**given, **facts})


def service(
    name: str, *offers: Offer, use: Term | None = None, instead: Any = (), **facts: Any
) -> Service:
    kind = facts.setdefault("kind", offers[0].kind if offers else "chat")
    given = {
        "does": frozenset().union(*(one.does for one in offers)),
        "endpoints": ENDPOINTS[kind],
        "quality": {},
        "sell": Sell(),
    }
    model = Model(name=name, offers=offers, **{**given, **facts})
    return Service(model=model, use=use, instead=tuple(instead))


def provider(name: str, keys: int = 1, **facts: Any) -> ProviderEntry:
    entries = tuple(KeyEntry(id=f"{name}#{at}", secret=f"env:{name}_{at}") for at in range(keys))
    given = {"plugin": "simulated", "keys": entries, "headers": {}, "options": {}}
    return ProviderEntry(name=name, **{**given, **facts})


def table(*services: Service, providers: Any = None, **parts: Any) -> RouteTable:
    names = {one.provider for each in services for one in each.model.offers}
    made = {name: provider(name) for name in sorted(names)}
    made.update({one.name: one for one in providers or ()})
    by_name = {one.model.name: one for one in services}
    patterns = sorted(
        (name for name in by_name if "*" in name), key=lambda name: (-len(name), name)
    )
    given = {
        "digest": "by hand",
        "scale": SCALE,
        "patterns": tuple(patterns),
        "offers": {one.id: one for each in services for one in each.model.offers},
    }
    return RouteTable(providers=made, services=by_name, **{**given, **parts})


def open_intent(
    name: str,
    models: tuple[str, ...],
    *,
    kind: Any = "chat",
    require: Condition = (),
    rank: tuple[RankKey, ...] = (RankKey("cost"),),
    take: int | None = None,
    default: Mapping[str, Any] | None = None,
) -> Intent:
    term = Restrict(From((), models), require=require, rank=rank, take=take)
    return Intent(name=name, kind=kind, term=term, default=default or {})


def request(model: str | None = None, **facts: Any) -> Request:
    narrowing = {
        name: facts.pop(name)
        for name in ("fallback", "only", "avoid", "max_cost", "deadline_ns")
        if name in facts
    }
    given = {
        "kind": "chat",
        "dialect": "openai.chat",
        "endpoint": "chat",
        "raw": {},
        "decode": lambda _: Conversation(),
        "narrowing": Narrowing(**narrowing),
    }
    return Request(model=model, **{**given, **facts})
