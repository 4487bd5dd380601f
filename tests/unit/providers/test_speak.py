from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from hyperroute.canon.failure import Failure, FailureClass
from hyperroute.canon.units import SECOND
from hyperroute.providers.builtin import DIALECTS
from hyperroute.providers.classify import Row, classifier
from hyperroute.providers.flow import BODY_BYTES_MAX, CallError, Outbound, Provider
from hyperroute.providers.sign import unsigned
from hyperroute.providers.speak import chosen, joined, request_of, same_model, speak
from hyperroute.testing.conformance_play import play
from hyperroute.testing.replies import HELLO, error_event, refusal, streamed, whole
from hyperroute.testing.script import Script
from hyperroute_openai import OPENAI

PLAIN = Provider(name="plain", flow=speak(DIALECTS, url="https://up.example", sign=unsigned))


BODIES: dict[str, dict[str, Any]] = {
    "chat": {"messages": [{"role": "user", "content": "hi"}]},
    "responses": {"input": "hi"},
    "messages": {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
}


def call(dialect="chat", *, stream=False, raw=None, **more):
    spoken = DIALECTS[dialect]
    raw = {"model": "asked", "stream": stream} | (raw or BODIES[dialect])
    request = spoken.parse_request(raw, body=json.dumps(raw).encode())
    return Outbound(**{"request": request, "model": "sent", "url": "", **more})


def sent(outbound, provider=PLAIN, script=None):
    return play(provider, outbound, script or Script(status=500)).sent[0]


def verdict(script, *, provider=PLAIN, **asked):
    heard = play(provider, call(**asked), script)
    assert heard.failure is not None
    return heard.failure


# --- which dialect -------------------------------------------------------------------------------
def test_the_requests_own_dialect_is_spoken_where_the_account_can():
    assert chosen(call("messages"), DIALECTS).endpoint == "messages"
    assert chosen(call("messages", speaks=("chat", "messages")), DIALECTS).endpoint == "messages"


def test_otherwise_the_first_that_the_account_speaks():
    assert chosen(call("messages", speaks=("responses", "chat")), DIALECTS).endpoint == "responses"
    only = {"chat": DIALECTS["chat"], "responses": DIALECTS["responses"]}
    assert chosen(call("messages"), only).endpoint == "chat"


def test_an_account_that_speaks_nothing_of_its_plugin_fails_before_anything_is_sent():
    with pytest.raises(CallError) as caught:
        chosen(call(speaks=("talk",)), DIALECTS)
    assert caught.value.failure.kind is FailureClass.UNKNOWN_MODEL
    assert caught.value.failure.alarm


# --- what is sent --------------------------------------------------------------------------------
def test_a_request_of_the_same_dialect_goes_out_as_its_own_bytes_but_for_the_model():
    raw = b'{"model":"asked",  "messages":[{"role":"user","content":"h\\u00ef"}], "x_unknown": 1.0}'
    request = DIALECTS["chat"].parse_request(json.loads(raw), body=raw)
    out = sent(Outbound(request=request, model="sent", url=""))
    assert out.body == raw.replace(b'"asked"', b'"sent"')
    assert out.url == "https://up.example/chat/completions"
    assert out.method == "POST"


def test_parameters_and_adds_are_put_into_the_body_and_adds_win():
    out = sent(call(parameters={"size": "1k", "seed": 1}, adds={"seed": 2, "provider": {"a": [1]}}))
    body = json.loads(out.body)
    assert (body["size"], body["seed"], body["provider"]) == ("1k", 2, {"a": [1]})


def test_parameters_are_said_in_the_dialect_and_renamed_ones_as_they_stand():
    outbound = call(
        "chat",
        speaks=("messages",),
        parameters={"effort": "high", "seed": 3, "think": "hard"},
        renamed=frozenset({"think"}),
    )
    body = json.loads(sent(outbound).body)
    assert body["output_config"] == {"effort": "high"}
    assert body["think"] == "hard"
    assert "effort" not in body
    assert "seed" not in body
    assert ("/seed", "dropped") in [(loss.path, loss.kind) for loss in outbound.losses]


def test_a_parameter_that_a_shape_ignores_is_taken_out():
    body = json.loads(sent(call(raw={**BODIES["chat"], "seed": 1}, parameters={"seed": None})).body)
    assert "seed" not in body


def test_the_entrys_headers_win_over_the_dialects_and_the_signature_over_all():
    provider = replace(OPENAI, name="x")
    out = sent(
        call(
            secret="sk-1",
            headers=(("Content-Type", "application/json; v=2"), ("authorization", "Basic x")),
            options={"organization": "org-1", "project": "p-1"},
        ),
        provider,
    )
    headers = dict(out.headers)
    assert headers["content-type"] == "application/json; v=2"
    assert headers["authorization"] == "Bearer sk-1"
    assert (headers["openai-organization"], headers["openai-project"]) == ("org-1", "p-1")
    assert len(headers) == len(out.headers)


def test_without_a_secret_an_account_may_sign_by_its_own_headers():
    out = sent(call(headers=(("authorization", "Basic x"),)), OPENAI)
    assert dict(out.headers)["authorization"] == "Basic x"


def test_azure_takes_its_own_header_and_a_version_in_the_query():
    options = {"auth": "api-key", "api_version": "2026-01-01"}
    out = sent(call(secret="k", url="https://x.azure.example/openai/v1", options=options), OPENAI)
    assert out.url == "https://x.azure.example/openai/v1/chat/completions?api-version=2026-01-01"
    assert dict(out.headers)["api-key"] == "k"
    assert "authorization" not in dict(out.headers)


def test_losses_are_left_with_the_call():
    outbound = call("messages", raw=BODIES["messages"] | {"top_k": 3}, speaks=("chat",))
    request_of(outbound, DIALECTS["chat"], url="https://up.example")
    assert [loss.path for loss in outbound.losses] == ["/top_k"]


def test_what_the_dialect_cannot_say_is_the_callers_and_nothing_is_sent():
    heard = play(
        PLAIN,
        call(raw={"messages": [{"role": "nobody"}]}, speaks=("messages",)),
        whole("anthropic.messages"),
    )
    assert heard.sent == []
    assert heard.failure is not None
    assert heard.failure.kind is FailureClass.BAD_REQUEST
    assert heard.failure.explains


@pytest.mark.parametrize(
    ("base", "path", "url"),
    [
        ("https://a/v1", "/chat/completions", "https://a/v1/chat/completions"),
        ("https://a/v1/", "chat/completions", "https://a/v1/chat/completions"),
        ("https://a", "/v1/messages", "https://a/v1/messages"),
        ("https://a/v1", "/v1/messages", "https://a/v1/messages"),
        ("https://a/x?api-version=1", "/responses", "https://a/x/responses?api-version=1"),
        ("https://a/v1beta", "/models/m:g?alt=sse", "https://a/v1beta/models/m:g?alt=sse"),
        ("https://a?k=1", "/p?alt=sse", "https://a/p?k=1&alt=sse"),
        ("https://a/chat", "/chat", "https://a/chat/chat"),
    ],
)
def test_paths_and_queries_are_joined(base, path, url):
    assert joined(base, path) == url


# --- what comes back -----------------------------------------------------------------------------
def test_a_redirect_is_never_followed():
    script = Script(status=307, headers=(("location", "https://elsewhere.example/"),))
    heard = play(PLAIN, call(), script)
    assert len(heard.sent) == 1
    assert heard.failure is not None
    assert (heard.failure.kind, heard.failure.alarm) == (FailureClass.MALFORMED_OUTPUT, True)


@pytest.mark.parametrize("dialect", list(DIALECTS))
def test_always_sse_upstreams_are_read_although_nothing_was_to_be_streamed(dialect):
    heard = play(PLAIN, call(dialect), streamed(DIALECTS[dialect].name))
    assert heard.failure is None


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "", "application/octet-stream"])
def test_the_first_bytes_count_more_than_the_content_type(kind):
    for script in (whole("openai.chat"), streamed("openai.chat")):
        assert (
            play(PLAIN, call(), replace(script, headers=(("content-type", kind),))).failure is None
        )


