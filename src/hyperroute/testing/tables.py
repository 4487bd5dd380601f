"""Hypothesis strategies for routing tables that load: overlapping names, terms, policies, prices.

A table is drawn as plain data, so that a test may change it, and rendered to YAML text. Every
reference resolves and every term ends: names of later chains are only used by those behind them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import strategies as st

from hyperroute.routing.table import RouteTable
from hyperroute.tables.load import loads
from hyperroute.tables.vocabulary import DOES

Draw = st.DrawFn
Table = dict[str, Any]
"""A table as YAML would give it: sections, then definitions by name."""

REGIONS = ("us", "us-east", "eu", "eu-central", "cn")
MODELS = ("alpha", "alpha-2", "beta", "vendor/gamma", "gamma", "delta-5.5")
ALIASES = ("alpha-latest", "assistant", "beta-20260101", "vendor/beta", "best", "cheap")
CHAINS = ("c-one", "c-two", "c-three")
INTENTS = ("smart", "fast", "any")
PROVIDERS = ("north", "south", "east", "west")
DEFAULT_KINDS = ("chat",)
_METERS = {
    "chat": ("in", "out", "in.cached", "out.reasoning"),
    "image": ("image", "call"),
    "video": ("second", "clip"),
    "audio": ("in.second", "call"),
    "embed": ("in",),
    "gpu": ("run.second",),
}
_ORDERS = (
    "cost",
    "cost ~10%",
    "sell",
    "quality.chat",
    "ttft.p90",
    "latency.p50",
    "load",
    "speed.p90",
)


def render(table: Mapping[str, Any]) -> str:
    """Write a table as YAML, one definition a line, in the order that it has."""
    lines = ["hyperroute: 1"]
    for section, value in table.items():
        if section == "hyperroute":
            continue
        if isinstance(value, Mapping) and value:
            lines.append(f"{section}:")
            lines += [f"  {json.dumps(name)}: {_flow(item)}" for name, item in value.items()]
        else:
            lines.append(f"{section}: {_flow(value)}")
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, Decimal):
        return format(value, "f")
    return json.dumps(value, ensure_ascii=False)


@cache
def rates() -> st.SearchStrategy[Decimal]:
    """Draw a rate as price lists have them: few digits, sometimes nothing, often equal ones."""
    some = st.sampled_from(("0", "0.15", "0.5", "1", "1.25", "2.5", "3", "10", "15"))
    any_rate = st.decimals(0, 100, places=4, allow_nan=False, allow_infinity=False)
    return some.map(Decimal) | any_rate


@st.composite
def sheets(draw: Draw, kind: str = "chat") -> dict[str, Any]:
    """Draw a price sheet for a kind."""
    meters = draw(st.lists(st.sampled_from(_METERS[kind]), min_size=1, unique=True))
    sheet: dict[str, Any] = {}
    if kind in {"chat", "embed"}:
        sheet["per"] = draw(st.sampled_from(("1M tok", "1k tok")))
    sheet.update({meter: draw(rates()) for meter in meters})
    if kind == "chat" and draw(st.integers(0, 3)) == 0:
        above = draw(st.sampled_from(("> 16k", ">= 1000", "> 272k")))
        sheet["tiers"] = [{"when": {"in": above}, meters[0]: draw(rates())}]
    if draw(st.integers(0, 4)) == 0:
        sheet["currency"] = "credit"
    return sheet


@cache
def _provider_facts() -> st.SearchStrategy[dict[str, Any]]:
    facts: dict[str, st.SearchStrategy[Any]] = {
        "region": st.sampled_from(REGIONS),
        "retain": st.sampled_from(("0d", "30d", "1h")),
        "trains": st.booleans(),
        "timeout": st.just({"first_byte": "5s"}),
        "limits": st.just({"at_once": 64}),
    }
    return st.fixed_dictionaries({}, optional=facts)


@st.composite
def providers(draw: Draw) -> dict[str, Any]:
    """Draw one account, with some of its facts unknown."""
    made: dict[str, Any] = {"plugin": "simulated"}
    count = draw(st.integers(0, 3))
    if count:
        made["keys"] = [f"env:KEY_{index}" for index in range(count)]
    return made | draw(_provider_facts())


@cache
def _model_facts(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    facts: dict[str, st.SearchStrategy[Any]] = {
        "context": st.sampled_from(("8k", "128k", "200k", "1M")),
        "output": st.sampled_from(("2k", "8k", "64k")),
        "quality": st.integers(0, 100).map(lambda mark: {"chat": mark}),
        "tags": st.sampled_from((["fast"], ["new", "health"], ["health"])),
        "vendor": st.sampled_from(("acme", "zenith")),
        "listed": st.booleans(),
        "sell": st.sampled_from(("cost", "cost + 15%")) | sheets(kind),
    }
    if kind == "chat":
        facts["endpoints"] = st.sampled_from(
            (["chat"], ["messages"], ["responses", "gemini", "chat"])
        )
    if DOES[kind]:
        words = st.sampled_from(sorted(DOES[kind]))
        facts["does"] = st.lists(words, unique=True, max_size=5)
    return st.fixed_dictionaries({}, optional=facts)


@cache
def _offer_facts() -> st.SearchStrategy[dict[str, Any]]:
    own: dict[str, st.SearchStrategy[Any]] = {
        "variant": st.sampled_from(("spot", "batch")),
        "sends": st.sampled_from(("upstream-id", "v1/upstream")),
        "context": st.sampled_from(("16k", "400k")),
        "region": st.sampled_from(REGIONS),
    }
    return st.fixed_dictionaries({}, optional=own)


@st.composite
def models(draw: Draw, hosts: tuple[str, ...], names: tuple[str, ...], kind: str) -> dict[str, Any]:
    """Draw one model with its offers; ``names`` are prices that it may refer to."""
    made: dict[str, Any] = {"kind": kind} | draw(_model_facts(kind))
    offers = []
    for host in draw(st.lists(st.sampled_from(hosts), unique=True, max_size=3)):
        offer: dict[str, Any] = {"at": host} | draw(_offer_facts())
        price = draw(st.none() | sheets(kind) | st.sampled_from(names or (None,)))
        if price is not None:
            offer["price"] = price
        offers.append(offer)
    if offers:
        made["offers"] = offers
    return made


@cache
def conditions_on_offers() -> st.SearchStrategy[dict[str, Any]]:
    """Draw what a policy or a chain may require of an offer."""
    return st.fixed_dictionaries(
        {},
        optional={
            "region": st.sampled_from((*REGIONS, "org.region", "not cn", "given")),
            "retain": st.sampled_from(("0d", "30d", "not given")),
            "trains": st.sampled_from((True, False, "given")),
            "context": st.sampled_from(("100k", "> 8k", "given")),
            "tags": st.sampled_from(("fast", "req.tags")),
            "does": st.lists(st.sampled_from(("tools", "vision")), unique=True, min_size=1),
            "model": st.sampled_from(("key.models", "*")),
        },
    )


@cache
def conditions_on_models() -> st.SearchStrategy[dict[str, Any]]:
    """Draw what an intent selects by."""
    return st.fixed_dictionaries(
        {},
        optional={
            "does": st.lists(st.sampled_from(("tools", "vision")), unique=True, min_size=1),
            "context": st.sampled_from(("100k", "given", "<= 200k")),
            "tags": st.sampled_from(("fast", "health")),
            "vendor": st.sampled_from(("acme", "not acme")),
        },
    )


@cache
def conditions_on_requests() -> st.SearchStrategy[dict[str, Any]]:
    """Draw when a policy applies or an arm is taken."""
    return st.fixed_dictionaries(
        {},
        optional={
            "req.kind": st.sampled_from(("chat", "image", ["chat", "embed"])),
            "req.tokens": st.sampled_from(("> 24k", "<= 1000", "given")),
            "req.stream": st.booleans(),
            "org.region": st.sampled_from(("eu", "us", "given", "not given")),
            "org.plan": st.sampled_from(("free", "pro", "not free")),
            "limit.speed.used": st.sampled_from((">= 90%", "< 50%")),
        },
    )


@st.composite
def terms(draw: Draw, names: tuple[str, ...], depth: int = 2) -> Any:
    """Draw a term over names that already mean something."""
    forms = ["name", "name"] if depth == 0 else ["name", "first", "split", "match", "from"]
    form = draw(st.sampled_from(forms))
    if form == "name":
        return draw(st.sampled_from((*names, "none")))
    inner = terms(names, depth - 1)
    made: dict[str, Any]
    if form == "first":
        made = {"first": draw(st.lists(inner, max_size=3))}
    elif form == "split":
        arms = draw(
            st.lists(st.sampled_from((*names, "none")), unique=True, min_size=1, max_size=3)
        )
        shares = {1: ("100%",), 2: ("80%", "20%"), 3: ("50%", "49.5%", "0.5%")}[len(arms)]
        made = {
            "split": {
                "by": draw(st.sampled_from(("req", "user", "key", "org", "session"))),
                "arms": dict(zip(arms, shares, strict=True)),
                "rest": draw(st.booleans()),
            }
        }
    elif form == "match":
        first = draw(conditions_on_requests().filter(bool))
        made = {"match": [{"when": first, "use": draw(inner)}, {"use": draw(inner)}]}
    else:
        made = {"from": draw(conditions_on_models())}
    return made | draw(restrictions())


@cache
def restrictions() -> st.SearchStrategy[dict[str, Any]]:
    """Draw what may stand beside a term."""
    return st.fixed_dictionaries(
        {},
        optional={
            "require": conditions_on_offers(),
            "rank": st.lists(
                st.sampled_from(_ORDERS),
                min_size=1,
                max_size=3,
                unique_by=lambda key: key.split()[0],
            ),
            "take": st.integers(1, 4),
        },
    )


@cache
def policies() -> st.SearchStrategy[dict[str, Any]]:
    """Draw one policy."""
    times = st.sampled_from(("1s", "30s", "60s", "300s"))
    caps = {
        "attempts": st.integers(1, 8),
        "time": times,
        "cost": st.sampled_from(("0.01 usd", "5 credit", "1 usd")),
        "in": st.sampled_from(("4k", "100k")),
        "out": st.sampled_from(("1k", "32k")),
    }
    retries = {
        "per_offer": st.integers(0, 2),
        "rotate": st.integers(0, 2),
        "base": st.sampled_from(("100ms", "500ms")),
        "factor": st.sampled_from((Decimal("1.5"), 2)),
        "max": st.sampled_from(("4s", "8s")),
        "jitter": st.sampled_from(("full", "none")),
        "budget": st.just("20% + 10 per 10s"),
    }
    errors = {
        "rate_limited": st.sampled_from(("rotate", "next", "retry 2")),
        "server_error": st.sampled_from(("retry", "next", "stop")),
        "context_length": st.sampled_from(("larger", "instead", "stop")),
        "content_policy": st.sampled_from(("stop", "next")),
    }
    parts = {
        "for": conditions_on_requests(),
        "require": conditions_on_offers(),
        "cap": st.fixed_dictionaries({}, optional=caps),
        "timeout": st.fixed_dictionaries({}, optional={"connect": times, "idle": times}),
        "retry": st.fixed_dictionaries({}, optional=retries),
        "errors": st.fixed_dictionaries({}, optional=errors),
        "breaker": st.fixed_dictionaries({}, optional={"cool": times}),
        "stream": st.fixed_dictionaries({}, optional={"commit": st.just("first_byte")}),
        "lossy": st.sampled_from(("report", "refuse")),
    }
    return st.fixed_dictionaries({}, optional=parts)


@st.composite
def tables(draw: Draw, *, kinds: Iterable[str] = DEFAULT_KINDS, patterns: bool = True) -> Table:
    """Draw a table that loads.

    Args:
        draw: Hypothesis's.
        kinds: Of its models.
        patterns: Whether a model's name may be a pattern.
    """
    hosts = tuple(draw(st.lists(st.sampled_from(PROVIDERS), unique=True, min_size=1)))
    table: Table = {
        "hyperroute": 1,
        "facts": {"org.plan": {"one_of": ["free", "pro"], "default": "free"}},
        "limits": {"speed": {"per": "user", "rate": "300 req / min burst 50"}},
        "providers": {name: draw(providers()) for name in hosts},
    }
    listed = ("sheet.list",) if draw(st.booleans()) else ()
    table["prices"] = {name: draw(sheets()) for name in listed}
    names = draw(st.lists(st.sampled_from(MODELS), unique=True, min_size=1, max_size=5))
    made: dict[str, dict[str, Any]] = {}
    for name in names:
        kind = draw(st.sampled_from(sorted(kinds)))
        made[name] = draw(models(hosts, listed if kind == "chat" else (), kind))
    made[names[0]]["quality"] = {"chat": draw(st.integers(0, 100))}
    if patterns and draw(st.booleans()):
        made["vendor/*"] = draw(models(hosts, listed, min(kinds)))
    offers = [
        f"{name}@{offer['at']}" + (f"/{offer['variant']}" if "variant" in offer else "")
        for name in names
        for offer in made[name].get("offers", ())
    ]
    for name in names:
        others = [
            other for other in names if other != name and made[other]["kind"] == made[name]["kind"]
        ]
        chosen: bool = draw(st.booleans())
        if others and chosen:
            other = draw(st.sampled_from(others))
            after = {"model": other, "after": ["context_length"]}
            made[name]["instead"] = [draw(st.sampled_from((other, after)))]
    table["models"] = made
    _routes(draw, table, (*names, *offers), sorted(kinds))
    _aliases(draw, table)
    some = draw(st.lists(st.sampled_from(("base", "eu", "fast")), unique=True))
    table["policies"] = {name: draw(policies()) for name in some}
    return {section: value for section, value in table.items() if value}


def _routes(draw: Draw, table: Table, known: tuple[str, ...], kinds: list[str]) -> None:
    """Add chains and intents, each over what came before it, so that no term turns in a circle."""
    table["chains"], table["intents"] = {}, {}
    for name in draw(st.lists(st.sampled_from(CHAINS), unique=True)):
        table["chains"][name] = draw(terms(known))
        known = (*known, name)
    for name in draw(st.lists(st.sampled_from(INTENTS), unique=True)):
        intent: dict[str, Any] = {"kind": draw(st.sampled_from(kinds))}
        if draw(st.booleans()):
            intent["use"] = draw(terms(known))
        else:
            intent["from"] = draw(conditions_on_models())
            intent |= draw(restrictions())
        table["intents"][name] = intent
        known = (*known, name)


def _aliases(draw: Draw, table: Table) -> None:
    """Add aliases of models, intents and earlier aliases."""
    aliases: dict[str, Any] = {}
    targets = [name for name in (*table["models"], *table["intents"]) if "*" not in name]
    for name in draw(st.lists(st.sampled_from(ALIASES), unique=True, max_size=3)):
        to = draw(st.sampled_from((*targets, *aliases)))
        aliases[name] = draw(st.sampled_from((to, {"to": to, "listed": True})))
    table["aliases"] = aliases


def route_tables(
    *, kinds: Iterable[str] = DEFAULT_KINDS, patterns: bool = True
) -> st.SearchStrategy[RouteTable]:
    """Draw a loaded table."""
    return tables(kinds=tuple(kinds), patterns=patterns).map(
        lambda table: loads(render(table)).table
    )
