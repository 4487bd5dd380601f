"""Chat completions requests: passed through, or written from the canon with every loss reported."""

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
    ServerTool,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)
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
from hyperroute.dialects.openai_chat_settings import settings
from hyperroute.dialects.openai_media import data_url, plain_text, sound_format, write_mark
from hyperroute.dialects.places import place, place_of_part
from hyperroute.dialects.relay import Edit, Set
from hyperroute.errors import ClientWireError

NAME: Final = "openai.chat"
PATH: Final = "/chat/completions"


def emit_request(request: Request, *, model: str, profile: Profile) -> Emission:
    """Write a provider request for the upstream id ``model``.

    Options of the profile that are read: ``max_tokens`` (true: the older name of the limit, for
    servers that know no other), ``reasoning_content`` (true: history thinking is sent in this
    member), ``prefill`` (true: the target continues a begun answer), ``top_k`` (true: takes it),
    ``stream_options`` (false: the target refuses the member, so that no usage is asked for).

    Raises:
        ClientWireError: The request cannot be said here at all, or its content is malformed.
    """
    if request.dialect == NAME:
        edits = usage_edits(request) if request.stream and counts(profile) else []
        return Emission(
            path=PATH, body=pass_through(request, model, edits), headers=request.headers
        )
    writer = _Writer(request, profile)
    return Emission(path=PATH, body=body_of(writer.write(model)), losses=tuple(writer.losses.found))


def counts(profile: Profile) -> bool:
    """Say whether the target may be asked for usage in a stream; some servers refuse the member."""
    return profile.options.get("stream_options") is not False


def usage_edits(request: Request) -> list[Edit]:
    """Ask for usage in a stream, which OpenAI sends only when asked."""
    options = request.raw.get("stream_options")
    if not isinstance(options, Mapping):
        return [Set(("stream_options",), b'{"include_usage":true}')]
    if options.get("include_usage") is True:
        return []
    return [Set(("stream_options", "include_usage"), b"true")]