@pytest.mark.parametrize("opening", [b"\xef\xbb\xbf", b"\n\n", b"   \r\n", b"\xef\xbb\xbf \n"])
def test_marks_and_keep_alive_space_before_a_body_are_no_content(opening):
    script = whole("openai.chat")
    padded = replace(script, chunks=(opening, *script.chunks), length=None)
    assert play(PLAIN, call(), padded).failure is None


def test_html_is_refused_even_if_it_begins_like_json():
    script = Script(headers=(("content-type", "text/html; charset=utf-8"),), chunks=(b"{}",))
    assert verdict(script).kind is FailureClass.MALFORMED_OUTPUT


@pytest.mark.parametrize("body", [b"hello there", b"<html>", b"ok", b"error: no", b"eventually"])
def test_prose_in_a_success_is_malformed(body):
    found = verdict(Script(headers=(("content-type", "text/plain"),), chunks=(body,)), stream=True)
    assert found.kind is FailureClass.MALFORMED_OUTPUT
    assert found.status == 200


@pytest.mark.parametrize("stream", [True, False])
def test_a_success_without_a_body_is_truncated(stream):
    assert verdict(Script(chunks=(b" \n",)), stream=stream).kind is FailureClass.TRUNCATED


def test_the_wrong_shape_of_a_whole_body_is_an_alarm_and_of_a_stream_is_not():
    assert verdict(Script(chunks=(b'{"surprise":1}',))).alarm
    assert not verdict(Script(chunks=(b"data: 1\n\n",)), stream=True).alarm


