"""Random tables of at most six providers, and random requests and runs against them, by seed.

Drawn with Python's own dice, not with Hypothesis: ten thousand of them are one loop with a number.
"""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

from hyperroute.bounds.situation import Situation
from hyperroute.errors import TableError
from hyperroute.routing.table import RouteTable
from hyperroute.tables.load import loads
from hyperroute.testing.tables import render

HOSTS = ("north", "south", "east", "west", "upper", "lower")
REGIONS = ("us", "us-east", "eu", "eu-central", "cn")
CLASSES = (
    "rate_limited", "overloaded", "server_error", "net_unsent", "net_ambiguous", "slow_start",
    "stalled", "truncated", "malformed_output", "empty_completion", "context_length",
    "content_policy", "bad_request", "unknown_model", "provider_auth", "provider_funds",
    "provider_region",
)  # fmt: skip
ACTIONS = ("retry", "retry 2", "retry 3", "rotate", "next", "larger", "instead", "stop")
WHENS: tuple[dict[str, Any], ...] = (
    {"org.region": "eu"},
    {"org.region": ["us", "eu"]},
    {"org.plan": "not free"},
    {"req.tokens": "> 24k"},
    {"req.tokens": "<= 1000"},
    {"req.max_out": ">= 4k"},
    {"req.stream": True},
    {"key.models": "given"},
    {"limit.speed.used": ">= 90%"},
    {"req.needs": ["tools"]},
    {"req.endpoint": "messages"},
    {"req.kind": "chat"},
)
REQUIRES: tuple[dict[str, Any], ...] = (
    {"region": "eu"},
    {"region": "org.region"},
    {"model": "key.models"},
    {"context": "100k"},
    {"provider": "not north"},
    {"tags": "req.tags"},
    {"does": ["tools"]},
    {"quality.chat": ">= 50"},
)


def drawn(seed: int) -> tuple[RouteTable, dict[str, Any]]:
    """Draw a table that loads; of those drawn under one seed, the first that does."""
    dice = Random(seed)  # noqa: S311 - it must repeat
    while True:
        plain = _table(dice)
        try:
            return loads(render(plain)).table, plain
        except TableError:
            continue  # an arm that is never reached, a host that is not there: the loader's to say


def _maybe(dice: Random, share: float) -> bool:
    return dice.random() < share


def _table(dice: Random) -> dict[str, Any]:
    hosts = dice.sample(HOSTS, dice.randint(1, 6))
    table: dict[str, Any] = {
        "hyperroute": 1,
        "facts": {"org.plan": {"one_of": ["free", "pro"], "default": "free"}},
        "limits": {"speed": {"per": "user", "rate": "300 req / min burst 50"}},
        "providers": {host: _provider(dice) for host in hosts},
    }
    names = [f"m{at}" for at in range(dice.randint(1, 4))]
    table["models"] = {name: _model(dice, hosts) for name in names}
    if _maybe(dice, 0.25):
        table["models"]["painter"] = _painter(dice, hosts)
    offers = [
        f"{name}@{offer['at']}" for name in names for offer in table["models"][name]["offers"]
    ]
    for name in names:
        others = [other for other in names if other != name]
        if others and _maybe(dice, 0.4):
            chosen = dice.sample(others, dice.randint(1, min(2, len(others))))
            after = dice.sample(CLASSES, dice.randint(1, 2))
            table["models"][name]["instead"] = [
                {"model": other, "after": after} if _maybe(dice, 0.5) else other for other in chosen
            ]
        own = [f"{name}@{offer['at']}" for offer in table["models"][name]["offers"]]
        if len(own) > 1 and _maybe(dice, 0.15):
            table["models"][name]["use"] = {"first": own, "rank": ["cost"], "take": 1}
    known = [*names, *offers]
    table["chains"], table["intents"] = {}, {}
    for chain in dice.sample(("c1", "c2"), dice.randint(0, 2)):
        table["chains"][chain] = _term(dice, known, 2)
        known.append(chain)
    for intent in dice.sample(("i1", "i2"), dice.randint(0, 2)):
        made: dict[str, Any] = {"kind": "chat"}
        if _maybe(dice, 0.5):
            made |= _beside(dice)
        else:
            made["use"] = _term(dice, known, 2)
        table["intents"][intent] = made
    if "painter" in table["models"] and _maybe(dice, 0.5):
        table["intents"]["paint"] = {"kind": "image", "rank": ["cost"], "take": 1}
    table["policies"] = {
        name: _policy(dice, base=name == "base")
        for name in ("base", "p1", "p2")[: dice.randint(0, 3)]
    }
    return {section: value for section, value in table.items() if value}


