"""Translation by hand: the four kinds, what is known of the target, and what a refusal holds."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

import hyperroute
from hyperroute.canon.loss import Loss
from hyperroute.dialects import Translation, translate
from hyperroute.dialects.base import ClientError
from hyperroute.dialects.profiling import NAMES
from hyperroute.dialects.renaming import fitted
from hyperroute.errors import ClientWireError, Untranslatable

C, R, A, G = "openai.chat", "openai.responses", "anthropic.messages", "gemini.generate"
HI = {"role": "user", "content": "Hi"}
ASKED: dict[str, Any] = {"model": "gpt-5.5", "max_completion_tokens": 9, "messages": [HI]}
SRC = Path(hyperroute.__file__).parent


def said(document: Any, source: str, target: str, kind: Any = "request", **more: Any) -> Any:
    return translate(document, source=source, target=target, kind=kind, **more).document


# --- requests --------------------------------------------------------------------------------------
def test_a_request_comes_with_its_path_its_headers_and_its_losses():
    made = translate({**ASKED, "seed": 7}, source=C, target=A, kind="request")
    assert made == Translation(
        {"model": "gpt-5.5", "max_tokens": 9, "messages": [HI]},
        (Loss("/seed", "dropped", "no such parameter here"),),
        path="/v1/messages",
        headers=(("anthropic-version", "2023-06-01"),),
    )


def test_gemini_is_told_its_model_by_the_path_and_another_name_by_the_profile():
    assert translate(ASKED, source=C, target=G, kind="request").path == "/models/gpt-5.5:generateContent"  # fmt: skip
    made = translate({**ASKED, "stream": True}, source=C, target=G, kind="request", profile={"model": "gemini-3"})  # fmt: skip
    assert made.path == "/models/gemini-3:streamGenerateContent?alt=sse"


def test_a_document_without_a_model_stays_without_one():
    made = translate(
        {"contents": [{"parts": [{"text": "Hi"}]}]}, source=G, target=C, kind="request"
    )
    assert "model" not in made.document
    assert made.path == ""


@pytest.mark.parametrize(
    ("profile", "thinking"),
    [
        ({"thinking_types": ["adaptive"]}, {"type": "adaptive"}),
        ({"thinking_types": ["enabled"]}, {"type": "enabled", "budget_tokens": 1024}),
        ({"thinking_types": []}, None),
    ],
)
def test_what_is_known_of_the_target_decides(profile, thinking):
    asked = {**ASKED, "max_completion_tokens": 5000, "reasoning_effort": "low"}
    assert said(asked, C, A, profile=profile).get("thinking") == thinking


def test_a_target_that_refuses_stream_options_is_not_asked_for_usage():
    asked = {"model": "m", "max_tokens": 9, "messages": [HI], "stream": True}
    assert said(asked, A, C)["stream_options"] == {"include_usage": True}
    assert "stream_options" not in said(asked, A, C, profile={"stream_options": False})


# --- what is known ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("profile", "says"),
    [
        ({"anthropic_verson": "x"}, "did you mean 'anthropic_version'"),
        ({"zzz": 1}, "there are vendor, group, does"),
        ({"thinking_types": "adaptive"}, "must be a list of words"),
        ({"model_max_output_tokens": -1}, "must be a whole number above 0"),
        ({"prefill": "yes"}, "must be true or false"),
        ({"stream_options": 1}, "must be true, false or an object"),
        ({"vendor": 1}, "must be text"),
    ],
)
def test_what_is_not_understood_names_what_is(profile, says):
    with pytest.raises(ValueError, match=says):
        translate(ASKED, source=C, target=A, kind="request", profile=profile)


def test_dialects_and_kinds_have_names():
    with pytest.raises(ValueError, match=r"did you mean 'openai\.chat'"):
        translate(ASKED, source="openai.chta", target=A, kind="request")
    with pytest.raises(ValueError, match="did you mean 'request'"):
        translate(ASKED, source=C, target=A, kind="requests")  # type: ignore[arg-type]


def test_every_option_that_a_dialect_reads_may_be_said():
    read = set()
    for path in (SRC / "dialects").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Attribute(attr="options"), attr="get"),
                    args=[ast.Constant(value=str(name)), *_],
                ):
                    read.add(name)
                case _:
                    pass
    assert {"prefill", "thinking_types", "stream_options"} <= read <= set(NAMES)


# --- refusals --------------------------------------------------------------------------------------
def test_a_refusal_holds_what_the_client_would_get():
    with pytest.raises(ClientWireError) as caught:
        translate({**ASKED, "n": 2}, source=C, target=A, kind="request")
    refusal = caught.value
    assert isinstance(refusal, Untranslatable)
    assert (refusal.status, refusal.pointer, refusal.dialect) == (400, "/n", C)
    assert isinstance(refusal.error, ClientError)
    assert refusal.body == {
        "error": {
            "message": "this model gives one answer a request at '/n'",
            "type": "invalid_request_error",
            "param": "/n",
            "code": None,
        }
    }
    assert str(refusal) == refusal.error.message


@pytest.mark.parametrize("document", [[], "x", None])
def test_a_document_is_an_object(document):
    with pytest.raises(Untranslatable, match="must be an object"):
        translate(document, source=A, target=C, kind="request")


def test_losses_may_be_refused():
    with pytest.raises(Untranslatable, match="would lose /seed: no such") as caught:
        translate({**ASKED, "seed": 7, "user": "u", "logit_bias": {"1": 1}}, source=C, target=A, kind="request", lossy="refuse")  # fmt: skip
    assert len(caught.value.losses) == 2
    assert "and 1 more" in str(caught.value)
    assert caught.value.pointer == "/seed"


# --- replies ---------------------------------------------------------------------------------------
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 5},
}


def test_a_free_form_tool_that_was_renamed_comes_back_as_it_was_named():
    asked = {"model": "m", "input": "x", "tools": [{"type": "custom", "name": "apply.patch"}]}
    sent = said(asked, R, A)["tools"][0]["name"]
    assert sent == fitted(["apply.patch"])["apply.patch"] != "apply.patch"
    use = {"type": "tool_use", "id": "toolu_1", "name": sent, "input": {"input": "*** +1"}}
    reply = {**MESSAGE, "content": [use], "stop_reason": "tool_use"}
    made = translate(reply, source=A, target=R, kind="response", request=asked)
    (item,) = made.document["output"]
    assert (item["type"], item["name"], item["input"]) == ("custom_tool_call", "apply.patch", "*** +1")  # fmt: skip
    assert made.losses == ()


def test_a_request_that_is_malformed_is_the_clients_fault():
    with pytest.raises(Untranslatable) as caught:
        translate(MESSAGE, source=A, target=C, kind="response", request={"messages": 1})
    assert caught.value.pointer == "/messages"


def test_thinking_is_shown_to_a_chat_client_that_takes_it():
    reply = {**MESSAGE, "content": [{"type": "thinking", "thinking": "hm", "signature": "c2ln"}]}
    hidden = translate(reply, source=A, target=C, kind="response")
    assert [loss.why for loss in hidden.losses] == ["this dialect shows no thinking"]
    shown = translate(
        reply, source=A, target=C, kind="response", profile={"reasoning_content": True}
    )
    assert shown.document["choices"][0]["message"]["reasoning_content"] == "hm"
    assert [loss.why for loss in shown.losses] == ["sealed state has no place here"]


def test_a_member_that_nobody_reads_is_named_where_it_stands():
    reply = {**MESSAGE, "container": {"id": "c"}, "strange": None}
    losses = translate(reply, source=A, target=G, kind="response").losses
    assert losses == (
        Loss("/container", "dropped", "only the source dialect knows it", "reply"),
    )  # fmt: skip


def test_a_reply_that_cannot_be_read_is_the_upstreams_fault():
    with pytest.raises(Untranslatable) as caught:
        translate({"id": "x"}, source=A, target=G, kind="response")
    assert caught.value.status == 500
    assert caught.value.body["error"]["status"] == "INTERNAL"  # type: ignore[index]


def test_an_error_in_place_of_a_reply_is_told_as_one():
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
    with pytest.raises(Untranslatable, match="busy") as caught:
        translate(error, source=A, target=C, kind="response")
    assert caught.value.status == 503


# --- streams ---------------------------------------------------------------------------------------
def chunk(delta: Any, finish: str | None = None) -> dict[str, Any]:
    entry = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"event": None, "data": {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [entry]}}  # fmt: skip


STREAM = [chunk({"role": "assistant", "content": "Hi"}), chunk({}, "stop")]
USAGE = {"event": None, "data": {"id": "c1", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}}}  # fmt: skip
DONE = {"event": None, "data": "[DONE]"}


def test_a_stream_is_a_list_of_events():
    made = translate({"events": [*STREAM, USAGE, DONE]}, source=C, target=A, kind="stream")
    events = made.document["events"]
    assert [event["event"] for event in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert all(event["data"]["type"] == event["event"] for event in events)
    assert events[-2]["data"]["usage"]["output_tokens"] == 5


def test_a_cut_stream_ends_with_an_error_and_not_with_an_end():
    events = said({"events": STREAM[:1]}, C, A, "stream")["events"]
    assert [event["event"] for event in events][-1] == "error"
    assert "message_stop" not in [event["event"] for event in events]
    assert "error" in said({"events": []}, A, C, "stream")["events"][0]["data"]


def test_an_error_in_a_stream_is_told_as_one():
    error = {"event": "error", "data": {"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}}}  # fmt: skip
    (event,) = said({"events": [error]}, A, G, "stream")["events"]
    assert event == {"event": None, "data": {"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED", "details": []}}}  # fmt: skip


def test_a_chat_client_gets_the_usage_chunk_that_it_asked_for():
    start = {"event": "message_start", "data": {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}}}  # fmt: skip
    end = {"event": "message_delta", "data": {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}}  # fmt: skip
    stop = {"event": "message_stop", "data": {"type": "message_stop"}}
    for profile, count in (({}, 1), ({"stream_options": {"include_usage": True}}, 2)):
        events = said({"events": [start, end, stop]}, A, C, "stream", profile=profile)["events"]
        assert events[-1] == DONE
        with_usage = [e["data"] for e in events[:-1] if e["data"].get("usage")]
        assert len(with_usage) == 1
        assert len(with_usage[0]["choices"]) == 2 - count


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({}, "/events"),
        ({"events": [1]}, "/events/0"),
        ({"events": [{"event": 1, "data": {}}]}, "/events/0/event"),
        ({"events": [{"event": "a\nb", "data": {}}]}, "/events/0/event"),
        ({"events": [{"event": None, "data": 1}]}, "/events/0/data"),
    ],
)
def test_a_malformed_stream_says_where(document, where):
    with pytest.raises(Untranslatable) as caught:
        translate(document, source=C, target=A, kind="stream")
    assert caught.value.pointer == where


def test_data_may_be_text_of_several_lines():
    text = json.dumps(STREAM[0]["data"], indent=1)
    events = [{"event": None, "data": text}, *STREAM[1:], DONE]
    assert said({"events": events}, C, G, "stream")["events"][0]["data"]["candidates"]


def test_what_a_frame_holds_beyond_is_named_by_its_event():
    strange = {**STREAM[0], "data": {**STREAM[0]["data"], "system_fingerprint": "fp"}}
    made = translate({"events": [strange, strange, *STREAM[1:]]}, source=C, target=A, kind="stream")
    paths = [loss.path for loss in made.losses if loss.path.startswith("/events")]
    assert paths == ["/events/0/data/system_fingerprint"]


# --- errors ----------------------------------------------------------------------------------------
def openai_error(**inner: Any) -> dict[str, Any]:
    return {"error": {"message": "m", "type": None, "param": None, "code": None, **inner}}


def anthropic_error(kind: str, message: str = "m") -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


@pytest.mark.parametrize(
    ("document", "source", "chat", "messages", "gemini"),
    [
        (anthropic_error("invalid_request_error"), A, ("invalid_request_error", None, 400), ("invalid_request_error", 400), ("INVALID_ARGUMENT", 400)),
        (anthropic_error("authentication_error"), A, ("authentication_error", "invalid_api_key", 401), ("authentication_error", 401), ("UNAUTHENTICATED", 401)),
        (anthropic_error("billing_error"), A, ("insufficient_credits", "insufficient_credits", 402), ("billing_error", 402), ("RESOURCE_EXHAUSTED", 402)),
        (anthropic_error("permission_error"), A, ("permission_error", None, 403), ("permission_error", 403), ("PERMISSION_DENIED", 403)),
        (anthropic_error("not_found_error"), A, ("not_found_error", None, 404), ("not_found_error", 404), ("NOT_FOUND", 404)),
        (anthropic_error("request_too_large"), A, ("invalid_request_error", "request_too_large", 413), ("request_too_large", 413), ("INVALID_ARGUMENT", 413)),
        (anthropic_error("rate_limit_error"), A, ("rate_limit_error", "rate_limit_exceeded", 429), ("rate_limit_error", 429), ("RESOURCE_EXHAUSTED", 429)),
        (anthropic_error("overloaded_error"), A, ("overloaded_error", "server_is_overloaded", 503), ("overloaded_error", 529), ("UNAVAILABLE", 503)),
        (anthropic_error("invalid_request_error", "prompt is too long: 9 tokens"), A, ("invalid_request_error", "context_length_exceeded", 400), ("invalid_request_error", 400), ("INVALID_ARGUMENT", 400)),
        (openai_error(type="invalid_request_error", code="context_length_exceeded"), C, ("invalid_request_error", "context_length_exceeded", 400), ("invalid_request_error", 400), ("INVALID_ARGUMENT", 400)),
        (openai_error(type="server_error"), R, ("server_error", None, 502), ("api_error", 502), ("INTERNAL", 500)),
        ({"error": {"code": 504, "message": "m", "status": "DEADLINE_EXCEEDED"}}, G, ("timeout_error", "timeout", 504), ("timeout_error", 504), ("DEADLINE_EXCEEDED", 504)),
        ({"error": {"code": 409, "message": "m", "status": "ABORTED"}}, G, ("conflict_error", None, 409), ("conflict_error", 409), ("ABORTED", 409)),
        ({"strange": 1}, C, ("server_error", None, 502), ("api_error", 502), ("INTERNAL", 500)),
    ],
)  # fmt: skip
def test_an_error_is_the_same_row_of_the_table_in_every_dialect(
    document, source, chat, messages, gemini
):
    for target in {C, R, A, G} - {source}:
        made = translate(document, source=source, target=target, kind="error")
        error = made.document["error"]
        if target in (C, R):
            assert (error["type"], error["code"], made.status) == chat
        elif target == A:
            assert (error["type"], made.status) == messages
            assert made.document["type"] == "error"
        else:
            assert (error["status"], made.status) == gemini


def test_a_status_may_be_known_beside_the_body():
    made = translate({"error": "no"}, source=C, target=A, kind="error", profile={"status": 403})
    assert made.document["error"]["type"] == "permission_error"
    assert made.status == 403


def test_the_id_the_place_and_the_wait_go_along():
    body = {"error": {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED", "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3s"}, {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": "contents"}]}]}}  # fmt: skip
    made = translate(body, source=G, target=C, kind="error")
    assert made.document["error"]["param"] == "contents"
    back = translate(anthropic_error("api_error"), source=A, target=C, kind="error")
    assert back.document["request_id"] == "req_1"


# --- sealed state, there and back -------------------------------------------------------------------
def turn(target: str, document: Any) -> dict[str, Any]:
    """Put an answer into the history of the next request, as that dialect's clients do."""
    results = {"call_1": "sun"}
    if target == A:
        answered = [{"type": "tool_result", "tool_use_id": i, "content": t} for i, t in results.items()]  # fmt: skip
        return {"model": "m", "max_tokens": 9, "messages": [HI, {"role": "assistant", "content": document["content"]}, {"role": "user", "content": answered}]}  # fmt: skip
    if target == R:
        outputs = [{"type": "function_call_output", "call_id": i, "output": t} for i, t in results.items()]  # fmt: skip
        return {"model": "m", "input": [HI, *document["output"], *outputs]}
    parts = [{"functionResponse": {"id": i, "name": "look", "response": {"output": t}}} for i, t in results.items()]  # fmt: skip
    contents = [{"role": "user", "parts": [{"text": "Hi"}]}, document["candidates"][0]["content"]]
    return {"model": "m", "contents": [*contents, {"role": "user", "parts": parts}]}


