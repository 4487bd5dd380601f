"""A conversation with tools through each vendor's own client, as its documentation shows it.

What a client got is put back into its history as the client's own objects: a member that the
gateway spoils on the way out is one that the provider misses on the way in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import anthropic
import openai
from google import genai
from google.genai import types as google
from tests.e2e.clients.standing import KEY

from hyperroute.testing.replies import Call, Said

OSLO = Call(id="call_oslo", arguments='{"city": "Oslo", "days": 2}')
TURIN = Call(id="call_turin", arguments='{"city": "Turín \\"x\\"", "days": 1}')
CALLS = Said(
    text=("Let me", " look."),
    calls=(OSLO, TURIN),
    thought="Two cities, two calls.",
    seal="c2VhbGVkIHRob3VnaHRz",  # Google's client reads base64 and writes it in another alphabet
)
QUESTION = "What is the weather in Oslo and in Turin?"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Called:
    """A tool call as the client shows it."""

    id: str
    name: str
    arguments: Any


@dataclass
class Turn:
    """What came of one request."""

    text: str
    calls: list[Called] = field(default_factory=list)
    thought: str = ""


class Chat:
    """openai, ``chat.completions``."""

    dialect: ClassVar[str] = "openai.chat"

    def __init__(self, url: str, model: str, *, key: str = KEY, patience: int = 0) -> None:
        self.client = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=patience)
        self.history: list[Any] = [{"role": "user", "content": QUESTION}]
        function = {"name": "get_weather", "parameters": SCHEMA, "strict": True}
        self.asked: dict[str, Any] = {
            "model": model,
            "messages": self.history,
            "tools": [{"type": "function", "function": function}],
        }

    def close(self) -> None:
        self.client.close()

    def ask(self, *, stream: bool) -> Turn:
        if stream:
            with self.client.chat.completions.stream(**self.asked) as events:
                for _ in events:
                    pass
                came: Any = events.get_final_completion()
        else:
            came = self.client.chat.completions.create(**self.asked)
        message = came.choices[0].message
        self.history.append(message)
        calls = [
            Called(call.id, call.function.name, json.loads(call.function.arguments))
            for call in message.tool_calls or ()
        ]
        assert came.choices[0].finish_reason == ("tool_calls" if calls else "stop")
        assert stream or came.usage.total_tokens == 18
        return Turn(message.content or "", calls, getattr(message, "reasoning_content", None) or "")

    def tell(self, call: Called, result: str) -> None:
        self.history.append({"role": "tool", "tool_call_id": call.id, "content": result})


class Responses:
    """openai, ``responses``, without state on the server."""

    dialect: ClassVar[str] = "openai.responses"
    ended = ""

    def __init__(self, url: str, model: str, *, key: str = KEY, patience: int = 0) -> None:
        self.client = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=patience)
        self.history: list[Any] = [{"role": "user", "content": QUESTION}]
        tool = {"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": True}
        self.asked: dict[str, Any] = {
            "model": model,
            "input": self.history,
            "tools": [tool],
            "store": False,
            "include": ["reasoning.encrypted_content"],
        }

    def close(self) -> None:
        self.client.close()

    def ask(self, *, stream: bool) -> Turn:
        if stream:
            with self.client.responses.stream(**self.asked) as events:
                for event in events:
                    self.ended = event.type
                came: Any = events.get_final_response()
        else:
            came = self.client.responses.create(**self.asked)
        assert came.status == "completed"
        assert came.usage.total_tokens == 18
        self.history += came.output
        calls = [
            Called(item.call_id, item.name, json.loads(item.arguments))
            for item in came.output
            if item.type == "function_call"
        ]
        thought = [
            part.text for item in came.output if item.type == "reasoning" for part in item.summary
        ]
        return Turn(came.output_text, calls, "".join(thought))

    def tell(self, call: Called, result: str) -> None:
        said = {"type": "function_call_output", "call_id": call.id, "output": result}
        self.history.append(said)


class Messages:
    """anthropic, ``messages``."""

    dialect: ClassVar[str] = "anthropic.messages"

    def __init__(self, url: str, model: str, *, key: str = KEY, patience: int = 0) -> None:
        self.client = anthropic.Anthropic(base_url=url, api_key=key, max_retries=patience)
        self.history: list[Any] = [{"role": "user", "content": QUESTION}]
        self.asked: dict[str, Any] = {
            "model": model,
            "max_tokens": 4096,
            "messages": self.history,
            "tools": [{"name": "get_weather", "input_schema": SCHEMA}],
            "thinking": {"type": "enabled", "budget_tokens": 1024},
        }

    def close(self) -> None:
        self.client.close()

    def ask(self, *, stream: bool) -> Turn:
        if stream:
            with self.client.messages.stream(**self.asked) as events:
                for _ in events:
                    pass
                came: Any = events.get_final_message()
        else:
            came = self.client.messages.create(**self.asked)
        assert (came.usage.input_tokens, came.usage.output_tokens) == (11, 7)
        calls = [
            Called(block.id, block.name, block.input)
            for block in came.content
            if block.type == "tool_use"
        ]
        assert came.stop_reason == ("tool_use" if calls else "end_turn")
        self.history.append({"role": "assistant", "content": came.content})
        text = [block.text for block in came.content if block.type == "text"]
        thought = [block.thinking for block in came.content if block.type == "thinking"]
        return Turn("".join(text), calls, "".join(thought))

    def tell(self, call: Called, result: str) -> None:
        block = {"type": "tool_result", "tool_use_id": call.id, "content": result}
        last = self.history[-1]
        if last["role"] == "user":
            last["content"].append(block)
        else:
            self.history.append({"role": "user", "content": [block]})


class Gemini:
    """google-genai, ``models.generate_content``."""

    dialect: ClassVar[str] = "gemini.generate"

    def __init__(self, url: str, model: str, *, key: str = KEY, patience: int = 0) -> None:
        retry = google.HttpRetryOptions(attempts=patience + 1)
        options = google.HttpOptions(base_url=url, retry_options=retry)
        self.client = genai.Client(api_key=key, http_options=options)
        self.history: list[Any] = [google.UserContent(QUESTION)]
        declared = google.FunctionDeclaration(
            name="get_weather", parameters_json_schema=SCHEMA, description="Look it up."
        )
        off = google.AutomaticFunctionCallingConfig(disable=True)
        self.asked: dict[str, Any] = {
            "model": model,
            "contents": self.history,
            "config": google.GenerateContentConfig(
                tools=[google.Tool(function_declarations=[declared])],
                automatic_function_calling=off,
                thinking_config=google.ThinkingConfig(include_thoughts=True, thinking_budget=1024),
            ),
        }

    def close(self) -> None:
        self.client.close()

    def ask(self, *, stream: bool) -> Turn:
        models = self.client.models
        if stream:
            chunks = list(models.generate_content_stream(**self.asked))
        else:
            chunks = [models.generate_content(**self.asked)]
        parts: list[google.Part] = []
        for chunk in chunks:
            for candidate in chunk.candidates or ():
                parts += (candidate.content.parts if candidate.content else None) or ()
        usage = chunks[-1].usage_metadata
        assert usage is not None
        assert usage.total_token_count == 18
        finish = cast("Any", chunks[-1].candidates)[0].finish_reason
        assert finish == google.FinishReason.STOP
        self.history.append(google.ModelContent(parts))
        calls = [
            Called(call.id or "", call.name or "", call.args)
            for part in parts
            if (call := part.function_call)
        ]
        text = [part.text or "" for part in parts if not part.thought]
        thought = [part.text or "" for part in parts if part.thought]
        return Turn("".join(text), calls, "".join(thought))

    def tell(self, call: Called, result: str) -> None:
        said = google.FunctionResponse(
            name=call.name, response={"output": result}, id=call.id or None
        )
        part = google.Part(function_response=said)
        last = self.history[-1]
        if last.role == "user":
            last.parts.append(part)
        else:
            self.history.append(google.UserContent([part]))


Talk = Chat | Responses | Messages | Gemini
TALKS: Mapping[str, Callable[..., Talk]] = {
    talk.dialect: talk for talk in (Chat, Responses, Messages, Gemini)
}
