"""Keys over HTTP: both colours, over a store that anybody else may write to meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.gateway.asking import CHAT
from tests.unit.gateway.conftest import opened

from hyperroute.accounts import keys, notices, uses
from hyperroute.accounts.issuing import issue
from hyperroute.canon.mutation import Delete, Put, Row, RowKey
from hyperroute.canon.wire import HttpRequest
from hyperroute.gateway.door import Door
from hyperroute.gateway.keys_api import BODY_BYTES_MAX, TRIES_MAX
from hyperroute.plugins.secret import Secret
from hyperroute.routing.budgets import period_of
from hyperroute.stores.memory import MemoryStore
from hyperroute.testing.replies import whole
from hyperroute.testing.script import SECOND
from hyperroute.testing.world import World

PEPPER = Secret("a pepper of at least sixteen characters")
PATH = "/api/api-keys"


class Meddled(MemoryStore):
    """A store in which somebody else may be quicker."""

    def __init__(self, world: World) -> None:
        super().__init__(now=world.now)
        self.first: Callable[[], None] = lambda: None

    def commit(self, mutations: Any) -> Any:
        if any(isinstance(one, Put | Delete) and one.expected for one in mutations):
            self.first()
        return super().commit(mutations)


@pytest.fixture
def world():
    world = World()
    world.serve("https://one.test", whole("openai.chat"))
    return world


@pytest.fixture
def store(world):
    return Meddled(world)


@pytest.fixture
def door(colour, router, world, store):
    return opened(colour, router, world, Door(pepper=PEPPER), store)


def made(store: MemoryStore, world: World, **more: Any) -> tuple[tuple[str, str], str]:
    """Make a key, and return the header that carries its secret, and its id."""
    given = {"name": "test", "owner_type": "user", "owner_id": "ada", **more}
    secret, key = issue(pepper=PEPPER, now=world.unix_ns(), **given)
    assert store.commit([keys.put(key)]).done
    return ("authorization", f"Bearer {secret}"), key.id


@pytest.fixture
def admin(store, world):
    return made(store, world, owner_id="root", scopes=frozenset({"admin"}))


def ask(door: Any, method: str, path: str, *headers: tuple[str, str], body: Any = None) -> Any:
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return door.ask(HttpRequest(method=method, url=path, headers=headers, body=data))


def test_a_key_is_made_shown_once_and_opens_the_door(door, admin):
    root, _ = admin
    made = door.post(PATH, {"name": "prod-eu", "spendingLimit": 50000}, root)
    assert made.status == 201
    assert made.headers["cache-control"] == "no-store"
    told = made.json
    secret = told.pop("key")
    assert told["spendingLimit"] == 50000
    assert (told["ownerType"], told["ownerId"]) == ("user", "root")
    assert told["prefix"] == secret[:8]
    own = ("x-api-key", secret)
    assert door.post("/v1/chat/completions", CHAT, own).status == 200
    for path in (PATH, f"{PATH}/{told['id']}"):
        answer = door.get(path, root)
        assert answer.status == 200
        assert secret not in answer.body.decode()
        assert "digest" not in answer.body.decode()
    assert door.get(f"{PATH}/{told['id']}", root).json == told
    assert told in door.get(PATH, root).json["keys"]
    assert all(secret not in repr(visit) for visit in door.visits)


def test_everything_that_can_be_said_of_a_key_is_kept(door, admin, store):
    said = {
        "name": "größe",
        "ownerType": "org",
        "ownerId": "acme",
        "spendingLimit": 0.5,
        "autoDisable": True,
        "allowedModels": ["gpt-*", "m"],
        "expiresAt": "2999-01-31",
    }
    made = door.post(PATH, said, admin[0]).json
    assert {name: made[name] for name in said} == {**said, "expiresAt": "2999-01-31T00:00:00Z"}
    (row,) = store.read([RowKey("key", made["id"])])
    assert keys.read(row).spending_limit_microcredits == 500_000
    assert made["scopes"] == []


def test_a_limit_is_exact_to_the_last_digit(door, admin):
    made = door.post(PATH, b'{"name": "a", "spendingLimit": 999999999.999999}', admin[0])
    assert b'"spendingLimit":999999999.999999' in made.body
    many = door.post(PATH, b'{"name": "a", "spendingLimit": 5e1}', admin[0])
    assert many.json["spendingLimit"] == 50


def test_a_key_is_changed_member_by_member(door, admin, store, world):
    root, _ = admin
    header, key_id = made(store, world, spending_limit_microcredits=7, allowed_models=("m",))
    path = f"{PATH}/{key_id}"
    first = door.get(path, root).json
    answer = ask(door, "PATCH", path, root, body={"spendingLimit": None, "active": False})
    assert answer.status == 200
    assert answer.json == {**first, "spendingLimit": None, "active": False}
    assert door.get(PATH, header).status == 401
    again = ask(door, "PATCH", path, root, body={"active": True, "name": "new"})
    assert again.json == {**answer.json, "active": True, "name": "new"}
    assert door.get(PATH, header).status == 200


def test_a_key_is_deleted(door, admin, store, world):
    root, _ = admin
    header, key_id = made(store, world)
    gone = ask(door, "DELETE", f"{PATH}/{key_id}", root)
    assert (gone.status, gone.body) == (204, b"")
    assert door.get(PATH, header).status == 401
    assert ask(door, "DELETE", f"{PATH}/{key_id}", root).status == 404


def test_a_key_without_the_scope_sees_itself_and_nothing_else(door, admin, store, world):
    header, key_id = made(store, world, owner_type="org", owner_id="acme")
    (own,) = door.get(PATH, header).json["keys"]
    assert own["id"] == key_id
    answers = [
        door.post(PATH, {"name": "more"}, header),
        door.get(f"{PATH}/{key_id}", header),
        door.get(f"{PATH}/{admin[1]}", header),
        door.get(f"{PATH}/key_none", header),
        ask(door, "PATCH", f"{PATH}/{key_id}", header, body={"spendingLimit": None}),
        ask(door, "DELETE", f"{PATH}/{key_id}", header),
        ask(door, "DELETE", f"{PATH}/key_none", header),
    ]
    assert {answer.status for answer in answers} == {403}
    assert len({answer.json["error"]["message"] for answer in answers}) == 1
    assert door.get(PATH).status == 401
    assert door.get(PATH, ("authorization", f"Bearer {keys.mint()}")).status == 401


def test_an_id_that_is_not_there_is_one_answer_for_every_method(door, admin):
    path = f"{PATH}/key_%6eone"
    answers = [
        door.get(path, admin[0]),
        ask(door, "PATCH", path, admin[0], body={"name": "x"}),
        ask(door, "DELETE", path, admin[0]),
    ]
    assert {answer.status for answer in answers} == {404}
    assert {answer.json["error"]["message"] for answer in answers} == {
        "There is no key 'key_none'."
    }


@pytest.mark.parametrize("item", ["%00", "a%0ab", "%c3%a9", "%ff", "x" * 201, "a%20b"])
def test_an_id_that_no_key_can_have_is_asked_of_no_store(door, admin, store, item):
    """Postgres, for one, keeps no NUL: that would be its failure, and it is the caller's."""
    asked: list[Any] = []

    def read(keys: Any) -> Any:
        asked.extend(keys)
        return MemoryStore.read(store, keys)

    store.read = read
    for method in ("GET", "PATCH", "DELETE"):
        body = {"name": "x"} if method == "PATCH" else None
        assert ask(door, method, f"{PATH}/{item}", admin[0], body=body).status == 404
    assert {key.id for key in asked if isinstance(key, RowKey)} == {admin[1]}


