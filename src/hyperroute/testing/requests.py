"""Hypothesis strategies for request bodies in each of the four dialects.

A body is what a client would send: a plain mapping, valid in its dialect. ``chat_bodies`` draws one
conversation and says it in one dialect, so that the same drawn content exists in all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

Body = dict[str, Any]

DIALECTS = ("openai.chat", "openai.responses", "anthropic.messages", "gemini.generate")

TEXTS = st.text(
    alphabet=st.characters(codec="utf-8", categories=("L", "N", "P", "Z", "S")),
    min_size=1,
    max_size=40,
)
NAMES = st.from_regex(r"[a-z][a-z_]{0,15}", fullmatch=True)
SCHEMA: Body = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One turn of the drawn conversation: what the user says, which tool ran, what came back."""

    said: str
    answered: str
    tool: str | None = None
    result: str = "ok"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A conversation in nobody's dialect."""

    system: str | None
    history: tuple[Exchange, ...]
    said: str
    tools: tuple[str, ...]
    max_output: int | None
    stream: bool


@st.composite
def conversations(draw: st.DrawFn) -> Drawn:
    """Draw a conversation: maybe a system text, some turns, maybe tools that were used."""
    tools = tuple(draw(st.lists(NAMES, max_size=3, unique=True)))
    used = st.sampled_from((None, *tools))
    history = st.lists(st.builds(Exchange, TEXTS, TEXTS, used, TEXTS), max_size=3)
    return Drawn(
        system=draw(st.none() | TEXTS),
        history=tuple(draw(history)),
        said=draw(TEXTS),
        tools=tools,
        max_output=draw(st.none() | st.integers(16, 4096)),
        stream=draw(st.booleans()),
    )


def body(drawn: Drawn, *, dialect: str, model: str) -> Body:
    """Say a drawn conversation in one dialect.

    Raises:
        KeyError: ``dialect`` is none of ``DIALECTS``.
    """
    return _SAY[dialect](drawn, model)


@st.composite
def chat_bodies(
    draw: st.DrawFn,
    *,
    models: st.SearchStrategy[str] | None = None,
    dialects: st.SearchStrategy[str] | None = None,
) -> tuple[str, Body]:
    """Draw ``(dialect, body)``."""
    dialect = draw(dialects or st.sampled_from(DIALECTS))
    model = draw(models or st.sampled_from(["m-1", "m-2"]))
    return dialect, body(draw(conversations()), dialect=dialect, model=model)


def _openai_chat(drawn: Drawn, model: str) -> Body:
    messages: list[Body] = []
    if drawn.system is not None:
        messages.append({"role": "system", "content": drawn.system})
    for number, turn in enumerate(drawn.history):
        messages.append({"role": "user", "content": turn.said})
        if turn.tool:
            function = {"name": turn.tool, "arguments": '{"q": "x"}'}
            call = {"id": f"call_{number}", "type": "function", "function": function}
            messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": turn.result})
        messages.append({"role": "assistant", "content": turn.answered})
    messages.append({"role": "user", "content": drawn.said})
    said: Body = {"model": model, "messages": messages}
    if drawn.tools:
        said["tools"] = [
            {"type": "function", "function": {"name": name, "parameters": SCHEMA}}
            for name in drawn.tools
        ]
    if drawn.max_output is not None:
        said["max_completion_tokens"] = drawn.max_output
    return said | ({"stream": True} if drawn.stream else {})


def _openai_responses(drawn: Drawn, model: str) -> Body:
    items: list[Body] = []
    for number, turn in enumerate(drawn.history):
        items.append({"role": "user", "content": [{"type": "input_text", "text": turn.said}]})
        if turn.tool:
            pair = {"call_id": f"call_{number}"}
            call = {"type": "function_call", "name": turn.tool, "arguments": '{"q": "x"}'}
            items.append(call | pair | {"id": f"fc_{number}"})
            items.append({"type": "function_call_output", "output": turn.result} | pair)
        text = {"type": "output_text", "text": turn.answered, "annotations": []}
        items.append({"type": "message", "role": "assistant", "content": [text]})
    items.append({"role": "user", "content": drawn.said})
    said: Body = {"model": model, "input": items}
    if drawn.system is not None:
        said["instructions"] = drawn.system
    if drawn.tools:
        said["tools"] = [
            {"type": "function", "name": name, "parameters": SCHEMA, "strict": False}
            for name in drawn.tools
        ]
    if drawn.max_output is not None:
        said["max_output_tokens"] = drawn.max_output
    return said | ({"stream": True} if drawn.stream else {})


def _anthropic_messages(drawn: Drawn, model: str) -> Body:
    messages: list[Body] = []
    for number, turn in enumerate(drawn.history):
        messages.append({"role": "user", "content": turn.said})
        if turn.tool:
            use = {"type": "tool_use", "id": f"toolu_{number}", "name": turn.tool}
            messages.append({"role": "assistant", "content": [use | {"input": {"q": "x"}}]})
            result = {"type": "tool_result", "tool_use_id": use["id"], "content": turn.result}
            messages.append({"role": "user", "content": [result]})
        messages.append({"role": "assistant", "content": [{"type": "text", "text": turn.answered}]})
    messages.append({"role": "user", "content": drawn.said})
    said: Body = {"model": model, "max_tokens": drawn.max_output or 1024, "messages": messages}
    if drawn.system is not None:
        said["system"] = drawn.system
    if drawn.tools:
        said["tools"] = [{"name": name, "input_schema": SCHEMA} for name in drawn.tools]
    return said | ({"stream": True} if drawn.stream else {})


def _gemini_generate(drawn: Drawn, model: str) -> Body:
    contents: list[Body] = []
    for turn in drawn.history:
        contents.append({"role": "user", "parts": [{"text": turn.said}]})
        if turn.tool:
            call = {"name": turn.tool, "args": {"q": "x"}}
            contents.append({"role": "model", "parts": [{"functionCall": call}]})
            answer = {"name": turn.tool, "response": {"output": turn.result}}
            contents.append({"role": "user", "parts": [{"functionResponse": answer}]})
        contents.append({"role": "model", "parts": [{"text": turn.answered}]})
    contents.append({"role": "user", "parts": [{"text": drawn.said}]})
    said: Body = {"model": model, "contents": contents}
    if drawn.system is not None:
        said["systemInstruction"] = {"parts": [{"text": drawn.system}]}
    if drawn.tools:
        declared = [{"name": name, "parametersJsonSchema": SCHEMA} for name in drawn.tools]
        said["tools"] = [{"functionDeclarations": declared}]
    if drawn.max_output is not None:
        said["generationConfig"] = {"maxOutputTokens": drawn.max_output}
    return said | ({"stream": True} if drawn.stream else {})


_SAY = {
    "openai.chat": _openai_chat,
    "openai.responses": _openai_responses,
    "anthropic.messages": _anthropic_messages,
    "gemini.generate": _gemini_generate,
}
