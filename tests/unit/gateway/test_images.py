"""Images through the gateway: in OpenAI's shape and in the spellings around it, both colours."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest
from tests.unit.gateway.conftest import opened

from hyperroute.canon.media import size_of
from hyperroute.client import Router
from hyperroute.testing.replies import refusal
from hyperroute.testing.script import Script
from hyperroute.testing.world import World

TABLE = """
hyperroute: 1
providers:
  one: {plugin: openai, url: "https://one.test/v1", keys: [env:ONE], speaks: [images]}
  two: {plugin: openai, url: "https://two.test/v1", keys: [env:TWO], speaks: [images]}
  local: {plugin: simulated}
models:
  draws:
    kind: image
    does: [text_to_image, edit]
    takes:
      n: {range: 1..10, default: 1, else: clamp}
      size: {one_of: [1024x1024, 1536x1024], default: 1024x1024}
      images: {count: 0..4, source: [https]}
    offers:
      - {at: one, sends: painter-2, price: {image: 0.04}}
      - {at: two, sends: painter-2, fields: {images: image_urls, size: frame}, price: {image: 0.05}}
  sketch: {kind: image, does: [text_to_image], offers: [{at: local, price: {image: 0.01}}]}
  gpt: {kind: chat, offers: [{at: one}]}
intents:
  text-to-image-fast: {kind: image, from: {does: [text_to_image]}, rank: [cost], take: 2}
"""
ONE, TWO = "https://one.test", "https://two.test"
ASKED: dict[str, Any] = {"model": "draws", "prompt": "a lighthouse"}
PATH = "/v1/images/generations"


@pytest.fixture(scope="module")
def router(registry):
    return Router.loads(TABLE, registry=registry)


@pytest.fixture
def door(colour, router):
    return opened(colour, router, World())


def drawn(*pictures: dict[str, Any], **more: Any) -> Script:
    body = json.dumps({"created": 7, "data": list(pictures), **more}).encode()
    return Script(headers=(("content-type", "application/json"),), chunks=(body,))


def sent(door, at: int = 0) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(door.world.sent[at].request.body)
    return body


def test_a_picture_is_asked_for_in_one_flat_body_and_comes_as_it_was_given(door):
    door.world.serve(ONE, drawn({"url": "https://x.test/1.png", "revised_prompt": "r"}))
    answer = door.post(PATH, {**ASKED, "size": "1024*1024", "user": "somebody"})
    assert (answer.status, answer.json["data"]) == (
        200,
        [{"url": "https://x.test/1.png", "revised_prompt": "r"}],
    )
    assert answer.headers["x-hyperroute-losses"] == "dropped /user"
    assert door.world.sent[0].request.url == "https://one.test/v1/images/generations"
    assert sent(door) == {
        "model": "painter-2",
        "prompt": "a lighthouse",
        "size": "1024x1024",
        "n": 1,
    }


def test_what_came_back_is_billed_and_not_what_was_asked_for(door):
    """Invariant 38: the price of three pictures, of which two came."""
    door.world.serve(ONE, drawn({"b64_json": "AA=="}, {"b64_json": "BB=="}))
    answer = door.post(PATH, {**ASKED, "n": 3})
    assert [each["b64_json"] for each in answer.json["data"]] == ["AA==", "BB=="]
    record = door.visits[0].record
    assert (record.kind, record.usage.images) == ("image", 2)
    assert record.cost == 2 * 4 * record.scale // 100


def test_a_host_that_refuses_is_left_for_the_next_which_has_names_of_its_own(door):
    door.world.serve(ONE, refusal("openai.chat", 503, kind="server_error"))
    door.world.serve(TWO, drawn({"url": "https://x.test/2.png"}))
    answer = door.post(PATH, {**ASKED, "reference_images": ["https://x.test/ref.png"]})
    assert answer.json["data"] == [{"url": "https://x.test/2.png"}]
    first, last = sent(door), sent(door, -1)
    assert first["images"] == ["https://x.test/ref.png"]
    assert (last["image_urls"], last["frame"]) == (["https://x.test/ref.png"], "1024x1024")
    assert "images" not in last
    assert "size" not in last


@pytest.mark.parametrize("spelling", ["image", "images", "image_url", "image_urls"])
def test_references_are_one_list_however_they_are_spelt(door, spelling):
    door.world.serve(ONE, drawn({"url": "https://x.test/1.png"}))
    given: Any = "https://x.test/ref.png"
    assert door.post(PATH, {**ASKED, spelling: given}).status == 200
    assert sent(door)["images"] == [given]


def test_the_older_generation_wraps_its_body_and_calls_the_path_otherwise(door):
    door.world.serve(ONE, drawn({"url": "https://x.test/1.png"}))
    body = {"model": "draws", "input": {"prompt": "a lighthouse", "n": 12}}
    assert door.post("/api/v1/images/generate", body).status == 200
    assert (sent(door)["prompt"], sent(door)["n"]) == ("a lighthouse", 10)


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"size": "4096x4096"}, "size"),
        ({"n": 0}, "n"),
        ({"n": 1.5}, "n"),
        ({"n": True}, "n"),
        ({"images": []}, "images"),
        ({"images": [1]}, "images"),
        ({"image": "data:image/png;base64,AA=="}, "images"),
        ({"images": [f"https://x.test/{at}.png" for at in range(5)]}, "images"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"stream": True}, "stream"),
        ({"model": "gpt"}, "model"),
        ({"model": "nobody"}, "model"),
    ],
)
def test_what_cannot_be_drawn_is_a_400_before_anybody_is_asked(door, more, param):
    answer = door.post(PATH, {**ASKED, **more})
    assert (answer.status, answer.json["error"]["type"]) == (400, "invalid_request_error")
    assert param in json.dumps(answer.json["error"])
    assert not door.world.sent


def test_an_intent_chooses_the_cheapest_and_says_who_drew(door):
    answer = door.post(PATH, {"intent": "text-to-image-fast", "prompt": "a lighthouse", "n": 2})
    assert answer.headers["x-hyperroute-served-by"] == "sketch@local"
    pictures = [b64decode(each["b64_json"]) for each in answer.json["data"]]
    assert len(pictures) == 2
    assert pictures[0] != pictures[1]
    assert size_of(pictures[0]) == (64, 64)


def test_bytes_that_are_wanted_by_address_are_an_address_that_holds_them(door):
    body = {"model": "sketch", "prompt": "a lighthouse", "response_format": "url"}
    (picture,) = door.post(PATH, body).json["data"]
    assert picture["url"].startswith("data:image/png;base64,iVBOR")


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"data": []}', b'{"data": [{}]}', b'{"data": "x"}']
)
def test_what_may_have_been_drawn_is_not_bought_again(door, body):
    """Invariant 44: an answer that cannot be read may have cost something; it is free for the caller."""
    door.world.serve(ONE, Script(headers=(("content-type", "application/json"),), chunks=(body,)))
    door.world.serve(TWO, drawn({"url": "https://x.test/2.png"}))
    assert door.post(PATH, ASKED).status == 502
    assert [each.request.url[:16] for each in door.world.sent] == [ONE]
    assert door.visits[-1].record.served is None