def _provider(dice: Random) -> dict[str, Any]:
    made: dict[str, Any] = {"plugin": "simulated"}
    keys = dice.choice((0, 0, 1, 2, 3))
    if keys:
        made["keys"] = [f"env:KEY_{at}" for at in range(keys)]
    if _maybe(dice, 0.7):
        made["region"] = dice.choice(REGIONS)
    if _maybe(dice, 0.1):
        made["timeout"] = {"total": dice.choice(("5s", "40s"))}
    return made


def _price(dice: Random) -> dict[str, Any]:
    price: dict[str, Any] = {
        "per": "1M tok",
        "in": Decimal(dice.choice(("0", "0.15", "1", "3"))),
        "out": Decimal(dice.choice(("0.5", "2", "15"))),
    }
    if _maybe(dice, 0.3):
        price["in.cached"] = Decimal("0.1")
        price["in.cache_write"] = Decimal(dice.choice(("0.2", "4")))
    if _maybe(dice, 0.2):
        price["tiers"] = [{"when": {"in": dice.choice(("> 16k", ">= 1000"))}, "in": Decimal(6)}]
    if _maybe(dice, 0.2):
        price["charged"] = dice.choice(("success", "attempt", "usage"))
    return price


def _model(dice: Random, hosts: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"kind": "chat", "quality": {"chat": dice.randint(0, 100)}}
    if _maybe(dice, 0.96):
        made["context"] = dice.choice(("8k", "128k", "200k"))
    if _maybe(dice, 0.7):
        made["output"] = dice.choice(("2k", "8k"))
    if _maybe(dice, 0.3):
        made["does"] = dice.choice((["tools"], ["tools", "vision"]))
    if _maybe(dice, 0.3):
        made["tags"] = ["fast"]
    if _maybe(dice, 0.2):
        made["sell"] = dice.choice(("cost", "cost + 15%"))
    made["offers"] = []
    for host in dice.sample(hosts, dice.randint(1, min(3, len(hosts)))):
        offer: dict[str, Any] = {"at": host}
        if _maybe(dice, 0.97):
            offer["price"] = _price(dice)
        if _maybe(dice, 0.2):
            offer["context"] = "16k"
        if _maybe(dice, 0.05):
            offer["timeout"] = {"total": "20s"}
        made["offers"].append(offer)
    return made


def _painter(dice: Random, hosts: list[str]) -> dict[str, Any]:
    price: dict[str, Any] = {"image": Decimal(dice.choice(("0.01", "0.04")))}
    if _maybe(dice, 0.5):
        price["tiers"] = [{"when": {"size": "2048x2048"}, "image": Decimal("0.09")}]
    return {
        "kind": "image",
        "takes": {
            "n": {"range": "1..4", "default": 1},
            "size": {"one_of": ["1024x1024", "2048x2048"], "default": "1024x1024"},
        },
        "offers": [{"at": host, "price": price} for host in dice.sample(hosts, min(2, len(hosts)))],
    }


def _beside(dice: Random) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if _maybe(dice, 0.3):
        made["require"] = dice.choice(REQUIRES)
    if _maybe(dice, 0.5):
        keys = ("cost", "cost ~10%", "quality.chat", "ttft.p90", "sell")
        made["rank"] = dice.sample(keys[:1] + keys[2:], dice.randint(1, 2))
    if _maybe(dice, 0.5):
        made["take"] = dice.randint(1, 3)
    return made


