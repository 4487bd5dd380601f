"""A fixed geometric grid for prices, in exact integers.

Lines lie at ``1 usd x (1 + percent/100)**n`` for every whole ``n``. They depend on nothing else, so
that removing one offer never reorders the others, and are rounded up to whole units, which changes
nothing for whole prices.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import count


class Grid:
    """Cells of one width; calling it numbers the cell of a price."""

    __slots__ = ("_below", "_lines", "_percent", "_scale")

    def __init__(self, scale: int, percent: int) -> None:
        """Draw the lines up to a dollar; further ones are drawn when a price lies beyond."""
        self._scale = scale
        self._percent = percent
        below: list[int] = []
        over, under = scale, 1
        while True:
            over, under = over * 100, under * (100 + percent)
            line = -(-over // under)
            if line <= 1:
                break
            below.append(line)
        self._below = len(below)
        self._lines = [*reversed(below), scale]

    def __call__(self, units: int) -> int:
        """Number the cell; all prices below the first line share cell 0."""
        lines = self._lines
        if units >= lines[-1]:
            lines = self._lines = self._extended(units)
        return bisect_right(lines, units)

    def _extended(self, reach: int) -> list[int]:
        lines = list(self._lines)
        over, under = self._scale, 1
        for n in count(1):
            over, under = over * (100 + self._percent), under * 100
            if self._below + n == len(lines):
                lines.append(-(-over // under))
            if lines[-1] > reach:
                return lines
        return lines
