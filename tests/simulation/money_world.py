"""Four replicas over one store, and everything that can go wrong between them; time is ours.

A world is played from bytes: each of them decides one thing, and when they are used up nothing goes
wrong any more and everybody comes to an end. So a world repeats, and a failing one can be cut down.

Requests, sweepers and keys speak to the store in their own words (``idempotent.claimed``, ``sweeping``).
Every batch that reaches the store is judged beforehand by ``Truth``, which knows no balance: it keeps
what was granted and adds up anew each time.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter, defaultdict
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import shake_256
from typing import Any

from hyperroute.canon.money import (
    OPEN,
    Barred,
    BudgetKey,
    Checkpoint,
    Cost,
    Deposit,
    Dispatch,
    End,
    Held,
    Hold,
    HoldKey,
    Overdue,
    Posted,
    Posting,
    PostingKey,
    Purse,
    Repeated,
    Reserve,
    Short,
    Spend,
    Sums,
    Totals,
    Wallet,
    WalletKey,
)
from hyperroute.canon.mutation import Changed, Delete, Mutation, Put, Row, RowKey, Stored
from hyperroute.errors import StoreError
from hyperroute.gateway.door import Commit, Read, Unwelcome
from hyperroute.gateway.idempotent import Claim, Keeping, claimed
from hyperroute.gateway.message import HttpResponse
from hyperroute.ledger.book import book
from hyperroute.ledger.sweeping import sweep, sweeping
from hyperroute.stores.memory import MemoryStore

REPLICAS = 4
LEASE = 100
KEEPING = Keeping(kept_ns=100_000, lease_ns=120, bytes_max=1_000)
STRICT, FLOORED = "user:ada", "org:acme"
FLOOR = 200
LIMITS: dict[BudgetKey, int | None] = {
    BudgetKey("seen", (("key", "k1"),), "2026-11"): None,
    BudgetKey("key-month", (("key", "k1"),), "2026-11"): 6_000,
    BudgetKey("team", (("org", "acme"),), "2026-11"): 9_000,
}
SLOTS = {BudgetKey("at-once", (("key", "k1"),), "now"): 4}
PATIENCE = 25
"""How long anybody waits for the store; who has given up may still be heard there."""
FAULTS = ("none", "lost there", "lost back", "stalled", "refused", "crash")
POINTS = frozenset(
    {
        "before the claim",
        "before the hold",
        "held",
        "dispatched",
        "streaming",
        "before the end",
        "ended",
        "kept",
    }
)
"""Where a process may die between two words with the store."""


@dataclass(frozen=True)
class Sleep:
    ns: int


@dataclass(frozen=True)
class Point:
    name: str


Actor = Generator[Any, Any, None]


class Dice:
    """Bytes that decide; when they are used up, nothing happens any more."""

    def __init__(self, data: bytes) -> None:
        self._left = iter(data)
        self.is_over = False

    def roll(self) -> int:
        found = next(self._left, None)
        self.is_over = self.is_over or found is None
        return 0 if found is None else found

    def below(self, number: int) -> int:
        return self.roll() * number // 256

    def chance(self, of_256: int) -> bool:
        """Say yes so often; never once the bytes are used up."""
        return self.roll() > 255 - of_256


@dataclass
class Fact:
    """A hold, as it was granted and as it ended."""

    terms: Reserve
    due: int
    sent: bool
    said: int | None = None
    end: tuple[int | None, int] | None = None
    """What it was worth, and what was charged."""

    @property
    def bounded(self) -> bool:
        terms = self.terms
        capped = any(limit is not None for _, limit in terms.budgets)
        return capped or (terms.purse is not None and terms.purse.floor is None)

    @property
    def weighs(self) -> int:
        return self.terms.amount if self.end is None else self.end[1]


class Truth:
    """What must come of each batch, from all that was granted so far."""

    def __init__(self) -> None:
        self.paid: dict[PostingKey, Deposit] = {}
        self.holds: dict[HoldKey, Fact] = {}
        self.rows: dict[RowKey, tuple[int, int]] = {}
        self.version = 0
        self.costs: Counter[bool] = Counter()

    def judge(self, batch: Sequence[Mutation], now: int) -> list[object]:
        """Say what each mutation comes to, and remember the batch if all are granted."""
        told = [self._one(mutation, now) for mutation in batch]
        if not any(isinstance(one, type) for one in told):
            writes = any(isinstance(mutation, Put | Delete) for mutation in batch)
            self.version += writes
            for mutation, outcome in zip(batch, told, strict=True):
                self._remember(mutation, outcome, now)
        return told

    def used(self, budget: BudgetKey) -> Spend:
        mine = [fact for fact in self.holds.values() if budget in dict(fact.terms.budgets)]
        settled = sum(fact.weighs for fact in mine if fact.end)
        return Spend(settled, sum(fact.weighs for fact in mine if not fact.end))

    def open_in(self, slot: BudgetKey) -> int:
        facts = self.holds.values()
        return sum(slot in dict(fact.terms.slots) for fact in facts if not fact.end)

    def wallet(self, owner: str) -> Wallet:
        paid = sum(one.amount for one in self.paid.values() if one.owner == owner)
        mine = [fact for fact in self.holds.values() if _owner(fact) == owner]
        held = sum(fact.weighs for fact in mine if not fact.end and _strict(fact))
        return Wallet(paid - held - sum(fact.weighs for fact in mine if fact.end), held)

    def _one(self, mutation: Mutation, now: int) -> object:
        """Return the outcome, or the kind of the one that declines."""
        match mutation:
            case Deposit():
                return Repeated if mutation.key in self.paid else Posted(0)
            case Reserve():
                return self._reserve(mutation, now)
            case Dispatch() | Checkpoint() | End():
                fact = self.holds.get(mutation.key)
                if fact is None or fact.end:
                    return Barred
                return self._hold(mutation, fact, now)
            case Put() | Delete():
                version, until = self.rows.get(mutation.key, (0, 0))
                have = version if until > now else 0
                fits = mutation.expected is None or mutation.expected == have
                return Stored(self.version + 1) if fits else Changed
            case _:
                raise AssertionError(mutation)

    def _reserve(self, terms: Reserve, now: int) -> object:
        if terms.key in self.holds:
            return Barred
        for budget, limit in terms.budgets:
            spend = self.used(budget)
            if limit is not None and spend.settled + spend.held + terms.amount > limit:
                return Short
        for slot, most in terms.slots:
            if most is not None and self.open_in(slot) >= most:
                return Short
        if terms.purse is not None:
            needed = terms.amount if terms.purse.floor is None else terms.purse.floor
            if self.wallet(terms.purse.owner).free < needed:
                return Short
        return Held(now + terms.lease_ns)

    def _hold(self, mutation: Dispatch | Checkpoint | End, fact: Fact, now: int) -> object:
        match mutation:
            case Checkpoint() if not fact.sent:
                return Barred
            case End(charged=charged, overdue=overdue):
                if overdue and (now < fact.due or charged != fact.said):
                    return Barred
                worth = charged or 0
                charge = min(worth, fact.terms.amount) if fact.bounded else worth
                return Posted(charge, worth - charge)
            case _:
                return Held(max(fact.due, now + mutation.lease_ns))

    def _remember(self, mutation: Mutation, outcome: object, now: int) -> None:
        match mutation, outcome:
            case Deposit(), _:
                self.paid[mutation.key] = mutation
            case Reserve(), Held(due):
                self.holds[mutation.key] = Fact(mutation, due, bool(mutation.attempt))
            case Dispatch(), Held(due):
                self.holds[mutation.key].due, self.holds[mutation.key].sent = due, True
            case Checkpoint(), Held(due):
                fact = self.holds[mutation.key]
                fact.due, fact.said = due, max(fact.said or 0, mutation.charged)
            case End(), Posted(charged):
                self.holds[mutation.key].end = (mutation.charged, charged)
                for cost in mutation.costs:
                    self.costs[cost.served] += cost.amount
            case Put(), Stored(version):
                until = 10**18 if mutation.keep_ns is None else now + mutation.keep_ns
                self.rows[mutation.key] = (version, until)
            case Delete(), _:
                self.rows.pop(mutation.key, None)
            case _:
                raise AssertionError(mutation)


def _owner(fact: Fact) -> str | None:
    return None if fact.terms.purse is None else fact.terms.purse.owner


def _strict(fact: Fact) -> bool:
    return fact.terms.purse is not None and fact.terms.purse.floor is None


@dataclass
class Client:
    """One call: what it asked, and what came of it."""

    number: int
    key: str | None
    body: str
    price: int
    told: int | None = None
    """A status that is no answer; ``None``: an answer, or nothing at all."""
    delivered: int = 0
    """The price of what it was told."""
    noted: int = 0
    """Of that, what a checkpoint certainly has."""
    settled: int | None = None
    """What it was charged, where its end was certainly posted."""
    answer: bytes | None = None
    calls: int = 0
    over: bool = False
    """Nothing is sent for it any more."""

    @property
    def hold(self) -> HoldKey:
        return HoldKey(f"r{self.number}")


@dataclass
class Happening:
    """Something under way on a replica."""

    replica: int
    epoch: int
    actor: Actor
    client: Client | None
    point: str = "before the hold"


class MoneyWorld:
    """Plays one world, and checks it at every step."""

    def __init__(self, data: bytes) -> None:
        self.dice = Dice(data)
        self.now = 1
        self.memory = MemoryStore(now=lambda: self.now, book=book)
        self.truth = Truth()
        self.operations = 0
        self.crashed: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self.whole: set[bytes | None] = {None}
        self.clients: list[Client] = []
        self.postings: dict[PostingKey, Posting] = {}
        self._epochs = [0] * REPLICAS
        self._under_way: list[Happening] = []
        self._events: list[tuple[int, int, Any]] = []
        self._number = 0
        faults = self.dice.roll()
        self._faulty = {kind for bit, kind in enumerate(FAULTS) if faults >> bit & 1}

    def play(self) -> None:
        """Play to the end, and have it swept."""
        self._commit([Deposit(PostingKey("pay/0"), STRICT, 9_000)])
        self._commit([Deposit(PostingKey("pay/1"), FLOORED, 4_000)])
        while not self.dice.is_over:
            self._act()
        while self._events:
            self._advance()
        self.now += 10 * LEASE
        sweep(Judged(self))
        before = self._books()
        for _ in range(2):
            sweep(Judged(self))
            assert self._books() == before, "sweeping again is sweeping once (52)"
        self._check_clients()

    # --- what happens ----------------------------------------------------------------------------
    def _act(self) -> None:
        match self.dice.below(32):
            case 0 | 1 | 2:
                self._ask(self.dice.below(REPLICAS))
            case 3 if "crash" in self._faulty and self.dice.chance(80):
                self._crash(self.dice.below(REPLICAS))
            case 4:
                self._start(self.dice.below(REPLICAS), self._sweeper(), None)
            case 5 if self.dice.chance(40):
                self._commit([Deposit(PostingKey(f"pay/{self.dice.below(9)}"), STRICT, 900)])
            case _:
                self._advance()

    def _ask(self, replica: int) -> None:
        said = self.dice.roll()
        key = f"key{said % 3}" if said & 64 else None
        price = self.dice.below(600)
        client = Client(len(self.clients), key, f"body{int(said % 19 == 7)}", price)
        self.clients.append(client)
        self._start(replica, self._request(replica, client), client)

    def _start(self, replica: int, actor: Actor, client: Client | None) -> None:
        happening = Happening(replica, self._epochs[replica], actor, client)
        self._under_way.append(happening)
        self._resume(happening, None, None)

    def _crash(self, replica: int) -> None:
        """Whatever the replica did is gone; what it has sent to the store may still arrive."""
        self._epochs[replica] += 1
        for happening in self._under_way:
            if happening.replica == replica and happening.client is not None:
                self.crashed[happening.point] += 1
        self._under_way = [one for one in self._under_way if one.replica != replica]

    def _advance(self) -> None:
        if self._events:
            at, _, what = heapq.heappop(self._events)
            self.now = max(self.now, at)
            what()
        else:
            self.now += 1 + self.dice.below(40)

    def _later(self, ns: int, what: Any) -> None:
        self._number += 1
        heapq.heappush(self._events, (self.now + ns, self._number, what))

    def _resume(self, one: Happening, got: Any, error: StoreError | None) -> None:
        """Let it go on to its next wish, unless its replica has died since."""
        while one.epoch == self._epochs[one.replica]:
            try:
                wish = one.actor.send(got) if error is None else one.actor.throw(error)
            except StopIteration:
                self._under_way.remove(one)
                return
            got, error = None, None
            match wish:
                case Point(name):
                    one.point = name
                    self._later(self.dice.below(20), lambda: self._resume(one, None, None))
                    return
                case Sleep(ns):
                    self._later(ns, lambda: self._resume(one, None, None))
                    return
                case Overdue():
                    got = self.memory.read([wish])[0]
                case Read(keys):
                    got = self.memory.read(keys)
                case _:
                    self._send(one, wish.mutations if isinstance(wish, Commit) else [wish])
                    return

    def _send(self, one: Happening, batch: Sequence[Mutation]) -> None:
        """Carry a batch to the store and its answer back, over a line that may do what it likes."""
        fault = FAULTS[self.dice.below(len(FAULTS))] if self.dice.below(4) == 3 else "none"
        if fault not in self._faulty:
            fault = "none"
        there = LEASE + self.dice.below(60) if fault == "stalled" else self.dice.below(3)
        back = self.dice.below(3)
        unknown = StoreError("?", unknown=True)

        def arrive() -> None:
            commit = self._commit(batch)
            if fault == "none":
                self._later(back, lambda: self._resume(one, commit, None))

        if fault == "refused":
            self._later(back, lambda: self._resume(one, None, StoreError("down")))
        elif fault != "none":
            self._later(PATIENCE, lambda: self._resume(one, None, unknown))
        if fault not in {"refused", "lost there"}:
            self._later(there, arrive)

    # --- who acts --------------------------------------------------------------------------------
    def _sweeper(self) -> Actor:
        try:
            yield from sweeping(1 + self.dice.below(5))
        except StoreError:
            return

    def _request(self, replica: int, client: Client) -> Actor:
        claim = None
        if client.key is not None:
            yield Point("before the claim")
            found = yield from self._claimed(client, client.key)
            if found is None:
                return
            claim = found
        yield Point("before the hold")
        if not (yield from self._reserved(client, claim)):
            return
        yield Point("held")
        costs: list[Cost] = []
        served = False
        for attempt in range(1, 2 + self.dice.below(3)):
            try:
                commit = yield Commit([Dispatch(client.hold, attempt, LEASE)])
            except StoreError:
                break  # what cannot be said is not sent
            if not commit.done:
                break  # swept up: nobody pays for it any more
            client.calls += 1
            self._check_key(client)
            yield Point("dispatched")
            yield Sleep(self.dice.below(90))
            served = not self.dice.chance(90)
            costs.append(Cost("pq"[attempt % 2], self.dice.below(9), served))
            if served:
                yield from self._streamed(client)
                break
        yield Point("before the end")
        yield from self._ended(replica, client, claim, tuple(costs), served=served)

    def _claimed(self, client: Client, key: str) -> Generator[Any, Any, Claim | None]:
        claim = Claim(id=key, fingerprint=client.body, by=client.hold.id, keeping=KEEPING)
        try:
            found = yield from claimed(claim)
        except Unwelcome as why:
            client.told = why.error.status
        except StoreError:
            client.told = 503
        else:
            if isinstance(found, Claim):
                return found
            assert isinstance(found, HttpResponse)
            client.answer = found.body
        return None

    def _reserved(self, client: Client, claim: Claim | None) -> Generator[Any, Any, bool]:
        said = self.dice.roll()
        budgets = tuple(pair for bit, pair in enumerate(LIMITS.items()) if said >> bit & 1)
        purse = (None, Purse(STRICT), Purse(STRICT), Purse(FLOORED, FLOOR))[said >> 3 & 3]
        slots = tuple(SLOTS.items()) if said >> 5 & 1 else ()
        worst = client.price + (-20 if said >> 5 == 7 else said >> 3)  # some are worth more
        terms = Reserve(client.hold, max(0, worst), budgets, purse, LEASE, said >> 6 & 1, slots)
        try:
            commit = yield Commit([terms, *(() if claim is None else claim.vouched())])
        except StoreError:
            client.told = 503  # it may be held: then the sweeper gives it back
            return False
        if not commit.done:
            client.told = 402
            if claim is not None and isinstance(commit.outcomes[0], Short):
                try:
                    yield Commit(claim.let_go())
                except StoreError:
                    return False
        return bool(commit.done)

    def _streamed(self, client: Client) -> Generator[Any, Any, None]:
        pieces = 1 + self.dice.below(5)
        for piece in range(1, pieces + 1):
            yield Sleep(1 + self.dice.below(50))
            if self.dice.chance(30):
                return  # the client left
            client.delivered = client.price * piece // pieces
            yield Point("streaming")
            if self.dice.chance(128) and client.delivered:
                try:
                    commit = yield Commit([Checkpoint(client.hold, client.delivered, LEASE)])
                except StoreError:
                    continue
                if commit.done:
                    client.noted = client.delivered

    def _ended(
        self,
        replica: int,
        client: Client,
        claim: Claim | None,
        costs: tuple[Cost, ...],
        *,
        served: bool,
    ) -> Generator[Any, Any, None]:
        worth = client.delivered if client.delivered or (served and not client.price) else None
        whole = worth == client.price
        body = client.hold.id.encode()
        self.whole |= {body} if whole else set()
        with_it: tuple[Mutation, ...] = ()
        if claim is not None and whole:
            with_it = claim.answered(200, (("content-type", "text/plain"),), body)
        elif claim is not None:
            with_it = claim.gone() if worth else claim.let_go()
        for _ in range(1 + self.dice.below(3)):
            try:
                commit = yield Commit([End(client.hold, worth, costs)])
            except StoreError:
                yield Sleep(self.dice.below(40))
                continue
            if commit.done:
                client.settled = commit.outcomes[0].charged
            break
        yield Point("ended")
        client.over = True
        with suppress(StoreError):
            yield Commit(with_it)
        yield Point("kept")
        if whole:
            client.answer = body
        self.ends["whole" if whole else "part" if worth else "failed"] += 1

    # --- what always holds -----------------------------------------------------------------------
    def _commit(self, batch: Sequence[Mutation]) -> Any:
        expected = self.truth.judge(batch, self.now)
        commit = self.memory.commit(batch)
        self.operations += 1
        for outcome, said in zip(commit.outcomes, expected, strict=True):
            if isinstance(said, type):
                assert isinstance(outcome, said), (batch, outcome, said)
            else:
                assert outcome == said, (batch, outcome, said)
        assert commit.done == (not any(isinstance(said, type) for said in expected))
        self._check_books(batch)
        return commit

    def _check_books(self, batch: Sequence[Mutation]) -> None:
        (sums,) = self.memory.read([Totals()])
        assert isinstance(sums, Sums)
        accounts = defaultdict(int, sums.accounts)
        assert sum(accounts.values()) == 0, "33"
        for owner in (STRICT, FLOORED):
            wallet = self.truth.wallet(owner)
            assert (accounts[f"wallet/{owner}"], accounts[f"held/{owner}"]) == (
                wallet.free,
                wallet.held,
            )
            assert self.memory.read([WalletKey(owner)])[0] in {wallet, None}
        strict = self.truth.wallet(STRICT)
        assert min(strict.free, strict.held) >= 0, "35"
        for budget, limit in LIMITS.items():
            spend = self.truth.used(budget)
            assert limit is None or spend.settled + spend.held <= limit, "36"
            assert self.memory.read([budget])[0] in {spend, None}
        assert -accounts["bought"] == self.truth.costs[True], "41"
        assert -accounts["lost/attempts"] == self.truth.costs[False], "41"
        for mutation in batch:
            if isinstance(mutation, Reserve | Dispatch | Checkpoint | End):
                self._check_hold(mutation.key)
        by_key = Counter(
            client.key
            for client in self.clients
            if client.key
            and not client.over
            and (fact := self.truth.holds.get(client.hold))
            and not fact.end
        )
        assert not by_key or max(by_key.values()) == 1, "one run of a key at a time"

    def _check_hold(self, key: HoldKey) -> None:
        (hold,) = self.memory.read([key])
        fact = self.truth.holds.get(key)
        if fact is None:
            assert hold is None
            return
        assert isinstance(hold, Hold)
        assert (hold.phase in OPEN) == (fact.end is None), "34"
        if fact.end is None:
            assert (hold.charged, hold.due) == (fact.said, fact.due)
        else:
            worth, charged = fact.end
            assert hold.charged == charged
            assert hold.phase == ("released" if worth is None else "settled")
            assert charged <= fact.terms.amount or not fact.bounded, "37"
        for kind in ("hold", "end"):
            name = PostingKey(f"{key.id}/{kind}")
            (posting,) = self.memory.read([name])
            if isinstance(posting, Posting):
                assert self.postings.setdefault(name, posting) == posting, "33"
            else:
                assert name not in self.postings, "33"

    def _check_key(self, client: Client) -> None:
        """Whoever calls a provider has the key, and nobody has been answered under it."""
        if client.key is not None:
            (row,) = self.memory.read([RowKey("idempotency", client.key)])
            assert isinstance(row, Row)
            told = json.loads(row.body)
            assert (told["by"], told["state"]) == (client.hold.id, "running"), "39"

    def _books(self) -> object:
        keys = [HoldKey(client.hold.id) for client in self.clients]
        wallets = [WalletKey(STRICT), WalletKey(FLOORED)]
        return self.memory.read([Totals(), Overdue(1_000), *wallets, *LIMITS, *SLOTS, *keys])

    def _check_clients(self) -> None:
        """Nothing was lost, nothing was doubled."""
        paid: Counter[str] = Counter()
        for client in self.clients:
            fact = self.truth.holds.get(client.hold)
            charged = 0
            if fact is not None:
                assert fact.end is not None, "34: whatever happened, it has ended"
                charged = fact.end[1]
                most = fact.terms.amount if fact.bounded else client.price
                assert charged <= client.delivered, "40: nobody pays for what did not come"
                assert charged >= min(client.noted, most), "what was noted is paid for"
                if client.settled is not None:
                    assert charged == client.settled == min(client.delivered, most)
            else:
                assert client.delivered == client.calls == 0, "nothing is sent without a hold"
            if client.key is not None:
                paid[client.key] += charged > 0
                assert client.answer in self.whole, "nothing is told that was not whole"
        assert not paid or max(paid.values()) <= 1, "39"
        for slot in SLOTS:
            assert self.truth.open_in(slot) == 0


class Judged:
    """The store as a sweeper on a quiet line sees it."""

    def __init__(self, world: MoneyWorld) -> None:
        self._world = world

    def read(self, keys: Sequence[Any]) -> Any:
        return self._world.memory.read(keys)

    def commit(self, mutations: Sequence[Mutation]) -> Any:
        return self._world._commit(mutations)

    def awaiting(self) -> Any:
        raise AssertionError("nobody awaits here")

    def close(self) -> None:
        self._world.memory.close()


def worlds(seed: int, size: int) -> Iterator[bytes]:
    """Give bytes of worlds, for ever, the same for the same seed."""
    number = 0
    while True:
        yield shake_256(f"{seed}/{number}".encode()).digest(size)
        number += 1
