"""What replicas tell one another of offers, keys and providers: words, and how one is taken in.

A word says how one breaker or one cool-down stands, whole, so that hearing it twice is hearing it
once. Words of all replicas have one order, their store's, and the last word counts; but

* a cool-down or an ejection that both know is over at the later of the two ends;
* an end is not news to whoever has had trouble since it was said;
* who probes or has probed a key knows that better than a word.

So replicas that have heard the same words agree, up to what each has seen itself since. Words carry
durations and no instants: clocks of different machines have nothing to do with one another. How old
a word is, the store says.

All of it is advisory: a word that is lost costs attempts.

Example:
    >>> word = of_circuit("gpt", Circuit(ejections=1, opened_at=5, until=35), now=15)
    >>> word
    Word(kind='circuit', name='gpt', on=True, since_ns=10, left_ns=20, count=1, good=0, ...)
    >>> circuit_of(word, CLOSED, at=1_000).until
    1020
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final, Literal

from hyperroute.canon.quick import quick
from hyperroute.canon.units import DAY, Instant
from hyperroute.routing.health import Circuit, Cooling

NAME_MAX: Final = 1_000
"""Characters of a name; a longer one is nobody's."""

LEFT_NS_MAX: Final = DAY
"""Nobody is believed that something will last longer."""

_NS_MAX: Final = 1 << 62


@quick(frozen=True, slots=True, kw_only=True)
class Word:
    """How one thing stands with one replica.

    Attributes:
        kind: ``circuit``: an offer's breaker; ``cooling``: a scope's cool-down.
        name: The offer, or the scope as of ``health.cool_key``.
        on: It is open, or cooling; else that is over.
        since_ns: For how long.
        left_ns: How much longer; less than 0: it is half open.
        count: Ejections, or repeats.
        good: Good probes so far.
        remembered_ns: How much longer a repeat counts.
        keyed: It is a verdict on a key; ``probed``: whose one probe was made.
    """

    kind: Literal["circuit", "cooling"]
    name: str
    on: bool
    since_ns: int = 0
    left_ns: int = 0
    count: int = 0
    good: int = 0
    remembered_ns: int = 0
    keyed: bool = False
    probed: bool = False


def of_circuit(offer: str, circuit: Circuit, *, now: Instant) -> Word:
    """Say how a breaker stands."""
    if circuit.until is None:
        return Word(kind="circuit", name=offer, on=False, count=circuit.ejections)
    return Word(
        kind="circuit",
        name=offer,
        on=True,
        since_ns=now - circuit.opened_at,
        left_ns=circuit.until - now,
        count=circuit.ejections,
        good=circuit.good,
    )


def of_cooling(key: str, cooling: Cooling | None, *, now: Instant) -> Word:
    """Say how a cool-down stands; ``None``: it is over, because something went well."""
    if cooling is None:
        return Word(kind="cooling", name=key, on=False)
    return Word(
        kind="cooling",
        name=key,
        on=True,
        since_ns=now - cooling.since,
        left_ns=cooling.until - now,
        count=cooling.repeats,
        remembered_ns=cooling.remembered_until - now,
        keyed=cooling.keyed,
        probed=cooling.probed,
    )


def circuit_of(word: Word, mine: Circuit, *, at: Instant) -> Circuit:
    """Take in a word of a breaker.

    Args:
        word: Of the kind ``circuit``.
        mine: As it stands here.
        at: When it was said, on our clock.
    """
    if not word.on:
        if mine.until is None or mine.opened_at > at:
            return mine
        return Circuit(ejections=word.count, closed_at=at)
    if mine.until is None:
        if mine.closed_at > at:
            return mine
        return Circuit(
            ejections=word.count,
            opened_at=at - word.since_ns,
            until=at + word.left_ns,
            good=word.good,
        )
    return replace(
        mine,
        ejections=max(mine.ejections, word.count),
        opened_at=max(mine.opened_at, at - word.since_ns),
        until=max(mine.until, at + word.left_ns),
        good=word.good,
    )


def cooling_of(word: Word, mine: Cooling | None, *, at: Instant) -> Cooling | None:
    """Take in a word of a cool-down; arguments as of ``circuit_of``."""
    if not word.on:
        return mine if mine is not None and mine.since > at else None
    heard = Cooling(
        since=at - word.since_ns,
        until=at + word.left_ns,
        repeats=word.count,
        remembered_until=at + word.remembered_ns,
        keyed=word.keyed,
        probed=word.probed,
    )
    if mine is None:
        return heard
    return Cooling(
        since=max(mine.since, heard.since),
        until=max(mine.until, heard.until),
        repeats=max(mine.repeats, heard.repeats),
        remembered_until=max(mine.remembered_until, heard.remembered_until),
        keyed=mine.keyed or heard.keyed,
        probed=mine.probed or heard.probed,
    )


# --- as text -------------------------------------------------------------------------------------
def spelt(word: Word) -> str:
    """Write a word."""
    numbers = [word.since_ns, word.left_ns, word.count, word.good, word.remembered_ns]
    flags = [int(flag) for flag in (word.on, word.keyed, word.probed)]
    return json.dumps([word.kind, word.name, *flags, *numbers], separators=(",", ":"))


def read(text: str) -> Word | None:
    """Read a word; ``None``: it is no word that this release knows.

    One mistaken replica must not close an offer to all others for good: so what lies ahead is
    bounded, and nothing has begun that is yet to come.
    """
    try:
        said: Any = json.loads(text)
    except ValueError:
        return None
    match said:
        case ["circuit" | "cooling" as kind, str(name), *rest] if len(name) <= NAME_MAX:
            pass
        case _:
            return None
    if len(rest) != 8 or not all(type(one) is int and abs(one) < _NS_MAX for one in rest):
        return None
    on, keyed, probed, since_ns, left_ns, count, good, remembered_ns = rest
    return Word(
        kind=kind,
        name=name,
        on=bool(on),
        since_ns=max(0, since_ns),
        left_ns=min(left_ns, LEFT_NS_MAX),
        count=max(0, count),
        good=max(0, good),
        remembered_ns=min(remembered_ns, 2 * LEFT_NS_MAX),
        keyed=bool(keyed),
        probed=bool(probed),
    )


__all__ = [
    "LEFT_NS_MAX",
    "NAME_MAX",
    "Word",
    "circuit_of",
    "cooling_of",
    "of_circuit",
    "of_cooling",
    "read",
    "spelt",
]
