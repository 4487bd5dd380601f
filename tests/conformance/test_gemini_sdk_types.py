"""What we write as Gemini is read by Google's own SDK, types and stream reader alike.

Invariant 32: every emitted stream is accepted by the reference reader of its dialect, every emitted
body validates.
"""

import base64
import json

import httpx2
import pytest
from google import genai
from google.genai import errors, types

from hyperroute.canon.content import (
    Media,
    Part,
    Reasoning,
    Refusal,
    Sealed,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)
from hyperroute.canon.events import Choice, Finished, Reply, replay
from hyperroute.canon.failure import FailureClass
from hyperroute.canon.request import (
    Conversation,
    OutputSpec,
    Request,
    Sampling,
    Thinking,
    Tool,
    ToolChoice,
)
from hyperroute.canon.usage import Usage
from hyperroute.dialects.base import ClientError, Profile
from hyperroute.dialects.gemini import GEMINI_GENERATE

USAGE = Usage(input_tokens=30, cache_read_tokens=10, output_tokens=9, reasoning_tokens=4)
SIGNATURE = base64.b64encode(b"signed").decode()
MODEL = "gemini-3-flash-preview"


def request_of(conversation: Conversation | None = None, *, stream: bool = False) -> Request:
    return Request(
        model=MODEL,
        dialect="openai.chat",
        endpoint="chat",
        raw={},
        stream=stream,
        decode=lambda _: conversation or Conversation(),
    )


def reply_of(*parts: Part, finish: Finished | None = None) -> Reply:
    choice = Choice(index=0, parts=parts, finish=finish or Finished("stop"))
    return Reply(id="r1", model="m", created=None, choices=(choice,), usage=USAGE)


def client_of(body: bytes, *, status: int = 200, kind: str = "application/json") -> genai.Client:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, content=body, headers={"content-type": kind})

    client = httpx2.Client(transport=httpx2.MockTransport(answer))
    return genai.Client(
        api_key="k",
        http_options=types.HttpOptions(base_url="http://localhost", httpx_client=client),
    )


def streamed(reply: Reply) -> bytes:
    encoder = GEMINI_GENERATE.encoder(request=request_of(), model=MODEL)
    return b"".join(encoder.feed(event) for event in replay(reply))


REPLIES = {
    "text": reply_of(Text("Hello \u2028 there")),
    "empty": reply_of(),
    "thinking": reply_of(
        Reasoning(text="hm"), Text("42", sealed=Sealed("signature", SIGNATURE, "google"))
    ),
    "foreign thinking": reply_of(
        Reasoning(text="hm", sealed=Sealed("signature", "a+b/c", "anthropic")), Text("42")
    ),
    "calls": reply_of(
        Text("Looking."),
        ToolUse(
            id="call_1",
            name="weather",
            arguments='{"city":"Oslo"}',
            sealed=Sealed("signature", SIGNATURE, "google"),
        ),
        ToolUse(id="call_2", name="weather", arguments=""),
        finish=Finished("tool_calls"),
    ),
    "refusal": reply_of(Refusal("No."), finish=Finished("refusal")),
    "length": reply_of(Text("a"), finish=Finished("length")),
    "image": reply_of(Media(kind="image", source="data", value="aGk=", mime="image/png")),
    "broken call": reply_of(
        ToolUse(id="c", name="f", arguments='{"a":'), finish=Finished("tool_calls")
    ),
}


@pytest.mark.parametrize("name", REPLIES)
def test_invariant_32_a_whole_reply_validates(name):
    body = GEMINI_GENERATE.emit_reply(REPLIES[name], request=request_of(), model=MODEL)
    response = types.GenerateContentResponse.model_validate_json(body)
    assert response.usage_metadata is not None
    assert response.usage_metadata.candidates_token_count == 5
    assert response.usage_metadata.total_token_count == 39
    got = client_of(body).models.generate_content(model=MODEL, contents="hi")
    assert got.candidates == response.candidates
    assert got.model_version == MODEL


