"""Responses requests: passed through, or written from the canon with every loss reported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hyperroute.canon.content import (
    CacheMark,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Sealed,
    ServerTool,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)
from hyperroute.canon.loss import Loss
from hyperroute.canon.request import Conversation, Request
from hyperroute.dialects.base import Emission, Profile
from hyperroute.dialects.json import dumps
from hyperroute.dialects.losses import Losses
from hyperroute.dialects.openai_asking import (
    OPENAI,
    SOURCES,
    body_of,
    check_last,
    check_pairs,
    hears,
    new_names,
    pass_through,
    report_thinking,
)
from hyperroute.dialects.openai_media import data_url, plain_text, sound_format, write_mark
from hyperroute.dialects.openai_responses_settings import settings
from hyperroute.dialects.places import place, place_of_part
from hyperroute.dialects.relay import Edit, Remove, Set
from hyperroute.dialects.sealing import TAG, belongs, opened
from hyperroute.dialects.searching import WHY, WORD, is_search, searches
from hyperroute.errors import ClientWireError

NAME: Final = "openai.responses"
PATH: Final = "/responses"


def emit_request(request: Request, *, model: str, profile: Profile) -> Emission:
    """Write a provider request for the upstream id ``model``.

    Raises:
        ClientWireError: The request cannot be said here at all, or its content is malformed.
    """
    if request.dialect == NAME:
        edits, losses = _seal_edits(request, profile)
        dropped = _search_edits(request, profile)
        losses += tuple(Loss(f"/tools/{edit.path[1]}", "dropped", WHY) for edit in dropped)
        body = pass_through(request, model, [*edits, *dropped])
        return Emission(path=PATH, body=body, headers=request.headers, losses=losses)
    writer = _Writer(request, profile)
    body = body_of(writer.write(model))
    return Emission(path=PATH, body=body, losses=tuple(writer.losses.found))


_FOREIGN = "thinking sealed by another vendor"


def _seal_edits(request: Request, profile: Profile) -> tuple[list[Edit], tuple[Loss, ...]]:
    """Take our tags off seals that return to their maker, and foreign thinking out of the input."""
    unsealed = profile.unsealed
    if request.body is not None and TAG.encode() not in request.body and not unsealed:
        return [], ()
    edits: list[Edit] = []
    losses: list[Loss] = []
    entries = request.raw.get("input")
    for index, item in enumerate(entries if isinstance(entries, list | tuple) else ()):
        payload = item.get("encrypted_content") if isinstance(item, Mapping) else None
        if not isinstance(payload, str) or not (payload.startswith(TAG) or unsealed):
            continue
        seal = opened(payload, "encrypted")
        path = ("input", index)
        if not unsealed and belongs(seal, source=NAME, vendor=profile.vendor, group=profile.group):
            edits.append(Set((*path, "encrypted_content"), dumps(seal.payload)))
        else:
            edits.append(Remove(path))
            why = "thinking that the target refused" if unsealed else _FOREIGN
            losses.append(Loss(f"/input/{index}", "dropped", why))
    return edits, tuple(losses)


def _search_edits(request: Request, profile: Profile) -> list[Remove]:
    """Take out a search that is only offered, for a target that is known not to search."""
    if searches(profile) or WORD in request.features:
        return []
    tools = request.raw.get("tools")
    return [
        Remove(("tools", index))
        for index, tool in enumerate(tools if isinstance(tools, list | tuple) else ())
        if isinstance(tool, Mapping) and is_search(tool.get("type"))
    ]


class _Writer:
    """One request being written."""

    def __init__(self, request: Request, profile: Profile) -> None:
        self.request = request
        self.profile = profile
        self.native = profile.vendor == OPENAI
        self.conversation: Conversation = request.conversation
        self.losses = Losses(request.dialect)
        self.names, self.ids = new_names(self.conversation)
        self.input: list[dict[str, Any]] = []

    def write(self, model: str) -> dict[str, Any]:
        conversation = self.conversation
        if conversation.previous_id is not None:
            raise ClientWireError(
                "a stored conversation of another provider cannot be continued here; send the whole history instead of what is named",
                pointer=place(self.request.dialect, "previous_id"),
            )
        check_pairs(conversation.turns, self.request.dialect)
        check_last(conversation.turns, self.profile, self.request.dialect)
        body: dict[str, Any] = {"model": model, "instructions": self.instructions()}
        for number, turn in enumerate(conversation.turns):
            self.turn(turn, place_of_part(self.request.dialect, number))
        body["input"] = self.input
        body |= settings(conversation, self.profile, self.losses, self.names)
        if self.request.stream:
            body["stream"] = True
        self.losses.drop_extensions(conversation)
        return {key: value for key, value in body.items() if value is not None}

    def instructions(self) -> str | None:
        """Write leading instructions; as items where they carry cache marks, which text cannot."""
        system = self.conversation.system
        if self.native and any(isinstance(part, Text) and part.cache for part in system):
            self.message("developer", system, "/system")
            return None
        texts: list[str] = []
        for part in system:
            self.part_losses(part, "/system")
            if isinstance(part, Text):
                texts.append(part.text)
            else:
                self.losses.at("/system", "dropped", "instructions hold text only")
        return "\n\n".join(texts) if texts else None

    def turn(self, turn: Turn, path: str) -> None:
        if turn.name is not None:
            self.losses.at(path, "dropped", "messages carry no name here")
        if turn.role == "assistant":
            self.assistant(turn, path)
            return
        results = [part for part in turn.parts if isinstance(part, ToolResult)]
        for part in results:
            self.result(part, path)
        rest = tuple(part for part in turn.parts if not isinstance(part, ToolResult))
        if rest or not results:
            self.message(turn.role, rest, path)

    def message(self, role: str, parts: tuple[Part, ...], path: str) -> None:
        content = [said for part in parts for said in self.part(part, path)]
        self.input.append({"type": "message", "role": role, "content": content})

    def result(self, part: ToolResult, path: str) -> None:
        output: object
        if all(isinstance(inner, Text) for inner in part.parts):
            output = "".join(inner.text for inner in part.parts if isinstance(inner, Text))
        else:
            output = [said for inner in part.parts for said in self.part(inner, path)]
        if part.failed:
            self.losses.at(path, "approximated", "a failed result is marked in its text")
            if isinstance(output, list):
                output.insert(0, {"type": "input_text", "text": "Error:"})
            else:
                output = f"Error: {output}"
        kind = "custom_tool_call_output" if part.custom else "function_call_output"
        self.input.append({"type": kind, "call_id": self.ids[part.id], "output": output})

    def assistant(self, turn: Turn, path: str) -> None:
        said: list[dict[str, Any]] = []
        whole = {
            part.id
            for part in turn.parts
            if isinstance(part, Reasoning) and part.id and part.sealed and self.mine(part.sealed)
        }
        for number, part in enumerate(turn.parts):
            if isinstance(part, Text | Refusal):
                said.append(self.answer(part, path))
                continue
            if isinstance(part, Reasoning) and part.sealed is None and part.id in whole:
                continue  # told with the part of its item that holds the seal
            self.spoken(said, turn.phase)
            match part:
                case ToolUse():
                    self.call(part, path)
                case Reasoning():
                    self.thinking(part, turn.parts[:number], path)
                case _:
                    self.losses.at(path, "dropped", "an answer holds text and calls only")
        self.spoken(said, turn.phase)

    def spoken(self, content: list[dict[str, Any]], phase: str | None) -> None:
        if content:
            message = {"type": "message", "role": "assistant", "content": list(content)}
            self.input.append(message | ({"phase": phase} if phase else {}))
            content.clear()

    def answer(self, part: Text | Refusal, path: str) -> dict[str, Any]:
        if isinstance(part, Refusal):
            return {"type": "refusal", "refusal": part.text}
        self.part_losses(part, path)
        return {"type": "output_text", "text": part.text, "annotations": []}

    def call(self, part: ToolUse, path: str) -> None:
        if part.sealed is not None:
            self.losses.at(path, "dropped", "a call carries no signature here")
        head = {"call_id": self.ids[part.id], "name": self.names[part.name]}
        if part.custom:
            item = {"type": "custom_tool_call", **head, "input": part.arguments}
        else:
            item = {"type": "function_call", **head, "arguments": part.arguments or "{}"}
        self.input.append(item)

    def mine(self, seal: Sealed) -> bool:
        """Say whether the target made this seal."""
        return belongs(
            seal,
            source=self.request.dialect,
            vendor=self.profile.vendor,
            group=self.profile.group,
        )

    def thinking(self, part: Reasoning, before: tuple[Part, ...], path: str) -> None:
        """Replay thinking that OpenAI sealed; parts of one item, by its id, go back as one."""
        seal = part.sealed
        if seal is None or not self.mine(seal):
            report_thinking(part, path, self.losses)
            return
        parts = [
            earlier
            for earlier in before
            if isinstance(earlier, Reasoning) and part.id is not None and earlier.id == part.id
        ]
        texts = [inner.text for inner in (*parts, part) if inner.text]
        item: dict[str, Any] = {"type": "reasoning"}
        if ident := part.id or seal.id:
            item["id"] = ident
        item["summary"] = [{"type": "summary_text", "text": text} for text in texts]
        self.input.append(item | {"encrypted_content": seal.payload})

    def part(self, part: Part, path: str) -> list[dict[str, Any]]:
        self.part_losses(part, path)
        match part:
            case Text(text):
                return [{"type": "input_text", "text": text} | self.mark(part.cache, path)]
            case Media():
                return [self.media(part, path) | self.mark(part.cache, path)]
            case ServerTool() | Opaque() | Reasoning() | Refusal():
                self.losses.at(path, "dropped", "no such part in Responses")
                return []
            case ToolUse() | ToolResult():
                raise ClientWireError("a tool call stands outside an answer", pointer=path)

    def media(self, part: Media, path: str) -> dict[str, Any]:
        if part.extra:
            self.losses.at(path, "dropped", f"no place for {', '.join(sorted(part.extra))}")
        ours = self.native and self.request.dialect in SOURCES
        detail = part.detail or "auto"
        match part.kind, part.source:
            case "image", "url":
                return {"type": "input_image", "image_url": part.value, "detail": detail}
            case "image", "data":
                url = data_url(part, "image/png")
                return {"type": "input_image", "image_url": url, "detail": detail}
            case "image", "file_id" if ours:
                return {"type": "input_image", "file_id": part.value, "detail": detail}
            case "file", "data" if (text := plain_text(part)) is not None:
                self.losses.at(path, "approximated", "a text document became text")
                return {"type": "input_text", "text": text}
            case "file", "data":
                file = {"filename": part.name or "file.pdf"}
                return {
                    "type": "input_file",
                    **file,
                    "file_data": data_url(part, "application/pdf"),
                }
            case "file", "url":
                return {"type": "input_file", "file_url": part.value}
            case "file", "file_id" if ours:
                return {"type": "input_file", "file_id": part.value}
            case "audio", "data" if (form := sound_format(part.mime)) and hears(self.profile):
                sound = {"data": part.value, "format": form}
                return {"type": "input_audio", "input_audio": sound}
            case _:
                raise ClientWireError(
                    f"Responses cannot carry {part.kind} by {part.source} {part.mime or ''}".rstrip(),
                    pointer=path,
                )

    def part_losses(self, part: Part, path: str) -> None:
        if isinstance(part, Text) and part.citations:
            self.losses.at(path, "dropped", "citations have no place in a request")
        if isinstance(part, Text | Media) and part.cache is not None and not self.native:
            self.losses.at(path, "dropped", "the target caches by itself, without breakpoints")

    def mark(self, cache: CacheMark | None, path: str) -> dict[str, Any]:
        if cache is None or not self.native:
            return {}
        said, changed = write_mark(cache)
        if changed:
            self.losses.at(path, "approximated", "the nearest cache life that is not shorter")
        return {"prompt_cache_breakpoint": said}
