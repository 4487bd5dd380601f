"""Structured output, lists of models, counting, the awaiting clients, and what agents probe for."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode

import anthropic
import httpx
import openai
import pytest
from google import genai
from google.genai import types as google
from pydantic import BaseModel
from tests.e2e.clients.standing import KEY, MODELS

from hyperroute.canon.media import size_of
from hyperroute.client import Router
from hyperroute.testing.replies import DIALECTS, HELLO, Said

TEXT = "".join(HELLO.text)
SAID = Said(text=('{"city": "Os', 'lo", "days": 2}'))
ASKED = [{"role": "user", "content": "Where, and for how long?"}]


class Trip(BaseModel):
    city: str
    days: int


def parsed_chat(url: str, model: str) -> Trip | None:
    with openai.OpenAI(base_url=f"{url}/v1", api_key=KEY) as client:
        ask = client.chat.completions.parse
        came = ask(model=model, messages=ASKED, response_format=Trip)  # type: ignore[arg-type]
        return came.choices[0].message.parsed


def parsed_responses(url: str, model: str) -> Trip | None:
    with openai.OpenAI(base_url=f"{url}/v1", api_key=KEY) as client:
        return client.responses.parse(model=model, input="Where?", text_format=Trip).output_parsed


def parsed_messages(url: str, model: str) -> Trip | None:
    with anthropic.Anthropic(base_url=url, api_key=KEY) as client:
        ask = client.messages.parse
        came = ask(model=model, max_tokens=99, messages=ASKED, output_format=Trip)  # type: ignore[arg-type]
        return came.parsed_output


def parsed_gemini(url: str, model: str) -> Trip | None:
    form = google.GenerateContentConfig(response_mime_type="application/json", response_schema=Trip)
    with genai.Client(api_key=KEY, http_options=google.HttpOptions(base_url=url)) as client:
        came = client.models.generate_content(model=model, contents="Where?", config=form)
    assert came.parsed is None or isinstance(came.parsed, Trip)
    return came.parsed


PARSED = dict(
    zip(DIALECTS, (parsed_chat, parsed_responses, parsed_messages, parsed_gemini), strict=True)
)


@pytest.mark.parametrize("provider", DIALECTS)
@pytest.mark.parametrize("client", DIALECTS)
def test_a_form_goes_out_and_an_object_comes_back(place, client, provider):
    place.answers(provider, SAID)
    assert PARSED[client](place.url, MODELS[provider]) == Trip(city="Oslo", days=2)
    [body] = place.bodies
    form = {
        "openai.chat": lambda: body["response_format"]["json_schema"]["schema"],
        "openai.responses": lambda: body["text"]["format"]["schema"],
        "anthropic.messages": lambda: body["output_config"]["format"]["schema"],
        "gemini.generate": lambda: next(
            value for key, value in body["generationConfig"].items() if "chema" in key
        ),
    }[provider]()
    assert set(form["properties"]) == {"city", "days"}
    assert set(form["required"]) == {"city", "days"}


def test_each_client_lists_the_models_in_its_own_shape(place):
    with openai.OpenAI(base_url=f"{place.url}/v1", api_key=KEY) as client:
        assert {model.id for model in client.models.list()} == set(MODELS.values())
        assert client.models.retrieve("at-chat").id == "at-chat"
    with anthropic.Anthropic(base_url=place.url, api_key=KEY) as claude:
        assert {model.id for model in claude.models.list()} == set(MODELS.values())
        assert claude.models.retrieve("at-chat").max_input_tokens == 200_000
    with genai.Client(api_key=KEY, http_options=google.HttpOptions(base_url=place.url)) as gemini:
        names = {f"models/{name}" for name in MODELS.values()}
        assert {model.name for model in gemini.models.list()} == names
        assert gemini.models.get(model="at-chat").input_token_limit == 200_000


def test_clients_count_without_a_provider_being_asked(place):
    with anthropic.Anthropic(base_url=place.url, api_key=KEY) as claude:
        count = claude.messages.count_tokens
        assert count(model="at-chat", messages=ASKED).input_tokens > 0  # type: ignore[arg-type]
    with genai.Client(api_key=KEY, http_options=google.HttpOptions(base_url=place.url)) as gemini:
        counted = gemini.models.count_tokens(model="at-chat", contents="Where, and for how long?")
        assert (counted.total_tokens or 0) > 0
    assert place.asked == []


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
def test_awaiting_clients_stream_side_by_side(place):
    for dialect in DIALECTS:
        place.answers(dialect, HELLO)

    async def chat() -> str:
        async with openai.AsyncOpenAI(base_url=f"{place.url}/v1", api_key=KEY) as client:
            ask = client.chat.completions.stream
            async with ask(model="at-chat", messages=ASKED) as stream:  # type: ignore[arg-type]
                return (await stream.get_final_completion()).choices[0].message.content or ""

    async def responses() -> str:
        async with (
            openai.AsyncOpenAI(base_url=f"{place.url}/v1", api_key=KEY) as client,
            client.responses.stream(model="at-responses", input="Where?") as stream,
        ):
            return (await stream.get_final_response()).output_text

    async def messages() -> str:
        async with anthropic.AsyncAnthropic(base_url=place.url, api_key=KEY) as client:
            ask = client.messages.stream
            async with ask(model="at-messages", max_tokens=9, messages=ASKED) as stream:  # type: ignore[arg-type]
                return await stream.get_final_text()

    async def gemini() -> str:
        options = google.HttpOptions(base_url=place.url)
        async with genai.Client(api_key=KEY, http_options=options).aio as client:
            ask = client.models.generate_content_stream
            chunks = await ask(model="at-gemini", contents="Where?")
            return "".join([chunk.text or "" async for chunk in chunks])

    async def all_at_once() -> list[str]:
        return await asyncio.gather(*(ask() for ask in (chat, responses, messages, gemini) * 4))

    assert asyncio.run(all_at_once()) == [TEXT] * 16
    assert len(place.asked) == 16


@pytest.mark.parametrize("path", ["/", "/api/hello", "/v1"])
def test_a_probe_needs_no_key(place, path):
    assert httpx.head(place.url + path).status_code == 200
    assert httpx.head(place.url + path).content == b""


def test_beta_headers_and_what_no_other_vendor_knows_pass_to_anthropic(place):
    place.answers("anthropic.messages", HELLO)
    asked = {
        "model": "at-messages",
        "max_tokens": 9,
        "messages": ASKED,
        "thinking": {"type": "adaptive"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "output_config": {"effort": "high"},
        "not_yet_known": {"a": [1, 2.50, None]},
    }
    headers = {"x-api-key": KEY, "anthropic-version": "2026-10-21", "anthropic-beta": "a-1,b-2"}
    came = httpx.post(f"{place.url}/v1/messages?beta=true", json=asked, headers=headers)
    assert came.status_code == 200
    [seen] = place.asked
    sent = dict(seen.headers)
    assert (sent["anthropic-version"], sent["anthropic-beta"]) == ("2026-10-21", "a-1,b-2")
    assert place.bodies == [{**asked, "model": "sent-at-messages"}]
    assert b'"a":[1,2.5,null]' in seen.body


@pytest.mark.parametrize("provider", ["openai.chat", "anthropic.messages", "gemini.generate"])
def test_tools_that_only_responses_has_are_reported_and_not_forwarded(place, provider):
    place.answers(provider, HELLO)
    known = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}
    inner = {**known, "name": "g"}
    tools = [
        known,
        {"type": "custom", "name": "apply_patch", "description": "Patches."},
        {"type": "namespace", "name": "ns", "description": "More.", "tools": [inner]},
        {"type": "tool_search", "execution": "client", "description": "Search."},
        {"type": "web_search", "external_web_access": False},
    ]
    asked = {"model": MODELS[provider], "input": "hi", "tools": tools, "store": False}
    headers = {"authorization": f"Bearer {KEY}"}
    came = httpx.post(f"{place.url}/v1/responses", json=asked, headers=headers)
    assert came.status_code == 200, came.text
    assert came.json()["output"][0]["content"][0]["text"] == TEXT
    sent = json.dumps(place.bodies[0]["tools"])
    assert '"f"' in sent
    assert '"apply_patch"' in sent
    assert "tool_search" not in sent
    assert "web_search" not in sent
    assert "namespace" not in sent
    assert "tools" in came.headers["x-hyperroute-losses"]


def test_pictures_are_drawn_for_the_sdk(server, upstream):
    table = """
    hyperroute: 1
    providers: {local: {plugin: simulated}}
    models: {sketch: {kind: image, offers: [{at: local, price: {image: 0.01}}]}}
    """
    with server.standing(upstream, Router.loads(table)) as place:
        with openai.OpenAI(base_url=f"{place.url}/v1", api_key=KEY) as client:
            came = client.images.generate(
                model="sketch", prompt="a lighthouse", n=2, size="512x512"
            )
            assert came.data is not None
            coded = [each.b64_json for each in came.data]
        assert [size_of(b64decode(each or "")) for each in coded] == [(512, 512)] * 2
