"""Gemini replies, read as a client: event stream, JSON array or whole, all become the same events.

Each chunk is a whole response document with new parts only; text of one kind runs on through chunks
as one part. The success terminal of a candidate is its ``finishReason``; the stream ends with the
body (dialects.md, 5.4). What follows a candidate's terminal is ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

from hyperroute.canon.content import Json, Media, Part, Reasoning, Sealed, Text, ToolUse
from hyperroute.canon.events import (
    Finished,
    FinishReason,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    StreamEvent,
    UsageReported,
)
from hyperroute.canon.usage import NO_USAGE, Usage
from hyperroute.dialects import json
from hyperroute.dialects.base import ErrorInStream, ErrorReport
from hyperroute.dialects.gemini_errors import report_of
from hyperroute.dialects.gemini_read import unknown_part
from hyperroute.dialects.gemini_spelling import VENDOR, pick, standard_base64
from hyperroute.dialects.gemini_usage import usage_of
from hyperroute.dialects.sse import BodyReader
from hyperroute.errors import ProviderWireError

_REASONS: Mapping[str, FinishReason] = MappingProxyType(
    {
        "STOP": "stop",
        "MAX_TOKENS": "length",
        "CONTINUATION": "pause",
        **dict.fromkeys(
            (
                "SAFETY",
                "RECITATION",
                "BLOCKLIST",
                "PROHIBITED_CONTENT",
                "SPII",
                "LANGUAGE",
                "IMAGE_SAFETY",
                "IMAGE_PROHIBITED_CONTENT",
                "IMAGE_RECITATION",
                "IMAGE_OTHER",
                "MODEL_ARMOR",
                "ESCALATION",
            ),
            "filter",
        ),
        **dict.fromkeys(
            (
                "MALFORMED_FUNCTION_CALL",
                "UNEXPECTED_TOOL_CALL",
                "MALFORMED_RESPONSE",
                "MISSING_THOUGHT_SIGNATURE",
                "TOO_MANY_TOOL_CALLS",
            ),
            "malformed",
        ),
    }
)
_UNSAID = frozenset({"", "FINISH_REASON_UNSPECIFIED"})


@dataclass(slots=True)
class _Candidate:
    """What is known of one candidate."""

    number: int
    open: int | None = None
    """Index of the text or thinking part that may run on."""
    thought: bool = False
    sealed: Sealed | None = None
    citations: list[Json] = field(default_factory=list[Json])
    calls: bool = False
    finished: bool = False


@dataclass(slots=True)
class GeminiDecoder:
    """One reply; ``feed`` it bytes split anywhere."""

    _body: BodyReader = field(default_factory=BodyReader)
    _started: bool = False
    _id: str = ""
    _parts: int = 0
    _usage: Usage = NO_USAGE
    _candidates: dict[int, _Candidate] = field(default_factory=dict[int, _Candidate])

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """Take any number of bytes.

        Raises:
            ProviderWireError: They do not follow the dialect.
            ErrorInStream: The dialect's error object came, or the prompt was blocked.
        """
        for _, data in self._body.feed(chunk):
            yield from self._data(data)

    def close(self) -> Iterator[StreamEvent]:
        """Take the end of the body.

        Raises:
            ProviderWireError: It came before the success terminal.
            ErrorInStream: The whole body was an error object.
        """
        whole, last = self._body.close()
        if whole is not None:
            yield from self._whole(whole)
        elif last is not None and not self.finished:
            try:
                obj = json.loads(last[1])
            except ValueError:
                obj = None
            if obj is not None:
                yield from self._response(obj)
        if not self.finished:
            raise ProviderWireError(
                "the reply ended before its finish reason", cut=whole is None or self._started
            )

    @property
    def finished(self) -> bool:
        """Whether a candidate began, and all that began have their ``finishReason``."""
        return bool(self._candidates) and all(c.finished for c in self._candidates.values())

    def _brings_another(self, obj: Any) -> bool:
        """Tell whether a candidate begins here after all earlier ones ended: of ``n`` some come late."""
        candidates = obj.get("candidates") if isinstance(obj, dict) else None
        return isinstance(candidates, list) and any(
            isinstance(value, dict)
            and isinstance(index := value.get("index"), int)
            and index >= 0
            and index not in self._candidates
            for value in candidates
        )

    def _data(self, data: bytes) -> Iterator[StreamEvent]:
        try:
            obj = json.loads(data)
        except ValueError as error:
            if self.finished or data.strip() in {b"", b"[DONE]"}:
                return
            raise ProviderWireError("an event is not JSON") from error
        if not isinstance(obj, dict):
            if self.finished:
                return
            raise ProviderWireError("an event is no object")
        yield from self._response(obj)

    def _whole(self, body: bytes) -> Iterator[StreamEvent]:
        try:
            obj = json.loads(body)
        except ValueError as error:
            cut = not body.rstrip().endswith((b"}", b"]"))
            raise ProviderWireError("the reply is not JSON", cut=cut) from error
        for response in obj if isinstance(obj, list) else [obj]:
            yield from self._response(response)

    def _response(self, obj: Any) -> Iterator[StreamEvent]:
        if self.finished and not self._brings_another(obj):
            return
        if not isinstance(obj, dict):
            raise ProviderWireError("a response that is no object")
        if not obj:
            return
        if obj.get("error") is not None:
            raise ErrorInStream(report_of(obj))
        candidates = obj.get("candidates")
        if candidates is not None and not isinstance(candidates, list):
            raise ProviderWireError("candidates that are no list", pointer="/candidates")
        if not candidates:
            _refuse_if_blocked(obj)
        if not self._started:
            self._started = True
            self._id = _text(pick(obj, "responseId"))
            yield Started(self._id, _text(pick(obj, "modelVersion")))
        if not self.finished:
            yield from self._counted(obj)
        ended: list[Finished] = []
        for place, value in enumerate(candidates or ()):
            if not isinstance(value, dict):
                raise ProviderWireError("a candidate that is no object")
            index = value.get("index", place)
            known = isinstance(index, int) and not isinstance(index, bool) and index >= 0
            number = index if known else place
            candidate = self._candidates.setdefault(number, _Candidate(number))
            if not candidate.finished:
                yield from self._candidate(candidate, value, ended)
        yield from ended

    def _counted(self, obj: Mapping[str, Any]) -> Iterator[StreamEvent]:
        counts = pick(obj, "usageMetadata")
        if isinstance(counts, dict):
            usage = usage_of(counts)
            if usage != self._usage:
                self._usage = usage
                yield UsageReported(usage)

    def _candidate(
        self, state: _Candidate, value: Mapping[str, Any], ended: list[Finished]
    ) -> Iterator[StreamEvent]:
        content = value.get("content")
        if content is not None and not isinstance(content, dict):
            raise ProviderWireError("content that is no object")
        parts = content.get("parts") if content else None
        if parts is not None and not isinstance(parts, list):
            raise ProviderWireError("parts that are no list")
        for part in parts or ():
            if not isinstance(part, dict):
                raise ProviderWireError("a part that is no object")
            yield from self._part(state, part)
        for name in ("citationMetadata", "groundingMetadata"):
            if isinstance(found := pick(value, name), dict) and found:
                state.citations.append({name: found})
        raw = _text(pick(value, "finishReason"))
        if raw not in _UNSAID:
            if state.citations and (state.open is None or state.thought):
                yield from self._close_part(state)
                yield from self._open_part(state, thought=False)
            yield from self._close_part(state)
            state.finished = True
            reason = _REASONS.get(raw, "other")
            if state.calls and reason in {"stop", "other"}:
                reason = "tool_calls"
            ended.append(Finished(reason, raw, state.number))

    def _part(self, state: _Candidate, part: Mapping[str, Any]) -> Iterator[StreamEvent]:
        text = part.get("text")
        signature = _text(pick(part, "thoughtSignature"))
        sealed = Sealed("signature", signature, VENDOR) if signature else None
        if isinstance(text, str):
            yield from self._run_on(state, text, sealed, thought=part.get("thought") is True)
            return
        if not part or part.keys() <= {"thoughtSignature", "thought_signature", "thought"}:
            if sealed is not None:
                yield from self._run_on(state, "", sealed, thought=part.get("thought") is True)
            return
        yield from self._close_part(state)
        whole = self._single(part, sealed)
        state.calls = state.calls or isinstance(whole, ToolUse)
        yield PartStarted(self._parts, whole, state.number)
        yield PartEnded(self._parts, sealed if isinstance(whole, ToolUse) else None)
        self._parts += 1

    def _run_on(
        self, state: _Candidate, text: str, sealed: Sealed | None, *, thought: bool
    ) -> Iterator[StreamEvent]:
        """Continue the open part, or begin the next; a signature ends the part that it signs."""
        if state.open is not None and state.thought != thought:
            yield from self._close_part(state)
        if state.open is None and (text or sealed is not None):
            yield from self._open_part(state, thought=thought)
        if text and state.open is not None:
            yield PartDelta(state.open, text)
        if sealed is not None:
            state.sealed = sealed
            yield from self._close_part(state)

    def _open_part(self, state: _Candidate, *, thought: bool) -> Iterator[StreamEvent]:
        state.open, self._parts = self._parts, self._parts + 1
        state.thought = thought
        yield PartStarted(state.open, Reasoning() if thought else Text(), state.number)

    def _close_part(self, state: _Candidate) -> Iterator[StreamEvent]:
        if state.open is not None:
            citations: tuple[Json, ...] = ()
            if not state.thought:
                citations = tuple(state.citations)
                state.citations.clear()
            yield PartEnded(state.open, state.sealed, citations)
        state.open = state.sealed = None

    def _single(self, part: Mapping[str, Any], sealed: Sealed | None) -> Part:
        """Read a part that comes whole."""
        call = pick(part, "functionCall")
        if isinstance(call, dict):
            if pick(call, "partialArgs") is not None or pick(call, "willContinue"):
                return unknown_part(part)
            name, args = call.get("name"), call.get("args")
            if not isinstance(name, str) or not name:
                raise ProviderWireError("a function call without a name")
            if args is not None and not isinstance(args, dict):
                raise ProviderWireError("arguments that are no object")
            arguments = json.dumps(args or {})
            ident = _text(call.get("id")) or self._call_id(name, arguments)
            return ToolUse(id=ident, name=name, arguments=arguments.decode(), sealed=sealed)
        data = pick(part, "inlineData")
        if isinstance(data, dict) and isinstance(data.get("data"), str):
            mime = _text(pick(data, "mimeType"))
            head = mime.partition("/")[0]
            return Media(
                kind="image"
                if head == "image"
                else "audio"
                if head == "audio"
                else "video"
                if head == "video"
                else "file",
                source="data",
                value=standard_base64(data["data"]),
                mime=mime or None,
            )
        return unknown_part(part)

    def _call_id(self, name: str, arguments: bytes) -> str:
        """Make an id where Gemini gave none, unlike those of the other replies of a history."""
        seed = f"{self._id}\0{self._parts}\0{name}\0".encode("utf-8", "replace") + arguments
        return f"call_{blake2b(seed, digest_size=8).hexdigest()}"


def _refuse_if_blocked(obj: Mapping[str, Any]) -> None:
    """Raise for a blocked prompt, which comes as a 200 without candidates (dialects.md, 4.1)."""
    feedback = pick(obj, "promptFeedback")
    if not isinstance(feedback, dict):
        return
    reason = _text(pick(feedback, "blockReason"))
    if not reason or reason.endswith("_UNSPECIFIED"):
        return
    message = _text(pick(feedback, "blockReasonMessage")) or "the prompt was blocked"
    raise ErrorInStream(
        ErrorReport(
            code=reason,
            type="promptFeedback",
            message=message,
            details=MappingProxyType({"blockReason": reason}),
        )
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