def test_an_error_body_is_read_to_a_bound_and_still_judged():
    endless = Script(status=503, chunks=(b"x" * 65_536,) * 64)
    heard = play(PLAIN, call(), endless)
    assert heard.failure is not None
    assert heard.failure.kind is FailureClass.OVERLOADED
    assert len(heard.wishes) < 20


def test_a_whole_body_beyond_the_bound_fails_the_attempt():
    chunk = b" " * (4 * 1024 * 1024)
    count = BODY_BYTES_MAX // len(chunk) + 1
    found = verdict(Script(chunks=(b"{", *([chunk] * count))))
    assert (found.kind, found.alarm) == (FailureClass.MALFORMED_OUTPUT, True)


def test_an_error_object_inside_a_success_is_judged_by_what_it_says():
    inner = refusal("openai.chat", 429, kind="insufficient_quota", code="insufficient_quota")
    assert verdict(replace(inner, status=200)).kind is FailureClass.PROVIDER_FUNDS


def test_an_error_event_is_judged_by_what_it_says():
    event = error_event("anthropic.messages", kind="overloaded_error", message="Overloaded")
    script = replace(streamed("anthropic.messages"), chunks=(event,))
    assert verdict(script, dialect="messages", stream=True).kind is FailureClass.OVERLOADED


def test_an_empty_stop_is_an_empty_completion():
    choice = {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "stop"}
    body = {"id": "1", "object": "chat.completion", "model": "m", "choices": [choice]}
    found = verdict(Script(chunks=(json.dumps(body).encode(),)))
    assert (found.kind, found.health) == (FailureClass.EMPTY_COMPLETION, "half")


def test_an_empty_answer_for_want_of_room_is_an_answer():
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": ""},
        "finish_reason": "length",
    }
    body = {"id": "1", "object": "chat.completion", "model": "m", "choices": [choice]}
    assert play(PLAIN, call(), Script(chunks=(json.dumps(body).encode(),))).failure is None


def test_one_silent_choice_of_two_is_no_failure():
    choices = [
        {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "stop"},
        {"index": 1, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"},
    ]
    body = {"id": "1", "object": "chat.completion", "model": "m", "choices": choices}
    heard = play(PLAIN, call(), Script(chunks=(json.dumps(body).encode(),)))
    assert heard.failure is None
    assert len(heard.events) == len(set(map(repr, heard.events)))


def test_a_call_that_the_model_botched_is_tried_once_more():
    body = {"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL", "index": 0}]}
    found = verdict(Script(chunks=(json.dumps(body).encode(),)), dialect="gemini")
    assert (found.kind, found.advice) == (FailureClass.MALFORMED_OUTPUT, "retry")


def test_a_provider_extends_its_dialects_table_by_rows():
    full = Failure(kind=FailureClass.RATE_LIMITED, hint_ns=SECOND)
    flow = speak(
        DIALECTS,
        url="https://up.example",
        classify=classifier(Row(code=("queue_full",), verdict=full)),
    )
    provider = Provider(name="x", flow=flow)
    script = refusal("openai.chat", 400, kind="x", code="queue_full")
    assert verdict(script, provider=provider).kind is FailureClass.RATE_LIMITED
    other = refusal("openai.chat", 400, kind="x", code="context_length_exceeded")
    assert verdict(other, provider=provider).kind is FailureClass.CONTEXT_LENGTH


# --- names ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("asked", "answered", "same"),
    [
        ("gpt-5.5", "gpt-5.5-2026-04-23", True),
        ("openai/gpt-5.5", "gpt-5.5", True),
        ("gemini-3-pro", "models/gemini-3-pro", True),
        ("deepseek/deepseek-v4:free", "DeepSeek-V4", True),
        ("claude-sonnet-4-6", "", True),
        ("claude-sonnet-4-6", "claude-haiku-4-5", False),
        ("gpt-5.5", "llama-4", False),
    ],
)
def test_a_model_is_the_same_under_dates_and_prefixes(asked, answered, same):
    assert same_model(asked, answered) is same


def test_sealed_state_goes_to_the_vendors_own_address_only():
    assert OPENAI.vendor_at("") == "openai"
    assert OPENAI.vendor_at("https://api.openai.com/v1/") == "openai"
    assert OPENAI.vendor_at("https://api.deepseek.com/v1") == ""


def test_usage_and_text_arrive():
    heard = play(PLAIN, call(stream=True), streamed("openai.chat"))
    assert heard.failure is None
    assert HELLO.text[0] in repr(heard.events)
