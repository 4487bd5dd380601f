"""Keys by which a split draws each of its arms, found by trying."""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial, prod

from hyperroute.routing.chains import score
from hyperroute.routing.table import Split

TRIED_MAX = 2_000
"""An arm of a thousandth is found among so many keys, nearly always."""


def keys_of(splits: Sequence[Split]) -> tuple[bool, list[str | int]]:
    """Find keys that draw every combination of arms, and say whether all were found.

    Args:
        splits: All of them by the same fact; ``by: req`` draws by the seed, the others by a word.
    """
    splits = list(dict.fromkeys(splits))
    wanted = prod(map(_orders, splits))
    found: dict[tuple[tuple[str, ...], ...], str | int] = {}
    for at in range(TRIED_MAX):
        key: str | int = at if splits[0].by == "req" else f"key-{at}"
        found.setdefault(tuple(_drawn(split, str(key)) for split in splits), key)
        if len(found) == wanted:
            break
    return len(found) == wanted, list(found.values())


def _orders(split: Split) -> int:
    arms = sum(arm.share > 0 for arm in split.arms)
    return factorial(arms) if split.rest else max(1, arms)


def _drawn(split: Split, key: str) -> tuple[str, ...]:
    """Order the arms as ``routing.chains.chosen`` does."""
    drawn = sorted(
        (score(f"{split.salt}\0{arm.name}\0{key}", arm.share), arm.name)
        for arm in split.arms
        if arm.share > 0
    )
    names = tuple(name for _, name in drawn)
    return names if split.rest else names[:1]


__all__ = ["keys_of"]