@pytest.mark.parametrize("name", REPLIES)
def test_invariant_32_the_reader_makes_the_whole_reply_of_a_stream(name):
    body = streamed(REPLIES[name])
    lines = [line for line in body.split(b"\n") if line]
    assert all(line.startswith(b"data: {") for line in lines)
    chunks = list(
        client_of(body, kind="text/event-stream").models.generate_content_stream(
            model=MODEL, contents="hi"
        )
    )
    whole = types.GenerateContentResponse.model_validate_json(
        GEMINI_GENERATE.emit_reply(REPLIES[name], request=request_of(), model=MODEL)
    )
    candidate = first(whole)
    parts = [part for chunk in chunks for part in parts_of(first(chunk))]
    for thought in (None, True):
        assert text_of(parts, thought) == text_of(parts_of(candidate), thought)
    assert [p.function_call for p in parts if p.function_call] == [
        p.function_call for p in parts_of(candidate) if p.function_call
    ]
    assert [p.thought_signature for p in parts if p.thought_signature] == [
        p.thought_signature for p in parts_of(candidate) if p.thought_signature
    ]
    assert [first(chunk).finish_reason for chunk in chunks][:-1] == [None] * (len(chunks) - 1)
    assert first(chunks[-1]).finish_reason == candidate.finish_reason
    assert chunks[-1].usage_metadata == whole.usage_metadata


def first(response: types.GenerateContentResponse) -> types.Candidate:
    assert response.candidates
    return response.candidates[0]


def parts_of(candidate: types.Candidate) -> list[types.Part]:
    assert candidate.content is not None
    return candidate.content.parts or []


def text_of(parts: list[types.Part], thought: bool | None) -> str:
    return "".join(p.text for p in parts if p.text and p.thought == thought)


def test_a_call_that_is_not_json_ends_as_malformed():
    last = streamed(REPLIES["broken call"]).splitlines()[-2]
    assert b'"finishReason":"MALFORMED_FUNCTION_CALL"' in last


@pytest.mark.parametrize(
    ("error", "raised", "status"),
    [
        (ClientError(status=400, kind=FailureClass.BAD_REQUEST, message="m", param="/contents"), errors.ClientError, "INVALID_ARGUMENT"),
        (ClientError(status=401, kind="unauthorized", message="m"), errors.ClientError, "UNAUTHENTICATED"),
        (ClientError(status=402, kind="insufficient_credits", message="m"), errors.ClientError, "RESOURCE_EXHAUSTED"),
        (ClientError(status=429, kind=FailureClass.RATE_LIMITED, message="m", retry_after_s=3), errors.ClientError, "RESOURCE_EXHAUSTED"),
        (ClientError(status=502, kind=FailureClass.SERVER_ERROR, message="m"), errors.ServerError, "INTERNAL"),
        (ClientError(status=503, kind=FailureClass.OVERLOADED, message="m"), errors.ServerError, "UNAVAILABLE"),
        (ClientError(status=504, kind=FailureClass.DEADLINE, message="m"), errors.ServerError, "DEADLINE_EXCEEDED"),
    ],
)  # fmt: skip
def test_the_sdk_raises_the_class_of_each_error(error, raised, status):
    client = client_of(GEMINI_GENERATE.emit_error(error), status=error.status)
    with pytest.raises(raised) as caught:
        client.models.generate_content(model=MODEL, contents="hi")
    assert caught.value.status == status
    assert caught.value.message == "m"


def test_an_error_in_a_stream_raises():
    encoder = GEMINI_GENERATE.encoder(request=request_of(), model=MODEL)
    body = b"".join(encoder.feed(event) for event in list(replay(REPLIES["text"]))[:2])
    body += encoder.fail(ClientError(status=503, kind=FailureClass.OVERLOADED, message="busy"))
    with pytest.raises(errors.ServerError):
        list(
            client_of(body, kind="text/event-stream").models.generate_content_stream(
                model=MODEL, contents="hi"
            )
        )


