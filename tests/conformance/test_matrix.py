"""Every cell of the matrix: nothing lost in silence, and what is written is read by the real SDKs.

Invariant 32 over all pairs: each emitted body validates against the types of its vendor's SDK, each
emitted stream goes through the SDK's own reader and accumulator.
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from anthropic.types import Message, MessageCreateParams
from google import genai
from google.genai import types
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from pydantic import TypeAdapter

from hyperroute.dialects import Translation, translate
from hyperroute.dialects.translating import DIALECTS
from hyperroute.testing.matrix import Cell, SilentLoss, cell, cells, differences, features

C, R, A, G = DIALECTS
WHOLE = list(cells("response"))
STREAMED = list(cells("stream"))
ASKED = list(cells("request"))
REFUSED = {
    "an image by a vendor's file id",
    "a film",
    "a call without its result",
    "a result without its call",
    "an answer to be continued",
    "a stored conversation",
    "a cached context",
    "code that the provider runs",
}
"""What must never be lost, to any other dialect (dialects.md, 9)."""

UNTYPED = {"sound": "input", "web search as a chat tool": "tool_choice"}
"""What the API documents and the types of this SDK leave out of their unions."""
CHAT_ASKED = TypeAdapter(CompletionCreateParamsNonStreaming)
RESPONSES_ASKED = TypeAdapter(ResponseCreateParamsNonStreaming)
MESSAGES_ASKED = TypeAdapter(MessageCreateParams)
EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def named(one: Cell) -> str:
    return f"{one.feature}: {one.source} to {one.target}"


@cache
def made(one: Cell) -> Translation:
    document = features(one.kind)[one.feature][one.source]
    return translate(document, source=one.source, target=one.target, kind=one.kind)


@dataclass(frozen=True)
class Answering:
    """The three SDKs, answered with whatever was put there last."""

    bodies: list[bytes]
    openai: openai.OpenAI
    anthropic: anthropic.Anthropic
    google: genai.Client


@pytest.fixture(scope="module")
def sdk() -> Iterator[Answering]:
    bodies: list[bytes] = []

    def answer(_: httpx2.Request) -> httpx2.Response:
        kind = {"content-type": "text/event-stream"}
        return httpx2.Response(200, content=bodies[-1], headers=kind)

    with httpx2.Client(transport=httpx2.MockTransport(answer)) as http:
        yield Answering(
            bodies,
            openai.OpenAI(api_key="k", base_url="http://t/v1", http_client=http, max_retries=0),
            anthropic.Anthropic(api_key="k", base_url="http://t", http_client=http, max_retries=0),
            genai.Client(
                api_key="k",
                http_options=types.HttpOptions(base_url="http://t", httpx_client=http),
            ),
        )


# --- nothing is lost in silence --------------------------------------------------------------------
@pytest.mark.parametrize(("kind", "found"), [("request", ASKED), ("response", WHOLE), ("stream", STREAMED)])  # fmt: skip
def test_every_feature_is_tried_from_every_dialect_that_has_it_to_all_four(kind, found):
    tried = {(one.feature, one.source) for one in found}
    assert tried == {(name, source) for name, said in features(kind).items() for source in said}
    assert {one.target for one in found} == set(DIALECTS)
    assert all((one.outcome == "same") == (one.source == one.target) for one in found)


def test_what_must_not_be_lost_is_refused_everywhere():
    for one in ASKED:
        if one.feature in REFUSED and one.source != one.target:
            assert one.outcome == "refused", named(one)
    for one in ASKED:
        if one.feature == "two answers" and one.target in (R, A):
            assert one.outcome == "refused", named(one)
        if one.feature == "sound" and one.target == A:
            assert one.outcome == "refused", named(one)


def test_an_answer_is_never_refused():
    assert not [named(one) for one in (*WHOLE, *STREAMED) if one.outcome == "refused"]


def test_whole_and_streamed_answers_fare_alike():
    for whole, streamed in zip(WHOLE, STREAMED, strict=True):
        assert (whole.feature, whole.source, whole.target) == (
            streamed.feature,
            streamed.source,
            streamed.target,
        )
        assert {loss.why for loss in whole.losses} == {loss.why for loss in streamed.losses}


def test_the_matrix_can_fail():
    """A translation that changes what it does not declare is found."""
    document = features("response")["text"][C]
    good = translate(document, source=C, target=A, kind="response")
    spoilt = Translation({**good.document, "content": [{"type": "text", "text": "Bye"}]})
    assert differences(document, spoilt, source=C, target=A, kind="response").keys() == {"choices"}
    request = features("request")["temperature"][C]
    with pytest.raises(SilentLoss, match="is not itself"):
        cell("request", "", _Unequal(request), source=C, target=C)


class _Unequal(dict[str, Any]):
    def __eq__(self, _: object) -> bool:
        return False

    __hash__ = None

    def __ne__(self, _: object) -> bool:
        return True


# --- requests --------------------------------------------------------------------------------------
def request_of_chat(one: Cell, _: object) -> None:
    body = copy.deepcopy(made(one).document)
    body.pop("stream", None)
    assert set(body) == set(CHAT_ASKED.validate_python(body))


def request_of_responses(one: Cell, _: object) -> None:
    body = copy.deepcopy(made(one).document)
    body.pop("stream", None)
    for item in body["input"]:
        if item.get("role") == "assistant":
            item |= {"id": "msg_1", "status": "completed"}  # which the API does not ask for
    if one.feature in UNTYPED:
        del body[UNTYPED[one.feature]]
    assert set(body) == set(RESPONSES_ASKED.validate_python(body))


def request_of_messages(one: Cell, _: object) -> None:
    body = copy.deepcopy(made(one).document)
    sampling = {"temperature", "top_p", "top_k"}  # of the older version, which this SDK dropped
    assert set(body) - sampling == set(MESSAGES_ASKED.validate_python(body)) - sampling


def request_of_gemini(one: Cell, _: object) -> None:
    body = copy.deepcopy(made(one).document)
    for content in body["contents"]:
        types.Content.model_validate(content)
    types.GenerationConfig.model_validate(body["generationConfig"])
    for tool in body.get("tools", ()):
        types.Tool.model_validate(tool)
    if "toolConfig" in body:
        types.ToolConfig.model_validate(body["toolConfig"])
    known = {"contents", "systemInstruction", "generationConfig", "tools", "toolConfig"}
    assert set(body) <= {*known, "serviceTier"}


# --- whole answers ---------------------------------------------------------------------------------
def whole_answer_of_chat(one: Cell, _: object) -> None:
    ChatCompletion.model_validate_json(json.dumps(made(one).document), strict=True)


def whole_answer_of_responses(one: Cell, _: object) -> None:
    Response.model_validate_json(json.dumps(made(one).document))


def whole_answer_of_messages(one: Cell, _: object) -> None:
    Message.model_validate_json(json.dumps(made(one).document), strict=True)


def whole_answer_of_gemini(one: Cell, _: object) -> None:
    types.GenerateContentResponse.model_validate_json(json.dumps(made(one).document))


# --- streams ---------------------------------------------------------------------------------------
def stream_of(one: Cell) -> bytes:
    out = []
    for event in made(one).document["events"]:
        data = event["data"]
        name = f"event: {event['event']}\n" if event["event"] else ""
        out.append(f"{name}data: {data if isinstance(data, str) else json.dumps(data)}\n\n")
    return "".join(out).encode()


def failed(one: Cell) -> bool:
    """Say whether the answer is told as one that broke."""
    return "malformed" in " ".join(loss.why for loss in one.losses)


def stream_of_chat(one: Cell, sdk: Answering) -> None:
    sdk.bodies.append(stream_of(one))
    if one.feature == "a free-form call":  # which this SDK reads, and has neither type nor help for
        chunks = sdk.openai.chat.completions.create(model="m", messages=[], stream=True)
        assert list(chunks)[-1].choices[0].finish_reason == "tool_calls"
        return
    for event in made(one).document["events"][:-1]:
        ChatCompletionChunk.model_validate_json(json.dumps(event["data"]), strict=True)
    try:
        with sdk.openai.chat.completions.stream(model="m", messages=[]) as stream:
            final = stream.get_final_completion()
    except (openai.LengthFinishReasonError, openai.ContentFilterFinishReasonError):
        return  # what the helper does on those ends
    assert final.usage is not None
    assert final.usage.prompt_tokens == 30


def stream_of_responses(one: Cell, sdk: Answering) -> None:
    sdk.bodies.append(stream_of(one))
    for event in made(one).document["events"]:
        EVENTS.validate_json(json.dumps(event["data"]))
    with sdk.openai.responses.stream(model="m", input="hi") as stream:
        kinds = [event.type for event in stream]
        ends = {"response.completed", "response.incomplete", "response.failed"}
        assert kinds[-1] in ends
        if kinds[-1] == "response.completed":
            usage = stream.get_final_response().usage
            assert usage is not None
            assert usage.input_tokens == 30


def stream_of_messages(one: Cell, sdk: Answering) -> None:
    sdk.bodies.append(stream_of(one))
    ask: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}  # fmt: skip
    with sdk.anthropic.messages.stream(**ask) as stream:
        if failed(one):
            with pytest.raises(anthropic.APIStatusError):
                stream.get_final_message()
            return
        final = stream.get_final_message()
    assert final.stop_reason is not None
    assert sum((final.usage.input_tokens, final.usage.cache_read_input_tokens or 0, final.usage.cache_creation_input_tokens or 0)) == 30  # fmt: skip


def stream_of_gemini(one: Cell, sdk: Answering) -> None:
    sdk.bodies.append(stream_of(one))
    chunks = list(sdk.google.models.generate_content_stream(model="m", contents="hi"))
    last = chunks[-1].candidates
    assert last is not None
    assert last[0].finish_reason is not None
    assert chunks[-1].usage_metadata is not None
    assert chunks[-1].usage_metadata.prompt_token_count == 30


CHECKS: list[Any] = [
    pytest.param(found, target, check, id=f"{kind} to {target}")
    for kind, found, checks in (
        ("requests", ASKED, (request_of_chat, request_of_responses, request_of_messages, request_of_gemini)),
        ("whole answers", WHOLE, (whole_answer_of_chat, whole_answer_of_responses, whole_answer_of_messages, whole_answer_of_gemini)),
        ("streams", STREAMED, (stream_of_chat, stream_of_responses, stream_of_messages, stream_of_gemini)),
    )
    for target, check in zip(DIALECTS, checks, strict=True)
]  # fmt: skip


@pytest.mark.parametrize(("found", "target", "check"), CHECKS)
def test_invariant_32_what_is_written_is_read_by_the_sdk_of_its_vendor(found, target, check, sdk):
    some = [one for one in found if one.target == target and one.outcome in ("translated", "lossy")]
    assert len(some) > 40
    for one in some:
        try:
            check(one, sdk)
        except Exception as fault:
            fault.add_note(named(one))
            raise
