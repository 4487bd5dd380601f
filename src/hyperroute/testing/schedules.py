"""Hypothesis strategies for what providers do: single scripts, and schedules of them.

A schedule is what one provider answers to its first, second, third request; the shrinker makes it
shorter, healthier and sooner, so that what is left of a failure is the fault that matters.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from hyperroute.testing.faults import Fault, catalogue
from hyperroute.testing.replies import HELLO, Call, Said, streamed, whole
from hyperroute.testing.script import MS, SECOND, Script


def sayings() -> st.SearchStrategy[Said]:
    """Draw what a good answer says."""
    pieces = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=4).map(tuple)
    return st.builds(
        Said,
        text=pieces,
        calls=st.sampled_from(((), (Call(),))),
        input_tokens=st.integers(0, 10_000),
        output_tokens=st.integers(0, 10_000),
    )


@st.composite
def scripts(draw: st.DrawFn, dialect: str = "openai.chat", *, stream: bool | None = None) -> Script:
    """Draw a good answer, told in its own time and cut wherever the network likes."""
    is_stream = draw(st.booleans()) if stream is None else stream
    said = draw(st.just(HELLO) | sayings())
    script = streamed(dialect, said) if is_stream else whole(dialect, said)
    size = draw(st.sampled_from((0, 7, 64)))
    paced = script.split(size) if size else script
    return replace(
        paced,
        head_after_ns=draw(st.sampled_from((0, 20 * MS, 2 * SECOND))),
        chunk_after_ns=draw(st.sampled_from((0, MS, 20 * MS))),
    )


def faults(dialect: str = "openai.chat", *, stream: bool | None = None) -> st.SearchStrategy[Fault]:
    """Draw a row of the catalogue, of those that such a request can meet."""
    rows = [
        fault
        for fault in catalogue(dialect)
        if stream is None or fault.stream is None or fault.stream == stream
    ]
    return st.sampled_from(rows)


def fault_schedules(
    dialect: str = "openai.chat", *, stream: bool | None = None, length_max: int = 4
) -> st.SearchStrategy[tuple[Script, ...]]:
    """Draw what a provider answers to one request after another; the last one for ever."""
    bad = faults(dialect, stream=stream).map(lambda fault: fault.script)
    answer = scripts(dialect, stream=stream) | bad
    return st.lists(answer, min_size=1, max_size=length_max).map(tuple)


__all__ = ["fault_schedules", "faults", "sayings", "scripts"]