CONVERSATION = Conversation(
    system=(Text("Be brief."), Text("Be kind.")),
    turns=(
        Turn(role="user", parts=(Text("Look."), Media(kind="image", source="data", value="aGk=", mime="image/png"))),
        Turn(
            role="assistant",
            parts=(
                Text("One moment."),
                ToolUse(id="call.1", name="weather", arguments='{"city":"Oslo"}'),
                ToolUse(id="call.2", name="1st", arguments=""),
            ),
        ),
        Turn(role="user", parts=(ToolResult(id="call.1", parts=(Text("rain"),)),)),
        Turn(role="user", parts=(ToolResult(id="call.2", parts=(Text('{"a":1}'),), failed=True),)),
        Turn(role="system", parts=(Text("Now in French."),)),
        Turn(role="user", parts=(Text("And?"), Media(kind="audio", source="data", value="aGk=", mime="wav"))),
    ),
    tools=(
        Tool(name="weather", description="d", schema={"type": "object", "properties": {}}),
        Tool(name="1st"),
        Tool(kind="custom", name="patch"),
        Tool(kind="server", name="web_search", dialect="openai.responses"),
    ),
    tool_choice=ToolChoice(mode="allowed", names=("weather", "1st"), required=True),
    output=OutputSpec(form="json_schema", schema={"type": "object"}),
    sampling=Sampling(temperature=1.0, top_p=0.5, top_k=3, seed=7, n=2, presence_penalty=0.5),
    max_output=400,
    stop=("END",),
    thinking=Thinking(effort="high", visible="summary"),
)  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"thinking_types": ["level"]}])
def test_invariant_32_a_translated_request_validates(options):
    profile = Profile(vendor="google", options=options)
    emission = GEMINI_GENERATE.emit_request(request_of(CONVERSATION), model=MODEL, profile=profile)
    body = json.loads(emission.body)
    contents = [types.Content.model_validate(content) for content in body["contents"]]
    assert [content.role for content in contents] == ["user", "model", "user"]
    types.Content.model_validate(body["systemInstruction"])
    types.GenerationConfig.model_validate(body["generationConfig"])
    for tool in body["tools"]:
        types.Tool.model_validate(tool)
    types.ToolConfig.model_validate(body["toolConfig"])
    assert set(body) == {"contents", "systemInstruction", "generationConfig", "tools", "toolConfig"}


def test_the_bodies_google_s_sdk_sends_decode_and_come_back_the_same():
    seen = {}

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen["body"] = request.content
        return httpx2.Response(200, content=streamed(REPLIES["text"]))

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    client = genai.Client(
        api_key="k",
        http_options=types.HttpOptions(base_url="http://localhost", httpx_client=http),
    )
    call = types.Part(
        function_call=types.FunctionCall(name="f", args={"a": 1}), thought_signature=b"\xff\xfe\xfb"
    )
    back = types.Part.from_function_response(name="f", response={"output": "ok"})
    list(
        client.models.generate_content_stream(
            model=MODEL,
            contents=[
                types.Content(role="user", parts=[types.Part.from_bytes(data=b"\xff\xfe", mime_type="image/png")]),
                types.Content(role="model", parts=[call]),
                types.Content(role="user", parts=[back]),
            ],
            config=types.GenerateContentConfig(
                system_instruction="Be brief.",
                thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_budget=0),
                tools=[types.Tool(function_declarations=[types.FunctionDeclaration(name="f", parameters_json_schema={"type": "object"})])],
                max_output_tokens=5,
                response_mime_type="application/json",
                response_schema=types.Schema(type=types.Type.OBJECT, properties={"a": types.Schema(type=types.Type.STRING, nullable=True)}),
            ),
        )
    )  # fmt: skip
    raw = {**json.loads(seen["body"]), "model": MODEL, "stream": True}
    request = GEMINI_GENERATE.parse_request(raw, body=seen["body"])
    assert request.features >= {"tools", "vision", "json_schema", "thinking"}
    assert request.max_output == 5
    emission = GEMINI_GENERATE.emit_request(request, model="gemini-3-pro", profile=Profile())
    assert emission.body == seen["body"]
    assert emission.path == "/models/gemini-3-pro:streamGenerateContent?alt=sse"
    asked = request.conversation
    assert asked.system == (Text("Be brief."),)
    image = asked.turns[0].parts[0]
    assert isinstance(image, Media)
    assert base64.b64decode(image.value, validate=True) == b"\xff\xfe"
    use, result = asked.turns[1].parts[0], asked.turns[2].parts[0]
    assert isinstance(use, ToolUse)
    assert isinstance(result, ToolResult)
    assert use.id == result.id
    assert use.sealed is not None
    assert result.parts == (Text("ok"),)
    assert asked.thinking == Thinking(budget="off", visible="summary")
    assert asked.output.schema == {
        "type": "object",
        "properties": {"a": {"type": ["string", "null"]}},
    }
