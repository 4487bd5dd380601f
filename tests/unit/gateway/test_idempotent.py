"""One answer for an idempotency key, under both drivers, whoever asks and however often."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.unit.gateway.asking import ASKED, CHAT, streaming
from tests.unit.gateway.conftest import TABLE, Whole, _whole
from tests.unit.gateway.test_door import PEPPER, made

from hyperroute.canon.money import (
    Checkpoint,
    Deposit,
    End,
    HoldKey,
    PostingKey,
    Reserve,
    Sums,
    Totals,
)
from hyperroute.canon.mutation import Commit, Delete, Found, Key, Mutation, Put, Shelved, Stored
from hyperroute.canon.units import DAY, MINUTE, SECOND
from hyperroute.canon.wire import HttpRequest
from hyperroute.client import AsyncClient, Client, Router
from hyperroute.errors import StoreError
from hyperroute.gateway import BlockingGateway, Gateway, HttpResponse
from hyperroute.gateway.door import ANYBODY, Door
from hyperroute.gateway.idempotent import Claim, Keeping, claim_of
from hyperroute.gateway.paths import find
from hyperroute.ledger.book import book
from hyperroute.runtime.tab import Till, Wallets
from hyperroute.stores.base import AsyncStore, Immediate
from hyperroute.stores.memory import MemoryStore
from hyperroute.testing.replies import refusal, streamed, whole
from hyperroute.testing.world import World

KEY = ("idempotency-key", "order-7")
PATH = "/v1/chat/completions"


@dataclass
class Store:
    """In memory; ``fails`` says which commit or read a broken line spoils."""

    memory: MemoryStore
    lost: list[type[Mutation]] = field(default_factory=list)
    down: bool = False

    def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        if self.down:
            raise StoreError("down")
        return self.memory.read(keys)

    def commit(self, mutations: Sequence[Mutation]) -> Commit:
        if self.down:
            raise StoreError("down")
        commit = self.memory.commit(mutations)
        if any(isinstance(one, tuple(self.lost)) for one in mutations):
            self.lost.clear()
            raise StoreError("?", unknown=True)
        return commit

    def awaiting(self) -> AsyncStore:
        return Immediate(self)

    def close(self) -> None:
        self.memory.close()


class Gate:
    """A gateway of one colour with a store."""

    def __init__(
        self, colour: str, router: Router, *, guard: Door | None = None, **keeping: int
    ) -> None:
        self.world = World()
        self.store = Store(MemoryStore(now=self.world.now, book=book))
        self.colour, self.router, self.guard = colour, router, guard
        self.keeping = Keeping(**keeping)
        self.wallets: Wallets | None = None
        self.world.serve("https://one.test", whole("openai.chat"))

    def together(self, requests: Sequence[HttpRequest]) -> list[Whole]:
        said: dict[str, Any] = {"door": self.guard, "keeping": self.keeping}
        if self.colour == "blocking":
            till: Till[Any] | None = None
            if self.wallets is not None:
                till = Till(self.store, wallets=self.wallets)
            client = Client(self.router, transport=self.world, clock=self.world, till=till)
            blocking = BlockingGateway(client, store=self.store, **said)
            with ThreadPoolExecutor(len(requests)) as pool:
                found = pool.map(blocking.handle, requests)
                return [_whole(one, b"".join) for one in found]
        twin = self.world.awaiting()

        async def main() -> list[Whole]:
            client = AsyncClient(self.router, transport=twin, clock=twin, till=self.till())
            gateway = Gateway(client, store=self.store.awaiting(), **said)

            async def one(http: HttpRequest) -> Whole:
                response = await gateway.handle(http)
                pieces = response.pieces
                assert pieces is None or isinstance(pieces, AsyncIterator)
                body = b"" if pieces is None else b"".join([piece async for piece in pieces])
                return _whole(response, lambda _: body)

            return await asyncio.gather(*map(one, requests))

        return asyncio.run(main())

    def till(self) -> Till[AsyncStore] | None:
        return None if self.wallets is None else Till(self.store.awaiting(), wallets=self.wallets)

    def post(self, *more: tuple[str, str], body: object = CHAT, path: str = PATH) -> Whole:
        (found,) = self.together([asked(*more, body=body, path=path)])
        return found

    @property
    def rows(self) -> int:
        (found,) = self.store.memory.read([Shelved("idempotency")])
        assert isinstance(found, tuple)
        return len(found)


def asked(*more: tuple[str, str], body: object = CHAT, path: str = PATH) -> HttpRequest:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = (("content-type", "application/json"), *more)
    return HttpRequest(method="POST", url=path, headers=headers, body=data)


@pytest.fixture(scope="module")
def router(registry):
    return Router.loads(TABLE, registry=registry)


@pytest.fixture
def gate(colour, router):
    return Gate(colour, router)


def test_invariant_39_of_64_at_once_one_is_answered_and_the_others_are_told_so(gate):
    told = gate.together([asked(KEY)] * 64)
    assert len(gate.world.sent) == 1
    statuses = Counter(one.status for one in told)
    assert statuses[200] + statuses[409] == 64
    for one in told:
        if one.status == 409:
            assert one.headers["retry-after"] == "1"
            assert "x-should-retry" not in one.headers
    again = gate.together([asked(KEY)] * 64)
    assert {one.status for one in again} == {200}
    assert {one.headers["idempotent-replayed"] for one in again} == {"true"}
    assert len({one.body for one in (*again, *(one for one in told if one.status == 200))}) == 1
    assert len(gate.world.sent) == 1


@pytest.mark.parametrize("dialect", ASKED)
def test_what_was_answered_is_answered_again_as_it_was(gate, dialect):
    path, body, host = ASKED[dialect]
    gate.world.serve(host, whole(dialect))
    first, again = (gate.post(KEY, path=path, body=body) for _ in range(2))
    assert (first.status, "idempotent-replayed" in first.headers) == (200, False)
    assert (again.status, again.headers["idempotent-replayed"]) == (200, "true")
    assert again.body == first.body
    assert len(gate.world.sent) == 1
    ids = {"x-request-id", "request-id"}
    assert all(first.headers[name] != again.headers[name] for name in ids)
    kept = {name: value for name, value in again.headers.items() if name not in ids}
    assert kept.pop("idempotent-replayed")
    assert kept == {name: value for name, value in first.headers.items() if name not in ids}


def test_without_a_key_every_request_is_answered(gate):
    assert [gate.post().status for _ in range(2)] == [200, 200]
    assert len(gate.world.sent) == 2
    assert gate.rows == 0


def test_without_keeping_a_key_is_not_heeded(colour, router):
    gate = Gate(colour, router)
    gate.keeping = None  # type: ignore[assignment]
    assert [gate.post(KEY).status for _ in range(2)] == [200, 200]
    assert len(gate.world.sent) == 2


@pytest.mark.parametrize(
    "wrong", ["", "x" * 256, "two words", "a\tb", "\xe9t\xe9", '"quoted" and more']
)
def test_a_key_is_visible_ascii_of_255_characters_at_most(gate, wrong):
    told = gate.post(("idempotency-key", wrong))
    assert told.status == 400
    assert told.json["error"]["param"] == "idempotency-key"
    assert gate.world.sent == []
    assert gate.post(("idempotency-key", "x" * 255)).status == 200


@pytest.mark.parametrize("dialect", ASKED)
def test_a_key_that_named_another_request_is_refused_in_the_words_of_the_dialect(gate, dialect):
    path, body, host = ASKED[dialect]
    gate.world.serve(host, whole(dialect))
    assert gate.post(KEY, path=path, body=body).status == 200
    told = gate.post(KEY, path=path, body={**body, "metadata": {"other": "one"}})
    assert told.status == 422
    assert told.headers["x-should-retry"] == "false"
    assert "Idempotency-Key" in told.json["error"]["message"]
    assert len(gate.world.sent) == 1


def test_a_request_is_the_same_whatever_its_spaces_and_the_order_of_its_members(gate):
    turned = json.dumps(dict(reversed(CHAT.items())), indent=3).encode()
    assert gate.post(KEY).status == 200
    told = gate.post(KEY, body=turned, path="/api/v1/chat/completions?x=1")
    assert told.headers["idempotent-replayed"] == "true"


def test_keys_of_other_paths_and_owners_and_rights_are_other_keys(colour, router):
    gate = Gate(colour, router, guard=Door(pepper=PEPPER))

    def bearer(**said: Any) -> tuple[str, str]:
        return ("authorization", f"Bearer {made(gate.store.memory, **said)}")

    ada, again = bearer(owner_id="ada"), bearer(owner_id="ada")
    assert "idempotent-replayed" not in gate.post(KEY, ada).headers
    assert "idempotent-replayed" in gate.post(KEY, again).headers, "another key of hers"
    others = [bearer(owner_id="bob"), bearer(owner_type="org", owner_id="ada")]
    others.append(bearer(owner_id="ada", allowed_models=("gpt",)))
    for other in others:
        assert "idempotent-replayed" not in gate.post(KEY, other).headers
    narrow = bearer(owner_id="ada", allowed_models=("sonnet",))
    assert gate.post(KEY, narrow).status in {400, 403}, (
        "an answer is nobody's way around its rights"
    )
    messages = {**CHAT, "max_tokens": 9}
    assert gate.post(KEY, ada, path="/v1/messages", body=messages).status == 200
    assert len(gate.world.sent) == 5


def test_a_failure_is_not_remembered(gate):
    gate.world.serve(
        "https://one.test", refusal("openai.chat", 503, kind="server_error", message="no")
    )
    gate.world.serve("https://two.test", refusal("openai.chat", 400, kind="invalid_request_error", message="no"))  # fmt: skip
    assert gate.post(KEY).status >= 400
    assert gate.post(KEY, body={"model": "nosuch", "messages": []}).status == 400
    assert gate.post(KEY, body={"model": "gpt"}).status == 400
    assert gate.rows == 0
    gate.world.serve("https://one.test", whole("openai.chat"))
    assert gate.post(KEY).status == 200


def test_a_refusal_at_the_door_is_not_remembered_and_a_replay_costs_no_rate(colour, registry):
    limited = Router.loads(
        TABLE + "limits:\n  slow: {per: [user], rate: 2 req / min}\n", registry=registry
    )
    gate = Gate(colour, limited, guard=Door(pepper=PEPPER))
    ada = ("authorization", f"Bearer {made(gate.store.memory)}")
    other = ("idempotency-key", "other")
    assert gate.post(KEY, ada).status == 200
    for _ in range(9):
        assert gate.post(KEY, ada).headers["idempotent-replayed"] == "true"
    assert gate.post(ada).status == 200
    assert gate.post(other, ada).status == 429
    gate.world.sleep(MINUTE)
    assert gate.post(other, ada).status == 200


def test_a_key_is_forgotten_after_a_day(gate):
    gate.post(KEY)
    gate.world.sleep(DAY - SECOND)
    assert gate.post(KEY).headers["idempotent-replayed"] == "true"
    gate.world.sleep(SECOND)
    assert "idempotent-replayed" not in gate.post(KEY).headers
    assert len(gate.world.sent) == 2


def test_an_answer_that_is_too_large_is_remembered_and_not_kept(colour, router):
    gate = Gate(colour, router, bytes_max=20)
    assert gate.post(KEY).status == 200
    told = gate.post(KEY)
    assert told.status == 409
    assert "too large" in told.json["error"]["message"]
    assert told.headers["x-should-retry"] == "false"
    assert "retry-after" not in told.headers
    assert len(gate.world.sent) == 1


def test_a_counted_request_needs_no_key(gate):
    body = {"model": "gpt", "messages": [{"role": "user", "content": "hi"}]}
    told = [gate.post(KEY, path="/v1/messages/count_tokens", body=body) for _ in range(2)]
    assert all("idempotent-replayed" not in one.headers for one in told)
    assert gate.rows == 0


def test_a_store_that_is_down_lets_no_key_in(gate):
    gate.store.down = True
    assert gate.post(KEY).status == 503
    assert gate.world.sent == []


def test_a_claim_whose_answer_was_lost_is_ours_all_the_same(gate):
    gate.store.lost = [Put]
    assert gate.post(KEY).status == 200
    assert len(gate.world.sent) == 1
    assert gate.post(KEY).headers["idempotent-replayed"] == "true"


def test_an_answer_outlives_a_store_that_does_not_keep_it(gate):
    gate.store.lost = [Delete]
    assert gate.post(KEY).status == 200
    assert gate.post(KEY).headers["idempotent-replayed"] == "true"


# --- whoever answered is gone ----------------------------------------------------------------------
LEASE = 10 * MINUTE
DEAD = HoldKey("req_dead")


def left_behind(gate: Gate) -> Claim:
    """A key whose request was begun by a process that has died since."""
    http = asked(KEY)
    place = find(http.url)
    assert place is not None
    claim = claim_of(http, place, ANYBODY, DEAD.id, gate.keeping)
    (outcome, _) = gate.store.commit(claim.made(0)).outcomes
    assert isinstance(outcome, Stored)
    return Claim(**{name: getattr(claim, name) for name in ("id", "fingerprint", "by", "keeping")}, version=outcome.version)  # fmt: skip


def test_a_key_that_nobody_vouches_for_is_taken_over_by_one(gate):
    left_behind(gate)
    gate.world.sleep(LEASE - 1)
    assert gate.post(KEY).status == 409
    assert gate.post(KEY, body={**CHAT, "seed": 1}).status == 422
    gate.world.sleep(1)
    told = gate.together([asked(KEY)] * 64)
    assert len(gate.world.sent) == 1
    assert {one.status for one in told} <= {200, 409}


def test_a_request_that_was_only_slow_writes_over_nobody(gate):
    slow = left_behind(gate)
    gate.world.sleep(LEASE)
    first = gate.post(KEY)
    late = slow.answered(200, (), b"late")
    assert not gate.store.commit(late).done
    assert not gate.store.commit(slow.let_go()).done
    assert gate.post(KEY).body == first.body


def test_a_key_is_not_taken_over_while_its_money_is_held(gate):
    left_behind(gate)
    gate.store.commit([Reserve(DEAD, 10, lease_ns=LEASE * 2, attempt=1)])
    gate.world.sleep(LEASE)
    assert gate.post(KEY).status == 409
    gate.store.commit([End(DEAD, None)])
    assert gate.post(KEY).status == 200


def test_invariant_39_what_was_paid_for_and_is_gone_is_not_paid_for_again(gate):
    left_behind(gate)
    gate.store.commit([Reserve(DEAD, 10, lease_ns=LEASE, attempt=1)])
    gate.store.commit([Checkpoint(DEAD, 4, lease_ns=LEASE)])
    gate.world.sleep(LEASE)
    gate.store.commit([End(DEAD, 4, overdue=True)])
    for _ in range(2):
        told = gate.post(KEY)
        assert told.status == 409
        assert told.headers["x-should-retry"] == "false"
        assert "broke off" in told.json["error"]["message"]
    assert gate.world.sent == []


# --- streams -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("dialect", [*ASKED, "array"])
def test_a_stream_is_streamed_again_byte_for_byte(gate, dialect):
    array = dialect == "array"
    dialect = "gemini.generate" if array else dialect
    path, body = streaming(dialect)
    path = path.partition("?")[0] if array else path
    gate.world.serve(ASKED[dialect][2], streamed(dialect))
    first, again = (gate.post(KEY, path=path, body=body) for _ in range(2))
    assert first.status == again.status == 200
    assert again.headers["idempotent-replayed"] == "true"
    assert again.body == first.body
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["content-type"].startswith("application/json" if array else "text/event-")
    assert len(gate.world.sent) == 1
    assert gate.post(KEY, path=path, body=body).body == first.body


def test_keep_alives_are_no_part_of_what_is_kept(gate):
    script = streamed("openai.chat")
    gate.world.serve("https://one.test", replace(script, head_after_ns=40 * SECOND))
    first, again = (gate.post(KEY, body={**CHAT, "stream": True}) for _ in range(2))
    assert b"keep-alive" in first.body or gate.colour == "blocking"
    assert b"keep-alive" not in again.body
    assert again.body
    assert first.body.endswith(again.body)


def test_a_stream_that_broke_off_is_gone_and_one_that_never_began_is_free(gate):
    body = {**CHAT, "stream": True}
    gate.world.serve(
        "https://one.test", refusal("openai.chat", 503, kind="server_error", message="no")
    )
    gate.world.serve(
        "https://two.test", refusal("openai.chat", 503, kind="server_error", message="no")
    )
    assert gate.post(KEY, body=body).status == 503
    assert gate.rows == 0
    script = streamed("openai.chat").split(60)
    gate.world.serve("https://one.test", replace(script, chunks=script.chunks[:-3], end="cut"))
    first = gate.post(KEY, body=body)
    assert (first.status, b"error" in first.body) == (200, True)
    told = gate.post(KEY, body=body)
    assert told.status == 409
    assert "broke off" in told.json["error"]["message"]


def test_a_stream_that_failed_behind_its_head_is_free(gate):
    no = refusal("openai.chat", 503, kind="server_error", message="no")
    for host in ("one", "two"):
        gate.world.serve(f"https://{host}.test", replace(no, head_after_ns=12 * SECOND))
    first = gate.post(KEY, body={**CHAT, "stream": True})
    assert first.status == 200 or gate.colour == "blocking"
    assert gate.rows == 0


def test_a_stream_that_is_too_large_is_remembered_and_not_kept(colour, router):
    gate = Gate(colour, router, bytes_max=200)
    gate.world.serve("https://one.test", streamed("openai.chat"))
    body = {**CHAT, "stream": True}
    assert len(gate.post(KEY, body=body).body) > 200
    assert gate.post(KEY, body=body).status == 409


def test_invariant_39_of_64_streams_at_once_one_is_answered(gate):
    gate.world.serve("https://one.test", streamed("openai.chat"))
    requests = [asked(KEY, body={**CHAT, "stream": True})] * 64
    told = gate.together(requests)
    assert len(gate.world.sent) == 1
    assert {one.status for one in told} <= {200, 409}
    assert {one.status for one in gate.together(requests)} == {200}


# --- callers who leave, and come back ------------------------------------------------------------------
@pytest.mark.parametrize(("stream", "after_s"), [(False, 3), (True, 3), (True, 17)])
def test_who_left_finds_what_was_heard_out(router, stream, after_s):
    gate = Gate("awaiting", router)
    script = streamed("openai.chat") if stream else whole("openai.chat")
    gate.world.serve("https://one.test", replace(script, head_after_ns=15 * SECOND, chunk_after_ns=SECOND))  # fmt: skip
    http = asked(KEY, body={**CHAT, "stream": stream})
    left(gate, http, after_s * SECOND)
    (told,) = gate.together([http])
    assert (told.status, told.headers["idempotent-replayed"]) == (200, "true")
    assert len(gate.world.sent) == 1
    other = Gate("awaiting", router)
    other.world.serve("https://one.test", script)
    (alone,) = other.together([http])
    assert without_ids(alone.body) == without_ids(told.body)


@pytest.mark.parametrize("after_s", [3, 25])
def test_who_left_what_nobody_hears_out_asks_anew_or_is_told_that_it_is_gone(registry, after_s):
    stops = TABLE.replace("speaks: [chat, responses]}", "speaks: [chat, responses], options: {cancel_stops_billing: true}}")  # fmt: skip
    gate = Gate("awaiting", Router.loads(stops, registry=registry))
    script = streamed("openai.chat").split(90)
    gate.world.serve("https://one.test", replace(script, head_after_ns=15 * SECOND, chunk_after_ns=SECOND))  # fmt: skip
    http = asked(KEY, body={**CHAT, "stream": True})
    left(gate, http, after_s * SECOND)
    (told,) = gate.together([http])
    assert told.status == (200 if after_s == 3 else 409)
    assert "idempotent-replayed" not in told.headers


class Held:
    """The store, to which a commit takes half a second and its answer another; they come in order."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.read = gate.store.awaiting().read

    async def commit(self, mutations: Sequence[Mutation]) -> Commit:
        task = asyncio.ensure_future(self._carried_out(mutations))
        return await asyncio.shield(task)

    async def _carried_out(self, mutations: Sequence[Mutation]) -> Commit:
        clock = self._gate.world.awaiting()
        await clock.sleep(SECOND // 2)
        commit = self._gate.store.commit(mutations)
        await clock.sleep(SECOND // 2)
        return commit

    async def close(self) -> None:
        """Nothing is held open."""


@pytest.mark.parametrize("after_ns", [SECOND // 4, SECOND * 3 // 4])
def test_who_leaves_while_the_key_is_claimed_leaves_no_key_behind(router, after_ns):
    gate = Gate("awaiting", router)
    twin = gate.world.awaiting()

    async def main() -> None:
        client = AsyncClient(router, transport=twin, clock=twin)
        gateway = Gateway(client, store=Held(gate), keeping=gate.keeping)
        task = asyncio.ensure_future(gateway.respond(asked(KEY)))
        await twin.sleep(after_ns)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await twin.sleep(9 * SECOND)

    asyncio.run(main())
    assert gate.rows == 0
    assert gate.post(KEY).status == 200


def left(gate: Gate, http: HttpRequest, after_ns: int) -> None:
    """Ask, read for a while, go away, and let the server stop."""
    twin = gate.world.awaiting()

    async def main() -> None:
        client = AsyncClient(gate.router, transport=twin, clock=twin, till=gate.till())
        gateway = Gateway(client, store=gate.store.awaiting(), keeping=gate.keeping)

        async def read() -> None:
            response = await gateway.respond(http)
            if not isinstance(response, HttpResponse):
                try:
                    await response.pour(ignore)
                finally:
                    await response.close()

        async def ignore(_piece: bytes) -> None:
            pass

        task = asyncio.ensure_future(read())
        await twin.sleep(after_ns)
        assert not task.done()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await gateway.close()

    asyncio.run(main())


def without_ids(body: bytes) -> bytes:
    return re.sub(rb'"(id|created)": ?("[^"]*"|[0-9]+)', b"", body)


# --- money -------------------------------------------------------------------------------------------
PRICED = TABLE.replace("{kind: chat, endpoints: [chat, responses, messages, gemini], offers: [{at: one, sends: gpt}, {at: two, sends: gpt}]}", "{kind: chat, context: 1k, output: 500, sell: cost + 50%, offers: [{at: one, price: {per: 1M tok, in: 1.00, out: 10.00}}]}")  # fmt: skip


@pytest.fixture
def shop(colour, registry):
    gate = Gate(colour, Router.loads(PRICED, registry=registry), guard=Door(pepper=PEPPER))
    gate.wallets = "strict"
    gate.store.commit([Deposit(PostingKey("pay/1"), "user:ada", 10**9)])
    return gate


@pytest.mark.parametrize("stream", [False, True])
def test_invariant_39_of_64_at_once_one_is_charged(shop, stream):
    ada = ("authorization", f"Bearer {made(shop.store.memory)}")
    shop.world.serve("https://one.test", (streamed if stream else whole)("openai.chat"))
    requests = [asked(KEY, ada, body={**CHAT, "stream": stream, "max_tokens": 9})] * 64
    for _ in range(3):
        told = shop.together(requests)
        assert {one.status for one in told} <= {200, 409}
    assert len(shop.world.sent) == 1
    (sums,) = shop.store.read([Totals()])
    assert isinstance(sums, Sums)
    assert dict(sums.accounts)["sales"] == 12_150
    assert dict(sums.accounts)["wallet/user:ada"] == 10**9 - 12_150


def test_what_the_wallet_cannot_pay_is_not_remembered(shop):
    bob = ("authorization", f"Bearer {made(shop.store.memory, owner_id='bob')}")
    body = {**CHAT, "max_tokens": 9}
    assert shop.post(KEY, bob, body=body).status == 402
    assert shop.rows == 0
    shop.store.commit([Deposit(PostingKey("pay/2"), "user:bob", 10**9)])
    assert shop.post(KEY, bob, body=body).status == 200


def test_a_request_that_slept_through_its_lease_holds_nothing(shop):
    """It finds the key taken over when it asks for its hold, and calls nobody."""
    ada = ("authorization", f"Bearer {made(shop.store.memory)}")
    body = {**CHAT, "max_tokens": 9}
    commit: Callable[[Sequence[Mutation]], Commit] = shop.store.commit

    def slow(mutations: Sequence[Mutation]) -> Commit:
        if any(isinstance(one, Reserve) for one in mutations):
            shop.store.commit = commit
            shop.world.sleep(LEASE)
            with ThreadPoolExecutor(1) as other:
                assert other.submit(again.post, KEY, ada, body=body).result().status == 200
        return commit(mutations)

    again = Gate("blocking", shop.router, guard=shop.guard)
    again.world, again.wallets, again.store = shop.world, "strict", Store(shop.store.memory)
    shop.store.commit = slow
    told = shop.post(KEY, ada, body=body)
    assert (told.status, told.headers["retry-after"]) == (409, "1")
    shop.store.commit = commit
    assert shop.post(KEY, ada, body=body).headers["idempotent-replayed"] == "true"
    assert len(shop.world.sent) == 1
