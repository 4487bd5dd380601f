"""How a row is made of a run, and how it is told."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.failure import Failure, FailureClass
from hyperroute.canon.journal import UsageRow
from hyperroute.canon.money import Cost
from hyperroute.canon.usage import Usage
from hyperroute.routing.record import Attempt, Record
from hyperroute.usage.rows import (
    COUNT_MAX,
    ENDPOINTS,
    WORD_MAX,
    in_credits,
    moment,
    row_of,
    told,
    units,
)

MILLI = 1_000_000
FAILED = Failure(kind=FailureClass.STALLED, message="the provider's own words")


def attempt(number: int, **more: Any) -> Attempt:
    given: dict[str, Any] = {"failure": FAILED} | more
    return Attempt(
        number=number, offer=f"m{number}@p{number}", provider=f"p{number}", model=f"m{number}",
        credential="p#0", kind="first", started_at=0, ended_at=1, **given,
    )  # fmt: skip


def record(*attempts: Attempt, **more: Any) -> Record:
    given: dict[str, Any] = {
        "request_id": "r",
        "digest": "d",
        "seed": 0,
        "asked": "gpt",
        "name": "gpt",
        "dialect": "openai.chat",
        "stream": True,
        "candidates": (),
        "attempts": attempts,
        "outcome": "exhausted",
        "began_at": 10 * MILLI,
        "ended_at": 90 * MILLI,
    }
    return Record(**(given | more))


def made(of: Record | None = None, **more: Any) -> UsageRow:
    given: dict[str, Any] = {
        "request_id": "req_1", "at": 5, "endpoint": "chat", "status": 200, "latency_ns": 81 * MILLI + 9
    }  # fmt: skip
    return row_of(record=of, **(given | more))


def test_a_served_run_is_the_row_of_its_answer():
    answer = attempt(2, failure=None, first_content_at=35 * MILLI, usage=Usage(input_tokens=7))
    served = record(attempt(1), answer, outcome="served", served="m2@p2", left="drained")
    row = made(
        served,
        owner="user:ada",
        key="k1",
        charged=12,
        costs=(Cost("p1", 3, served=False), Cost("p2", 8, served=True)),
        region="eu",
        job="job_1",
    )
    assert row == UsageRow(
        id="req_1", at=5, owner="user:ada", key="k1", endpoint="chat", requested="gpt", model="m2",
        offer="m2@p2", provider="p2", region="eu", status=200, latency_ms=81, ttft_ms=25,
        usage=Usage(input_tokens=7), credits=12, cost=8, lost=3, attempts=2, stream=True,
        job="job_1", error=None, left="drained",
    )  # fmt: skip


def test_a_run_that_served_nobody_names_what_was_tried_and_why_it_ended():
    row = made(
        record(attempt(1), attempt(2), failure=FAILED),
        status=504,
        costs=(Cost("p1", 3, served=False), Cost("p2", 4, served=False)),
        region="eu",
    )
    assert (row.model, row.served, row.offer, row.provider, row.region) == ("m2", *[None] * 4)
    assert (row.error, row.cost, row.lost, row.credits, row.attempts) == ("stalled", 0, 7, 0, 2)
    assert row.usage == Usage()
    assert row.ttft_ms is None
    assert "words" not in repr(row)


def test_a_cost_that_is_not_told_is_unknown_and_never_zero():
    served = record(attempt(1), attempt(2, failure=None), outcome="served", served="m2@p2")
    mine, other = Cost("p2", 8, served=True), Cost("p1", 3, served=False)
    for costs, cost, lost in (
        ((), None, None),
        ((mine,), 8, None),
        ((other,), None, 3),
        ((other, mine), 8, 3),
    ):
        row = made(served, costs=costs)
        assert (row.cost, row.lost) == (cost, lost)
    assert (made().cost, made().lost) == (0, 0)


def test_a_plan_that_refused_is_told_by_its_code_and_groups_under_no_model():
    row = made(record(refusal="model_not_found", asked="made-up"), status=400)
    assert (row.error, row.model, row.requested) == ("model_not_found", "", "made-up")
    assert made(status=401, error="unauthorized", asked="gpt").error == "unauthorized"
    assert made(record(failure=FAILED), error="other").error == "stalled"


def test_what_a_caller_wrote_is_cut_and_every_store_can_keep_it():
    wild = "a\x00b\ud800c\n" + "x" * 1_000
    for row in (made(asked=wild), made(record(asked=wild))):
        assert len(row.requested) == WORD_MAX
        assert row.requested.isprintable()
        assert row.requested.encode().startswith("a�b�c�x".encode())


def test_counts_that_nobody_can_have_used_do_not_spoil_sums():
    usage = Usage(input_tokens=10**40, output_tokens=COUNT_MAX, images=0, run_ms=10**19)
    row = made(record(attempt(1, usage=usage), served="m1@p1"))
    assert row.usage == replace(usage, input_tokens=COUNT_MAX, run_ms=COUNT_MAX)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (Usage(), None),
        (Usage(input_tokens=5), None),
        (Usage(images=2, made_ms=5_000), 2),
        (Usage(images=0), 0),
        (Usage(clips=1), 1),
        (Usage(made_ms=5_000), 5),
        (Usage(run_ms=18_420), Decimal("18.42")),
        (Usage(received_ms=1), Decimal("0.001")),
    ],
)
def test_units_are_what_was_made_beside_tokens(usage, expected):
    assert units(usage) == expected


@pytest.mark.parametrize(
    ("owner", "user", "org"),
    [("user:ada", "ada", None), ("org:a:b", None, "a:b"), ("", None, None)],
)
def test_an_owner_is_a_user_or_an_organisation(owner, user, org):
    members = told(UsageRow(id="r", at=0, owner=owner))
    assert (members["userId"], members["orgId"]) == (user, org)


@given(st.integers(0, 10**20))
def test_credits_are_exact_and_have_no_zeros_at_the_end(amount):
    shown = format(in_credits(amount), "f")
    assert Decimal(shown) * 1_000_000 == amount
    assert "." not in shown or not shown.endswith("0")


def test_moments_are_of_the_millisecond_that_has_begun():
    assert moment(1_700_000_000_999_999_999) == "2023-11-14T22:13:20.999Z"
    assert moment(0) == "1970-01-01T00:00:00.000Z"


def test_every_dialect_has_an_endpoint_that_tables_know():
    from hyperroute.plugins.registry import discover
    from hyperroute.routing.resolve import PATHS

    assert set(ENDPOINTS) == set(discover(entry_points=False).dialects)
    assert set(ENDPOINTS.values()) <= set(PATHS)
