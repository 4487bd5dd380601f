"""The public face, in a World: bodies in, bodies and events out, one record a run."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace

import pytest

import hyperroute
from hyperroute.canon.events import Finished, StreamEvent
from hyperroute.client import AsyncClient, Client, Router
from hyperroute.errors import (
    ClientWireError,
    Exhausted,
    Interrupted,
    PluginError,
    Refused,
    TableError,
)
from hyperroute.plugins.registry import discover
from hyperroute.plugins.secret import Secret
from hyperroute.routing.questions import Answers
from hyperroute.routing.record import Record
from hyperroute.routing.view import View
from hyperroute.testing.replies import HELLO, refusal, streamed, whole
from hyperroute.testing.script import SECOND, Script
from hyperroute.testing.world import World
from hyperroute_simulated import INSTANT, simulated_registry

TABLE = """
hyperroute: 1
providers:
  one: {plugin: openai, url: "https://one.test/v1", keys: [env:KEY_ONE], speaks: [chat]}
  two: {plugin: openai, url: "https://two.test/v1", keys: [env:KEY_TWO], speaks: [chat]}
  claude: {plugin: anthropic, url: "https://claude.test", keys: [env:KEY_CLAUDE]}
models:
  gpt: {kind: chat, offers: [{at: one, sends: model-1}, {at: two}]}
  sonnet: {kind: chat, offers: [{at: claude, sends: model-1}]}
aliases: {old: gpt}
"""
CHAT, CLAUDE = "openai.chat", "anthropic.messages"
BODY = {"model": "gpt", "messages": [{"role": "user", "content": "hi"}]}


def keys(reference: str) -> Secret | None:
    return None if reference == "env:KEY_TWO" else Secret(f"sk-{reference}")


@pytest.fixture(scope="module")
def registry():
    return discover(entry_points=True).with_secrets(keys)


@pytest.fixture
def router(registry):
    return Router.loads(TABLE, registry=registry)


@pytest.fixture
def world():
    world = World()
    world.serve("https://one.test", whole(CHAT))
    world.serve("https://claude.test", whole(CLAUDE))
    return world


@pytest.fixture
def client(router, world):
    with Client(router, transport=world, clock=world) as client:
        yield client


def test_public_names_come_from_the_package():
    assert hyperroute.Client is Client
    assert hyperroute.Router is Router
    assert set(dir(hyperroute)) == set(hyperroute.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = hyperroute.Nothing


@pytest.mark.parametrize(
    ("body", "dialect"),
    [
        ({"contents": [], "model": "x"}, "gemini.generate"),
        ({"input": "hi", "model": "x"}, "openai.responses"),
        (BODY, CHAT),
    ],
)
def test_a_body_tells_its_dialect(router, body, dialect):
    assert router.read(body).dialect == dialect
    assert router.read(json.dumps(body)).dialect == dialect
    assert router.read(json.dumps(body).encode()).dialect == dialect


def test_a_body_for_anthropic_says_so(router):
    body = {**BODY, "max_tokens": 5}
    assert router.read(body, dialect=CLAUDE).dialect == CLAUDE
    assert router.read(body, dialect="messages").dialect == CLAUDE


@pytest.mark.parametrize("body", [{"model": "gpt"}, b"{", "[1]", b"\xff"])
def test_what_is_no_body_is_the_callers_mistake(router, body):
    with pytest.raises(ClientWireError):
        router.read(body)


def test_an_unknown_dialect_is_the_callers_mistake(router):
    with pytest.raises(ClientWireError, match=r"no dialect 'klingon'"):
        router.read(BODY, dialect="klingon")


DOORS = """
hyperroute: 1
providers:
  one: {plugin: openai, url: "https://one.test/v1", keys: [env:KEY_ONE], speaks: [chat]}
  claude: {plugin: anthropic, url: "https://claude.test", keys: [env:KEY_CLAUDE]}
models:
  sonnet: {kind: chat, endpoints: [messages], offers: [{at: claude, sends: model-1}]}
  gpt: {kind: chat, offers: [{at: one}]}
