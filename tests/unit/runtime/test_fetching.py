"""Media by its address for a provider that takes bytes: only with a word, only through the guard."""

import asyncio
import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from hyperroute.canon.media import IMAGE_BYTES_MAX
from hyperroute.canon.wire import HttpHead
from hyperroute.client import AsyncClient, Client, Router
from hyperroute.errors import ClientWireError, Exhausted
from hyperroute.plugins.registry import discover
from hyperroute.plugins.secret import Secret
from hyperroute.providers.flow import Fetch
from hyperroute.providers.media import fetching
from hyperroute.testing.replies import whole
from hyperroute.testing.script import MS, SECOND, Script
from hyperroute.testing.world import World

TABLE = """
hyperroute: 1
providers:
  google: {plugin: gemini, url: "https://google.test/v1beta", keys: [env:KEY]}
  second: {plugin: gemini, url: "https://second.test/v1beta", keys: [env:KEY]}
  ready: {plugin: gemini, url: "https://ready.test/v1beta", keys: [env:KEY], options: {file_urls: true}}
  chat: {plugin: openai, url: "https://chat.test/v1", keys: [env:KEY], speaks: [chat]}
models:
  gemini: {kind: chat, does: [vision, pdf], offers: [{at: google}, {at: second}]}
  able: {kind: chat, does: [vision, pdf], offers: [{at: ready}]}
  gpt: {kind: chat, does: [vision, pdf], offers: [{at: chat}]}
"""
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\2\0\0\0\3\x08\6\0\0\0"
URL = "https://media.example/a.png"
IMAGE = Script(headers=(("content-type", "image/png"),), chunks=(PNG[:9], PNG[9:]))


def keys(reference: str) -> Secret:
    return Secret(f"sk-{reference}")


@pytest.fixture(scope="module")
def router():
    registry = discover(entry_points=True).with_secrets(keys)
    return Router.loads(TABLE, registry=registry)


@pytest.fixture
def world():
    world = World()
    for host in ("google", "second", "ready"):
        world.serve(f"https://{host}.test", whole("gemini.generate"))
    world.serve("https://chat.test", whole("openai.chat"))
    world.serve(URL, IMAGE)
    return world


def asking(*urls: str, model: str = "gemini") -> dict[str, object]:
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return {"model": model, "messages": [{"role": "user", "content": parts}]}


def sent(world, host: str) -> list[dict[str, Any]]:
    return [
        json.loads(one.request.body) for one in world.sent if f"//{host}.test" in one.request.url
    ]


def hosts(world) -> list[str]:
    return [one.request.url.split("/")[2] for one in world.sent]


def answered(router, world, body, *, dialect=None, fetches=True):
    with Client(
        router, transport=world, clock=world, fetch_media=world if fetches else False
    ) as it:
        return it.send(body, dialect=dialect)


def refused(router, world, body, **more) -> str:
    with pytest.raises(Exhausted) as raised:
        answered(router, world, body, **more)
    assert raised.value.status == 400
    attempts = raised.value.record.attempts  # type: ignore[attr-defined]
    assert [attempt.failure.health for attempt in attempts] == ["neutral"]
    return str(raised.value)


def test_without_a_word_nothing_is_fetched_and_the_part_is_named(router, world) -> None:
    told = refused(router, world, asking(URL), fetches=False)
    assert "cannot fetch a URL" in told
    assert "/messages" in told
    assert world.sent == []


def test_with_a_word_the_bytes_go_out_as_what_they_are(router, world) -> None:
    assert answered(router, world, asking(URL, URL)).reply
    assert hosts(world) == ["media.example", "google.test"]
    [body] = sent(world, "google")
    inline = {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(PNG).decode()}}
    assert body["contents"] == [{"role": "user", "parts": [inline, inline]}]
    [fetch, _] = world.sent
    assert fetch.request.method == "GET"
    assert fetch.request.headers == (("accept", "image/*"),)
    assert fetch.complete