CALL = {"type": "tool_use", "id": "call_1", "name": "look", "input": {}}
SEALED: dict[str, Any] = {
    A: {**MESSAGE, "content": [{"type": "thinking", "thinking": "hm", "signature": "c2.ln=="}, CALL], "stop_reason": "tool_use"},
    R: {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "m", "output": [{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAA:A.=="}, {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "look", "arguments": "{}"}], "usage": None},
    G: {"candidates": [{"content": {"role": "model", "parts": [{"functionCall": {"id": "call_1", "name": "look", "args": {}}, "thoughtSignature": "c2ln"}]}, "finishReason": "STOP"}], "modelVersion": "m"},
}  # fmt: skip


@pytest.mark.parametrize("maker", [A, R, G])
@pytest.mark.parametrize("client", [A, R, G])
def test_sealed_state_comes_back_to_its_maker_byte_for_byte(maker, client):
    if maker == client:
        return
    told = said(SEALED[maker], maker, client, "response")
    history = turn(client, told)
    home = json.dumps(said(history, client, maker))
    seal = {A: "c2.ln==", R: "gAA:A.==", G: "c2ln"}[maker]
    assert home.count(json.dumps(seal)) == 1
    assert "hr1." not in home
    if maker == R:
        item = said(history, client, maker)["input"][1]
        assert item == {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": seal}  # fmt: skip
    if maker == G:
        part = said(history, client, maker)["contents"][1]["parts"][0]
        assert part["thoughtSignature"] == seal
        assert "functionCall" in part
    (other,) = {A, R, G} - {maker, client}
    assert seal not in json.dumps(said(history, client, other))
