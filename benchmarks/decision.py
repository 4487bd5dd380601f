"""How long a decision takes: ``python -m benchmarks.decision``.

From answers in hand to the ordered candidates, with tables of 100 to 100,000 offers. Many runs in
one process; no plan is remembered between runs, and every run asks for another size. Beside the
median stands the tenth percentile: on a shared machine that is the figure of an undisturbed core.
"""

from __future__ import annotations

import gc
import random
import statistics
import sys
import time
from collections.abc import Callable
from decimal import Decimal

from hyperroute.canon.request import Conversation, Request
from hyperroute.catalog.card import KeyEntry, Model, Offer, ProviderEntry
from hyperroute.catalog.condition import Line
from hyperroute.catalog.price import Sheet
from hyperroute.routing.plan import Plan, plan
from hyperroute.routing.questions import Answers
from hyperroute.routing.table import (
    Cap,
    From,
    Intent,
    Policy,
    RankKey,
    Restrict,
    RouteTable,
    Service,
)

SCALE = 10**12
CANDIDATES = 20
CHAT = frozenset({"chat", "messages", "responses", "gemini"})
CONTEXTS = (32_000, 128_000, 200_000, 400_000, 1_000_000)


def make_offer(model: str, at: int, dice: random.Random) -> Offer:
    """One offer with a random price, window and capabilities."""
    provider = f"provider-{at % 40}"
    rate_in = dice.randrange(50_000, 5_000_000)
    return Offer(
        id=f"{model}@{provider}",
        model=model,
        provider=provider,
        sends=model,
        price=(Sheet(rates={"in": rate_in, "out": dice.randrange(100_000, 25_000_000)}, steps={}),),
        kind="chat",
        does=frozenset({"tools", *(["vision"] if dice.random() < 0.8 else [])}),
        endpoints=CHAT,
        context=dice.choice(CONTEXTS),
        region=dice.choice(("us", "eu-central", "eu-west")),
        quality={"chat": dice.randrange(40, 100)},
        fields={},
        adds={},
    )


def make_table(size: int) -> RouteTable:
    """A table of ``size`` offers: one model with 20 of them, the others with one each."""
    dice = random.Random(size)  # noqa: S311 - repeatable figures, no secrets
    services: dict[str, Service] = {}
    pinned = tuple(make_offer("pinned", at, dice) for at in range(CANDIDATES))
    groups = [("pinned", pinned)]
    groups += [
        (f"model-{at:06}", (make_offer(f"model-{at:06}", at, dice),))
        for at in range(size - CANDIDATES)
    ]
    for name, offers in groups:
        model = Model(
            name=name, kind="chat", offers=offers, does=frozenset(), endpoints=CHAT, quality={}
        )
        services[name] = Service(model=model)
    twenty = Restrict(From((), ("pinned",)), rank=(RankKey("cost"),))
    listed = tuple(name for name in services if name != "pinned")
    cheapest = Restrict(From((), listed), rank=(RankKey("cost"),), take=3)
    grid = Restrict(From((), listed), rank=(RankKey("cost", 10), RankKey("ttft.p90")), take=3)
    terms = {"twenty": twenty, "cheapest": cheapest, "grid": grid}
    return RouteTable(
        digest=f"benchmark {size}",
        scale=SCALE,
        providers={
            f"provider-{at}": ProviderEntry(
                name=f"provider-{at}",
                plugin="simulated",
                keys=(KeyEntry(id=f"provider-{at}#0", secret="env:KEY"),),
                headers={},
                options={},
            )
            for at in range(40)
        },
        services=services,
        intents={
            name: Intent(name=name, kind="chat", term=term, default={})
            for name, term in terms.items()
        },
        policies=(
            Policy(name="base", cap=Cap(attempts=6, cost=None)),
            Policy(name="chat", when=(Line("req.kind", "equal", ("chat",)),)),
            Policy(name="image", when=(Line("req.kind", "equal", ("image",)),)),
            Policy(
                name="eu",
                when=(Line("org.region", "equal", ("eu",)),),
                require=(Line("region", "within", ("eu",)),),
                cap=Cap(cost=Decimal(1)),
            ),
        ),
        offers={offer.id: offer for _, offers in groups for offer in offers},
    )


def make_request(at: int, *, model: str | None = None, intent: str | None = None) -> Request:
    """A chat request; each run another size, so that nothing of one helps the next."""
    return Request(
        model=model,
        intent=intent,
        dialect="openai.chat",
        endpoint="chat",
        raw={},
        features=frozenset({"tools"}),
        input_bytes=4_000 + 37 * (at % 997),
        max_output=200 + at % 700,
        labels={"org.id": f"org-{at % 50}"},
        decode=lambda _: Conversation(),
    )


def times_us(run: Callable[[int], Plan], runs: int = 3_000) -> str:
    """Median and tenth percentile of single runs, microseconds, the clock's own time taken off."""
    now = time.perf_counter_ns
    for at in range(300):
        run(at)
    samples = []
    gc.collect()
    gc.disable()
    for at in range(runs):
        begin = now()
        run(at)
        samples.append(now() - begin)
    gc.enable()
    empty = []
    for _ in range(runs):
        begin = now()
        empty.append(now() - begin)
    idle = statistics.median(empty)
    median, tenth = statistics.median(samples), statistics.quantiles(samples, n=10)[0]
    return f"{(median - idle) / 1_000:.1f} ({(tenth - idle) / 1_000:.1f})"


def measure(table: RouteTable, *, down: bool = False, **named: str) -> str:
    """Times to plan, requests made beforehand."""
    requests = [make_request(at, **named) for at in range(997)]
    troubled = {"offer:model-000001@provider-1": 10**18, "provider:provider-7": 10**18}
    answers = Answers(day=20_000, blocked=troubled if down else {})
    return times_us(lambda at: plan(requests[at % 997], table=table, answers=answers))


def main(sizes: tuple[int, ...] = (100, 1_000, 10_000, 100_000)) -> None:
    """Print one line per table size."""
    print(f"python {sys.version.split()[0]}; microseconds, median (10th percentile)")
    heads = ("offers", "pinned 20", "intent 20", "open take 3", "with outages", "cost ~10%")
    print(" ".join(f"{head:>14}" for head in heads))
    for size in sizes:
        table = make_table(size)
        figures = (
            str(size),
            measure(table, model="pinned"),
            measure(table, intent="twenty"),
            measure(table, intent="cheapest"),
            measure(table, intent="cheapest", down=True),
            measure(table, intent="grid"),
        )
        print(" ".join(f"{figure:>14}" for figure in figures), flush=True)


if __name__ == "__main__":
    main()
