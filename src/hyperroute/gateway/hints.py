"""What a client's headers say of its patience, as narrowing of its request (reliability.md, 5.6).

Hints, not demands: what is no sensible number is not there, and the route's own limits stay above.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from hyperroute.canon.request import Narrowing
from hyperroute.canon.units import MILLISECOND, SECOND
from hyperroute.canon.wire import Headers

_TIME: Final = re.compile(r"([0-9]{1,7})(?:\.([0-9]{1,3})[0-9]{0,9})?", re.ASCII)

_TOTAL: Final = "x-request-timeout"
_READ: Final = frozenset({"x-stainless-read-timeout", "x-stainless-timeout"})
"""Seconds that an SDK waits for the next byte; of a whole answer that is all of it. The JavaScript
SDKs say it by the second name."""
_REPEATED: Final = "x-stainless-retry-count"


def heeded(narrowing: Narrowing, headers: Headers, *, stream: bool) -> Narrowing:
    """Narrow a request to its client's patience.

    A read timeout does not bound a stream, which keep-alives hold open. A client that repeats itself
    gets no second try at the same offer, or its retries would multiply with ours (2.6).
    """
    deadline, again = narrowing.deadline_ns, narrowing.again
    for name, value in headers:
        if name == _TOTAL or (name in _READ and not stream):
            patience = _nanoseconds(value)
            if patience is not None:
                deadline = patience if deadline is None else min(deadline, patience)
        elif name == _REPEATED:
            again = again or (value.strip().lstrip("0") != "" and value.strip().isdecimal())
    if (deadline, again) == (narrowing.deadline_ns, narrowing.again):
        return narrowing
    return replace(narrowing, deadline_ns=deadline, again=again)


def _nanoseconds(value: str) -> int | None:
    """Read seconds; nothing else is a hint, and none is no time at all."""
    found = _TIME.fullmatch(value.strip())
    if found is None:
        return None
    ns = int(found[1]) * SECOND + int((found[2] or "0").ljust(3, "0")) * MILLISECOND
    return ns or None


__all__ = ["heeded"]
