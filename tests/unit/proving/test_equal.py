"""Equal, or the request and the outage that tell two tables apart."""

from __future__ import annotations

import pytest

from hyperroute.proving.equal import Verdict, equal_names, equal_tables
from hyperroute.tables.load import loads

TABLE = """
hyperroute: 1
providers:
  a: {plugin: simulated, region: us}
  b: {plugin: simulated, region: eu}
  c: {plugin: simulated, region: eu}
models:
  m: {kind: chat, context: 10k, output: 1k, offers: [{at: a, price: {per: 1M tok, in: 1, out: 1}}, {at: b, price: {per: 1M tok, in: 2, out: 2}}]}
  n: {kind: chat, context: 10k, output: 1k, offers: [{at: c, price: {per: 1M tok, in: 3, out: 3}}]}
aliases: {latest: m}
chains:
  joined:  {first: [m, n]}
  twice:   {first: [m, {first: [n, m]}]}
  turned:  {first: [n, m]}
  two:     {first: [m, n], take: 2}
  matched: {match: [{when: {org.region: eu}, use: joined}, {use: twice}]}
  small:   {match: [{when: {req.tokens: "> 5k"}, use: joined}, {use: turned}]}
intents:
  any: {kind: chat, rank: [cost]}
  european: {kind: chat, require: {region: eu}, rank: [cost]}
policies:
  eu: {for: {org.region: eu}, require: {region: eu}}
"""


def between(change: tuple[str, str]) -> Verdict:
    assert change[0] in TABLE
    return equal_tables(loads(TABLE).table, loads(TABLE.replace(*change, 1)).table)


@pytest.mark.parametrize(
    "change",
    [
        ("plugin: simulated, region: us", "region: us, plugin: simulated"),
        ("joined:  {first: [m, n]}", "joined:  {first: [{first: [m]}, n, m]}"),
        ("any: {kind: chat, rank: [cost]}", "any: {kind: chat, rank: [cost], take: 9}"),
    ],
)
def test_what_means_the_same_is_equal(change: tuple[str, str]) -> None:
    found = between(change)
    assert found.equal
    assert found.classes > 0


@pytest.mark.parametrize(
    ("change", "aspect", "told"),
    [
        (("latest: m", "latest: n"), "names", {}),
        (("latest: m", "newest: m"), "names", {}),
        (("{at: a, price", "{at: a, context: 9k, price"), "offers", {"in": 10_000}),
        (("in: 1, out: 1", "in: 1, out: 1.5"), "prices", {}),
        (("require: {region: eu}}\n", "cap: {attempts: 1}}\n"), "offers", {"org.region": "eu"}),
        (
            ("eu: {for: {org.region: eu}, require", "eu: {for: {org.region: us}, require"),
            "offers",
            {},
        ),
        (("rank: [cost]}\n  european", "rank: [cost], take: 2}\n  european"), "offers", {}),
    ],
)
def test_a_difference_comes_with_its_request(
    change: tuple[str, str], aspect: str, told: dict[str, object]
) -> None:
    found = between(change)
    assert not found.equal
    assert found.difference is not None
    assert found.difference.aspect == aspect
    if told:
        assert found.difference.situation is not None
        assert told.items() <= found.difference.situation.told().items()


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("joined", "twice", True),
        ("joined", "matched", True),
        ("joined", "turned", False),
        ("joined", "two", False),
        ("joined", "small", False),
        ("any", "joined", True),
        ("any", "european", False),
        ("m", "joined", False),
    ],
)
def test_names_of_one_table_are_compared_by_what_they_denote(
    one: str, other: str, equal: bool
) -> None:
    found = equal_names(loads(TABLE).table, one, other)
    assert found.equal == equal
    assert found.proved
    assert (found.difference is None) == equal


def test_orders_that_are_measured_are_only_equal_if_they_are_the_same() -> None:
    """Before anything is measured both fall back to the id."""
    fast = TABLE.replace("any: {kind: chat, rank: [cost]}", "any: {kind: chat, rank: [ttft.p90]}")
    quick = TABLE.replace(
        "any: {kind: chat, rank: [cost]}", "any: {kind: chat, rank: [latency.p90]}"
    )
    found = equal_tables(loads(fast).table, loads(quick).table)
    assert found.difference is None
    assert not found.proved
    assert not found.equal
    assert equal_tables(loads(fast).table, loads(fast).table).equal


def test_a_difference_that_only_an_outage_shows_is_found() -> None:
    text = TABLE.replace("two:     {first: [m, n], take: 2}", 'two:     {first: ["m@a", "m@b"]}')
    text = text.replace("turned:  {first: [n, m]}", "turned:  {first: [{first: [m, n], take: 2}]}")
    found = equal_names(loads(text).table, "two", "turned")
    assert found.difference is not None
    assert found.difference.situation is not None
    assert found.difference.situation.closed