class _Writer:
    """One request being written."""

    def __init__(self, request: Request, profile: Profile) -> None:
        self.request = request
        self.profile = profile
        self.native = profile.vendor == OPENAI
        self.conversation: Conversation = request.conversation
        self.losses = Losses(request.dialect)
        self.names, self.ids = new_names(self.conversation)

    def write(self, model: str) -> dict[str, Any]:
        conversation = self.conversation
        if conversation.previous_id is not None:
            raise ClientWireError(
                "a stored conversation of another provider cannot be continued here; send the whole history instead of what is named",
                pointer=place(self.request.dialect, "previous_id"),
            )
        check_pairs(conversation.turns, self.request.dialect)
        check_last(conversation.turns, self.profile, self.request.dialect)
        body: dict[str, Any] = {"model": model, "messages": self.messages()}
        body |= settings(conversation, self.profile, self.losses, self.names)
        if self.request.stream:
            body["stream"] = True
            if counts(self.profile):
                body["stream_options"] = {"include_usage": True}
        self.losses.drop_extensions(conversation)
        return {key: value for key, value in body.items() if value is not None}

    def messages(self) -> list[dict[str, Any]]:
        """Write all messages; the results of a turn go directly behind the calls they answer."""
        written: list[dict[str, Any]] = []
        system = self.content(self.conversation.system, place_of_part(self.request.dialect, 0))
        if self.conversation.system:
            written.append({"role": "system", "content": system})
        turns = self.conversation.turns
        number = 0
        while number < len(turns):
            if turns[number].role == "assistant":
                written.append(self.assistant(turns[number], number))
                number += 1
                continue
            first = number
            while number < len(turns) and turns[number].role != "assistant":
                number += 1
            written.extend(self.between(turns[first:number], first))
        return written

    def between(self, turns: tuple[Turn, ...], first: int) -> list[dict[str, Any]]:
        """Write what stands between two answers: all results, then what they showed, then the rest."""
        results: list[dict[str, Any]] = []
        shown: list[Part] = []
        rest: list[dict[str, Any]] = []
        for number, turn in enumerate(turns, start=first):
            path = place_of_part(self.request.dialect, number)
            said: list[Part] = []
            for part in turn.parts:
                if isinstance(part, ToolResult):
                    results.append(self.result(part, path, shown))
                else:
                    said.append(part)
            if said or not turn.parts:
                message = {"role": turn.role, "content": self.content(tuple(said), path)}
                rest.append(message | ({"name": turn.name} if turn.name else {}))
        if shown:
            rest.insert(0, {"role": "user", "content": self.content(tuple(shown), "")})
        return [*results, *rest]

    def result(self, part: ToolResult, path: str, shown: list[Part]) -> dict[str, Any]:
        texts: list[str] = []
        for inner in part.parts:
            match inner:
                case Text(text):
                    texts.append(text)
                case Media():
                    self.losses.at(path, "moved", "a tool message holds text only")
                    shown.append(inner)
                case _:
                    self.losses.at(path, "dropped", "a tool message holds text only")
        content = "".join(texts)
        if part.failed:
            self.losses.at(path, "approximated", "a failed result is marked in its text")
            content = f"Error: {content}"
        return {"role": "tool", "tool_call_id": self.ids[part.id], "content": content}

    def assistant(self, turn: Turn, number: int) -> dict[str, Any]:
        path = place_of_part(self.request.dialect, number)
        texts: list[str] = []
        thoughts: list[str] = []
        calls: list[dict[str, Any]] = []
        message: dict[str, Any] = {"role": "assistant", "content": None}
        for part in turn.parts:
            match part:
                case Text(text):
                    texts.append(text)
                    self.part_losses(part, path)
                case Refusal(text):
                    message["refusal"] = text
                case ToolUse():
                    calls.append(self.call(part, path))
                case Reasoning() if self.profile.options.get("reasoning_content") and part.text:
                    thoughts.append(part.text)
                case Reasoning():
                    report_thinking(part, path, self.losses)
                case _:
                    self.losses.at(path, "dropped", "an answer holds text and calls only")
        if texts:
            message["content"] = "".join(texts)
        if thoughts:
            message["reasoning_content"] = "".join(thoughts)
        if calls:
            message["tool_calls"] = calls
        elif not texts and "refusal" not in message:
            message["content"] = ""  # null stands only beside calls or a refusal
        if turn.phase is not None:
            self.losses.at(path, "dropped", "chat knows no phases")
        return message | ({"name": turn.name} if turn.name else {})

    def call(self, part: ToolUse, path: str) -> dict[str, Any]:
        if part.sealed is not None:
            self.losses.at(path, "dropped", "a call carries no signature here")
        head = {"id": self.ids[part.id]}
        name = self.names[part.name]
        if part.custom and not self.native:
            said = dumps({"input": part.arguments}).decode()
            return head | {"type": "function", "function": {"name": name, "arguments": said}}
        if part.custom:
            return head | {"type": "custom", "custom": {"name": name, "input": part.arguments}}
        arguments = part.arguments or "{}"
        return head | {"type": "function", "function": {"name": name, "arguments": arguments}}

    def content(self, parts: tuple[Part, ...], path: str) -> str | list[dict[str, Any]]:
        """Write content; as one text where it is only text, since many servers take no more."""
        if all(isinstance(part, Text) and not self.marked(part.cache) for part in parts):
            for part in parts:
                self.part_losses(part, path)
            return "\n\n".join(part.text for part in parts if isinstance(part, Text))
        return [said for part in parts for said in self.part(part, path)]

    def part(self, part: Part, path: str) -> list[dict[str, Any]]:
        self.part_losses(part, path)
        match part:
            case Text(text):
                return [{"type": "text", "text": text} | self.mark(part.cache, path)]
            case Media():
                return [self.media(part, path) | self.mark(part.cache, path)]
            case ServerTool() | Opaque() | Reasoning() | Refusal():
                self.losses.at(path, "dropped", "no such part in chat")
                return []
            case ToolUse() | ToolResult():
                raise ClientWireError("a tool call stands outside an answer", pointer=path)

    def media(self, part: Media, path: str) -> dict[str, Any]:
        if part.extra:
            self.losses.at(path, "dropped", f"no place for {', '.join(sorted(part.extra))}")
        match part.kind, part.source:
            case "image", "url" | "data":
                url = part.value if part.source == "url" else data_url(part, "image/png")
                detail = {"detail": part.detail} if part.detail else {}
                return {"type": "image_url", "image_url": {"url": url, **detail}}
            case "audio", "data" if (form := sound_format(part.mime)) and hears(self.profile):
                return {"type": "input_audio", "input_audio": {"data": part.value, "format": form}}
            case "file", "data" if (text := plain_text(part)) is not None:
                self.losses.at(path, "approximated", "a text document became text")
                return {"type": "text", "text": text}
            case "file", "data":
                inner = {"filename": part.name or "file.pdf"}
                inner["file_data"] = data_url(part, "application/pdf")
                return {"type": "file", "file": inner}
            case "file", "file_id" if self.native and self.request.dialect in SOURCES:
                return {"type": "file", "file": {"file_id": part.value}}
            case _:
                raise ClientWireError(
                    f"chat cannot carry {part.kind} by {part.source} {part.mime or ''}".rstrip(),
                    pointer=path,
                )

    def part_losses(self, part: Part, path: str) -> None:
        if isinstance(part, Text) and part.citations:
            self.losses.at(path, "dropped", "citations have no place in a request")
        if isinstance(part, Text | Media) and part.cache is not None and not self.native:
            self.losses.at(path, "dropped", "the target caches by itself, without breakpoints")

    def marked(self, cache: CacheMark | None) -> bool:
        return cache is not None and self.native

    def mark(self, cache: CacheMark | None, path: str) -> dict[str, Any]:
        if cache is None or not self.native:
            return {}
        said, changed = write_mark(cache)
        if changed:
            self.losses.at(path, "approximated", "the nearest cache life that is not shorter")
        return {"prompt_cache_breakpoint": said}
