"""Every vector is read by its dialect and judged by its table, as ``speak`` does it."""

from __future__ import annotations

import json
from itertools import chain
from typing import get_args

import pytest
from tests.conformance.vectors_classify import VECTORS, Vector

from hyperroute.canon.failure import Failure
from hyperroute.canon.units import SECOND
from hyperroute.canon.wire import HttpHead
from hyperroute.dialects.base import ErrorInStream, ErrorReport
from hyperroute.providers.builtin import DIALECTS
from hyperroute.providers.classify import by_dialect, classify, classify_transport, rows_of
from hyperroute.runtime.ports import TransportFault

BY_NAME = {dialect.name: dialect for dialect in DIALECTS.values()}


def judged(vector: Vector) -> Failure:
    return by_dialect(report_of(vector), vector.dialect)


def told(failure: Failure) -> str:
    words = [failure.kind.value]
    if failure.advice:
        words.append(failure.advice.value)
    if cool := failure.cool:
        span = f"{cool.base_ns // SECOND}"
        span += f"..{cool.max_ns // SECOND}" if cool.max_ns else ""
        words.append(f"{cool.scope} {span}" + (" local" if cool.local else ""))
    if failure.health != "neutral":
        words.append(failure.health)
    if failure.hint_ns is not None:
        words.append(f"hint={failure.hint_ns / SECOND:g}")
    words += [word for word in ("alarm", "pushback", "explains") if getattr(failure, word)]
    return " ".join(words)


def normal(words: str) -> list[str]:
    return sorted(words.split())


@pytest.mark.parametrize(
    "vector", VECTORS, ids=lambda v: f"{v.who} {v.row} {v.status} {v.dialect} {v.expect.split()[0]}"
)
def test_an_error_reply_is_taken_for_what_it_is(vector: Vector) -> None:
    assert normal(told(judged(vector))) == normal(vector.expect)


def test_there_is_a_vector_for_every_text_that_a_row_rests_on() -> None:
    texts = {row.text for name in BY_NAME for row in rows_of(name) if row.text}
    shown = [json.dumps(vector.body).lower() for vector in VECTORS]
    unshown = {text for text in texts if not any(text in body for body in shown)}
    assert unshown == set()


def report_of(vector: Vector) -> ErrorReport:
    body = vector.body if isinstance(vector.body, str) else json.dumps(vector.body)
    if "promptFeedback" in vector.body:
        return report_inside(vector.dialect, body.encode())
    head = HttpHead(vector.status, tuple(vector.headers.items()))
    return BY_NAME[vector.dialect].parse_error(head, body.encode())


def report_inside(dialect: str, body: bytes) -> ErrorReport:
    """Read an error that only the decoder of a good reply can tell from an answer."""
    decoder = BY_NAME[dialect].decoder(stream=False)
    with pytest.raises(ErrorInStream) as caught:
        list(chain(decoder.feed(body), decoder.close()))
    return caught.value.report


@pytest.mark.parametrize("text", sorted({r.text for n in BY_NAME for r in rows_of(n) if r.text}))
def test_a_row_with_a_text_is_needed_by_some_vector(text: str) -> None:
    """A text row that nothing needs is a danger without a use."""

    def matters(vector: Vector) -> bool:
        rows = rows_of(vector.dialect)
        fewer = tuple(row for row in rows if row.text != text)
        report = report_of(vector)
        return classify(report, fewer) != classify(report, rows)

    assert any(matters(vector) for vector in VECTORS)


TRANSPORT = {
    "dns": "net_unsent offer 5 local counts",
    "connect": "net_unsent next offer 5..60 local counts",
    "connect_timeout": "net_unsent next offer 10 local counts",
    "tls": "net_unsent next offer 300 counts alarm",
    "pool": "net_unsent next",
    "unsent": "net_unsent retry half",
    "goaway": "net_unsent retry hint=0",
    "reset": "net_ambiguous counts",
    "first_byte": "slow_start counts",
    "idle": "slow_start counts",
    "cut": "truncated counts",
    "encoding": "malformed_output offer 600 counts alarm",
    "protocol": "malformed_output counts",
}


def test_every_fault_of_the_transport_has_its_verdict() -> None:
    assert set(TRANSPORT) == set(get_args(TransportFault))
    for fault, expect in TRANSPORT.items():
        assert normal(told(classify_transport(fault))) == normal(expect), fault


def test_a_reset_after_the_body_began_is_a_cut_and_silence_a_stall() -> None:
    assert told(classify_transport("reset", begun=True)) == "truncated counts"
    assert told(classify_transport("goaway", begun=True)) == "truncated counts"
    assert told(classify_transport("idle", begun=True)) == "stalled counts"
    assert told(classify_transport("cut", begun=True)) == "truncated counts"


def test_a_fault_that_nobody_knows_is_ambiguous() -> None:
    assert told(classify_transport("cosmic ray")) == "net_ambiguous counts"
