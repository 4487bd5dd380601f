"""Instants, durations and money, in units that add up exactly."""

from __future__ import annotations

from decimal import Decimal

Instant = int
"""Monotonic nanoseconds. Integers, so that ``b - a >= wait`` means what it says."""

Usd = Decimal
"""US dollars, as shown. Inside a plan money is an integer in units of ``1 / RouteTable.scale`` USD."""

MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
