"""The body member that narrows a request."""

from decimal import Decimal

import pytest

from hyperroute.canon.request import NO_NARROWING, Narrowing
from hyperroute.dialects.extension import read_extension
from hyperroute.errors import ClientWireError


def test_no_extension_narrows_nothing():
    assert read_extension({"model": "m"}) == (NO_NARROWING, ())


@pytest.mark.parametrize("name", ["hyperroute", "hypereal"])
def test_both_names_are_read_and_named_for_removal(name):
    said = {
        "fallback": False,
        "providers": {"only": ["a", "b"], "avoid": ["c"]},
        "max_cost": "0.050 usd",
        "deadline": "1.5s",
        "cache": False,
    }
    assert read_extension({name: said}) == (
        Narrowing(
            fallback=False,
            only=("a", "b"),
            avoid=("c",),
            max_cost="0.050",
            deadline_ns=1_500_000_000,
            cache=False,
        ),
        (name,),
    )


@pytest.mark.parametrize("value", [None, {}, {"cache": "auto"}, {"cache": True, "fallback": None}])
def test_what_says_nothing_narrows_nothing_and_is_removed_all_the_same(value):
    assert read_extension({"hypereal": value}) == (NO_NARROWING, ("hypereal",))


@pytest.mark.parametrize(
    ("value", "usd"),
    [
        (1, "1"),
        (0.1, "0.1"),
        (0, "0"),
        ("5 credit", "0.05"),
        ("2 USD", "2"),
        ("0.07", "0.07"),
        (Decimal("0.30"), "0.30"),
        (1e-7, "0.0000001"),
    ],
)
def test_money_is_exact_text_in_dollars(value, usd):
    assert read_extension({"hyperroute": {"max_cost": value}})[0].max_cost == usd


@pytest.mark.parametrize(
    ("value", "ns"),
    [
        ("30s", 30 * 10**9),
        ("500ms", 5 * 10**8),
        ("2m", 120 * 10**9),
        (3, 3 * 10**9),
        (0.5, 5 * 10**8),
    ],
)
def test_a_deadline_is_text_with_a_unit_or_seconds(value, ns):
    assert read_extension({"hyperroute": {"deadline": value}})[0].deadline_ns == ns


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ([], "/hyperroute"),
        ({"fall/back": False}, "/hyperroute/fall~1back"),
        ({"fallback": "no"}, "/hyperroute/fallback"),
        ({"cache": "never"}, "/hyperroute/cache"),
        ({"providers": ["a"]}, "/hyperroute/providers"),
        ({"providers": {"only": "a"}}, "/hyperroute/providers/only"),
        ({"providers": {"avoid": ["a", 1]}}, "/hyperroute/providers/avoid/1"),
        ({"providers": {"order": []}}, "/hyperroute/providers/order"),
        ({"max_cost": "cheap"}, "/hyperroute/max_cost"),
        ({"max_cost": -1}, "/hyperroute/max_cost"),
        ({"max_cost": True}, "/hyperroute/max_cost"),
        ({"max_cost": float("nan")}, "/hyperroute/max_cost"),
        ({"deadline": "soon"}, "/hyperroute/deadline"),
        ({"deadline": 0}, "/hyperroute/deadline"),
        ({"deadline": "8d"}, "/hyperroute/deadline"),
    ],
)
def test_what_is_wrong_is_named_by_its_pointer(said, pointer):
    with pytest.raises(ClientWireError) as caught:
        read_extension({"hyperroute": said})
    assert caught.value.pointer == pointer


def test_both_names_at_once_are_refused():
    with pytest.raises(ClientWireError):
        read_extension({"hyperroute": {}, "hypereal": {}})
