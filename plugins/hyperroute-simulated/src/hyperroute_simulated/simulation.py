"""How a simulated provider behaves, declared: latency, token rate, faults by share and by script.

A value, not a state: what happens to an attempt follows from it and from the attempt alone, so that
equal calls are answered equally, in any order and in any process.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, Final

from hyperroute.canon.failure import FailureClass
from hyperroute.canon.units import MILLISECOND, SECOND

SIMULATED: Final = frozenset(FailureClass) - {FailureClass.CLIENT_GONE, FailureClass.DEADLINE}
"""The classes that a provider can cause; the other two are the caller's and the run's."""

_CUT: Final = re.compile(r"cut after (\d{1,6}) tok")
_SLOW: Final = re.compile(r"slow (\d{1,6})(ms|s)")
_UNITS: Final = MappingProxyType({"ms": MILLISECOND, "s": SECOND})


@dataclass(frozen=True, slots=True)
class Step:
    """What one attempt meets. The default is a good answer at the usual speed.

    ``cut_after`` tokens the connection breaks; ``slow_ns`` comes on top of the usual latency.
    """

    kind: FailureClass | None = None
    cut_after: int | None = None
    slow_ns: int = 0


OK: Final = Step()


def step_of(text: str) -> Step:
    """Read one word of a script: ``ok``, a failure class, ``cut after 20 tok``, ``slow 5s``.

    Raises:
        ValueError: It is none of these.
    """
    if text == "ok":
        return OK
    if match := _CUT.fullmatch(text):
        return Step(cut_after=int(match[1]))
    if match := _SLOW.fullmatch(text):
        return Step(slow_ns=int(match[1]) * _UNITS[match[2]])
    if text in SIMULATED:
        return Step(kind=FailureClass(text))
    raise ValueError(
        f"{text!r} is no step of a script; write ok, 'cut after 20 tok', 'slow 5s' or one of "
        f"{', '.join(sorted(SIMULATED))}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """The world as one provider shows it.

    Attributes:
        seed: Everything that looks like chance follows from it and from the call.
        latency_ns: Until the first byte; 0 waits never.
        tokens_per_s: Speed of the answer; 0 is at once.
        faults: Percent of attempts by failure class, 100 in all at most.
        script: What the first, second, … attempt of a run meets; the last counts for all further
            ones, and a script goes before ``faults``.
        answer: Said in place of the usual text; ``None`` = the usual.
    """

    seed: int = 0
    latency_ns: int = 120 * MILLISECOND
    tokens_per_s: int = 80
    faults: Mapping[FailureClass, int] = field(default_factory=lambda: MappingProxyType({}))
    script: tuple[Step, ...] = ()
    answer: str | None = None

    def __post_init__(self) -> None:
        """Refuse a world that cannot be.

        Raises:
            ValueError: A share is negative or all exceed 100, or a number is negative.
        """
        shares = self.faults.values()
        if any(share < 0 for share in shares) or sum(shares) > 100:
            raise ValueError(
                f"shares of faults are percent, 100 in all at most: {dict(self.faults)}"
            )
        if self.latency_ns < 0 or self.tokens_per_s < 0:
            raise ValueError("latency and speed are not negative")

    def step(self, *, attempt: int, fingerprint: bytes) -> Step:
        """Say what an attempt meets; ``attempt`` starts at 1."""
        if self.script:
            return self.script[min(max(attempt, 1), len(self.script)) - 1]
        drawn = draw(self.seed, fingerprint, b"fault") % 100
        for kind, share in sorted(self.faults.items()):
            if drawn < share:
                return Step(kind=kind)
            drawn -= share
        return OK

    def pause_ns(self, tokens: int) -> int:
        """Say how long so many tokens take."""
        return tokens * SECOND // self.tokens_per_s if self.tokens_per_s else 0


INSTANT: Final = Simulation(latency_ns=0, tokens_per_s=0)
"""For tests: never waits."""

OPTIONS: Final = MappingProxyType(
    {
        "seed": int,
        "latency_ms": int,
        "tokens_per_s": int,
        "faults": dict,
        "script": list,
        "answer": str,
    }
)
"""What a table entry's ``options`` may say of its simulation."""


def with_options(simulation: Simulation, options: Mapping[str, Any]) -> Simulation:
    """Narrow a simulation by a table entry's ``options``.

    Raises:
        ValueError: An option holds what it cannot mean.
    """
    said: dict[str, Any] = {
        name: options[name] for name in ("seed", "tokens_per_s", "answer") if name in options
    }
    if "latency_ms" in options:
        said["latency_ns"] = int(options["latency_ms"]) * MILLISECOND
    if "script" in options:
        said["script"] = tuple(step_of(str(text)) for text in options["script"])
    if "faults" in options:
        said["faults"] = {
            FailureClass(step_of(kind).kind or kind): int(share)
            for kind, share in options["faults"].items()
        }
    return replace(simulation, **said) if said else simulation


def draw(seed: int, fingerprint: bytes, purpose: bytes) -> int:
    """Return 64 bits that look like chance and are none."""
    digest = blake2b(
        fingerprint, digest_size=8, salt=purpose[:16], key=seed.to_bytes(16, "big", signed=True)
    )
    return int.from_bytes(digest.digest(), "big")


__all__ = [
    "INSTANT",
    "OK",
    "OPTIONS",
    "SIMULATED",
    "Simulation",
    "Step",
    "draw",
    "step_of",
    "with_options",
]
