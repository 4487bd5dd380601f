"""Whatever a caller sends, the answer is an answer or the caller's own mistake, told as such.

Good bodies of all four dialects are damaged, as values and as bytes, and go through reading,
planning, decoding and the whole client. Bodies come from seeds: ``HYPERROUTE_WORLDS`` makes more.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from copy import deepcopy
from typing import Any

import pytest

from hyperroute.client import Client
from hyperroute.errors import ClientWireError, Exhausted, Refused
from hyperroute.routing.record import Record
from hyperroute.testing.replies import DIALECTS, whole
from hyperroute.testing.world import World

BODIES = max(2_000, int(os.environ.get("HYPERROUTE_WORLDS", "0")))
WORDS = dict(zip(("chat", "responses", "messages", "gemini"), DIALECTS, strict=True))
SCHEMA = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
PNG = "iVBORw0KGgo="
GOOD: dict[str, dict[str, Any]] = {
    "openai.chat": {
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": [
                {"type": "text", "text": "what is this"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}]},
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "ok"},
            {"role": "user", "content": "and"}],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "max_completion_tokens": 100, "temperature": 0.5, "stop": ["x"], "n": 1,
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": SCHEMA}},
        "reasoning_effort": "low", "stream_options": {"include_usage": True}, "metadata": {"a": "b"},
        "logit_bias": {"5": 1}},
    "openai.responses": {
        "instructions": "be brief",
        "input": [
            {"role": "user", "content": [
                {"type": "input_text", "text": "what is this"},
                {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"}]},
            {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "e"},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "ok"},
            {"role": "user", "content": "and"}],
        "tools": [{"type": "function", "name": "f", "parameters": SCHEMA, "strict": False}],
        "tool_choice": {"type": "function", "name": "f"}, "max_output_tokens": 100,
        "text": {"format": {"type": "json_schema", "name": "s", "schema": SCHEMA}},
        "reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"], "store": False},
    "anthropic.messages": {
        "max_tokens": 2000, "system": [{"type": "text", "text": "be brief"}],
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
                {"type": "image", "source": {
                    "type": "base64", "media_type": "image/png", "data": PNG}}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "t", "signature": "s"},
                {"type": "tool_use", "id": "t1", "name": "f", "input": {"q": "x"}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": "ok"},
                {"type": "document", "source": {
                    "type": "base64", "media_type": "application/pdf", "data": PNG}}]},
            {"role": "assistant", "content": [{"type": "text", "text": "t", "citations": [
                {"type": "char_location", "cited_text": "c", "document_index": 0,
                 "document_title": None, "start_char_index": 0, "end_char_index": 1}]}]},
            {"role": "user", "content": "and"}],
        "tools": [{"name": "f", "input_schema": SCHEMA}],
        "tool_choice": {"type": "tool", "name": "f"}, "temperature": 0.5, "top_k": 5,
        "stop_sequences": ["x"], "thinking": {"type": "enabled", "budget_tokens": 1024},
        "metadata": {"user_id": "u"}},
    "gemini.generate": {
        "systemInstruction": {"parts": [{"text": "be brief"}]},
        "contents": [
            {"role": "user", "parts": [
                {"text": "a"}, {"inlineData": {"mimeType": "image/png", "data": PNG}}]},
            {"role": "model", "parts": [
                {"functionCall": {"name": "f", "args": {"q": "x"}}, "thoughtSignature": "cw=="}]},
            {"role": "user", "parts": [
                {"functionResponse": {"name": "f", "response": {"output": "ok"}}}]}],
        "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": SCHEMA}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        "generationConfig": {
            "maxOutputTokens": 100, "temperature": 0.5, "stopSequences": ["x"],
            "responseMimeType": "application/json", "responseJsonSchema": SCHEMA,
            "thinkingConfig": {"thinkingBudget": 100}},
        "safetySettings": [{"category": "c", "threshold": "t"}]},
}  # fmt: skip
JUNK: tuple[Any, ...] = (
    None, True, False, 0, -1, 7, 2**70, 1.5, -0.0, float("inf"), float("nan"), "", "x", "\x00",
    "\ud800", "auto", "{", "data:;base64,%%", "https://[", [], [None], [[]], ["x", 1], {}, {"": None},
    {"type": None}, {"type": "klingon"}, {"type": "text"}, {"role": 7}, "m" * 5_000,
)  # fmt: skip


def places(value, path=()):
    """Every place of a JSON value, the whole left out."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, key))


