"""What an account's requests came to, over HTTP: both colours, in a World."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Generator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest
from tests.unit.gateway.conftest import TABLE, opened
from tests.unit.gateway.test_door import PEPPER, made

from hyperroute.canon.journal import Log, UsageRow
from hyperroute.canon.units import DAY, MILLISECOND
from hyperroute.canon.usage import Usage
from hyperroute.canon.wire import HttpRequest
from hyperroute.client import Client, Router
from hyperroute.errors import StoreError
from hyperroute.gateway import BlockingGateway
from hyperroute.gateway.door import Door
from hyperroute.gateway.visit import Visit
from hyperroute.gateway.wsgi import wsgi_app
from hyperroute.stores.memory import MemoryStore
from hyperroute.testing.world import World

PATH = "/api/api-usage"
EXPORT = "/api/api-usage/export"


@pytest.fixture
def world():
    return World()


@pytest.fixture
def today(world):
    return world.unix_ns() // DAY * DAY


@pytest.fixture
def store(world):
    return MemoryStore(now=world.now)


@pytest.fixture
def guarded(colour, router, world, store):
    return opened(colour, router, world, Door(pepper=PEPPER), store)


@pytest.fixture
def ada(store):
    return ("authorization", f"Bearer {made(store)}")


@pytest.fixture
def admin(store):
    return ("x-api-key", made(store, owner_id="root", scopes=frozenset({"admin"})))


def row(number: int, at: int, **more: Any) -> UsageRow:
    given: dict[str, Any] = {
        "owner": "user:ada",
        "key": "k1",
        "endpoint": "chat",
        "requested": "gpt",
        "model": "gpt",
        "offer": "gpt@one",
        "provider": "one",
        "credits": number * 100_001,
        "cost": 70,
        "usage": Usage(input_tokens=10, output_tokens=2),
        "attempts": 1,
        "latency_ms": number,
    }
    return UsageRow(id=f"req_{number:04}", at=at + number * MILLISECOND, **(given | more))


def logged(store: MemoryStore, *rows: UsageRow) -> None:
    assert store.commit([Log(one) for one in rows]).done


def exact(body: bytes) -> Any:
    return json.loads(body, parse_float=Decimal)


def test_an_account_sees_its_rows_its_sums_and_its_dearest(guarded, store, ada, today):
    logged(store, *[row(number, today) for number in range(15)])
    logged(store, row(90, today - DAY, model="sonnet", key="k2"))
    logged(store, row(91, today, owner="user:bob"), row(92, today, owner="org:ada"))
    answer = guarded.get(f"{PATH}?days=7&limit=3", ada)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    told = exact(answer.body)
    assert [one["id"] for one in told["logs"]] == ["req_0014", "req_0013", "req_0012"]
    assert told["logs"][0]["credits"] == Decimal("1.400014")
    assert [one["id"] for one in told["topExpensiveRequests"]] == [
        "req_0090",
        *[f"req_{number:04}" for number in range(14, 5, -1)],
    ]
    assert told["costByModel"] == [
        {
            "model": name,
            "requests": requests,
            "credits": spent,
            "inputTokens": requests * 10,
            "outputTokens": requests * 2,
        }
        for name, requests, spent in (
            ("gpt", 15, Decimal("10.500105")),
            ("sonnet", 1, Decimal("9.00009")),
        )
    ]
    assert len(told["dailyCost"]) == 7
    assert [one["credits"] for one in told["dailyCost"][-3:]] == [
        0,
        Decimal("9.00009"),
        Decimal("10.500105"),
    ]
    assert told["dailyCost"][-1]["date"] == told["logs"][0]["ts"][:10]


def test_a_row_is_told_with_every_member_and_without_what_it_cost_us(guarded, store, ada, today):
    logged(
        store,
        row(
            1,
            today,
            ttft_ms=5,
            region="eu",
            error="stalled",
            job="job_1",
            left="drained",
            stream=True,
            usage=Usage(input_tokens=1, cache_read_tokens=1, made_ms=1_500, estimated=True),
        ),
        row(2, today, owner="user:ada", offer=None, provider=None, model="", key="", status=404),
    )
    newest, oldest = exact(guarded.get(PATH, ada).body)["logs"]
    assert oldest == {
        "id": "req_0001",
        "ts": oldest["ts"],
        "userId": "ada",
        "orgId": None,
        "keyId": "k1",
        "endpoint": "chat",
        "requestedModel": "gpt",
        "servedModel": "gpt",
        "provider": "one",
        "region": "eu",
        "status": 200,
        "latencyMs": 1,
        "ttftMs": 5,
        "inputTokens": 1,
        "outputTokens": None,
        "cacheReadTokens": 1,
        "cacheWriteTokens": None,
        "units": Decimal("1.5"),
        "credits": Decimal("0.100001"),
        "attempts": 1,
        "stream": True,
        "jobId": "job_1",
        "errorType": "stalled",
        "estimated": True,
        "left": "drained",
    }
    assert oldest["ts"].endswith("T00:00:00.001Z")
    assert newest["servedModel"] is newest["provider"] is newest["keyId"] is None


def test_another_owners_rows_are_an_admins_to_see(guarded, store, ada, admin, today):
    logged(store, row(1, today), row(2, today, owner="org:acme", cost=None, lost=3))
    assert [one["id"] for one in guarded.get(PATH, ada).json["logs"]] == ["req_0001"]
    assert [one["id"] for one in guarded.get(f"{PATH}?user=ada", ada).json["logs"]] == ["req_0001"]
    for query in ("user=bob", "org=ada", "org=acme"):
        for path in (PATH, EXPORT):
            answer = guarded.get(f"{path}?{query}", ada)
            assert answer.status == 403
            assert "admin" in answer.json["error"]["message"]
    every = exact(guarded.get(PATH, admin).body)
    assert [one["id"] for one in every["logs"]] == ["req_0002", "req_0001"]
    assert every["logs"][1]["costCredits"] == Decimal("0.00007")
    assert every["logs"][0]["costCredits"] is None
    assert every["logs"][0]["offer"] == "gpt@one"
    assert every["costByModel"][0]["lostCredits"] == Decimal("0.000003")
    assert every["costByModel"][0]["requestsOfUnknownCost"] == 1
    acme = guarded.get(f"{PATH}?org=acme", admin).json
    assert [(one["id"], one["orgId"]) for one in acme["logs"]] == [("req_0002", "acme")]
    assert guarded.get(f"{PATH}?user=a&org=b", admin).status == 400


@pytest.mark.parametrize("path", [PATH, EXPORT])
def test_nobody_sees_anything_without_a_key(guarded, store, today, path):
    logged(store, row(1, today))
    answer = guarded.get(path)
    assert answer.status == 401
    assert b"req_0001" not in answer.body


def test_where_nobody_needs_a_key_only_nobodys_rows_are_told(colour, router, world, store, today):
    open_house = opened(colour, router, world, Door(pepper=None), store)
    logged(store, row(1, today), row(2, today, owner="", key=""))
    assert [one["id"] for one in open_house.get(PATH).json["logs"]] == ["req_0002"]


def test_a_gateway_without_a_store_has_no_such_path(door):
    assert door.get(PATH).status == 404
    assert door.get(EXPORT).status == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "4321"),
        ("days=1", "321"),
        ("days=2&limit=10000", "4321"),
        ("endpoint=messages", "2"),
        ("model=sonnet", "2"),
        ("status=429", "3"),
        ("status=4xx", "3"),
        ("status=2XX", "421"),
        ("minLatencyMs=3", "43"),
        ("minCost=0.300003", "43"),
        ("minCost=0.300004", "4"),
        ("keyId=k2", "2"),
        ("q=RATE", "3"),
        ("q=%25", ""),
        ("q=&model=", "4321"),
        ("status=200&endpoint=chat&days=1", "1"),
    ],
)
def test_filters_select_rows_sums_and_lines_alike(guarded, store, ada, query, found):
    today = guarded.world.unix_ns() // DAY * DAY
    logged(
        store,
        row(1, today),
        row(2, today, endpoint="messages", model="sonnet", key="k2"),
        row(3, today, status=429, error="rate_limited"),
        row(4, today - DAY),
    )
    told = exact(guarded.get(f"{PATH}?{query}", ada).body)
    listed = sorted((one["id"][-1] for one in told["logs"]), reverse=True)
    assert listed == list(found)
    assert sum(one["requests"] for one in told["costByModel"]) == len(found)
    spent = sum(Decimal(one) * Decimal("0.100001") for one in found)
    assert sum(one["credits"] for one in told["dailyCost"]) == spent
    assert sorted(one["id"][-1] for one in told["topExpensiveRequests"]) == sorted(found)
    lines = guarded.get(f"{EXPORT}?{query.replace('&limit=10000', '')}", ada)
    exported = list(csv.DictReader(io.StringIO(lines.body.decode())))
    assert sorted((one["id"][-1] for one in exported), reverse=True) == list(found)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("days=0", "days is a whole number from 1 to 365, not '0'"),
        ("days=366", "365"),
        ("days=-1", "days"),
        ("days=1.5", "days"),
        ("days=%D9%A3", "days"),
        ("limit=0", "limit is a whole number from 1 to 10000"),
        ("limit=10001", "10000"),
        ("status=600x", "429"),
        ("status=9xx", "4xx"),
        ("status=%D9%A3%D9%A3%D9%A3", "4xx"),
        ("minLatencyMs=fast", "minLatencyMs"),
        ("minCost=-1", "minCost"),
        ("minCost=0.0000001", "six decimals"),
        ("minCost=NaN", "minCost"),
        ("minCost=1e99", "minCost"),
        ("day=7", "did you mean days?"),
        ("days=7&days=8", "twice"),
        ("q=%00", "printable"),
        (f"q={'a' * 201}", "200"),
    ],
)
def test_a_question_that_makes_no_sense_is_told_what_would(guarded, ada, query, words):
    answer = guarded.get(f"{PATH}?{query}", ada)
    assert answer.status == 400
    told = answer.json["error"]
    assert words in told["message"]
    assert told["param"] == query.partition("=")[0]


def test_the_export_is_streamed_whole_as_csv(guarded, store, ada, today):
    for number in range(2_500):
        logged(store, row(number, today - (number % 3) * DAY))
    logged(store, row(9_000, today, requested='=HYPERLINK("http://x","y"),é\n'))
    answer = guarded.get(f"{EXPORT}?days=3", ada)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert "content-length" not in answer.headers
    text = answer.body.decode()
    assert text.count("\r\n") == 2_502
    lines = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(lines) == 2_501
    assert [line["ts"] for line in lines] == sorted(line["ts"] for line in lines)
    assert {line["id"] for line in lines} == {f"req_{n:04}" for n in (*range(2_500), 9_000)}
    wild = next(line for line in lines if line["id"] == "req_9000")
    assert wild["requestedModel"].startswith("'=HYPERLINK")
    day = lines[-1]["ts"][:10]
    disposition = f'attachment; filename="hypereal-usage-{day}.csv"'
    assert answer.headers["content-disposition"] == disposition
    assert guarded.visits[-1].ended == "streamed"
    assert guarded.visits[-1].status == 200
    assert guarded.get(EXPORT, ada, method="HEAD").status == 405
    assert guarded.get(f"{EXPORT}?limit=5", ada).status == 400


def test_hidden_providers_stay_hidden_from_their_callers(colour, registry, world, store, today):
    table = TABLE.replace("keys: [env:ONE], speaks", "hidden: true, keys: [env:ONE], speaks")
    assert table != TABLE
    router = Router.loads(table, registry=registry)
    guarded = opened(colour, router, world, Door(pepper=PEPPER), store)
    logged(store, row(1, today, region="eu"), row(2, today, provider="two", region="us"))
    caller = ("x-api-key", made(store))
    told = guarded.get(PATH, caller).json["logs"]
    assert [(one["provider"], one["region"]) for one in told] == [("two", "us"), (None, None)]
    assert "one" not in guarded.get(EXPORT, caller).body.decode().replace("None", "")
    operator = ("x-api-key", made(store, owner_id="root", scopes=frozenset({"admin"})))
    assert guarded.get(PATH, operator).json["logs"][1]["provider"] == "one"


class Failing(MemoryStore):
    """Answers so many reads, and then no more."""

    reads_left = 1_000

    def read(self, keys: Any) -> Any:
        self.reads_left -= 1
        if self.reads_left < 0:
            raise StoreError("the disk is gone")
        return super().read(keys)


def test_a_store_that_is_down_is_a_503_and_one_that_goes_down_ends_no_export(
    colour, router, world, today
):
    store = Failing(now=world.now)
    guarded = opened(colour, router, world, Door(pepper=PEPPER), store)
    caller = ("x-api-key", made(store))
    for number in range(1_500):
        logged(store, row(number, today))
    for path in (PATH, EXPORT):
        store.reads_left = 1
        assert guarded.get(path, caller).status == 503
    store.reads_left = 2
    with pytest.raises(StoreError):
        guarded.get(EXPORT, caller)
    assert guarded.visits[-1].ended == "broken"


def test_the_query_is_in_no_log(guarded, store, ada, today):
    guarded.get(f"{PATH}?q=needle", ada)
    assert all("needle" not in repr(visit) for visit in guarded.visits)


def test_rows_without_a_price_are_not_among_the_dearest(guarded, store, ada, today):
    logged(store, row(1, today, credits=0), replace(row(2, today), credits=1))
    told = exact(guarded.get(PATH, ada).body)
    assert [one["id"] for one in told["topExpensiveRequests"]] == ["req_0002"]
    assert told["topExpensiveRequests"][0]["credits"] == Decimal("0.000001")


def test_an_export_goes_through_wsgi_and_whoever_leaves_it_is_noted(router, world, store, today):
    visits: list[Visit] = []
    client = Client(router, transport=world, clock=world)
    gateway = BlockingGateway(client, door=Door(pepper=PEPPER), store=store, observer=visits.append)
    for number in range(1_200):
        logged(store, row(number, today))
    headers = {"x-api-key": made(store)}
    transport = httpx.WSGITransport(app=wsgi_app(gateway))
    with httpx.Client(transport=transport, base_url="http://here") as browser:
        whole = browser.get(EXPORT, headers=headers)
        assert whole.text.count("\r\n") == 1_201
        assert browser.get(PATH, headers=headers).json()["costByModel"][0]["requests"] == 1_200
    assert [visit.ended for visit in visits] == ["streamed", "streamed"]
    asked = HttpRequest(method="GET", url=EXPORT, headers=tuple(headers.items()))
    pieces = gateway.handle(asked).pieces
    assert isinstance(pieces, Generator)
    assert next(pieces).startswith(b"id,ts,")
    pieces.close()
    assert visits[-1].ended == "gone"
