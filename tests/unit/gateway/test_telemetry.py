"""What a finished visit tells Prometheus, OpenTelemetry and the log."""

from __future__ import annotations

import json
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.unit.gateway.asking import CHAT

from hyperroute.canon.wire import HttpRequest
from hyperroute.client import Client
from hyperroute.gateway import BlockingGateway, HttpResponse
from hyperroute.gateway.metrics import Metrics
from hyperroute.gateway.tracing import tracer_of
from hyperroute.gateway.visit import Visit, log_entry, told_to
from hyperroute.testing.replies import refusal, whole
from hyperroute.testing.world import World

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def asked(router, *observers: Any, **more: Any) -> HttpResponse:
    """Ask once, of a provider that fails and another that answers."""
    world = World()
    world.serve("https://one.test", refusal("openai.chat", 503, kind="overloaded"))
    world.serve("https://two.test", whole("openai.chat"))
    client = Client(router, transport=world, clock=world)
    gateway = BlockingGateway(client, observer=told_to(*observers), **more)
    headers = (("traceparent", PARENT), ("authorization", "Bearer ck_canary"))
    body = json.dumps(CHAT).encode()
    path = "/v1/chat/completions?key=ck_canary"
    return gateway.handle(HttpRequest(method="POST", url=path, headers=headers, body=body))


def test_counters_know_attempts_tokens_and_statuses(router):
    metrics = Metrics.new()
    asked(router, metrics.observe)
    page = metrics.page().decode()
    assert 'hyperroute_requests_total{dialect="openai.chat",ended="whole",status="200"} 1.0' in page
    assert 'hyperroute_attempts_total{offer="gpt@one",outcome="overloaded"} 1.0' in page
    assert 'hyperroute_attempts_total{offer="gpt@two",outcome="ok"} 1.0' in page
    assert 'hyperroute_tokens_total{direction="output",offer="gpt@two"}' in page


def test_the_page_is_served_only_where_it_is_wanted(router):
    metrics = Metrics.new()
    world = World()
    client = Client(router, transport=world, clock=world)
    wanted = BlockingGateway(client, metrics=metrics.page)
    http = HttpRequest(method="GET", url="/metrics")
    assert wanted.handle(http).status == 200
    assert BlockingGateway(client).handle(http).status == 404


def test_two_gateways_in_one_process_count_apart(router):
    one, other = Metrics.new(), Metrics.new()
    asked(router, one.observe)
    assert b"gpt@one" not in other.page()


def spans(router) -> list[ReadableSpan]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    asked(router, tracer_of(provider))
    return list(exporter.get_finished_spans())


def test_a_request_is_a_span_and_each_attempt_a_span_below_it(router):
    first, second, outer = spans(router)
    assert outer.context is not None
    assert outer.parent is not None
    assert f"{outer.parent.span_id:016x}" == "b7ad6b7169203331"
    for inner in (first, second):
        assert inner.parent is not None
        assert inner.parent.span_id == outer.context.span_id
        assert inner.name == "chat gpt"
    assert first.attributes is not None
    assert first.attributes["error.type"] == "overloaded"
    assert second.attributes is not None
    assert second.attributes["gen_ai.provider.name"] == "two"
    assert second.attributes["gen_ai.usage.output_tokens"] == 7
    assert second.start_time is not None
    assert outer.start_time is not None
    assert second.start_time >= outer.start_time


def test_no_key_reaches_log_spans_or_counters(router):
    visits: list[Visit] = []
    metrics = Metrics.new()
    asked(router, visits.append, metrics.observe)
    told = json.dumps(log_entry(visits[0])) + metrics.page().decode() + repr(visits)
    told += "".join(span.to_json() for span in spans(router))
    assert "canary" not in told
    assert CHAT["messages"][0]["content"] not in json.dumps(log_entry(visits[0])).split('"')
