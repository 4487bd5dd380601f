"""A conversation of another dialect, written as a Messages request (dialects.md, 3).

What cannot be said is a ``Loss`` with its place in the caller's document; what must not be lost
(dialects.md, 9) is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hyperroute.canon.content import ToolResult, ToolUse, Turn
from hyperroute.canon.request import Conversation, Request
from hyperroute.dialects import json
from hyperroute.dialects.anthropic_messages_blocks import Block, BlockWriter
from hyperroute.dialects.anthropic_messages_options import (
    plan_thinking,
    version_of,
    write_limits,
    write_output,
    write_sampling,
)
from hyperroute.dialects.anthropic_messages_tools import write_tools
from hyperroute.dialects.base import Emission, Profile
from hyperroute.dialects.losses import Losses
from hyperroute.dialects.places import place, place_of_part
from hyperroute.dialects.renaming import fitted, fitted_ids
from hyperroute.errors import ClientWireError

PATH = "/v1/messages"


def translate(request: Request, *, model: str, profile: Profile) -> Emission:
    """Write a request of another dialect for the upstream id ``model``.

    Raises:
        ClientWireError: It cannot be said here at all, or its content is malformed.
    """
    asked = request.conversation
    losses = Losses(request.dialect)
    writer = _writer(asked, profile, losses)
    if asked.previous_id is not None:
        raise ClientWireError(
            "stored state of another vendor cannot be resumed here; send the whole history instead of what is named",
            pointer=place(request.dialect, "previous_id"),
        )
    limits = write_limits(asked, profile, losses)
    thinking = plan_thinking(asked, profile, losses, max_tokens=limits["max_tokens"])
    sampling = write_sampling(asked, profile, losses, thinking=thinking.on)
    output, instruction = write_output(asked, profile, losses, effort=thinking.effort)
    tools = write_tools(asked, writer, forced=not thinking.manual)
    system = _system(asked, writer, instruction)
    messages = _messages(asked, writer)
    if not messages and system:
        losses.add("system", "moved", "a request needs a user turn")
        system, messages = [], [{"role": "user", "content": system}]
    if not messages:
        raise ClientWireError("there is nothing to answer", pointer=place(request.dialect, "turns"))
    body: dict[str, Any] = {"model": model, **limits}
    if system:
        body["system"] = _shortest(system)
    body |= {"messages": messages, **tools, **thinking.members, **output, **sampling}
    body |= _identity(asked, losses)
    if request.stream:
        body["stream"] = True
    losses.drop_phases(asked)
    losses.drop_extensions(asked)
    return Emission(
        path=PATH,
        body=json.dumps(body),
        headers=(("anthropic-version", version_of(profile)),),
        losses=tuple(losses.found),
    )


def _writer(asked: Conversation, profile: Profile, losses: Losses) -> BlockWriter:
    parts = [part for turn in asked.turns for part in turn.parts]
    uses = [part for part in parts if isinstance(part, ToolUse)]
    results = [part for part in parts if isinstance(part, ToolResult)]
    named = [tool.name for tool in asked.tools if tool.kind != "server"]
    return BlockWriter(
        profile,
        losses,
        ids=fitted_ids([*(use.id for use in uses), *(result.id for result in results)]),
        names=fitted([*named, *(use.name for use in uses)]),
    )


def _system(asked: Conversation, writer: BlockWriter, instruction: str | None) -> list[Block]:
    where = place(writer.losses.dialect, "system")
    blocks = [
        block
        for part in asked.system
        for block in writer.blocks(part, where, assistant=False)
        if block["type"] == "text"
    ]
    if instruction is not None:
        blocks.append({"type": "text", "text": instruction})
    return blocks


def _shortest(blocks: list[Block]) -> str | list[Block]:
    """A lone plain text is a string; several stay blocks, so that breakpoints keep their places."""
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        text: str = blocks[0]["text"]
        return text
    return blocks


def _messages(asked: Conversation, writer: BlockWriter) -> list[dict[str, Any]]:
    dialect = writer.losses.dialect
    written: list[dict[str, Any]] = []
    owed: dict[str, str] = {}
    """Calls that the next user turn must answer, by id: the place of each."""
    for turn, places in _merged(asked.turns, dialect):
        content: list[Block] = []
        results: list[Block] = []
        if turn.role != "user":
            _settled(owed)
        for part, where in zip(turn.parts, places, strict=True):
            blocks = writer.blocks(part, where, assistant=turn.role == "assistant")
            if isinstance(part, ToolResult):
                if owed.pop(part.id, None) is None:
                    raise ClientWireError(f"a result without its call {part.id!r}", pointer=where)
                if content:
                    writer.losses.at(where, "moved", "results come first in their turn")
                results.extend(blocks)
                continue
            if isinstance(part, ToolUse):
                owed[part.id] = where
            content.extend(blocks)
        if turn.role == "user":
            _settled(owed)
        if turn.name is not None:
            writer.losses.at(places[0], "dropped", "turns have no name here")
        if results or content:
            _append(written, turn.role, [*results, *content])
    _settled(owed)
    if written and written[-1]["role"] == "assistant" and not writer.profile.options.get("prefill"):
        raise ClientWireError(
            "the last turn must be the user's: this model continues no answer",
            pointer=place(dialect, "turns"),
        )
    return written


def _append(written: list[dict[str, Any]], role: str, content: list[Block]) -> None:
    if written and written[-1]["role"] == role:
        before = written[-1]["content"]
        blocks = [{"type": "text", "text": before}] if isinstance(before, str) else before
        written[-1]["content"] = [*blocks, *content]
    else:
        written.append({"role": role, "content": _shortest(content)})


def _settled(owed: dict[str, str]) -> None:
    for name, where in owed.items():
        raise ClientWireError(f"the call {name!r} has no result", pointer=where)


def _merged(turns: tuple[Turn, ...], dialect: str) -> Iterator[tuple[Turn, list[str]]]:
    """Join neighbours of one role, so that all results of one assistant turn stand in one turn.

    The places run beside the parts.
    """
    held: Turn | None = None
    places: list[str] = []
    for index, turn in enumerate(turns):
        here = [place_of_part(dialect, index, part) for part in range(len(turn.parts))]
        if held is not None and held.role == turn.role and held.name == turn.name:
            held = Turn(role=held.role, parts=(*held.parts, *turn.parts), name=held.name)
            places = [*places, *here]
            continue
        if held is not None and held.parts:
            yield held, places
        held, places = turn, here
    if held is not None and held.parts:
        yield held, places


def _identity(asked: Conversation, losses: Losses) -> dict[str, Any]:
    written: dict[str, Any] = {}
    if asked.user is not None:
        written["metadata"] = {"user_id": asked.user}
    if asked.tier in {"auto", "standard_only"}:
        written["service_tier"] = asked.tier
    elif asked.tier in {"default", "standard"}:
        written["service_tier"] = "standard_only"
    else:
        losses.drop("no such service tier here", tier=asked.tier)
    losses.drop(
        "no such parameter here",
        metadata=asked.metadata or None,
        cache_key=asked.cache_key,
        store=asked.store or None,
    )
    return written
