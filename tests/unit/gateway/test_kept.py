"""What a provider keeps, and with whom a conversation goes on: both colours, in a World."""

from __future__ import annotations

import json

import pytest
from tests.unit.gateway.conftest import opened
from tests.unit.gateway.test_door import PEPPER, made

from hyperroute.client import Router
from hyperroute.gateway.door import Door
from hyperroute.gateway.kept import Kept, LocalMemory, Recall, Remember, made_in
from hyperroute.stores.memory import MemoryStore
from hyperroute.testing.replies import refusal, streamed, whole
from hyperroute.testing.script import Script
from hyperroute.testing.world import World

TABLE = """
hyperroute: 1
providers:
  one: {plugin: openai, url: "https://one.test/v1", keys: [env:ONE], speaks: [responses]}
  two: {plugin: openai, url: "https://two.test/v1", keys: [env:TWO], speaks: [responses]}
  chat: {plugin: openai, url: "https://chat.test/v1", keys: [env:CHAT], speaks: [chat]}
models:
  gpt: {kind: chat, endpoints: [responses], offers: [{at: one}, {at: two}], instead: [mini]}
  mini: {kind: chat, endpoints: [responses], offers: [{at: two}]}
  plain: {kind: chat, endpoints: [responses], offers: [{at: chat}]}
"""
PATH = "/v1/responses"
ASKED = {"model": "gpt", "input": "hi"}


@pytest.fixture(scope="module")
def router(registry):
    return Router.loads(TABLE, registry=registry)


@pytest.fixture
def world():
    world = World()
    world.serve(
        "https://one.test", refusal("openai.responses", 429, kind="rate_limit", message="x")
    )
    world.serve("https://two.test", whole("openai.responses"))
    world.serve("https://chat.test", whole("openai.chat"))
    return world


@pytest.fixture
def door(colour, router, world):
    return opened(colour, router, world)


def hosts(world):
    return [sent.request.url.split("/")[2] for sent in world.sent]


def begun(door, **more):
    """Have ``two`` answer, because ``one`` does not."""
    answer = door.post(PATH, {**ASKED, **more})
    assert answer.status == 200
    assert hosts(door.world)[-1] == "two.test"
    door.world.serve("https://one.test", whole("openai.responses"))
    door.world.at += 3_600 * 10**9  # whatever cooled down is warm again
    door.world.sent.clear()
    return answer


@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_goes_on_where_it_is_kept(door, stream):
    if stream:
        door.world.serve("https://two.test", streamed("openai.responses"))
    answer = begun(door, stream=stream)
    if stream:
        data = [line[6:] for line in answer.body.split(b"\n") if line.startswith(b"data: {")]
        told = json.loads(data[-1])["response"]
    else:
        told = answer.json
    door.world.serve("https://two.test", whole("openai.responses"))
    for body in (
        {"previous_response_id": told["id"]},
        {"input": [{"type": "item_reference", "id": told["output"][0]["id"]}]},
        {"input": [{"id": told["output"][0]["id"]}, {"role": "user", "content": "x"}]},
    ):
        assert door.post(PATH, {**ASKED, **body}).status == 200
    assert hosts(door.world) == ["two.test"] * 3


def test_it_is_never_failed_over(door):
    name = begun(door).json["id"]
    door.world.serve("https://two.test", refusal("openai.responses", 503, kind="x", message="x"))
    asked = {**ASKED, "previous_response_id": name}
    assert door.post(PATH, asked).status == 503
    assert set(hosts(door.world)) == {"two.test"}
    record = door.visits[-1].record
    assert record.candidates == ("gpt@two",)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"previous_response_id": "resp_nobody"}, "previous_response_id"),
        ({"conversation": "conv_nobody"}, "conversation"),
        ({"conversation": {"id": "conv_nobody"}}, "conversation"),
        ({"input": [{"type": "item_reference", "id": "msg_nobody"}]}, "/input/0"),
        ({"previous_response_id": "x" * 9_999}, "previous_response_id"),
    ],
)
def test_what_is_not_known_here_is_the_callers_to_resend(door, body, param):
    answer = door.post(PATH, {**ASKED, **body})
    assert answer.status == 400
    error = answer.json["error"]
    assert (error["code"], error["param"]) == ("previous_response_not_found", param)
    assert "send the whole conversation" in error["message"]
    assert not door.world.sent


