"""Stages drawn at random: plans, policies and providers in every kind of trouble.

``drawn_stage`` takes its choices from a function, so that the same stages come from a seed (the
simulation, thousands a second) and from Hypothesis (the properties, which shrink).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import repeat
from random import Random
from types import MappingProxyType
from typing import Final, TypeVar

from hyperroute.canon.failure import Cool, Failure, FailureClass, Reaction
from hyperroute.canon.units import MILLISECOND, MINUTE, SECOND
from hyperroute.canon.wire import HttpRequest
from hyperroute.catalog.card import Breaker, OpenInRow, Timeouts
from hyperroute.providers.classify import verdict_on
from hyperroute.routing.plan import Candidate, Plan
from hyperroute.routing.table import RetryBudget, Rules
from hyperroute.runtime.ports import TransportFault
from hyperroute.testing.lines import ANSWER, fails, lines, says
from hyperroute.testing.runs import Stage, candidate, plan_of
from hyperroute.testing.script import End, Script

T = TypeVar("T")
Pick = Callable[[Sequence[T]], T]

HOSTS: Final = ("a", "b", "c", "d")

FAULTS: Final[tuple[TransportFault, ...]] = (
    "dns", "connect", "connect_timeout", "tls", "pool", "unsent", "goaway", "reset", "first_byte",
    "encoding", "protocol",
)  # fmt: skip

WORDS: Final = MappingProxyType(
    {
        "limited_2s": replace(verdict_on(FailureClass.RATE_LIMITED), hint_ns=2 * SECOND),
        "limited_1h": replace(verdict_on(FailureClass.RATE_LIMITED), hint_ns=60 * MINUTE),
        "never_again": Failure(kind=FailureClass.SERVER_ERROR, pushback=True, health="counts"),
        "slow_down": Failure(
            kind=FailureClass.RATE_LIMITED, cool=Cool(scope="provider", base_ns=15 * SECOND)
        ),
        "say_it_again": Failure(
            kind=FailureClass.MALFORMED_OUTPUT, advice=Reaction.RETRY, health="half"
        ),
    }
)
"""Verdicts finer than a class, by the word a script says."""

_KINDS: Final = tuple(sorted(set(FailureClass) - {FailureClass.CLIENT_GONE, FailureClass.DEADLINE}))
_TOOL: Final = ("start", "usage 7 0", "part tool", 'say {"a"', "say :1}", "end", "finish stop")
_ODD: Final = (
    ("start", "finish stop"),
    ("start", "part text", "end", "finish stop"),
    ("part text", "say hello"),
    ("start", "say hello"),
    ("start", "part text", "say hi", "boom"),
    ("start", "part text", "say hi", "end", "finish stop", "finish stop", "part text", "say more"),
    ("start", "start", "part text", "say hi", "end", "end", "finish stop"),
    ("nonsense",),
    (),
)


def seeded(seed: int) -> Pick[object]:
    """Choose by a seed."""
    return Random(seed).choice  # noqa: S311 - it must repeat


def drawn_stage(pick: Pick[object]) -> Stage:
    """Draw a plan and what its providers do."""
    choose: Callable[[Sequence[T]], T] = pick  # type: ignore[assignment]
    plan = drawn_plan(pick)
    names = sorted(plan.table.providers)
    answers = {
        name: tagged(name, [drawn_script(pick) for _ in range(choose((1, 1, 2, 3, 5)))])
        for name in names
    }
    return Stage(
        plan=plan,
        answers=answers,
        provider=lines(failures=WORDS),
        hang_up_after=choose((None, None, None, None, 1, 2, 3, 5)),
    )


def tagged(name: str, scripts: Sequence[Script]) -> Callable[[HttpRequest], Script]:
    """Play scripts one after another, ``hello`` replaced by who says it in which attempt.

    So that what was delivered tells where it came from (invariants 25 and 26).
    """
    turn = iter([*range(len(scripts) - 1), *repeat(len(scripts) - 1, 1_000)])

    def answer(request: HttpRequest) -> Script:
        script: Script = scripts[next(turn)]
        tag = f"<{name}{request.body.split()[-1].decode()}>".encode()
        told = [chunk.replace(b"hello", tag) for chunk in script.chunks]
        return replace(script, chunks=tuple(told))

    return answer


def drawn_plan(pick: Pick[object]) -> Plan:
    """Draw candidates and the rules they are tried under."""
    choose: Callable[[Sequence[T]], T] = pick  # type: ignore[assignment]
    candidates = tuple(_candidate(pick, host) for host in HOSTS[: choose((1, 2, 2, 3, 4))])
    rules = Rules(
        attempts=choose((1, 2, 3, 6, 6, 8)),
        time_ns=choose(_DEADLINES),
        errors=dict(_policy(pick) for _ in range(choose((0, 0, 1, 2)))),
        per_offer=choose((0, 1, 1, 3)),
        jitter=choose(("full", "full", "none")),
        budget=choose((RetryBudget(), RetryBudget(), RetryBudget(percent=0, floor=1))),
        commit=choose(("first_content", "first_content", "first_byte")),
        hold_bytes=choose((64_000, 64_000, 100)),
        breaker=choose((None, None, _TOUCHY)),
    )
    return plan_of(
        *candidates,
        rules=rules,
        stream=choose((True, True, False)),
        seed=choose((0, 1, 2)),
        kind=choose(("chat", "chat", "chat", "video")),
    )


def drawn_script(pick: Pick[object]) -> Script:
    """Draw one answer: good ones, bad ones, and those that begin well."""
    choose: Callable[[Sequence[T]], T] = pick  # type: ignore[assignment]
    body = choose((ANSWER, ANSWER, _TOOL))
    match choose(_SCRIPTS):
        case "good":
            script = says(*body, wait_ns=choose((0, MILLISECOND, SECOND)))
        case "cut":
            begun = says(*body[: choose((0, 1, 2, 3, 4, 6))])
            script = replace(begun, end=choose(_ENDS))
        case "status":
            script = fails(choose((*_KINDS, *WORDS)), status=choose((400, 429, 500)))
        case "fault":
            script = Script(fault=choose(FAULTS))
        case "inner":
            script = says(*body[: choose((0, 1, 2, 4))], f"fail {choose((*_KINDS, *WORDS))}")
        case "odd":
            script = says(*choose(_ODD))
        case "slow":
            script = says(*body, wait_ns=choose((4 * SECOND, 70 * SECOND)))
        case _:
            comments = (":",) * choose((3, 40))
            script = says(*body[: choose((0, 1, 3))], *comments, wait_ns=3 * SECOND)
    return replace(script, head_after_ns=choose(_DELAYS))


_SCRIPTS: Final = (
    *("good", "good", "good", "good", "status", "status", "status", "inner", "inner"),
    *("fault", "fault", "cut", "odd", "slow", "talks"),
)
_ENDS: Final[tuple[End, ...]] = ("clean", "cut", "reset", "stall")
_DEADLINES: Final = (300 * SECOND,) * 8 + (20 * SECOND, 3 * SECOND, 500 * MILLISECOND)
_DELAYS: Final = (0,) * 12 + (30 * MILLISECOND,) * 3 + (2 * SECOND, 61 * SECOND)
_TOUCHY: Final = Breaker(open=(OpenInRow(2),), cool_ns=5 * SECOND, cool_max_ns=20 * SECOND)


def _candidate(pick: Pick[object], host: str) -> Candidate:
    choose: Callable[[Sequence[T]], T] = pick  # type: ignore[assignment]
    after = choose((frozenset(), frozenset(), frozenset({choose(_KINDS)})))
    return candidate(
        f"m@{host}",
        keys=choose((0, 1, 2, 3)),
        retries=choose((0, 1, 1, 3)),
        rotations=choose((0, 1, 2)),
        context=choose((None, 1_000, 2_000, 3_000)),
        timeouts=Timeouts(
            connect_ns=5 * SECOND,
            first_byte_ns=choose((60 * SECOND, SECOND)),
            first_content_ns=choose((None, 10 * SECOND)),
            idle_ns=choose((None, 60 * SECOND, 8 * SECOND)),
            total_ns=choose((None, None, 15 * SECOND)),
        ),
        after=frozenset() if host == "a" else after,
    )


def _policy(pick: Pick[object]) -> tuple[FailureClass, tuple[Reaction, int | None]]:
    choose: Callable[[Sequence[T]], T] = pick  # type: ignore[assignment]
    return choose(_KINDS), (choose(tuple(Reaction)), choose((None, 1, 3)))


__all__ = [
    "FAULTS",
    "HOSTS",
    "WORDS",
    "drawn_plan",
    "drawn_script",
    "drawn_stage",
    "seeded",
    "tagged",
]
