"""What a table tells apart becomes an axis; what it cannot tell apart does not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hyperroute.bounds.axes import axes_of
from hyperroute.bounds.reach import reach
from hyperroute.tables.load import loads

TABLE = """
hyperroute: 1
providers: {a: {plugin: simulated, region: eu-central}, b: {plugin: simulated, region: us}}
facts: {org.plan: {one_of: [free, pro], default: free}, org.seats: {type: count}}
limits: {speed: {per: user, rate: 300 req / min}}
models:
  m: {kind: chat, context: 10k, offers: [{at: a}, {at: b, context: 8k}]}
chains:
  c: {split: {by: user, arms: {m: 70%, "m@a": 30%}, rest: true}}
intents:
  i: {kind: chat, use: c}
policies:
"""


def values(policy: str, name: str = "m") -> tuple[dict[str, tuple[Any, ...]], bool]:
    text = TABLE + policy if policy else TABLE.replace("policies:\n", "")
    found = reach(loads(text).table, name)
    assert found is not None
    axes = axes_of(found)
    return {axis.name: axis.values for axis in axes.axes}, axes.complete


@pytest.mark.parametrize(
    ("policy", "axis", "expected"),
    [
        ("  p: {for: {org.region: eu}}", "org.region", (None, "eu", "some-other")),
        ("  p: {for: {org.plan: pro}}", "org.plan", ("pro", "some-other")),
        ('  p: {for: {org.seats: "> 10"}}', "org.seats", (None, 9, 10, 11)),
        (
            '  p: {for: {limit.speed.used: ">= 90%"}}',
            "limit.speed.used",
            (None, Decimal("0.45"), Decimal("0.9"), Decimal("1.9")),
        ),
        ("  p: {for: {req.stream: true}}", "stream", (True, False)),
        (
            '  p: {for: {req.tokens: "> 5k"}}',
            "size",
            ((10_000, None), (8_000, None), (5_000, None)),
        ),
        (
            "  p: {require: {region: org.region}}",
            "org.region",
            (None, "eu", "eu-central", "us", "some-other"),
        ),
        (
            "  p: {for: {key.models: given}, require: {model: key.models}}",
            "key.models",
            (None, ("*",)),
        ),
        (
            "  p: {for: {org.tags: [x, y]}}",
            "org.tags",
            (None, (), ("x",), ("y",), ("x", "y")),
        ),
    ],
)
def test_a_condition_makes_an_axis(policy: str, axis: str, expected: tuple[Any, ...]) -> None:
    found, complete = values(policy + "\n")
    assert complete
    assert found[axis] == expected


def test_where_nothing_is_compared_only_sizes_are_left() -> None:
    found, complete = values("")
    assert complete
    assert {name for name, one in found.items() if len(one) > 1} == {"size"}


def test_a_split_is_drawn_by_keys_for_every_order_of_its_arms() -> None:
    found, complete = values("", "i")
    assert complete
    assert len(found["user.id"]) == 2


@pytest.mark.parametrize(
    "policy",
    ["  p: {cap: {cost: 1 usd}}", "  p: {for: {org.tags: [a, b, c, d, e]}}"],
)
def test_what_has_no_finite_thresholds_is_not_called_complete(policy: str) -> None:
    assert not values(policy + "\n")[1]
