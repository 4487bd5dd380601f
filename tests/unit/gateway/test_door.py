"""Who may enter, and how often: both colours, in a World."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.gateway.asking import CHAT, CLAUDE, GOOGLE
from tests.unit.gateway.conftest import TABLE, opened

from hyperroute.accounts import keys
from hyperroute.canon.mutation import Correct
from hyperroute.client import Router
from hyperroute.errors import StoreError
from hyperroute.gateway.door import Door
from hyperroute.plugins.secret import Secret
from hyperroute.stores.memory import MemoryStore
from hyperroute.testing.replies import streamed, whole
from hyperroute.testing.script import SECOND, Script
from hyperroute.testing.world import World

PEPPER = Secret("a pepper of at least sixteen characters")
LIMITS = """
limits:
  speed: {per: user, rate: 3 req / min}
"""
TOKENS = """
limits:
  words: {per: user, rate: 100 tok / min}
"""
ONE = "https://one.test"


def made(store: MemoryStore, **more: Any) -> str:
    """Make a key, and return its secret."""
    secret = keys.mint()
    given = {"id": f"k{secret[3:9]}", "owner_id": "ada", "owner_type": "user", **more}
    key = keys.Key(
        name="test",
        prefix=secret[: keys.PREFIX_CHARS],
        digest=keys.digest(secret, PEPPER),
        created_at=0,
        **given,
    )
    store.commit([keys.put(key)])
    return secret


@pytest.fixture
def world():
    world = World()
    world.serve(ONE, whole("openai.chat"))
    world.serve("https://claude.test", whole("anthropic.messages"))
    world.serve("https://google.test", whole("gemini.generate"))
    return world


@pytest.fixture
def store(world):
    return MemoryStore(now=world.now)


@pytest.fixture
def guarded(colour, router, world, store):
    return opened(colour, router, world, Door(pepper=PEPPER), store)


@pytest.mark.parametrize(
    "form",
    [
        lambda secret: ("authorization", f"Bearer {secret}"),
        lambda secret: ("authorization", f"bearer   {secret} "),
        lambda secret: ("x-api-key", secret),
        lambda secret: ("x-goog-api-key", secret),
    ],
)
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", CHAT),
        ("/v1/messages", CLAUDE),
        ("/v1beta/models/flash:generateContent", GOOGLE),
    ],
)
def test_every_header_form_opens_every_endpoint(guarded, store, path, body, form):
    secret = made(store)
    assert guarded.post(path, body, form(secret)).status == 200
    assert guarded.visits[0].key.startswith("k")


def test_the_query_form_opens_gemini_only(guarded, store):
    secret = made(store)
    path = f"/v1beta/models/flash:generateContent?key={secret}"
    assert guarded.post(path, GOOGLE).status == 200
    assert guarded.post(f"/v1/chat/completions?key={secret}", CHAT).status == 401
    assert all(secret not in repr(visit) for visit in guarded.visits)
    assert all(secret not in sent.request.url for sent in guarded.world.sent)


def test_of_several_keys_the_first_form_counts(guarded, store):
    secret = made(store)
    wrong = ("authorization", "Bearer ck_0000000000000000000000")
    assert guarded.post("/v1/messages", CLAUDE, ("x-api-key", secret), wrong).status == 401
    google = ("x-goog-api-key", secret)
    assert guarded.post("/v1/messages", CLAUDE, google, ("x-api-key", wrong[1][7:])).status == 401
    assert guarded.post("/v1/messages", CLAUDE, google).status == 200
    basic = ("authorization", "Basic YTpi")
    assert guarded.post("/v1/messages", CLAUDE, basic, ("x-api-key", secret)).status == 200


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (None, "no API key"),
        ("sk-foreign", "malformed"),
        ("ck_0000000000000000000000", "not known"),
        ({"active": False}, "inactive"),
        ({"expires_at": 1}, "expired"),
    ],
)
@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/v1/messages", "/v1beta/models/flash:generateContent"]
)
def test_whoever_is_not_known_is_401_in_the_callers_dialect(guarded, store, more, word, path):
    secret = made(store, **more) if isinstance(more, dict) else more
    headers = () if secret is None else (("authorization", f"Bearer {secret}"),)
    answer = guarded.post(path, {}, *headers)
    assert answer.status == 401
    told = answer.json["error"]
    assert word.lower() in told["message"].lower()
    kind = told["status"] if path.startswith("/v1beta") else told["type"]
    assert kind in {"authentication_error", "UNAUTHENTICATED"}
    assert answer.headers["www-authenticate"] == "Bearer"
    assert not guarded.world.sent


def test_models_are_listed_for_the_key(guarded, store):
    narrow = ("authorization", f"Bearer {made(store, allowed_models=('g*',))}")
    listed = guarded.get("/v1/models", narrow).json["data"]
    assert [entry["id"] for entry in listed] == ["gpt"]
    assert guarded.get("/v1/models/sonnet", narrow).status == 404
    assert guarded.get("/v1/models").status == 401


def test_health_needs_no_key(guarded):
    assert guarded.get("/healthz").status == 200


def limited(colour: str, registry: Any, world: World, store: MemoryStore, limits: str) -> Any:
    router = Router.loads(TABLE + limits, registry=registry)
    return opened(colour, router, world, Door(pepper=PEPPER), store)


def test_a_rate_is_per_user_and_not_per_key(colour, registry, world, store):
    """Invariant 46, through the whole gateway."""
    door = limited(colour, registry, world, store, LIMITS)
    headers = [("authorization", f"Bearer {made(store, id=f'k{n}')}") for n in range(4)]
    answers = [door.post("/v1/chat/completions", CHAT, header) for header in headers]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert {answer.headers["x-ratelimit-limit"] for answer in answers} == {"3"}
    refused = answers[-1]
    assert refused.json["error"]["type"] == "rate_limit_error"
    assert "x-should-retry" not in refused.headers
    other = ("authorization", f"Bearer {made(store, owner_id='bob')}")
    assert door.post("/v1/chat/completions", CHAT, other).status == 200
    world.sleep(int(refused.headers["retry-after"]) * SECOND)
    assert door.post("/v1/chat/completions", CHAT, headers[0]).status == 200
    assert len(world.sent) == 5


def test_an_alias_is_no_other_quota_of_a_model(colour, registry, world, store):
    limits = "aliases: {gpt-old: gpt}\nlimits: {each: {per: [user, model], rate: 1 req / min}}\n"
    door = limited(colour, registry, world, store, limits)
    header = ("authorization", f"Bearer {made(store)}")
    names = ("gpt", "gpt-old", "flash", "none-such-1", "none-such-2")
    answers = [door.post("/v1/chat/completions", {**CHAT, "model": name}, header) for name in names]
    assert [answer.status for answer in answers] == [200, 429, 200, 400, 400]
    assert "x-ratelimit-limit" not in answers[3].headers, "a word is no counter"


def test_tokens_are_charged_by_estimate_and_corrected_by_what_was_used(
    colour, registry, world, store
):
    door = limited(colour, registry, world, store, TOKENS)
    header = ("authorization", f"Bearer {made(store)}")
    world.serve(ONE, streamed("openai.chat"))
    body = {**CHAT, "stream": True, "messages": [{"role": "user", "content": "x" * 200}]}
    statuses = [door.post("/v1/chat/completions", body, header).status for _ in range(6)]
    # 66 tokens are estimated for each, and 18 reported: without a correction the second is refused.
    assert statuses[:2] == [200, 200]
    assert 429 in statuses


class Broken:
    """A store that is down."""

    def read(self, keys: object) -> Any:
        raise StoreError(f"down: {len(str(keys))}")

    def commit(self, mutations: object) -> Any:
        raise StoreError(f"down: {len(str(mutations))}")

    def close(self) -> None:
        pass


def test_a_store_that_is_down_lets_nobody_in(colour, router, world):
    door = opened(colour, router, world, Door(pepper=PEPPER), Broken())
    answer = door.post("/v1/chat/completions", CHAT, ("authorization", f"Bearer {keys.mint()}"))
    assert answer.status == 503
    assert "down" not in answer.body.decode()
    assert not world.sent


class Noting(MemoryStore):
    """A store that writes down what is corrected."""

    def __init__(self, world: World) -> None:
        super().__init__(now=world.now)
        self.corrected: list[int] = []

    def commit(self, mutations: Any) -> Any:
        self.corrected += [one.units for one in mutations if isinstance(one, Correct)]
        return super().commit(mutations)


ESTIMATE = -(-len(json.dumps(CHAT)) // 4)


@pytest.mark.parametrize(
    ("usage", "corrected"),
    [
        ({"completion_tokens": 5}, 5),
        ({"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105}, 105 - ESTIMATE),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, -ESTIMATE),
    ],
)
def test_input_that_nobody_reported_stays_as_it_was_estimated(
    colour, registry, world, usage, corrected
):
    """Unknown is not zero, and nothing is given back for it; zero is a number (invariant 42)."""
    noting = Noting(world)
    router = Router.loads(TABLE + TOKENS, registry=registry)
    door = opened(colour, router, world, Door(pepper=PEPPER), noting)
    body = json.dumps(json.loads(whole("openai.chat").body) | {"usage": usage}).encode()
    kind = (("content-type", "application/json"),)
    world.serve(ONE, Script(headers=kind, chunks=(body,), length=len(body)))
    header = ("authorization", f"Bearer {made(noting)}")
    assert door.post("/v1/chat/completions", CHAT, header).status == 200
    assert noting.corrected == [corrected]


class Failing:
    """A store that takes charges, and is down when they are to be corrected."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def read(self, keys: Any) -> Any:
        return self._store.read(keys)

    def commit(self, mutations: Any) -> Any:
        if any(isinstance(one, Correct) for one in mutations):
            raise StoreError("down")
        return self._store.commit(mutations)

    def close(self) -> None:
        pass


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_is_not_lost_with_the_correction_of_a_counter(
    colour, registry, world, store, stream
):
    router = Router.loads(TABLE + TOKENS, registry=registry)
    door = opened(colour, router, world, Door(pepper=PEPPER), Failing(store))
    world.serve(ONE, streamed("openai.chat") if stream else whole("openai.chat"))
    header = ("authorization", f"Bearer {made(store)}")
    answer = door.post("/v1/chat/completions", {**CHAT, "stream": stream}, header)
    assert answer.status == 200
    assert b"Hello" in answer.body


def test_workers_share_a_rate(colour, registry, world, store):
    router = Router.loads(TABLE + LIMITS.replace("3 req", "4 req"), registry=registry)
    door = opened(colour, router, world, Door(pepper=PEPPER, workers=2), store)
    header = ("authorization", f"Bearer {made(store)}")
    statuses = [door.post("/v1/chat/completions", CHAT, header).status for _ in range(3)]
    assert statuses == [200, 200, 429]
