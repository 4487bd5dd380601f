"""Tables made by hand, without the loader, and drawn requests and answers for any table.

The planner is tested against its types alone here; a loaded table is drawn by ``testing.tables``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hypothesis import strategies as st

from hyperroute.canon.request import Conversation, Kind, Narrowing, Request
from hyperroute.catalog.card import KeyEntry, Model, Offer, ProviderEntry
from hyperroute.catalog.condition import Condition, FactRef, Line, Op, Scalar
from hyperroute.catalog.price import Price, Sell, Sheet
from hyperroute.routing.questions import Answers
from hyperroute.routing.table import (
    From,
    Instead,
    Intent,
    RankKey,
    Restrict,
    RouteTable,
    Service,
    Term,
)

SCALE = 10**12
ENDPOINTS: Mapping[str, frozenset[str]] = {
    "chat": frozenset({"chat", "messages", "responses", "gemini"}),
    "image": frozenset({"images"}),
    "video": frozenset({"videos"}),
    "audio": frozenset({"audio"}),
    "embed": frozenset({"embeddings"}),
    "gpu": frozenset({"gpu"}),
}
BY_COST = (RankKey("cost"),)
_NARROWING = frozenset(
    {"fallback", "only", "avoid", "max_cost", "deadline_ns", "models", "account", "again"}
)


def price(rate_in: int | None, rate_out: int = 0, **parts: int) -> Price:
    """A sheet of two token rates in table units, and of parts written with ``__`` for a dot.

    ``None`` makes an unknown price.
    """
    if rate_in is None:
        return ()
    more = {name.replace("__", "."): rate for name, rate in parts.items()}
    return (Sheet(rates={"in": rate_in, "out": rate_out, **more}, steps={}),)


def line(fact: str, op: Op, *values: Scalar | FactRef) -> Line:
    """One line of a condition."""
    return Line(fact, op, values, f"{fact} {op} {', '.join(map(str, values))}")


def offer(model: str, provider: str, cost: Price = (), **facts: Any) -> Offer:
    """An offer with a window large enough not to matter."""
    kind = facts.setdefault("kind", "chat")
    variant = facts.get("variant")
    given = {
        "id": f"{model}@{provider}" + (f"/{variant}" if variant else ""),
        "sends": model,
        "does": frozenset[str](),
        "endpoints": ENDPOINTS[kind],
        "context": 1_000_000,
        "quality": {},
        "fields": {},
        "adds": {},
    }
    return Offer(model=model, provider=provider, price=cost, **{**given, **facts})


def service(
    name: str,
    *offers: Offer,
    use: Term | None = None,
    instead: Iterable[Instead] = (),
    **facts: Any,
) -> Service:
    """A model with its offers."""
    kind = facts.setdefault("kind", offers[0].kind if offers else "chat")
    given = {
        "does": frozenset[str]().union(*(one.does for one in offers)),
        "endpoints": ENDPOINTS[kind],
        "quality": {},
        "sell": Sell(),
    }
    model = Model(name=name, offers=offers, **{**given, **facts})
    return Service(model=model, use=use, instead=tuple(instead))


def account(name: str, keys: int = 1, **facts: Any) -> ProviderEntry:
    """A provider with so many credentials."""
    entries = tuple(KeyEntry(id=f"{name}#{at}", secret=f"env:{name}_{at}") for at in range(keys))
    given = {"plugin": "simulated", "keys": entries, "headers": {}, "options": {}}
    return ProviderEntry(name=name, **{**given, **facts})


def table(*services: Service, accounts: Iterable[ProviderEntry] = (), **parts: Any) -> RouteTable:
    """A table of these models; accounts that are not given have one credential."""
    names = {one.provider for each in services for one in each.model.offers}
    made = {name: account(name) for name in sorted(names)}
    made.update({one.name: one for one in accounts})
    by_name = {one.model.name: one for one in services}
    patterns = [name for name in by_name if "*" in name]
    given = {
        "digest": "by hand",
        "scale": SCALE,
        "patterns": tuple(sorted(patterns, key=lambda name: (-len(name), name))),
        "offers": {one.id: one for each in services for one in each.model.offers},
    }
    return RouteTable(providers=made, services=by_name, **{**given, **parts})


def intent(
    name: str,
    models: Iterable[str],
    *,
    kind: Kind = "chat",
    require: Condition = (),
    rank: tuple[RankKey, ...] = BY_COST,
    take: int | None = None,
    default: Mapping[str, Scalar] | None = None,
) -> Intent:
    """An intent that chooses among models."""
    term = Restrict(From((), tuple(models)), require=require, rank=rank, take=take)
    return Intent(name=name, kind=kind, term=term, default=default or {})


def request(model: str | None = None, **facts: Any) -> Request:
    """A chat request; words of the narrowing may stand beside those of the request."""
    narrowing = {name: facts.pop(name) for name in _NARROWING & facts.keys()}
    given = {
        "kind": "chat",
        "dialect": "openai.chat",
        "endpoint": "chat",
        "raw": {},
        "decode": _no_conversation,
        "narrowing": Narrowing(**narrowing),
    }
    return Request(model=model, **{**given, **facts})


def _no_conversation(_: Mapping[str, Any]) -> Conversation:
    return Conversation()


# --- strategies ----------------------------------------------------------------------------------
@st.composite
def requests(
    draw: st.DrawFn, table: RouteTable, *, pinned: bool | None = None, narrowed: bool = True
) -> Request:
    """Draw a request that names something of a table, or nearly.

    Args:
        draw: Hypothesis's.
        table: Whose names are drawn.
        pinned: A model, or else an intent; ``None``: any name, also one that nobody knows.
        narrowed: Whether it may narrow.
    """
    models = [name for name in table.services if "*" not in name]
    models += [name.replace("*", "anything") for name in table.patterns]
    intents = list(table.intents)
    named: dict[str, Any]
    if pinned is None:
        word = draw(st.sampled_from([*models, *intents, *table.aliases, "nobody"]))
        named = draw(st.sampled_from(({"model": word}, {"intent": word})))
    elif pinned:
        named = {"model": draw(st.sampled_from(models))}
    else:
        named = {"intent": draw(st.sampled_from(intents))} if intents else {"model": "nobody"}
    endpoint = draw(st.sampled_from(("chat", "chat", "messages", "responses")))
    found = table.services.get(named.get("model", ""))
    if found is not None and draw(st.integers(0, 3)):
        endpoint = min(found.model.endpoints, default=endpoint)
    facts: dict[str, Any] = {
        "features": draw(st.frozensets(st.sampled_from(("tools", "vision")), max_size=1)),
        "input_bytes": draw(st.sampled_from((0, 100, 4_000, 30_000, 70_000, 600_000, 2_000_000))),
        "max_output": draw(st.sampled_from((None, None, 100, 4_000, 50_000))),
        "labels": draw(labels()),
        "stream": draw(st.booleans()),
    }
    if narrowed:
        facts |= draw(narrowings(sorted(table.providers)))
    return request(**named, endpoint=endpoint, **facts)


def labels() -> st.SearchStrategy[dict[str, Any]]:
    """Draw what a caller says of itself."""
    return st.fixed_dictionaries(
        {},
        optional={
            "org.id": st.sampled_from(("acme", "zenith")),
            "org.region": st.sampled_from(("eu", "us")),
            "org.plan": st.sampled_from(("free", "pro")),
            "user.id": st.sampled_from(("ann", "bob")),
            "key.models": st.sampled_from((["alpha*"], ["beta", "alpha"], ["*"])),
            "req.tags": st.sampled_from((["fast"], ["new", "fast"])),
        },
    )


def narrowings(providers: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw what a request forbids itself."""
    most = min(2, len(providers))
    names = st.lists(st.sampled_from(providers), unique=True, max_size=most)
    some = st.lists(st.sampled_from(providers), unique=True, min_size=1, max_size=most)
    return st.fixed_dictionaries(
        {},
        optional={
            "fallback": st.booleans(),
            "only": some.map(tuple),
            "avoid": names.map(tuple),
            "max_cost": st.sampled_from(("0.001", "0.05", "10")),
            "deadline_ns": st.sampled_from((10**9, 10**12)),
            "models": st.sampled_from((("alpha*",), ("beta", "alpha"), ("*",), ())),
            "account": st.sampled_from(providers),
            "again": st.booleans(),
        },
    )


