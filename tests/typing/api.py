"""The public surface as its users type it: checked by mypy, never run."""

from __future__ import annotations

from typing import assert_type

import hyperroute
from hyperroute.canon.events import Reply, StreamEvent
from hyperroute.canon.loss import Loss
from hyperroute.dialects import Translation, translate


def a_router_is_a_value(body: dict[str, object]) -> None:
    router = hyperroute.Router.load("routes/", strict=True)
    assert_type(router, hyperroute.Router)
    assert_type(hyperroute.Router.loads("hyperroute: 1"), hyperroute.Router)
    plan = router.plan(body)
    assert_type(plan, hyperroute.Plan)
    assert_type(plan.explain(), str)
    assert_type(plan.attempts_max, int)


def a_client_blocks(router: hyperroute.Router, body: dict[str, object]) -> None:
    with hyperroute.Client(router) as client:
        answer = client.send(body)
        assert_type(answer, hyperroute.Answer)
        assert_type(answer.reply, Reply)
        assert_type(answer.reply.text, str)
        assert_type(answer.body, bytes)
        assert_type(answer.record, hyperroute.Record)
        with client.stream(b"{}", dialect="anthropic.messages") as stream:
            for event in stream:
                assert_type(event, StreamEvent)
            assert_type(stream.record, hyperroute.Record | None)


async def its_twin_awaits(body: dict[str, object]) -> None:
    async with hyperroute.AsyncClient() as client:
        answer = await client.send(body, labels={"org.region": "eu"})
        assert_type(answer.record.served, str | None)
        async with client.stream(body) as stream:
            async for event in stream:
                assert_type(event, StreamEvent)


def a_document_is_translated_by_hand(body: dict[str, object]) -> None:
    made = translate(body, source="openai.chat", target="anthropic.messages", kind="request")
    assert_type(made, Translation)
    assert_type(made.losses, tuple[Loss, ...])
    try:
        translate(body, source="openai.chat", target="gemini.generate", kind="stream", profile={})
    except hyperroute.Untranslatable as refusal:
        assert_type(refusal.status, int)


def errors_carry_data(client: hyperroute.Client) -> None:
    try:
        client.send({"model": "m", "messages": []})
    except hyperroute.Refused as error:
        assert_type(error.status, int)
        assert_type(error.code, str)
    except hyperroute.TableError as error:
        assert_type(str(error.problems[0]), str)
    except hyperroute.HyperrouteError:
        pass