@pytest.mark.parametrize(
    ("body", "param", "said"),
    [
        ({}, "name", "A key needs a name"),
        ({"name": ""}, "name", "Name is a line of 1 to 200 characters, not ''."),
        ({"name": "a\nb"}, "name", "a line"),
        ({"name": 5}, "name", "not 5"),
        ({"name": "a", "spendingLimit": -1}, "spendingLimit", "from 0 to 1000000000"),
        ({"name": "a", "spendingLimit": "5"}, "spendingLimit", "not '5'"),
        ({"name": "a", "spendingLimit": True}, "spendingLimit", "not true"),
        ({"name": "a", "spendingLimit": 0.0000001}, "spendingLimit", "six decimals"),
        ({"name": "a", "spendingLimit": 1e18}, "spendingLimit", "not 1"),
        ({"name": "a", "spendinglimit": 1}, "spendinglimit", "did you mean 'spendingLimit'?"),
        ({"name": "a", "scopes": ["admin"]}, "scopes", "There is no member 'scopes' here"),
        ({"name": "a", "active": False}, "active", "There is no member 'active' here"),
        ({"name": "a", "ownerId": "bob"}, "ownerType", "name an owner together"),
        ({"name": "a", "ownerType": "team", "ownerId": "b"}, "ownerType", "user or org"),
        ({"name": "a", "autoDisable": 1}, "autoDisable", "true or false, not 1"),
        ({"name": "a", "allowedModels": []}, "allowedModels", "not an empty list"),
        ({"name": "a", "allowedModels": [""]}, "allowedModels", "not a list"),
        ({"name": "a", "allowedModels": "m"}, "allowedModels", "not 'm'"),
        ({"name": "a", "expiresAt": "soon"}, "expiresAt", "a date such as"),
        ({"name": "a", "expiresAt": "2999-01-31T00:00:00"}, "expiresAt", "an instant such as"),
        ({"name": "a", "expiresAt": "2001-01-01"}, "expiresAt", "in the future"),
        ({"name": "a", "expiresAt": 5}, "expiresAt", "not 5"),
        (b'{"name": "a", "name": "b"}', None, "twice"),
        (b"[]", None, ""),
        (b'{"name": "' + b"a" * BODY_BYTES_MAX + b'"}', None, "exceeds"),
    ],
)
def test_what_is_wrong_is_told_by_its_member(door, admin, body, param, said):
    before = door.get(PATH, admin[0]).json
    answer = door.post(PATH, body, admin[0])
    assert answer.status in {400, 413}
    assert said in answer.json["error"]["message"]
    assert param is None or answer.json["error"]["param"] == param
    assert door.get(PATH, admin[0]).json == before


