import json
from itertools import chain

import pytest

from hyperroute.canon.wire import HttpRequest
from hyperroute.dialects.sse import SseReader
from hyperroute.errors import ProviderWireError
from hyperroute.runtime.ports import Limits, TransportError
from hyperroute.testing.faults import DIALECTS, FAULTS, catalogue
from hyperroute.testing.replies import Call, Said, error_event, refusal, streamed, whole
from hyperroute.testing.script import SECOND
from hyperroute.testing.world import World

SAID = Said(calls=(Call(),))
RAISED = {
    1: "dns", 2: "connect", 3: "connect_timeout", 4: "tls", 5: "pool", 6: "unsent", 7: "reset",
    9: "goaway", 52: "cut", 53: "encoding", 54: "first_byte", 55: "idle", 60: "reset",
}  # fmt: skip


def play(script):
    """Read everything as a driver would; return status, body, fault."""
    world = World()
    world.serve("https://a", script)
    limits = Limits(5 * SECOND, 60 * SECOND, 60 * SECOND, 10**18)
    status, body = None, b""
    try:
        exchange = world.open(HttpRequest(method="POST", url="https://a/"), limits=limits)
        status = exchange.head.status
        while chunk := exchange.read(timeout_ns=60 * SECOND):
            body += chunk
    except TransportError as error:
        return status, body, error.fault
    return status, body, None


@pytest.mark.parametrize("dialect", DIALECTS)
def test_names_are_unique_and_rows_in_order(dialect):
    faults = catalogue(dialect)
    assert len({fault.name for fault in faults}) == len(faults)
    assert [fault.row for fault in faults] == sorted(fault.row for fault in faults)


def test_every_row_that_a_transport_or_a_body_can_show_is_there():
    rows = {fault.row for dialect in DIALECTS for fault in catalogue(dialect)}
    # 8 is 7 for media jobs; 58 is the caller's deadline and not a provider's doing.
    assert set(range(1, 8)) | {9} <= rows
    assert (set(range(46, 67)) - {58}) <= rows
    assert {10, 12, 13, 14, 16, 17, 18, 22, 24, 25, 28, 30, 31, 32, 33, 35} <= rows
    assert {39, 40, 41, 42, 43, 44} <= rows


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_transport_reports_what_the_row_says(dialect):
    for fault in catalogue(dialect):
        expected = RAISED.get(fault.row)
        if expected is not None:
            assert play(fault.script)[2] == expected, fault.name


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_expected_to_fail_unless_it_says_that_it_is_served(fault):
    assert fault.kinds or fault.serves
    assert fault.sockets == (fault.script.fault in {None, "reset", "first_byte"})


@pytest.mark.parametrize("dialect", DIALECTS)
def test_whole_answers_say_what_was_said(dialect):
    status, body, fault = play(whole(dialect, SAID))
    assert (status, fault) == (200, None)
    value = json.loads(body)
    text = {
        "openai.chat": lambda: value["choices"][0]["message"]["content"],
        "openai.responses": lambda: value["output"][0]["content"][0]["text"],
        "anthropic.messages": lambda: value["content"][0]["text"],
        "gemini.generate": lambda: value["candidates"][0]["content"]["parts"][0]["text"],
    }[dialect]()
    assert text == "Hello, wörld."
    assert "get_weather" in body.decode()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_streams_are_events_each_in_a_chunk_of_its_own(dialect):
    script = streamed(dialect, SAID)
    reader = SseReader()
    for chunk in script.chunks:
        [(name, data)] = list(reader.feed(chunk))
        if data != b"[DONE]":
            value = json.loads(data)
            assert name in {"", value.get("type")}
    numbers = [json.loads(d)["sequence_number"] for _, d in SseReader().feed(script.body)
               if dialect == "openai.responses"]  # fmt: skip
    assert numbers == list(range(len(numbers)))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_errors_carry_their_code(dialect):
    script = refusal(dialect, 400, kind="k", code="c", message="m", headers=(("retry-after", "1"),))
    assert script.head().header("retry-after") == "1"
    assert b'"c"' in script.body
    assert b'"m"' in error_event(dialect, kind="k", message="m")


def test_a_giant_event_is_too_large_for_the_reader():
    giant = next(fault for fault in FAULTS if fault.row == 66)
    reader = SseReader()
    with pytest.raises(ProviderWireError):
        list(chain.from_iterable(reader.feed(chunk) for chunk in giant.script.chunks))