def test_the_async_client_does_the_same(router, world) -> None:
    async def main():
        here = world.awaiting()
        async with AsyncClient(router, transport=here, clock=here, fetch_media=here) as client:
            return await client.send(asking(URL))

    assert asyncio.run(main()).reply
    assert hosts(world) == ["media.example", "google.test"]


def test_what_was_fetched_serves_every_attempt(router, world) -> None:
    world.serve("https://google.test", Script(status=503))
    assert answered(router, world, asking(URL)).record.answer.provider == "second"
    assert hosts(world) == ["media.example", "google.test", "second.test"]
    assert sent(world, "google") == sent(world, "second")


def test_a_provider_that_takes_addresses_gets_the_address(router, world) -> None:
    assert answered(router, world, asking(URL, model="able")).reply
    assert answered(router, world, asking("https://youtu.be/x")).reply
    assert answered(router, world, asking(URL, model="gpt")).reply
    assert set(hosts(world)) == {"ready.test", "google.test", "chat.test"}


def test_an_address_in_the_providers_own_dialect_passes_as_it_is(router, world) -> None:
    parts = [{"fileData": {"fileUri": URL, "mimeType": "image/png"}}]
    body = {"model": "gemini", "contents": [{"role": "user", "parts": parts}]}
    assert answered(router, world, body).reply
    assert hosts(world) == ["google.test"]


def test_a_document_by_its_address_becomes_a_file_for_chat(router, world) -> None:
    world.serve("https://media.example/b.pdf", replace(IMAGE, headers=(), chunks=(b"%PDF-1.7",)))
    source = {"type": "url", "url": "https://media.example/b.pdf"}
    body = {"model": "gpt", "max_tokens": 9,
            "messages": [{"role": "user", "content": [{"type": "document", "source": source}]}]}  # fmt: skip
    assert answered(router, world, body, dialect="anthropic.messages").reply
    [file] = sent(world, "chat")[0]["messages"][0]["content"]
    assert file["file"]["file_data"] == "data:application/pdf;base64,JVBERi0xLjc="


def test_the_exact_part_is_named_where_the_dialect_tells_it(router, world) -> None:
    source = {"type": "url", "url": "https://media.example/none"}
    content = [{"type": "text", "text": "see"}, {"type": "image", "source": source}]
    body = {"model": "gemini", "max_tokens": 9, "messages": [{"role": "user", "content": content}]}
    world.serve("https://media.example/none", Script(status=404))
    told = refused(router, world, body, dialect="anthropic.messages")
    assert "status 404 at '/messages/0/content/1'" in told


def to(location: str, status: int = 302) -> Script:
    return Script(status=status, headers=(("location", location),))


