"""Ten thousand requests that no strict peer would take: each is answered 4xx in its own dialect."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from hyperroute.accounts.issuing import issue
from hyperroute.accounts.keys import put
from hyperroute.canon.mutation import Shelved
from hyperroute.canon.wire import HttpRequest
from hyperroute.client import Client
from hyperroute.gateway import BlockingGateway
from hyperroute.gateway.door import Door
from hyperroute.plugins.secret import Secret
from hyperroute.stores.memory import MemoryStore
from hyperroute.testing.replies import DIALECTS, whole
from hyperroute.testing.world import World

BODIES = 10_000
ADMIN = frozenset({"admin"})
GOOD: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"model": "m-chat", "messages": [{"role": "user", "content": "hi"}]},
    "/v1/responses": {"model": "m-responses", "input": "hi"},
    "/v1/messages": {"model": "m-messages", "max_tokens": 9,
                     "messages": [{"role": "user", "content": "hi"}]},
    "/v1beta/models/m-gemini:generateContent": {"contents": [{"parts": [{"text": "hi"}]}]},
}  # fmt: skip
MEMBERS = (
    b'"x":NaN', b'"x":-Infinity', b'"x":1e999', b'"x":01', b'"x":.5', b'"x":+1', b'"x":0x1',
    b'"x":' + b"9" * 65, b'"x":0.' + b"1" * 5_000, b'"x":"\\ud800"', b'"\\udfff":1',
    b'"x":"\\x41"', b'"x":"\x00"', b'"x":"\xff"', b'"x":"\xed\xa0\x80"', b'"x":"\xc0\xaf"',
    b'"x":' + b"[" * 64 + b"]" * 64, b'"x":' + b"[" * 100_000, b'"x":' + b'{"a":' * 70 + b"1" + b"}" * 70,
    b'"x":1,"x":2', b'"x":{"y":1,"\\u0079":2}', b'"x":tru', b'"x":\'y\'', b'"x"', b"x:1", b"",
    b'"x":{' + b",".join(b'"%d":0' % number for number in range(10_001)) + b"}",
)  # fmt: skip
HEADERS = (
    (("content-length", "5"), ("transfer-encoding", "chunked")),
    (("content-length", "5"), ("content-length", "6")),
    (("content-length", "+5"),),
    (("content-encoding", "gzip"),),
    (("content-encoding", "identity"), ("content-encoding", "br")),
    (("content-type", "text/xml"),),
    (("x-api-key", "a\r\nx-api-key: b"),),
    (("authorization", "Bearer a"), ("authorization", "Bearer b")),
    (("accept", "a\n b"),),
    (("accept", "\0"),),
    (("connection", "authorization"),),
    (("na me", "x"),),
    tuple(("accept", str(number)) for number in range(200)),
    (("accept", "x" * 70_000),),
)


def hostile(seed: int, good: dict[str, dict[str, Any]] = GOOD) -> tuple[HttpRequest, str]:
    """Draw a request with one thing wrong, and say what."""
    dice = random.Random(seed)  # noqa: S311 - it must repeat
    path = dice.choice(tuple(good))
    said = good[path]
    body = json.dumps(
        said, indent=dice.choice((None, 1)), ensure_ascii=dice.random() < 0.5
    ).encode()
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)
    match dice.randrange(8):
        case 0:
            kind, headers = "headers", dice.choice(HEADERS)
        case 1:
            kind, body = "cut", body[: dice.randrange(len(body))]
        case 2:
            kind, body = "more", body + dice.choice((b"{}", b"x", b"\0", b"]", b",", b"\xff"))
        case 3:
            kind = "around"
            body = dice.choice((b"\xef\xbb\xbf" + body, b"[" + body + b"]", body.decode().encode("utf-16"),
                                b"[" * 50_000 + body, json.dumps(body.decode()).encode(), b"null", b""))  # fmt: skip
        case 4:
            kind, name = "twice", dice.choice(tuple(said))
            body = body.rstrip()[:-1] + b"," + json.dumps({name: said[name]}).encode()[1:]
        case _:
            kind = "member"
            body = b"{" + dice.choice(MEMBERS) + b"," + body.lstrip()[1:]
    return HttpRequest(method="POST", url=path, headers=headers, body=body), kind


def tells(path: str, body: bytes) -> bool:
    """Say whether an error is one of the path's dialect."""
    said = json.loads(body)
    if "v1beta" in path:
        return isinstance(said["error"]["code"], int) and bool(said["error"]["status"])
    if "messages" in path:
        return said["type"] == "error" and bool(said["error"]["type"])
    return {"message", "type", "param", "code"} <= set(said["error"])


@pytest.mark.usefixtures("quiet_log")
@pytest.mark.parametrize("chunk", range(4))
def test_a_hostile_request_is_answered_4xx_in_its_dialect(four_dialects, chunk: int) -> None:
    world = World()
    kinds: Counter[str] = Counter()
    with Client(four_dialects, transport=world, clock=world) as client:
        gateway = BlockingGateway(client)
        for seed in range(chunk, BODIES, 4):
            http, kind = hostile(seed)
            answer = gateway.handle(http)
            assert 400 <= answer.status < 500, (seed, kind, answer.status)
            assert answer.pieces is None
            assert tells(http.url, answer.body), (seed, kind, answer.body)
            kinds[kind] += 1
    assert world.sent == []
    assert min(kinds.values()) > 100
    assert len(kinds) == 6


@pytest.mark.parametrize(("dialect", "path"), tuple(zip(DIALECTS, GOOD, strict=True)))
def test_the_requests_that_are_made_hostile_are_good(four_dialects, dialect, path) -> None:
    world = World()
    world.serve("https://", whole(dialect))
    with Client(four_dialects, transport=world, clock=world) as client:
        http = HttpRequest(method="POST", url=path, body=json.dumps(GOOD[path]).encode())
        assert BlockingGateway(client).handle(http).status == 200


@pytest.mark.usefixtures("quiet_log")
def test_a_hostile_request_about_keys_makes_and_changes_none(four_dialects) -> None:
    """The control plane reads as strictly, for whoever has every right."""
    world = World()
    store = MemoryStore(now=world.now)
    pepper = Secret("a pepper of at least sixteen characters")
    secret, root = issue(
        name="root", owner_type="user", owner_id="root", pepper=pepper, now=0, scopes=ADMIN
    )
    store.commit([put(root)])
    good: dict[str, dict[str, Any]] = {"/api/api-keys": {"name": "a", "spendingLimit": 5},
            f"/api/api-keys/{root.id}": {"name": "a", "allowedModels": ["m"]}}  # fmt: skip
    methods = {"/api/api-keys": "POST"}
    before = store.read([Shelved("key")])
    with Client(four_dialects, transport=world, clock=world) as client:
        gateway = BlockingGateway(client, door=Door(pepper=pepper), store=store)
        for seed in range(2_000):
            http, kind = hostile(seed, good)
            own = () if kind == "headers" else (("authorization", f"Bearer {secret}"),)
            method = methods.get(http.url, "PATCH")
            answer = gateway.handle(replace(http, method=method, headers=(*http.headers, *own)))
            assert 400 <= answer.status < 500, (seed, kind, answer.status)
            assert (answer.status == 401) <= (kind == "headers")
            assert tells(http.url, answer.body), (seed, kind, answer.body)
        assert store.read([Shelved("key")]) == before
        for path, said in good.items():
            http = HttpRequest(
                method=methods.get(path, "PATCH"),
                url=path,
                headers=(("authorization", f"Bearer {secret}"),),
                body=json.dumps(said).encode(),
            )
            assert gateway.handle(http).status in {200, 201}
