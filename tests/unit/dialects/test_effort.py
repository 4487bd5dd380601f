"""Effort and budgets."""

import pytest

from hyperroute.dialects.effort import BUDGETS, EFFORTS, budget_of, effort_of, nearest


def test_budgets_rise_with_effort():
    assert list(BUDGETS.values()) == sorted(BUDGETS.values())


@pytest.mark.parametrize(
    ("tokens", "effort"),
    [
        (1, "minimal"),
        (512, "minimal"),
        (1024, "low"),
        (8191, "low"),
        (8192, "medium"),
        (99999, "xhigh"),
    ],
)
def test_a_budget_is_the_effort_below_it(tokens, effort):
    assert effort_of(tokens) == effort


def test_every_named_budget_comes_back():
    assert {effort_of(tokens): tokens for tokens in BUDGETS.values()} == dict(BUDGETS)


def test_max_is_the_limit_and_strange_words_are_unknown():
    assert budget_of("max", limit=7) == 7
    assert budget_of("max", limit=None) is None
    assert budget_of("enormous", limit=7) is None


@pytest.mark.parametrize(
    ("effort", "found"),
    [("low", "low"), ("minimal", "low"), ("max", "xhigh"), ("none", "low"), ("?", None)],
)
def test_the_nearest_of_what_a_target_has(effort, found):
    assert nearest(effort, ("low", "medium", "high", "xhigh")) == found
    assert nearest(effort, ()) is None or effort in EFFORTS
