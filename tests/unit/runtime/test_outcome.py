"""What a caller is told, and what never."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.failure import Failure, FailureClass
from hyperroute.canon.units import SECOND
from hyperroute.errors import Exhausted, Interrupted, Refused
from hyperroute.routing.record import Attempt, Denial, Record
from hyperroute.runtime.outcome import STATUSES, error_of, scrubbed, shown
from hyperroute.testing.runs import candidate, plan_of

PLAN = plan_of(candidate("m@a"), candidate("m@b"))


def record(*kinds, outcome="exhausted", denials=(), **more):
    attempts = tuple(
        Attempt(
            number=number, offer=f"m@{'ab'[number % 2 - 1]}", provider="ab"[number % 2 - 1],
            model="m", credential="", kind="first", started_at=0, ended_at=0,
            failure=kind if isinstance(kind, Failure) else Failure(kind=FailureClass(kind)),
        )
        for number, kind in enumerate(kinds, start=1)
    )  # fmt: skip
    return Record(
        request_id="r", digest="d", seed=0, asked="m", name="m", dialect="x", stream=False,
        candidates=("m@a", "m@b"), attempts=attempts, denials=denials, outcome=outcome,
        began_at=0, ended_at=0, **more,
    )  # fmt: skip


def told(*kinds, now=0, **more):
    return error_of(PLAN, record(*kinds, **more), now=now)


@pytest.mark.parametrize("kind", FailureClass)
def test_every_class_has_a_status_that_speaks_of_the_caller_only(kind):
    assert STATUSES[kind] not in {401, 402, 403, 404}


def test_a_429_is_told_only_if_everybody_said_so():
    assert told("rate_limited", "rate_limited").status == 429
    assert told("server_error", "rate_limited").status == 502
    assert told("overloaded", "rate_limited").status == 503
    assert told("rate_limited", "provider_auth").status == 502


def test_the_least_wait_counts_from_now():
    slow = Failure(kind=FailureClass.RATE_LIMITED, hint_ns=50 * SECOND)
    fast = Failure(kind=FailureClass.RATE_LIMITED, hint_ns=20 * SECOND)
    assert told(slow, fast).retry_after_s == 20
    assert told(slow, fast, now=5 * SECOND).retry_after_s == 15
    assert told(fast, now=60 * SECOND).retry_after_s == 1
    assert told("rate_limited").retry_after_s is None


def test_every_attempt_is_listed_by_its_offer():
    error = told("server_error", "slow_start")
    assert isinstance(error, Exhausted)
    assert "1. m@a server_error; 2. m@b slow_start" in str(error)
    assert (error.status, error.code) == (504, "slow_start")


def test_an_interruption_tells_what_broke():
    stalled = Failure(kind=FailureClass.STALLED)
    error = told("rate_limited", stalled, outcome="interrupted", failure=stalled)
    assert isinstance(error, Interrupted)
    assert error.status == 504


def test_where_everything_rests_the_caller_learns_when_to_come_back():
    denials = (Denial("m@a", "breaker", 30 * SECOND), Denial("m@b", "provider", 15 * SECOND))
    error = told(outcome="refused", denials=denials)
    assert isinstance(error, Refused)
    assert (error.status, error.retry_after_s) == (503, 15)
    assert "m@a: breaker" in str(error)


def test_a_run_without_time_for_anything_is_a_timeout():
    assert told(outcome="refused").status == 504


def test_invariant_29_a_hidden_provider_is_a_digest_everywhere():
    plan = plan_of(candidate("m@secret-host/eu"), hidden=True)
    name = shown(plan, "m@secret-host/eu", "secret-host")
    assert "secret-host" not in name
    assert name.startswith("m@")
    assert name.endswith("/eu")
    assert name == shown(plan, "m@secret-host/eu", "secret-host")
    denied = record(outcome="refused", denials=(Denial("m@secret-host/eu", "breaker", None),))
    assert "secret-host" not in str(error_of(plan, denied, now=0))


CANARIES = [
    "https://api.openai.com/v1/x",
    "http://vllm-7.internal:8000/generate",
    "platform.openai.com/account/api-keys",
    "10.0.12.7:8080",
    "sk-proj-abc123DEF456ghi789",
    "sk-ant-api03-xyz_123",
    "AIzaSyA1234567890abcdefg",
    "AKIAIOSFODNN7EXAMPLE",
    "Bearer abc.def.ghi",
    "org-AbC123dEf456",
    "projects/my-project-123",
    "ops@example.com",
    "123e4567-e89b-12d3-a456-426614174000",
    "req_011CSHoEeqs5C35K2UUqR7Fy",
    "a3f9c0de8812ab77e0c4d5f6a7b8c9d0",
]


@pytest.mark.parametrize("canary", CANARIES)
def test_invariant_29_an_explanation_is_scrubbed(canary):
    assert canary not in scrubbed(f"Your request failed: {canary} said no")


@given(st.lists(st.sampled_from(CANARIES), max_size=5), st.text("abc .,;:()", max_size=10))
def test_invariant_29_whatever_surrounds_a_secret_it_is_removed(canaries, glue):
    text = scrubbed(f" {glue} ".join(canaries))
    assert not any(canary in text for canary in canaries)


@pytest.mark.parametrize(
    "said",
    [
        "prompt is too long: 210000 tokens > 200000 maximum",
        "messages.0.content.1: Input should be a valid dictionary",
        "'temperature' must be between 0 and 2 for gpt-4.1-mini-2025-04-14",
        "tools[0].function.parameters: unknown keyword 'propertiez'",
    ],
)
def test_what_helps_the_caller_is_kept(said):
    assert scrubbed(said) == said


def test_an_explanation_is_bounded():
    assert len(scrubbed("word " * 10_000)) < 1_100