def damaged(dice, body):
    body = deepcopy(body)
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        found = list(places(body))
        if not found:
            break
        *path, last = dice.choice(found)
        inner = body
        for key in path:
            inner = inner[key]
        match dice.randrange(6):
            case 0:
                del inner[last]
            case 1 if isinstance(inner, dict):
                inner[dice.choice(("type", "role", "content", "parts", "hyperroute", "x"))] = (
                    dice.choice(JUNK)
                )
            case 2 if isinstance(inner, list):
                inner.insert(last, dice.choice(JUNK))
            case 3:
                inner[last] = [deepcopy(inner[last])]
            case _:
                inner[last] = deepcopy(dice.choice(JUNK))
    return body


def drawn(seed):
    """A damaged body: a mapping, a text, or bytes that are damaged once more."""
    dice = random.Random(seed)  # noqa: S311 - it must repeat
    dialect, word = dice.choice(DIALECTS), dice.choice(tuple(WORDS))
    body = damaged(dice, {"model": f"m-{word}", **GOOD[dialect]})
    form = dice.randrange(4)
    if form < 2:
        return dialect, word, body
    text = json.dumps(body)
    if form == 2:
        return dialect, word, text
    data = bytearray(text.encode())
    for _ in range(dice.choice((1, 3))):
        at = dice.randrange(len(data))
        data[at : at + dice.choice((0, 1, 4))] = dice.choice(
            (b"", b"\xff", b"{", b"]", b'"', b",", b"\x00", b"1e9999", b"[" * 2_000)
        )
    return dialect, word, bytes(data)


def fate(router, seed):
    """Take a body through everything, and say how it went."""
    dialect, word, body = drawn(seed)
    try:
        request = router.read(body, dialect=dialect)
    except ClientWireError:
        return "unread"
    plan = router.plan(request)
    plan.explain()
    try:
        _ = request.conversation
    except ClientWireError:
        end = "undecoded"
    else:
        end = "refused" if plan.refusal else "decoded"
    world = World()
    records: list[Record] = []
    world.serve("https://", whole(WORDS[word]))
    with Client(router, transport=world, clock=world, sink=records.append) as client:
        try:
            client.send(body, dialect=dialect)
        except (ClientWireError, Refused):
            assert world.sent == [], "what is refused was not sent"
        except Exhausted as error:
            assert error.status == 400, error  # noqa: PT017 - one of three good ends
            assert world.sent == [], "a good provider was asked, and it answered well"
    assert len(records) <= 1
    return end


@pytest.mark.usefixtures("quiet_log")
@pytest.mark.parametrize("chunk", range(4))
def test_a_malformed_body_is_the_callers_mistake_and_nothing_else(four_dialects, chunk):
    ends: Counter[str] = Counter()
    for seed in range(chunk, BODIES, 4):
        try:
            ends[fate(four_dialects, seed)] += 1
        except Exception as error:
            error.add_note(f"seed {seed}: {drawn(seed)}"[:2_000])
            raise
    assert ends["unread"] + ends["undecoded"] + ends["refused"] >= BODIES // 4 // 4
    assert min(ends["unread"], ends["undecoded"], ends["decoded"]) >= 10


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_bodies_that_are_damaged_are_good(four_dialects, dialect):
    for word in WORDS:
        request = four_dialects.read({"model": f"m-{word}", **GOOD[dialect]}, dialect=dialect)
        assert request.conversation.turns
        assert four_dialects.plan(request).candidates