"""
SONNET = {**BODY, "model": "sonnet"}


def test_a_caller_in_this_process_came_by_no_endpoint(registry):
    router = Router.loads(DOORS, registry=registry)
    assert [one.offer.id for one in router.plan(SONNET).candidates] == ["sonnet@claude"]
    unknown = router.plan({**BODY, "model": "sonet"}).refusal
    assert unknown is not None
    assert set(unknown.available) == {"sonnet", "gpt"}


def test_a_dialect_that_is_named_is_where_the_request_enters(registry):
    router = Router.loads(DOORS, registry=registry)
    refusal = router.plan(SONNET, dialect=CHAT).refusal
    assert refusal is not None
    assert (refusal.code, refusal.available) == ("wrong_endpoint", ("gpt",))


def test_the_facts_of_a_caller_without_an_endpoint_do_not_hold_one(registry):
    router = Router.loads(DOORS, registry=registry)
    request = router.read(BODY)
    view = View(request, router.table, Answers(), 0)
    assert view.fact("req.endpoint") is None
    entered = View(router.read(BODY, dialect=CHAT), router.table, Answers(), 0)
    assert entered.fact("req.endpoint") == "chat"


def test_a_simulated_provider_answers_what_was_asked_without_an_endpoint():
    simulated = simulated_registry(discover(), INSTANT)
    with Client(Router.loads(DOORS, registry=simulated)) as client:
        answer = client.send(SONNET)
    assert answer.record.served == "sonnet@claude"
    assert answer.reply.text


def test_the_example_of_the_front_page_has_a_real_plan():
    router = Router.load(registry=simulated_registry(discover(), INSTANT))
    body = {**BODY, "model": "claude-sonnet-4-6"}
    made = router.plan(body)
    assert made.refusal is None
    assert made.candidates
    with Client(router) as client:
        assert client.send(body).record.outcome == "served"


def test_planning_does_nothing(router):
    plan = router.plan(BODY, labels={"user.id": "u1"})
    assert [candidate.offer.id for candidate in plan.candidates] == ["gpt@one", "gpt@two"]
    assert plan.request.labels["user.id"] == "u1"
    assert router.plan(plan.request).candidates == plan.candidates


def test_an_answer_has_a_body_a_reply_and_a_record(client):
    answer = client.send(BODY)
    assert answer.reply.text == "".join(HELLO.text)
    assert answer.record.outcome == "served"
    assert answer.record.served == "gpt@one"
    assert json.loads(answer.body)["choices"][0]["message"]["content"] == answer.reply.text


def test_the_same_dialect_passes_byte_for_byte_but_for_the_name_of_the_model(client, world):
    upstream = whole(CHAT).body
    assert client.send(BODY).body == upstream.replace(b'"model-1"', b'"gpt"')
    assert client.send({**BODY, "model": "old"}).body == upstream.replace(b'"model-1"', b'"old"')
    sent = json.loads(world.sent[0].request.body)
    assert sent["model"] == "model-1"
    assert ("authorization", "Bearer sk-env:KEY_ONE") in world.sent[0].request.headers


def test_another_dialect_is_translated(client):
    answer = client.send({**BODY, "model": "sonnet"})
    told = json.loads(answer.body)
    assert told["model"] == "sonnet"
    assert told["choices"][0]["message"]["content"] == answer.reply.text


def test_a_provider_that_streams_unasked_is_collected(client, world):
    world.serve("https://one.test", streamed(CHAT))
    answer = client.send(BODY)
    assert answer.reply.text == "".join(HELLO.text)
    assert json.loads(answer.body)["object"] == "chat.completion"


def test_sending_and_streaming_are_chosen_by_the_call_not_by_the_body(client, world):
    client.send({**BODY, "stream": True})
    assert "stream" not in json.loads(world.sent[-1].request.body)
    world.serve("https://one.test", streamed(CHAT))
    list(client.stream(BODY))
    assert json.loads(world.sent[-1].request.body)["stream"] is True


def test_a_stream_has_its_record_at_the_end(client, world):
    world.serve("https://one.test", streamed(CHAT))
    with client.stream(BODY) as stream:
        before = stream.record
        events = list(stream)
    assert before is None
    assert isinstance(events[-1], Finished)
    assert stream.record is not None
    assert stream.record.outcome == "served"
    assert stream.model == "gpt"
    assert stream.request.dialect == CHAT


def test_closing_a_stream_early_hangs_up(client, world):
    world.serve("https://one.test", replace(streamed(CHAT), chunk_after_ns=SECOND))
    stream = client.stream(BODY)
    next(stream)
    stream.close()
    assert world.open_now == 0
    assert not world.sent[-1].complete
    assert stream.record is not None
    assert stream.record.outcome == "abandoned"


def test_a_stream_that_nobody_reads_is_recorded_too(router, world):
    records: list[Record] = []
    client = Client(router, transport=world, clock=world, sink=records.append)
    client.stream(BODY).close()
    assert [record.outcome for record in records] == ["abandoned"]
    assert world.sent == []


def test_a_key_that_is_not_set_never_stops_the_start_and_is_named(client):
    assert "KEY_TWO" in client.missing["two#0"]


def test_what_has_no_key_is_refused_with_the_reason(registry, world):
    router = Router.loads(TABLE.replace("env:KEY_ONE", "env:KEY_TWO"), registry=registry)
    client = Client(router, transport=world, clock=world)
    with pytest.raises(Refused) as refused:
        client.send(BODY)
    assert refused.value.record is not None
    assert world.sent == []


def test_a_refusal_of_the_plan_is_told_as_it_stands(client):
    body = {**BODY, "model": "nobody"}
    refusal = client.router.plan(body).refusal
    assert refusal is not None
    with pytest.raises(Refused, match="nobody") as refused:
        client.send(body)
    assert (refused.value.status, refused.value.code) == (refusal.status, "model_not_found")
    assert refused.value.available == refusal.available


def test_every_rate_limit_makes_a_429_with_the_least_wait(client, world):
    limited = refusal(CHAT, 429, kind="requests", headers=(("retry-after", "700"),))
    world.serve("https://one.test", limited)
    with pytest.raises(Exhausted) as exhausted:
        client.send(BODY)
    assert exhausted.value.status == 429
    assert exhausted.value.retry_after_s == 600


def test_a_provider_that_refuses_us_is_our_502(client, world):
    world.serve("https://one.test", refusal(CHAT, 401, kind="x", message="bad key sk-abcdef123"))
    with pytest.raises(Exhausted, match="provider_auth") as exhausted:
        client.send(BODY)
    assert exhausted.value.status == 502
    assert "sk-" not in str(exhausted.value)


def test_what_is_wrong_with_the_callers_own_request_is_explained(client, world):
    said = "max_tokens is too large, see https://platform.openai.com/docs (org-abc123def)"
    world.serve("https://one.test", refusal(CHAT, 400, kind="invalid_request_error", message=said))
    with pytest.raises(Exhausted, match="max_tokens is too large") as exhausted:
        client.send(BODY)
    assert exhausted.value.status == 400
    assert "openai.com" not in str(exhausted.value)
    assert "abc123" not in str(exhausted.value)


def kept(events, seen):
    """Pass events on, and keep those that came before an error."""
    for event in events:
        seen.append(event)
        yield event


def test_a_cut_stream_is_an_honest_interruption(client, world):
    good = streamed(CHAT)
    world.serve("https://one.test", replace(good, chunks=good.chunks[:2], end="reset"))
    seen: list[StreamEvent] = []
    with pytest.raises(Interrupted, match="broke off"):
        list(kept(client.stream(BODY), seen))
    assert seen
    assert not any(isinstance(event, Finished) for event in seen)


def test_invariant_5_a_table_that_does_not_load_changes_nothing(tmp_path, registry, world):
    file = tmp_path / "table.yaml"
    file.write_text(TABLE, "utf-8")
    client = Client(Router.load(tmp_path, registry=registry), transport=world, clock=world)
    before = client.router
    file.write_text("hyperroute: 1\nnonsense: true\n", "utf-8")
    with pytest.raises(TableError):
        client.reload()
    assert client.router is before
    assert client.send(BODY).record.outcome == "served"
    file.write_text(TABLE.replace("old:", "older:"), "utf-8")
    client.reload()
    assert "older" in client.router.table.aliases
    assert "older" in Router.load([file], registry=registry).table.aliases


def test_invariant_51_reloading_an_equal_table_keeps_health(client, router, world):
    world.serve("https://one.test", Script(fault="tls"))
    with pytest.raises(Exhausted):
        client.send(BODY)
    blocked = client.desk.board.blocked(world.now())
    assert blocked[0]
    client.reload(router)
    assert client.desk.board.blocked(world.now()) == blocked


def test_a_router_from_a_text_has_nothing_to_read_again(client):
    with pytest.raises(ValueError, match="no path"):
        client.reload()


def test_a_broken_plugin_is_an_error_of_the_start():
    class Broken:
        @hyperroute.hookimpl
        def hyperroute_providers(self):
            raise RuntimeError("no")

    with pytest.raises(PluginError):
        Router.loads(TABLE, plugins=[Broken()])


class Instant:
    """A transport that many threads may use: every request is answered at once."""

    def __init__(self, script: Script) -> None:
        self.head, self.body, self.closed = script.head(), script.body, False

    def open(self, request, *, limits):
        return _Exchange(self.head, [self.body])

    def close(self):
        self.closed = True


class _Exchange:
    def __init__(self, head, chunks):
        self.head, self._chunks = head, iter(chunks)

    def read(self, *, timeout_ns):
        return next(self._chunks, b"")

    def close(self):
        pass


def test_many_threads_share_one_client(router):
    records: list[Record] = []
    errors: list[BaseException] = []
    client = Client(router, transport=Instant(whole(CHAT)), sink=records.append)

    def work():
        try:
            for _ in range(20):
                assert client.send(BODY).reply.text == "".join(HELLO.text)
        except BaseException as error:
            errors.append(error)
            raise

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for number in range(10):
        client.reload(router if number % 2 else Router.loads(TABLE, registry=router.registry))
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(records) == len({record.request_id for record in records}) == 120


def test_a_transport_that_was_given_is_not_closed(router):
    transport = Instant(whole(CHAT))
    Client(router, transport=transport).close()
    assert not transport.closed


# --- the async twin ------------------------------------------------------------------------------
def test_the_async_client_gives_the_same_answer(router, world, client):
    async def main():
        there = world.awaiting()
        async with AsyncClient(router, transport=there, clock=there) as twin:
            return await twin.send(BODY, request_id="same")

    answer = asyncio.run(main())
    blocking = client.send(BODY, request_id="same")
    assert answer.body == blocking.body
    assert answer.reply == blocking.reply
    assert answer.record.to_json() == blocking.record.to_json()


def test_the_async_stream_gives_the_same_events(router, world, client):
    world.serve("https://one.test", streamed(CHAT))

    async def main():
        there = world.awaiting()
        client = AsyncClient(router, transport=there, clock=there)
        async with client.stream(BODY) as stream:
            return [event async for event in stream], stream.record

    events, record = asyncio.run(main())
    assert events == list(client.stream(BODY))
    assert record is not None
    assert record.outcome == "served"


def test_cancelling_a_task_closes_the_exchange_at_once_and_records_it(router, world):
    world.serve("https://one.test", replace(streamed(CHAT), chunk_after_ns=20 * SECOND))
    records: list[Record] = []

    async def main():
        there = world.awaiting()
        client = AsyncClient(router, transport=there, clock=there, sink=records.append)

        async def read():
            async for _ in client.stream(BODY):
                pass

        task = asyncio.create_task(read())
        await there.sleep(30 * SECOND)
        assert world.open_now == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert world.open_now == 0

    asyncio.run(main())
    (record,) = records
    assert record.outcome == "abandoned"
    assert world.sent[-1].ended_at == 30 * SECOND


def test_cancelling_while_waiting_to_retry_leaves_nothing_behind(router, world):
    world.serve("https://one.test", refusal(CHAT, 500, kind="server_error"))
    records: list[Record] = []

    async def main():
        there = world.awaiting()
        client = AsyncClient(router, transport=there, clock=there, sink=records.append)
        task = asyncio.create_task(client.send(BODY))
        for _ in range(20):
            await asyncio.sleep(0)
            if world.sent:
                break
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert [record.outcome for record in records] == ["abandoned"]
    assert world.open_now == 0


def test_a_whole_answer_that_is_none_keeps_its_count_in_the_record(client, world):
    """Its usage came before what is wrong with it, and providers charge for it (row 71)."""
    body = json.loads(b"".join(whole(CHAT).chunks))
    body["choices"][0]["message"]["content"] = ""
    told = json.dumps(body).encode()
    world.serve("https://one.test", replace(whole(CHAT), chunks=(told,), length=len(told)))
    with pytest.raises(Exhausted) as caught:
        client.send(BODY)
    record = caught.value.record
    assert isinstance(record, Record)
    attempt = record.attempts[0]
    assert attempt.failure is not None
    assert attempt.failure.kind.value == "empty_completion"
    assert (attempt.usage.input_tokens, attempt.usage.output_tokens) == (11, 7)