def test_a_change_of_nothing_and_of_what_cannot_be_changed_is_refused(door, admin):
    for body, said in (({}, "Nothing is to be changed"), ({"ownerId": "b"}, "no member 'ownerId'")):
        answer = ask(door, "PATCH", f"{PATH}/{admin[1]}", admin[0], body=body)
        assert answer.status == 400
        assert said in answer.json["error"]["message"]


def test_other_methods_are_405(door, admin):
    answer = ask(door, "DELETE", PATH, admin[0])
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    answer = ask(door, "POST", f"{PATH}/{admin[1]}", admin[0], body={"name": "a"})
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, PATCH, DELETE")


def test_two_changes_at_once_lose_nothing_of_each_other(door, admin, store, world):
    _, key_id = made(store, world)

    def meanwhile() -> None:
        store.first = lambda: None
        ask(door_of_others, "PATCH", f"{PATH}/{key_id}", admin[0], body={"spendingLimit": 9})

    door_of_others = opened("blocking", door.client.router, world, Door(pepper=PEPPER), store)
    store.first = meanwhile
    answer = ask(door, "PATCH", f"{PATH}/{key_id}", admin[0], body={"name": "mine"})
    assert answer.status == 200
    assert (answer.json["name"], answer.json["spendingLimit"]) == ("mine", 9)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_whoever_is_overtaken_again_and_again_is_told(door, admin, store, world, method):
    _, key_id = made(store, world)
    overtaken = []

    def meanwhile() -> None:
        overtaken.append(1)
        (row,) = MemoryStore.read(store, [RowKey("key", key_id)])
        assert isinstance(row, Row)
        MemoryStore.commit(store, [keys.put(keys.read(row), expected=None)])

    store.first = meanwhile
    body = {"name": "mine"} if method == "PATCH" else None
    answer = ask(door, method, f"{PATH}/{key_id}", admin[0], body=body)
    assert answer.status == 409
    assert answer.json["error"]["type"] == "conflict_error"
    assert len(overtaken) == TRIES_MAX


def test_where_no_key_is_asked_for_none_is_managed(colour, router, world, store):
    anybody = opened(colour, router, world, Door(pepper=None), store)
    assert anybody.get(PATH).status == 403
    without = opened(colour, router, world)
    assert without.get(PATH).status == 404


def test_a_path_that_was_mistyped_gets_the_nearest(door):
    answer = door.get("/api/api-key")
    assert "Did you mean /api/api-keys?" in answer.json["error"]["message"]


def test_raising_a_limit_arms_the_notices_that_are_now_above_what_is_settled(
    door, admin, store, world
):
    _, key_id = made(store, world, spending_limit_microcredits=100)
    period = period_of("month", world.unix_ns())
    (row,) = store.read([RowKey("key", key_id)])
    new = notices.due(
        keys.read(row), settled=90, refused=True, period=period, sent=(), now=world.unix_ns()
    )
    store.commit([notices.put(one) for one in new])

    def armed() -> list[int]:
        (rows,) = store.read([notices.about(key_id, period)])
        return [one.threshold for one in map(notices.read, rows) if one.rearmed]

    ask(door, "PATCH", f"{PATH}/{key_id}", admin[0], body={"name": "other"})
    assert armed() == []
    # Nothing is settled on its budget here, so that any limit is above it.
    ask(door, "PATCH", f"{PATH}/{key_id}", admin[0], body={"spendingLimit": 1})
    assert armed() == [100, 80]


def test_a_last_use_is_shown(door, admin, store):
    store.commit([uses.put(admin[1], 1_700_000_000 * SECOND)])
    (own,) = door.get(PATH, admin[0]).json["keys"]
    assert own["lastUsedAt"] == "2023-11-14T22:13:20Z"
    assert door.get(f"{PATH}/{admin[1]}", admin[0]).json == own
    same = ask(door, "PATCH", f"{PATH}/{admin[1]}", admin[0], body={"name": own["name"]})
    assert same.json == own
    ask(door, "DELETE", f"{PATH}/{admin[1]}", admin[0])
    assert store.read([uses.kept_as(admin[1])]) == (None,)
