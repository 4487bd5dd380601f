"""A conversation of another dialect, written as a generateContent request (dialects.md, 3).

What cannot be said is a ``Loss`` with its place in the caller's document; what must not be lost
(dialects.md, 9) is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from hyperroute.canon.content import Text, ToolResult, ToolUse, Turn
from hyperroute.canon.request import Conversation, Request
from hyperroute.dialects import json
from hyperroute.dialects.base import Emission, Profile
from hyperroute.dialects.gemini_parts import PartWriter
from hyperroute.dialects.gemini_settings import write_config, write_tools
from hyperroute.dialects.losses import Losses
from hyperroute.dialects.places import place, place_of_part
from hyperroute.dialects.renaming import fitted
from hyperroute.errors import ClientWireError

_COLLECTIONS = ("models/", "tunedModels/", "publishers/", "projects/", "endpoints/")
_TIERS = frozenset({"standard", "flex", "priority"})


def path_of(model: str, *, stream: bool) -> str:
    """Give the upstream path; the base URL holds the version (``…/v1beta``)."""
    name = quote(model if model.startswith(_COLLECTIONS) else f"models/{model}", safe="/-._~@")
    return f"/{name}:streamGenerateContent?alt=sse" if stream else f"/{name}:generateContent"


def translate(request: Request, *, model: str, profile: Profile) -> Emission:
    """Write a request of another dialect for the upstream id ``model``.

    Raises:
        ClientWireError: It cannot be said here at all, or its content is malformed.
    """
    asked = request.conversation
    losses = Losses(request.dialect)
    if asked.previous_id is not None:
        raise ClientWireError(
            "stored state of another vendor cannot be resumed here; send the whole history instead of what is named",
            pointer=place(request.dialect, "previous_id"),
        )
    uses = [part for turn in asked.turns for part in turn.parts if isinstance(part, ToolUse)]
    named = [tool.name for tool in asked.tools if tool.kind != "server"]
    writer = PartWriter(profile, losses, fitted([*named, *(use.name for use in uses)]))
    system = [{"text": part.text} for part in asked.system if isinstance(part, Text) and part.text]
    if any(part.cache for part in asked.system if isinstance(part, Text)):
        losses.add("system", "dropped", "caching is implicit here")
    contents = _contents(asked, writer)
    if not contents and system:
        losses.add("system", "moved", "a request needs a user turn")
        system, contents = [], [{"role": "user", "parts": system}]
    if not contents:
        raise ClientWireError("there is nothing to answer", pointer=place(request.dialect, "turns"))
    body: dict[str, Any] = {"contents": contents}
    if system:
        body["systemInstruction"] = {"parts": system}
    body |= write_tools(asked, writer)
    if config := write_config(asked, profile, losses):
        body["generationConfig"] = config
    body |= _identity(asked, losses)
    losses.drop_phases(asked)
    losses.drop_extensions(asked)
    return Emission(
        path=path_of(model, stream=request.stream),
        body=json.dumps(body),
        losses=tuple(losses.found),
    )


def _identity(asked: Conversation, losses: Losses) -> dict[str, Any]:
    tier = "standard" if asked.tier in {"default", "standard_only"} else asked.tier
    if tier not in _TIERS and tier not in {None, "auto"}:
        losses.add("tier", "dropped", "no such service tier here")
    losses.drop(
        "no such parameter here",
        user=asked.user,
        metadata=asked.metadata or None,
        cache_key=asked.cache_key,
        store=asked.store or None,
    )
    return {"serviceTier": tier} if tier in _TIERS else {}


def _contents(asked: Conversation, writer: PartWriter) -> list[dict[str, Any]]:
    losses = writer.losses
    written: list[dict[str, Any]] = []
    owed: dict[str, tuple[str, str]] = {}
    """Calls that the next user turn must answer, by id: the name and the place of each."""
    for turn, places in _merged(asked.turns, losses.dialect):
        parts: list[dict[str, Any]] = []
        results: list[dict[str, Any]] = []
        if turn.role != "user":
            _settled(owed)
        if turn.role == "assistant":
            writer.begin_turn()
        for part, where in zip(turn.parts, places, strict=True):
            if isinstance(part, ToolResult):
                call = owed.pop(part.id, None)
                if call is None:
                    raise ClientWireError(f"a result without its call {part.id!r}", pointer=where)
                if parts:
                    losses.at(where, "moved", "results come first in their turn")
                results.append(writer.result(part, call[0], where))
                continue
            if isinstance(part, ToolUse):
                owed[part.id] = part.name, where
            parts.extend(writer.parts(part, where, assistant=turn.role == "assistant"))
        _settled(owed if turn.role == "user" else {})
        if turn.name is not None:
            losses.at(places[0], "dropped", "turns have no name here")
        if turn.role == "system":
            losses.at(
                places[0], "approximated", "instructions in mid-conversation become user text"
            )
            parts = [
                {"text": f"<system>\n{part['text']}\n</system>"} for part in parts if "text" in part
            ]
        _append(written, "model" if turn.role == "assistant" else "user", [*results, *parts])
    _settled(owed)
    turns = place(losses.dialect, "turns")
    if written and written[-1]["role"] == "model" and not writer.profile.options.get("prefill"):
        raise ClientWireError(
            "the last turn must be the user's: this model continues no answer", pointer=turns
        )
    if written and written[0]["role"] == "model":
        losses.at(turns, "synthesised", "the first turn must be the user's")
        written.insert(0, {"role": "user", "parts": [{"text": "(continued)"}]})
    return written


def _append(written: list[dict[str, Any]], role: str, parts: list[dict[str, Any]]) -> None:
    if not parts:
        return
    if written and written[-1]["role"] == role:
        written[-1]["parts"].extend(parts)
    else:
        written.append({"role": role, "parts": parts})


def _settled(owed: dict[str, tuple[str, str]]) -> None:
    for ident, (_, where) in owed.items():
        raise ClientWireError(f"the call {ident!r} has no result", pointer=where)


def _merged(turns: tuple[Turn, ...], dialect: str) -> Iterator[tuple[Turn, list[str]]]:
    """Join neighbours of one role, so that all results of one turn stand in one turn.

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