def test_what_was_translated_is_kept_by_nobody(door):
    name = door.post(PATH, {**ASKED, "model": "plain"}).json["id"]
    answer = door.post(PATH, {**ASKED, "model": "plain", "previous_response_id": name})
    assert answer.status == 400
    assert "by translation" in answer.json["error"]["message"]


def test_what_the_caller_did_not_want_stored_is_not_remembered(door):
    name = begun(door, store=False).json["id"]
    assert door.post(PATH, {**ASKED, "previous_response_id": name}).status == 400


def test_another_keys_id_looks_like_an_unknown_one(colour, router, world):
    store = MemoryStore(now=world.now)
    door = opened(colour, router, world, Door(pepper=PEPPER), store)
    mine, theirs = (("authorization", f"Bearer {made(store)}") for _ in range(2))
    name = door.post(PATH, ASKED, mine).json["id"]
    asked = {**ASKED, "previous_response_id": name}
    refused = door.post(PATH, asked, theirs)
    assert refused.status == 400
    unknown = door.post(PATH, {**asked, "previous_response_id": "resp_other"}, theirs)
    assert (
        unknown.json["error"]["message"].replace("resp_other", name)
        == (refused.json["error"]["message"])
    )
    assert door.post(PATH, asked, mine).status == 200


def test_a_provider_that_left_the_table_keeps_nothing_any_more(colour, registry, router, world):
    door = opened(colour, router, world)
    name = begun(door).json["id"]
    without = TABLE.replace("two: {plugin", "three: {plugin").replace("at: two", "at: three")
    door.client.reload(Router.loads(without, registry=registry))
    answer = door.post(PATH, {**ASKED, "previous_response_id": name})
    assert answer.status == 400
    assert "not used here any more" in answer.json["error"]["message"]


def test_a_model_that_the_account_does_not_offer_is_refused(door):
    name = begun(door).json["id"]
    answer = door.post(PATH, {**ASKED, "model": "plain", "previous_response_id": name})
    assert answer.status == 400
    assert answer.json["error"]["param"] == "previous_response_id"
    assert not door.world.sent


def test_two_accounts_keep_no_one_conversation(door):
    first = begun(door).json["id"]
    again = json.loads(whole("openai.responses").body) | {"id": "resp_one", "output": []}
    kind = (("content-type", "application/json"),)
    body = json.dumps({**again, "output": json.loads(whole("openai.responses").body)["output"]})
    door.world.serve("https://one.test", Script(headers=kind, chunks=(body.encode(),)))
    door.post(PATH, ASKED)
    asked = {**ASKED, "previous_response_id": "resp_one", "conversation": first}
    assert "another provider" in door.post(PATH, asked).json["error"]["message"]


# --- the notes themselves ------------------------------------------------------------------------
HERE = Kept("one", native=True)


def test_notes_are_bounded_by_number_and_the_oldest_goes_first():
    memory = LocalMemory(entries_max=3)
    for at in range(5):
        memory.remember(Remember("me", (f"r{at}",), HERE), now=at)
    assert len(memory) == 3
    assert memory.recall(Recall("me", ("r1", "r2", "r4")), now=5) == (None, HERE, HERE)


def test_notes_are_bounded_by_age_and_a_new_note_renews():
    memory = LocalMemory(age_ns=10)
    memory.remember(Remember("me", ("a", "b"), HERE), now=0)
    memory.remember(Remember("me", ("a",), HERE), now=5)
    assert memory.recall(Recall("me", ("a", "b")), now=10) == (HERE, None)
    memory.remember(Remember("me", ("c",), HERE), now=12)
    assert len(memory) == 2


def test_only_the_end_of_a_stream_names_what_it_made():
    early = b'data: {"type":"response.created","response":{"id":"r"}}\n\n'
    late = b'event: response.completed\ndata: {"type":"response.completed","response":{"id":"r","output":[{"id":"m"},7,{"id":""}],"conversation":{"id":"c"}}}\n\n'
    assert made_in(early) == ()
    assert made_in(b'data: {"type":"x","delta":"\\"response.completed\\""}\n\n') == ()
    assert made_in(early + late) == ("r", "c", "m")
