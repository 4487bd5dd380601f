"""The kit must catch what it is there to catch: each case here breaks one promise."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from hyperroute.canon.content import Text
from hyperroute.canon.events import (
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    UsageReported,
)
from hyperroute.canon.failure import Failure, FailureClass
from hyperroute.canon.usage import Usage
from hyperroute.providers.builtin import DIALECTS
from hyperroute.providers.flow import CallError, Provider, Run
from hyperroute.testing.conformance import CANARY, Nonconforming, provider_suite
from hyperroute_openai import OPENAI


def broken_promises(provider, **more):
    """Name the cases that a provider fails."""
    failed = []
    for case in provider_suite(provider, **more):
        try:
            case.check()
        except Nonconforming as error:
            failed.append(f"{case}: {error}")
    return failed


def local(flow, **more):
    """Build a provider that answers without a network."""
    return Provider(name="local", flow=flow, **more)


def good(call):
    yield Started("1", call.model)
    yield PartStarted(0, Text())
    yield PartDelta(0, "hi")
    yield PartEnded(0)
    yield Finished("stop")


def test_a_good_provider_without_a_network_passes():
    assert broken_promises(local(good)) == []


def test_our_own_provider_passes():
    assert broken_promises(OPENAI) == []


def test_requests_that_no_dialect_knows_are_judged_too():
    request = DIALECTS["chat"].parse_request({"model": "m", "messages": []})
    odd = local(lambda call: iter_of("junk"), speaks=(), dialects={})
    assert broken_promises(replace(odd, speaks=("images",)), requests={"one image": request}) != []
    fine = local(good, speaks=("images",))
    assert broken_promises(fine, requests={"one image": request}) == []


def iter_of(*wishes):
    yield from wishes


@pytest.mark.parametrize(
    ("flow", "says"),
    [
        (lambda call: iter_of("junk"), "which is no wish"),
        (lambda call: iter_of(Finished("stop")), "break the grammar"),
        (lambda call: iter_of(Started("1", "m")), "break the grammar"),
        (lambda call: iter_of(Started(CANARY, "m"), Finished("stop")), "credential is in an event"),
    ],
)
def test_a_flow_that_yields_what_it_should_not_is_caught(flow, says):
    assert any(says in case for case in broken_promises(local(flow)))


def test_an_exception_that_is_not_ours_is_caught():
    def flow(call):
        yield Started("1", "m")
        raise KeyError("choices")

    assert any("raised KeyError" in case for case in broken_promises(local(flow)))


def test_a_credential_in_a_failure_is_caught():
    def flow(call):
        yield from ()
        kind = FailureClass.PROVIDER_AUTH
        raise CallError(Failure(kind=kind, message=f"bad key {call.secret}"))

    assert any("credential is in a failure" in case for case in broken_promises(local(flow)))


def test_a_flow_that_waits_by_itself_is_caught_and_one_that_wishes_for_it_is_not():
    def sleeps(call):
        time.sleep(0)
        yield from good(call)

    def wishes(call):
        yield Run(lambda: None)
        yield from good(call)

    assert any("called time.sleep" in case for case in broken_promises(local(sleeps)))
    assert broken_promises(local(wishes)) == []


def test_a_flow_that_remembers_is_caught():
    seen = []

    def flow(call):
        seen.append(call)
        yield Started(str(len(seen)), "m")
        yield Finished("stop")

    assert any("different conversations" in case for case in broken_promises(local(flow)))


def test_a_flow_that_will_not_let_go_is_caught():
    def flow(call):
        try:
            yield from good(call)
        finally:
            yield Started("again", "m")

    assert any("it must let go quietly" in case for case in broken_promises(local(flow)))


def test_a_flow_that_changes_the_request_is_caught():
    def flow(call):
        call.request.raw["model"] = f"{call.request.raw['model']}!"
        yield from good(call)

    assert any("changed the request" in case for case in broken_promises(local(flow)))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "Big Name"}, "no table word"),
        ({"spec": 99}, "contract 99"),
        ({"url": "api.acme.example"}, "not absolute"),
        ({"url": "https://api.acme.example/"}, "ends in a slash"),
        ({"secret": "ACME_API_KEY"}, "no reference"),
        ({"speaks": ("chat", "talk"), "dialects": OPENAI.dialects}, "without a dialect"),
    ],
)
def test_a_value_that_is_not_well_formed_is_caught(change, says):
    assert any(says in case for case in broken_promises(replace(local(good), **change)))


def wrapped(edit):
    """Build OpenAI's provider with every request edited."""

    def flow(call):
        inner = OPENAI.flow(call)
        grant = None
        try:
            while True:
                wish = inner.send(grant)
                grant = yield edit(wish, call) if hasattr(wish, "method") else wish
        except StopIteration:
            return

    return replace(OPENAI, flow=flow, speaks=("chat",))


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda r, call: replace(r, url=f"{r.url}?key={call.secret}"), "credential is in a URL"),
        (lambda r, call: replace(r, headers=()), "no header carries the credential"),
        (lambda r, call: replace(r, body=json.dumps(call.secret).encode()), "is in a body"),
    ],
)
def test_a_request_that_tells_or_forgets_the_credential_is_caught(edit, says):
    assert any(says in case for case in broken_promises(wrapped(edit)))


def test_a_provider_that_takes_any_reply_for_an_answer_is_caught():
    def flow(call):
        inner = OPENAI.flow(call)
        grant = None
        try:
            while True:
                grant = yield inner.send(grant)
        except CallError:
            yield Started("1", "m")
            yield Finished("stop")
        except StopIteration:
            return

    failed = broken_promises(replace(OPENAI, flow=flow, speaks=("chat",)))
    assert any("any bytes end in a verdict" in case for case in failed)
    assert any("row 39" in case for case in failed)


def test_a_provider_that_loses_text_or_usage_is_caught():
    def deaf(call):
        inner = OPENAI.flow(call)
        grant = None
        try:
            while True:
                wish = inner.send(grant)
                if isinstance(wish, PartDelta):
                    wish = PartDelta(wish.index, "")
                elif isinstance(wish, UsageReported):
                    wish = UsageReported(Usage())
                grant = yield wish
        except StopIteration:
            return

    failed = broken_promises(replace(OPENAI, flow=deaf, speaks=("chat",)))
    assert any("text arrives in any chunks" in case for case in failed)
