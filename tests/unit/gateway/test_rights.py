"""What a key is open to, how long a client waits, and what its own retries may cost."""

from __future__ import annotations

import pytest
from tests.unit.gateway.asking import CHAT, CLAUDE
from tests.unit.gateway.conftest import opened
from tests.unit.gateway.test_door import PEPPER, made

from hyperroute.canon.request import NO_NARROWING, Narrowing
from hyperroute.canon.units import MILLISECOND, SECOND
from hyperroute.client import Router
from hyperroute.gateway.door import Door
from hyperroute.gateway.hints import heeded
from hyperroute.stores.memory import MemoryStore
from hyperroute.testing.replies import refusal, whole
from hyperroute.testing.script import Script
from hyperroute.testing.world import World

TABLE = """
hyperroute: 1
providers:
  one: {plugin: openai, url: "https://one.test/v1", keys: [env:ONE], speaks: [chat]}
  two: {plugin: openai, url: "https://two.test/v1", keys: [env:TWO], speaks: [chat]}
models:
  gpt: {kind: chat, endpoints: [chat, messages], context: 100k, offers: [{at: one, price: list}], instead: [other]}
  other: {kind: chat, endpoints: [chat, messages], offers: [{at: two, price: list}]}
  host/*: {kind: chat, endpoints: [chat], offers: [{at: two, sends: "*"}]}
aliases:
  latest: gpt
intents:
  best: {kind: chat, use: {first: [gpt, other]}}
prices:
  list: [{from: 2026-01-01, per: 1M tok, in: 1, out: 2, source: test}]
policies:
  again:
    cap: {attempts: 6}
    retry: {per_offer: 2, base: 1s}
"""


@pytest.fixture(scope="module")
def router(registry):
    return Router.loads(TABLE, registry=registry)


@pytest.fixture
def keyed(colour, router):
    world = World()
    store = MemoryStore(now=world.now)
    busy = refusal("openai.chat", 503, kind="server_error", message="no")
    world.serve("https://one.test", busy)
    world.serve("https://two.test", whole("openai.chat"))
    door = opened(colour, router, world, Door(pepper=PEPPER), store)

    def post(path, body, *headers, models=("gpt",)):
        secret = made(store, allowed_models=models)
        return door.post(path, body, ("authorization", f"Bearer {secret}"), *headers)

    return door, post


@pytest.mark.parametrize("model", ["other", "host/x"])
def test_a_model_that_the_key_is_not_open_to_is_403(keyed, model):
    door, post = keyed
    answer = post("/v1/chat/completions", {**CHAT, "model": model})
    assert answer.status == 403
    assert answer.json["error"]["type"] == "permission_error"
    assert answer.json["available_models"] == ["gpt"]
    assert not door.world.sent


def test_nor_are_tokens_counted_for_it(keyed):
    _, post = keyed
    assert post("/v1/messages/count_tokens", {**CLAUDE, "model": "other"}).status == 403
    assert post("/v1/messages/count_tokens", {**CLAUDE, "model": "gpt"}).status == 200


def test_no_equivalent_is_taken_that_the_key_is_not_open_to(keyed):
    door, post = keyed
    assert post("/v1/chat/completions", CHAT).status >= 500
    assert {sent.request.url.split("/")[2] for sent in door.world.sent} == {"one.test"}
    assert post("/v1/chat/completions", CHAT, models=("gpt", "oth*")).status == 200


def test_an_intent_takes_only_what_the_key_is_open_to(keyed):
    door, post = keyed
    asked = {**CHAT, "model": "best"}
    answer = post("/v1/chat/completions", asked, models=("other",))
    assert answer.headers["x-hyperroute-served-by"] == "other@two"
    assert post("/v1/chat/completions", asked, models=("none",)).status == 403
    assert len(door.world.sent) == 1


def test_what_is_available_is_told_beside_the_error_in_every_dialect(keyed):
    _, post = keyed
    claude = post("/v1/messages", {**CLAUDE, "model": "sonet"}, models=None)
    assert claude.json["available_models"] == ["gpt", "other"]
    assert claude.json["error"]["details"]["available_models"] == ["gpt", "other"]
    assert post("/v1/messages", {**CLAUDE, "model": "x"}).json["available_models"] == ["gpt"]
    google = post("/v1beta/models/x:generateContent", {"contents": []}, models=None)
    assert google.json["available_models"] == []


def test_one_model_is_told_under_any_name_it_answers_to(colour, router):
    door = opened(colour, router, World())
    told = door.get("/v1/models/latest").json
    assert (told["id"], told["context_length"]) == ("latest", 100_000)
    assert told["endpoints"] == ["/v1/chat/completions", "/v1/messages"]
    assert door.get("/v1/models/host%2Fx").json["id"] == "host/x"
    assert door.get("/v1/models/host/x").json["id"] == "host/x"
    assert door.get("/v1/models/hos").status == 404


# --- patience ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "ns"),
    [
        ("30", 30 * SECOND),
        (" 1.5 ", 1500 * MILLISECOND),
        ("0.25001", 250 * MILLISECOND),
        ("0", None),
        ("-3", None),
        ("soon", None),
        ("1e3", None),
        ("٣", None),
        ("99999999", None),
    ],
)
def test_a_hint_is_a_number_of_seconds_or_nothing(value, ns):
    for header in ("x-request-timeout", "x-stainless-read-timeout", "x-stainless-timeout"):
        assert heeded(NO_NARROWING, ((header, value),), stream=False).deadline_ns == ns


def test_the_shortest_patience_counts_and_a_read_timeout_bounds_no_stream():
    headers = (("x-request-timeout", "9"), ("x-stainless-read-timeout", "4"))
    said = Narrowing(deadline_ns=7 * SECOND)
    assert heeded(said, headers, stream=False).deadline_ns == 4 * SECOND
    assert heeded(said, headers, stream=True).deadline_ns == 7 * SECOND


@pytest.mark.parametrize("value", ["0", "00", "", "-1", "x"])
def test_a_first_try_is_none_of_a_clients_retries(value):
    headers = (("x-stainless-retry-count", value),)
    assert heeded(NO_NARROWING, headers, stream=False) is NO_NARROWING


def test_an_answer_comes_before_its_client_gives_up(colour, router):
    world = World()
    for host in ("https://one.test", "https://two.test"):
        world.serve(host, Script(head_after_ns=60 * SECOND))
    door = opened(colour, router, world)
    answer = door.post("/v1/chat/completions", CHAT, ("x-stainless-read-timeout", "3"))
    assert answer.status == 504
    assert world.at <= 3 * SECOND


def test_a_clients_own_retry_gets_no_second_try_at_an_offer(keyed):
    door, post = keyed
    post("/v1/chat/completions", CHAT)
    assert len(door.world.sent) == 3
    before = door.world.at
    post("/v1/chat/completions", CHAT, ("x-stainless-retry-count", "1"))
    assert len(door.world.sent) == 4
    assert door.world.at == before
