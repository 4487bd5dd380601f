"""Real processes over one Valkey: limits are exact over all of them, and one probe is in flight.

Each worker is a process that is told what to do on its command line and tells what it saw in lines
on its standard output.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import pairwise

from hyperroute.canon.units import SECOND

COUNTING = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from hyperroute.canon.mutation import Charge, Pace, RateKey
from hyperroute.stores.valkey import ValkeyStore

url, amount, period_ns, burst, lasts_ns = sys.argv[1], *map(int, sys.argv[2:])
store = ValkeyStore(url)
pace = Pace(amount, period_ns, burst)
batch = [
    Charge(RateKey("speed", "req/s", (("user", "ada"),)), pace, 1),
    Charge(RateKey("speed", "tok/s", (("user", "ada"),)), Pace(amount * 7, period_ns, burst * 7), 7),
]
store.read([])
print("ready", flush=True)
sys.stdin.readline()
until = time.time_ns() + lasts_ns

def hammer(_):
    done = 0
    while time.time_ns() < until:
        done += store.commit(batch).done
    return done

with ThreadPoolExecutor(4) as pool:
    print(sum(pool.map(hammer, range(4))), flush=True)
store.close()
"""

PROBING = """
import sys, time
from hyperroute.canon.failure import Failure, FailureClass
from hyperroute.catalog.card import Breaker, OpenInRow
from hyperroute.routing.record import Attempt
from hyperroute.routing.state import Permit
from hyperroute.runtime.board import Board
from hyperroute.runtime.sharing import Sharing
from hyperroute.stores.valkey_gossip import ValkeyGossip

url, me, lasts_ns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
now = time.monotonic_ns
breaker = Breaker(open=(OpenInRow(5),), cool_ns=200_000_000, cool_max_ns=200_000_000)
BAD = Failure(kind=FailureClass.SERVER_ERROR, health="counts")
board = Board()
sharing = Sharing(board, ValkeyGossip(url), now=now, patience_ns=5_000_000_000)
sharing.start()

def ends(began, failure):
    board.note(Attempt(number=1, offer="x", provider="p", model="m", credential="", kind="first",
                       started_at=began, ended_at=now(), failure=failure), breaker)

print("ready", flush=True)
sys.stdin.readline()
until = time.time_ns() + lasts_ns
if me == 0:
    for _ in range(5):
        ends(now(), BAD)
time.sleep(0.9)  # heard by all, and half open
while time.time_ns() < until:
    permit = Permit(offer="x", provider="p", model="m", credential="", kind="first", at=now())
    told = board.permit(permit, now())
    probes = told.unleased
    if probes:
        told = sharing.permitted(permit)
    if told.granted and probes:
        began, wall = now(), time.time_ns()
        time.sleep(0.03)
        print("probe", wall, time.time_ns(), flush=True)
        ends(began, BAD)
        time.sleep(0.25)  # until it is half open again
    else:
        time.sleep(0.002)
sharing.close()
print("over", flush=True)
"""

RETRYING = """
import sys, time
from hyperroute.routing.state import Permit
from hyperroute.runtime.board import Board
from hyperroute.runtime.sharing import Sharing
from hyperroute.stores.valkey_gossip import ValkeyGossip

url, lasts_ns = sys.argv[1], int(sys.argv[2])
now = time.monotonic_ns
board = Board()
sharing = Sharing(board, ValkeyGossip(url), now=now)
sharing.start()
print("ready", flush=True)
sys.stdin.readline()
until = time.time_ns() + lasts_ns
time.sleep(0.6)  # everybody has heard of everybody
first = retries = 0
while time.time_ns() < until:
    terms = dict(offer="x", provider="p", model="m", credential="", at=now())
    if first < 50:
        first += board.permit(Permit(kind="first", **terms), now()).granted
    retries += board.permit(Permit(kind="retry", charge=100, **terms), now()).granted
    time.sleep(0.001)
print(first, retries, flush=True)
sharing.close()
"""


def run(code: str, arguments: Sequence[Sequence[object]]) -> list[list[str]]:
    """Run processes that begin together, and return the lines of each."""
    command = [sys.executable, "-c", code]
    workers = [
        subprocess.Popen(
            [*command, *map(str, terms)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for terms in arguments
    ]
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        told = [worker.communicate(timeout=60)[0].splitlines() for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert all(worker.returncode == 0 for worker in workers)
    return told


def test_invariant_45_processes_together_pass_the_burst_and_what_flows_in_and_no_more(
    valkey: str,
) -> None:
    amount, burst, lasts_ns = 97, 31, 2 * SECOND
    began = time.time_ns()
    told = run(COUNTING, [(valkey, amount, SECOND, burst, lasts_ns)] * 8)
    window = time.time_ns() - began
    passed = sum(int(lines[0]) for lines in told)
    assert passed <= burst + window * amount // SECOND
    # Nor much less: some of it nobody asked for in time, where all of them had to wait for a core.
    assert passed >= burst + lasts_ns * amount // SECOND * 8 // 10
    assert all(int(lines[0]) for lines in told), "everybody had some"


def test_invariant_22_four_processes_have_one_probe_in_flight(valkey: str) -> None:
    told = run(PROBING, [(valkey, me, 4 * SECOND) for me in range(4)])
    probes = sorted(
        (int(began), int(ended), me)
        for me, lines in enumerate(told)
        for word, began, ended in (line.split() for line in lines[:-1])
        if word == "probe"
    )
    assert len(probes) >= 4
    assert len({me for *_, me in probes}) >= 2, "not one process alone"
    for (_, ended, _), (began, _, _) in pairwise(probes):
        assert began >= ended


def test_invariant_15_eight_processes_have_one_floor_of_retries(valkey: str) -> None:
    told = run(RETRYING, [(valkey, 2 * SECOND)] * 8)
    first, retries = (sum(int(lines[0].split()[at]) for lines in told) for at in (0, 1))
    assert first == 8 * 50
    # A fifth of the first attempts, and the floor: ten, and what flows in of another ten meanwhile.
    assert 8 * 10 <= retries <= first // 5 + 10 + 10
