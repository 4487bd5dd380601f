"""What a simulated model says: short, plain, and the same for the same question.

The rules, all of them:

* A table's ``answer`` is said as it stands.
* A tool is called when ``tool_choice`` demands one, or when tools are offered, the choice is left
  open, and the last turn is the user's own and not a tool's result. It is the named tool, else the
  first; its arguments are the smallest that its schema accepts.
* ``Say hi in one word.`` is answered ``Hi.``; a JSON form by the smallest document that fits it;
  anything else by a sentence that quotes the beginning of the question and a digest of it all.
* A token is a word with the space before it; input is counted as a token per four bytes, begun.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from hyperroute.canon.content import Part, Text, ToolResult, ToolUse
from hyperroute.canon.events import (
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    StreamEvent,
    UsageReported,
)
from hyperroute.canon.request import Conversation, Tool
from hyperroute.canon.usage import Usage
from hyperroute.dialects.json import dumps
from hyperroute_simulated.schema import smallest

_TOKEN: Final = re.compile(r"\s*\S+|\s+")
_QUOTE_WORDS: Final = 8
_CHOICES_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Said:
    """A whole answer in thought: text, or one call of a tool."""

    text: str = ""
    tool: ToolUse | None = None


def answer(
    conversation: Conversation, *, reply_id: str, model: str, created: int, fixed: str | None = None
) -> Iterator[StreamEvent]:
    """Answer a conversation, token by token.

    Args:
        conversation: What is asked.
        reply_id: Of the answer; tool calls derive theirs from it.
        model: The name that is told.
        created: Unix seconds.
        fixed: Said in place of anything else.
    """
    said = Said(fixed) if fixed is not None else thought(conversation, reply_id)
    yield Started(reply_id, model, created)
    used = 0
    index = 0
    finishes: list[Finished] = []
    for choice in range(max(1, min(conversation.sampling.n or 1, _CHOICES_MAX))):
        pieces, finish = _bounded(conversation, said, choice)
        if pieces or said.tool:
            yield PartStarted(index, said.tool or Text(), choice)
            for piece in pieces:
                yield PartDelta(index, piece)
            yield PartEnded(index)
            index += 1
        used += len(pieces)
        finishes.append(finish)
    yield UsageReported(Usage(input_tokens=input_tokens(conversation), output_tokens=used))
    yield from finishes


def thought(conversation: Conversation, reply_id: str) -> Said:
    """Decide what to say."""
    if tool := _tool(conversation):
        value = "simulated" if tool.kind == "custom" else _json(smallest(tool.schema or {}))
        call = ToolUse(id=f"call_{reply_id[-12:]}", name=tool.name, custom=tool.kind == "custom")
        return Said(value, call)
    match conversation.output.form:
        case "json_schema":
            return Said(_json(smallest(conversation.output.schema or {})))
        case "json_object":
            return Said('{"answer":"simulated"}')
        case _:
            return Said(_sentence(_question(conversation), conversation))


def tokens(text: str) -> list[str]:
    """Cut text into words, each with the space before it; joined they are the text again."""
    return _TOKEN.findall(text)


def input_tokens(conversation: Conversation) -> int:
    """Count what was asked: a token per four bytes of text, begun."""
    return -(-sum(len(text.encode()) for text in _texts(conversation)) // 4)


def _bounded(conversation: Conversation, said: Said, choice: int) -> tuple[list[str], Finished]:
    if said.tool:
        pieces = tokens(said.text)
        finish = Finished("tool_calls", choice=choice)
    else:
        text, stop = _stopped(said.text, conversation.stop or ())
        pieces = tokens(text)
        finish = (
            Finished("stop", choice=choice)
            if stop is None
            else Finished("stop_sequence", choice=choice, detail=stop)
        )
    limit = conversation.max_output
    if limit is not None and len(pieces) > limit:
        return pieces[:limit], Finished("length", choice=choice)
    return pieces, finish


def _stopped(text: str, stops: tuple[str, ...]) -> tuple[str, str | None]:
    found = [(text.find(stop), stop) for stop in stops if stop and stop in text]
    if not found:
        return text, None
    at, stop = min(found)
    return text[:at], stop


def _tool(conversation: Conversation) -> Tool | None:
    tools = [tool for tool in conversation.tools if tool.kind != "server"]
    choice = conversation.tool_choice
    mode = choice.mode if choice else "auto"
    if choice and choice.names:
        tools = [tool for tool in tools if tool.name in choice.names]
    demanded = mode in ("any", "named") or bool(choice and choice.required)
    if not tools or mode in ("none", "server") or not (demanded or _fresh(conversation)):
        return None
    return tools[0]


def _fresh(conversation: Conversation) -> bool:
    """Say whether the user spoke last, and not a tool."""
    if not conversation.turns or conversation.turns[-1].role != "user":
        return False
    return not any(isinstance(part, ToolResult) for part in conversation.turns[-1].parts)


def _question(conversation: Conversation) -> str:
    for turn in reversed(conversation.turns):
        if turn.role == "user" and turn.text.strip():
            return turn.text.strip()
    return ""


def _sentence(question: str, conversation: Conversation) -> str:
    if question.lower().rstrip(".!") == "say hi in one word":
        return "Hi."
    digest = blake2b("\0".join(_texts(conversation)).encode("utf-8", "replace"), digest_size=3)
    words = question.split()
    quote = " ".join(words[:_QUOTE_WORDS]) + (" …" if len(words) > _QUOTE_WORDS else "")
    about = f" to “{quote}”" if quote else ""
    return f"Simulated answer {digest.hexdigest()}{about}."


def _texts(conversation: Conversation) -> Iterator[str]:
    for part in conversation.system:
        yield from _of(part)
    for turn in conversation.turns:
        for part in turn.parts:
            yield from _of(part)
    for tool in conversation.tools:
        yield tool.name
        yield tool.description or ""
        yield _json(tool.schema or {})


def _of(part: Part) -> Iterator[str]:
    match part:
        case Text():
            yield part.text
        case ToolUse():
            yield part.name
            yield part.arguments
        case ToolResult():
            for inner in part.parts:
                yield from _of(inner)
        case _:
            return


def _json(value: Any) -> str:
    return dumps(dict(value) if isinstance(value, Mapping) else value).decode()


__all__ = ["Said", "answer", "input_tokens", "thought", "tokens"]
