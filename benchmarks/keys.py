"""What a key costs, and whether the time tells anything: ``python -m benchmarks.keys``.

The rows are judged in turn, one call of each a round, so that a change of the machine's speed meets
all of them. Against a stopwatch the figure that matters is the difference between a word that is
unknown where no key has its prefix, and one that is unknown where a key has.
"""

from __future__ import annotations

import argparse
import gc
from statistics import median
from time import perf_counter_ns, time_ns

from hyperroute.accounts.issuing import issue
from hyperroute.accounts.keys import put, verdict, wanted
from hyperroute.plugins.secret import Secret
from hyperroute.routing.limiting import charges, granted
from hyperroute.routing.table import Limit
from hyperroute.stores.memory import MemoryStore
from hyperroute.tables.words import rate

PEPPER = Secret("pepper of this benchmark, long enough")


def main() -> None:
    """Print medians in nanoseconds, and what lies between them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=100_000)
    rounds = parser.parse_args().rounds
    store = MemoryStore(now=perf_counter_ns)
    secret = ""
    for _ in range(1_000):
        secret, key = issue(
            name="one of a thousand",
            owner_type="user",
            owner_id="ada",
            pepper=PEPPER,
            now=time_ns(),
        )
        store.commit([put(key)])
    words = {
        "known": secret,
        "unknown, another's prefix": secret[:8] + "0" * 59,
        "unknown, nobody's prefix": "ck_zzzzz" + "0" * 59,
        "malformed": "sk-zzzzz" + "0" * 59,
    }
    told = times(store, words, rounds)
    middle = {name: median(found) for name, found in told.items()}
    for name, ns in middle.items():
        print(f"{name:28} {ns:7.0f} ns")
    shared, free = middle["unknown, another's prefix"], middle["unknown, nobody's prefix"]
    print(f"{'prefix tells':28} {abs(shared - free) / free:7.2%}")
    print(f"{'form tells':28} {abs(middle['malformed'] - free) / free:7.2%}")
    limits = [
        Limit(name="speed", per=("user",), rate=(rate("9000M req / min"), rate("9000M tok / s")))
    ]
    print(f"{'two rates of one user':28} {median(limited(store, limits, rounds)):7.0f} ns")


def times(store: MemoryStore, words: dict[str, str], rounds: int) -> dict[str, list[int]]:
    """Look each word up and judge it, in turn."""
    told: dict[str, list[int]] = {name: [] for name in words}
    gc.disable()
    for _ in range(rounds):
        for name, word in words.items():
            began = perf_counter_ns()
            (found,) = store.read([wanted(word)])
            verdict(word, found, now=began, pepper=PEPPER)
            told[name].append(perf_counter_ns() - began)
    gc.enable()
    return told


def limited(store: MemoryStore, limits: list[Limit], rounds: int) -> list[int]:
    """Charge a request and read the verdict."""
    facts, told = {"user.id": "ada"}, []
    for _ in range(rounds):
        began = perf_counter_ns()
        demands = charges(limits, facts.get, {"req": 1, "tok": 900})
        granted(demands, store.commit([demand.mutation for demand in demands]))
        told.append(perf_counter_ns() - began)
    return told


if __name__ == "__main__":
    main()