def _term(dice: Random, known: list[str], depth: int) -> Any:
    form = dice.choice(("name",) if depth == 0 else ("name", "first", "split", "match", "first"))
    if form == "name":
        return dice.choice(known)
    made: dict[str, Any]
    if form == "first":
        made = {"first": [_term(dice, known, depth - 1) for _ in range(dice.randint(1, 3))]}
    elif form == "split":
        arms = dice.sample(known, min(len(known), dice.randint(1, 3)))
        shares = {1: ("100%",), 2: ("80%", "20%"), 3: ("50%", "30%", "20%")}[len(arms)]
        made = {
            "split": {
                "by": dice.choice(("req", "user")),
                "arms": dict(zip(arms, shares, strict=True)),
                "rest": _maybe(dice, 0.5),
            }
        }
    else:
        made = {
            "match": [
                {"when": dice.choice(WHENS), "use": _term(dice, known, depth - 1)},
                {"use": _term(dice, known, depth - 1)},
            ]
        }
    return made | _beside(dice)


def _policy(dice: Random, *, base: bool) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if not base:
        made["for"] = dice.choice(WHENS)
        if _maybe(dice, 0.5):
            made["require"] = dice.choice(REQUIRES)
    if _maybe(dice, 0.6):
        made["cap"] = {"attempts": dice.randint(1, 8)}
        if _maybe(dice, 0.5):
            made["cap"]["time"] = dice.choice(("1s", "30s", "60s"))
        if _maybe(dice, 0.2):
            made["cap"]["out"] = "1k"
    if _maybe(dice, 0.5):
        made["retry"] = {"per_offer": dice.randint(0, 3), "rotate": dice.randint(0, 2)}
    if _maybe(dice, 0.5):
        kinds = dice.sample(CLASSES, dice.choice((1, 2, 4, len(CLASSES))))
        actions = dice.sample(ACTIONS, dice.randint(1, 4))
        made["errors"] = {kind: dice.choice(actions) for kind in kinds}
    if _maybe(dice, 0.1):
        made["timeout"] = {"total": dice.choice(("5s", "25s"))}
    return made


# --- requests ----------------------------------------------------------------------------------------
def situation(dice: Random, table: RouteTable, name: str) -> Situation:
    """Draw a request of a name, and what is out when it comes."""
    service = table.services.get(name)
    kind = service.model.kind if service is not None else table.intents[name].kind
    facts: dict[str, Any] = {}
    for fact, values in (
        ("org.region", ("eu", "us", "eu-central", "mars")),
        ("org.plan", ("free", "pro")),
        ("key.models", (("m0",), ("m1", "m2"), ("*",), ())),
        ("limit.speed.used", (Decimal("0.5"), Decimal("0.95"))),
        ("req.tags", (("fast",), (), ("slow",))),
        ("user.id", tuple(f"u{at}" for at in range(50))),
    ):
        if _maybe(dice, 0.5):
            facts[fact] = dice.choice(values)
    chat = kind == "chat"
    hosts = sorted(table.providers)
    parameters = {} if chat else {"n": dice.randint(1, 4), "size": dice.choice(_SIZES)}
    out = [f"offer:{offer}" for offer in table.offers if _maybe(dice, 0.3)]
    out += [f"provider:{host}" for host in hosts if _maybe(dice, 0.1)]
    keys = [key.id for one in table.providers.values() for key in one.keys or ()]
    out += [f"credential:{key}" for key in keys if _maybe(dice, 0.2)]
    return Situation(
        kind=kind,
        model=name if service is not None else None,
        intent=None if service is not None else name,
        tokens=dice.choice((0, 900, 1_000, 5_000, 20_000, 30_000, 120_000)) if chat else 0,
        max_out=dice.choice((None, None, 100, 4_000, 8_000)) if chat else None,
        endpoint=dice.choice(("", "chat", "messages")) if chat else "",
        stream=_maybe(dice, 0.5),
        needs=frozenset({"tools"}) if chat and _maybe(dice, 0.2) else frozenset(),
        parameters=parameters,
        facts=facts,
        fallback=_maybe(dice, 0.8),
        avoid=tuple(host for host in hosts if _maybe(dice, 0.1)),
        seed=dice.randrange(1000),
        measured={"ttft.p90": {offer: dice.randint(0, 9) for offer in table.offers}},
        closed=frozenset(out) if _maybe(dice, 0.7) else frozenset(),
    )


_SIZES = ("1024x1024", "2048x2048")