@st.composite
def answers(draw: st.DrawFn, table: RouteTable, *, healthy: bool = False) -> Answers:
    """Draw what is known at some instant, with troubles unless ``healthy``."""
    ids = sorted(table.offers)
    measured = st.dictionaries(st.sampled_from(ids), st.integers(0, 5)) if ids else st.just({})
    known: dict[str, Any] = {
        "at": 1_000,
        "day": draw(st.sampled_from((0, 20_000, 21_000))),
        "input_tokens": draw(st.sampled_from((None, None, 500, 20_000, 300_000))),
        "measured": {"ttft.p90": draw(measured), "load": draw(measured)},
        "facts": draw(st.fixed_dictionaries({}, optional={"limit.speed.used": st.integers(0, 1)})),
    }
    if not healthy:
        keys = [f"offer:{one}" for one in ids] + [f"provider:{name}" for name in table.providers]
        credentials = [key.id for entry in table.providers.values() for key in entry.keys or ()]
        keys += [f"credential:{one}" for one in credentials]
        until = st.sampled_from((999, 1_000, 1_001, 10**12))
        known["blocked"] = draw(st.dictionaries(st.sampled_from(keys), until, max_size=4))
        keys += [f"model:{name}" for name in table.services]
        known["full"] = draw(st.dictionaries(st.sampled_from(keys), until, max_size=2))
        if ids:
            known["probing"] = draw(st.frozensets(st.sampled_from(ids), max_size=1))
        gone = [*credentials, *table.providers]
        known["missing"] = draw(
            st.dictionaries(st.sampled_from(gone), st.just("SOME_KEY"), max_size=2)
        )
    return Answers(**known)