def test_redirects_are_followed_three_times(router, world) -> None:
    world.serve("https://media.example/1", to("/2", 301))
    world.serve("https://media.example/2", to("https://cdn.example/3", 307))
    world.serve("https://cdn.example/3", to(URL, 308))
    assert answered(router, world, asking("https://media.example/1")).reply
    assert hosts(world)[:4] == ["media.example", "media.example", "cdn.example", "media.example"]
    world.serve("https://media.example/0", to("/1"))
    assert "redirects more often" in refused(router, world, asking("https://media.example/0"))
    assert world.open_now == 0


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (replace(IMAGE, status=500), "status 500"),
        (replace(IMAGE, status=206), "status 206"),
        (replace(IMAGE, status=302), "status 302"),
        (to("https://[/"), "redirects to no address"),
        (replace(IMAGE, chunks=(b"<html>",)), "is no image"),
        (replace(IMAGE, chunks=(b'{"AccessKeyId": "AKIA"}',)), "is no image"),
        (replace(IMAGE, chunks=(b"%PDF-1.7",)), "is application/pdf, and not image/png"),
        (replace(IMAGE, headers=(("content-type", "text/html"),)), "is image/png, and not text/html"),
        (replace(IMAGE, headers=(), chunks=(b"%PDF-1.7",)), "is no image"),
        (replace(IMAGE, chunks=(PNG[:16] + b"\0\1\0\0" * 2,)), "pixels"),
        (replace(IMAGE, chunks=(b"0" * 1024,) * (IMAGE_BYTES_MAX // 1024 + 1)), "more than"),
        (replace(IMAGE, length=IMAGE_BYTES_MAX + 1), "more than"),
        (replace(IMAGE, end="reset"), "did not answer"),
        (replace(IMAGE, end="stall"), "did not answer"),
        (replace(IMAGE, head_after_ns=11 * SECOND), "did not answer"),
        (Script(fault="dns"), "did not answer"),
        (Script(fault="tls"), "did not answer"),
        (replace(IMAGE, chunks=(b"0",) * 100, chunk_after_ns=900 * MS), "did not answer"),
        (replace(IMAGE, headers=(("content-encoding", "br"),)), "did not answer"),
    ],
)  # fmt: skip
def test_what_cannot_be_fetched_is_the_callers_and_counts_against_no_provider(
    router, world, script: Script, told: str
) -> None:
    world.serve(URL, script)
    assert told in refused(router, world, asking(URL))
    assert set(hosts(world)) == {"media.example"}
    assert world.now() <= 21 * SECOND
    assert world.open_now == 0


def test_a_request_has_a_limit_of_addresses_and_of_bytes(router, world) -> None:
    many = [f"{URL}?{number}" for number in range(17)]
    assert answered(router, world, asking(*many[:16])).reply
    assert "16 addresses" in refused(router, world, asking(*many))
    big = replace(IMAGE, chunks=(PNG + bytes(IMAGE_BYTES_MAX - len(PNG)),))
    for number in range(3):
        world.serve(f"https://media.example/big{number}", big)
    urls = [f"https://media.example/big{number}" for number in range(3)]
    assert answered(router, world, asking(*urls[:2])).reply
    assert "bytes are fetched" in refused(router, world, asking(*urls))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("data:image/png;base64,iVBORw0KGgo", "standard alphabet"),
        ("data:image/png;base64,iVBORw0KGg_=", "standard alphabet"),
        ("data:image/jpeg;base64," + base64.b64encode(PNG).decode(), "is image/png, and not image/jpeg"),
        ("data:image/png;base64," + base64.b64encode(PNG[:16] + b"\x7f" * 8).decode(), "pixels"),
    ],
)  # fmt: skip
def test_data_that_is_translated_must_be_what_it_claims(router, world, url, told) -> None:
    assert told in refused(router, world, asking(url), fetches=False)
    assert world.sent == []


def test_a_guard_of_ones_own_stays_open_and_one_made_here_is_closed(router, world) -> None:
    closed: list[str] = []

    class Door(World):
        def close(self) -> None:
            closed.append("it")

    with Client(router, transport=world, clock=world, fetch_media=Door()):
        pass
    assert closed == []
    with Client(router, transport=world, clock=world, fetch_media=True) as client:
        assert client._guard is not None


def test_a_guard_made_here_lets_no_private_address_through(router, world) -> None:
    body = asking("https://169.254.169.254/latest/meta-data/")
    with (
        Client(router, transport=world, fetch_media=True) as client,
        pytest.raises(Exhausted, match="addresses are not fetched from") as raised,
    ):
        client.send(body)
    assert raised.value.status == 400

    async def main():
        async with AsyncClient(router, transport=world.awaiting(), fetch_media=True) as client:
            with pytest.raises(Exhausted, match="addresses are not fetched from"):
                await client.send(body)

    asyncio.run(main())
    assert world.sent == []


@pytest.mark.parametrize(
    ("claim", "mime"), [("audio/mp4", "audio/mp4"), ("audio/x-m4a", "audio/mp4"), ("", None)]
)
def test_of_a_container_its_sender_says_what_is_in_it(claim: str, mime: str | None) -> None:
    flow = fetching(Fetch(url=URL, pointer="/x", kind="audio", bytes_max=100))
    flow.send(None)
    flow.send(HttpHead(200, (("content-type", claim),)))
    flow.send(b"\0\0\0\x18ftypisom")
    if mime is None:
        with pytest.raises(ClientWireError, match="is no audio"):
            flow.send(b"")
        return
    with pytest.raises(StopIteration) as end:
        flow.send(b"")
    assert end.value.value.mime == mime
