"""Losses of a run: what the request lost on its way up, and the answer on its way back."""

from __future__ import annotations

from typing import Any

import pytest

from hyperroute.canon.loss import Loss
from hyperroute.client import Client, Router
from hyperroute.errors import Exhausted
from hyperroute.plugins.registry import discover
from hyperroute.plugins.secret import Secret
from hyperroute.testing.matrix import features
from hyperroute.testing.replies import JSON, SSE, whole
from hyperroute.testing.script import Script
from hyperroute.testing.world import World

TABLE = """
hyperroute: 1
providers:
  claude: {plugin: anthropic, url: "https://claude.test", keys: [env:KEY]}
  open: {plugin: openai, url: "https://open.test/v1", keys: [env:KEY], speaks: [chat]}
models:
  sonnet: {kind: chat, offers: [{at: claude, sends: m}]}
  both: {kind: chat, offers: [{at: claude, sends: m}, {at: open, sends: model-1}]}
policies:
  strict: {lossy: refuse}
"""
LOOSE = TABLE.partition("policies:")[0]
CHAT, CLAUDE = "openai.chat", "anthropic.messages"
ASKED: dict[str, Any] = {"model": "sonnet", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}  # fmt: skip


@pytest.fixture(scope="module")
def registry():
    return discover(entry_points=True).with_secrets(lambda reference: Secret(f"sk-{reference}"))


def thinking(*, stream: bool) -> Script:
    """Script a thinking answer of Anthropic's."""
    from hyperroute.dialects.json import dumps
    from hyperroute.dialects.sse import frame

    kind = "stream" if stream else "response"
    document = features(kind)["thinking with its seal"][CLAUDE]  # type: ignore[arg-type]
    if not stream:
        return Script(headers=JSON, chunks=(dumps(document),))
    events = document["events"]
    return Script(
        headers=SSE, chunks=tuple(frame(dumps(e["data"]), name=e["event"]) for e in events)
    )


def world(stream: bool) -> World:
    made = World()
    made.serve("https://claude.test", thinking(stream=stream))
    made.serve("https://open.test", whole(CHAT))
    return made


@pytest.mark.parametrize("stream", [False, True])
def test_the_record_keeps_what_both_ways_lost(registry, stream):
    router, there = Router.loads(LOOSE, registry=registry), world(stream)
    with Client(router, transport=there, clock=there) as client:
        asked = {**ASKED, "seed": 7}
        if stream:
            with client.stream(asked, dialect=CHAT) as answer:
                list(answer)
            record = answer.record
        else:
            record = client.send(asked, dialect=CHAT).record
    assert record is not None
    assert record.losses == (
        Loss("/seed", "dropped", "no such parameter here"),
        Loss("/content", "dropped", "this dialect shows no thinking", "reply"),
    )
    assert [loss["of"] for loss in record.to_json()["losses"]] == ["request", "reply"]


def test_an_answer_in_the_callers_own_dialect_loses_nothing(registry):
    router, there = Router.loads(LOOSE, registry=registry), world(stream=False)
    with Client(router, transport=there, clock=there) as client:
        assert client.send(ASKED, dialect=CLAUDE).record.losses == ()


def test_where_losses_are_refused_the_next_offer_has_its_turn(registry):
    router, there = Router.loads(TABLE, registry=registry), world(stream=False)
    with Client(router, transport=there, clock=there) as client:
        record = client.send({**ASKED, "model": "both", "seed": 7}, dialect=CHAT).record
    assert record.served == "both@open"
    first = record.attempts[0]
    assert first.failure is not None
    assert (first.failure.code, first.failure.status) == ("lossy", None)
    assert [sent.request.url for sent in there.sent] == ["https://open.test/v1/chat/completions"]


def test_where_losses_are_refused_and_nobody_is_left_the_caller_learns_what(registry):
    router, there = Router.loads(TABLE, registry=registry), world(stream=False)
    with Client(router, transport=there, clock=there) as client:
        with pytest.raises(Exhausted, match="would lose /seed: no such parameter here") as caught:
            client.send({**ASKED, "seed": 7}, dialect=CHAT)
        assert caught.value.status == 400
        assert there.sent == []
        # What has been generated is not thrown away for what the caller's dialect cannot say.
        assert client.send(ASKED, dialect=CHAT).record.outcome == "served"


def test_probabilities_that_do_not_come_back_are_on_record(registry):
    there = world(stream=False)
    router = Router.loads(
        LOOSE + "  gpt: {kind: chat, does: [logprobs], offers: [{at: open, sends: model-1}]}\n",
        registry=registry,
    )
    asked = {"model": "gpt", "input": "hi", "include": ["message.output_text.logprobs"]}
    with Client(router, transport=there, clock=there) as client:
        losses = client.send(asked, dialect="openai.responses").record.losses
    why = "probabilities of tokens are told in the answer's own dialect only"
    assert losses == (Loss("/choices/0", "dropped", why, "reply"),)
