"""Good answers and honest errors in all four dialects, as scripts, written out by hand.

The bytes are what the providers document, not what our encoders make of it: a reader that is only
fed by its own writer agrees with itself. ``Said`` holds what is said, once for all dialects.

Source: dialects.md 4 and 5, after openai-python 3.54, anthropic-sdk-python 2.12 and google-genai
3.4; read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from hyperroute.canon.wire import Headers
from hyperroute.testing.bodies import (
    Call,
    Said,
    chat_streamed,
    chat_whole,
    gemini_streamed,
    gemini_whole,
    messages_streamed,
    messages_whole,
    responses_streamed,
    responses_whole,
    to_event,
    to_json,
)
from hyperroute.testing.script import Script

DIALECTS: Final = ("openai.chat", "openai.responses", "anthropic.messages", "gemini.generate")

JSON: Final[Headers] = (("content-type", "application/json"),)
SSE: Final[Headers] = (("content-type", "text/event-stream; charset=utf-8"),)


HELLO: Final = Said()


def whole(dialect: str, said: Said = HELLO) -> Script:
    """Script one JSON answer.

    Raises:
        KeyError: There is no such dialect.
    """
    body = to_json(_whole(dialect)(said))
    return Script(headers=JSON, chunks=(body,), length=len(body))


def streamed(dialect: str, said: Said = HELLO) -> Script:
    """Script the same answer as a stream, one chunk an event.

    Raises:
        KeyError: There is no such dialect.
    """
    return Script(headers=SSE, chunks=tuple(_streamed(dialect)(said)))


def refusal(
    dialect: str,
    status: int,
    *,
    kind: str,
    message: str = "the provider says no",
    code: str | None = None,
    headers: Headers = (),
) -> Script:
    """Script an error answer in the provider's own shape.

    Args:
        dialect: Whose shape.
        status: HTTP status.
        kind: ``type`` (chat, responses, messages) or ``status`` (Gemini).
        message: What it says.
        code: ``code`` (chat, responses), ``details.error_code`` (messages), the ``reason`` of an
            ``ErrorInfo`` (Gemini); ``None`` leaves it out.
        headers: More headers, such as hints when to come back.
    """
    body = to_json(_error(dialect, status, kind, message, code))
    return Script(status=status, headers=(*JSON, *headers), chunks=(body,), length=len(body))


def error_event(dialect: str, *, kind: str, message: str, code: str | None = None) -> bytes:
    """Return the bytes with which a stream of this dialect says that it broke."""
    if dialect == "openai.responses":
        inner = {"type": "error", "code": code or kind, "message": message, "param": None}
        return to_event({**inner, "sequence_number": 99}, name="error")
    payload = _error(dialect, 500, kind, message, code)
    return to_event(payload, name="error" if dialect == "anthropic.messages" else "")


def _error(dialect: str, status: int, kind: str, message: str, code: str | None) -> Any:
    if dialect == "anthropic.messages":
        details = {} if code is None else {"details": {"error_code": code}}
        inner = {"type": kind, "message": message, **details}
        return {"type": "error", "error": inner, "request_id": "req_1"}
    if dialect == "gemini.generate":
        info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": code}
        about: dict[str, Any] = {} if code is None else {"details": [info]}
        return {"error": {"code": status, "message": message, "status": kind, **about}}
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _whole(dialect: str) -> Callable[[Said], Any]:
    return {
        "openai.chat": chat_whole,
        "openai.responses": responses_whole,
        "anthropic.messages": messages_whole,
        "gemini.generate": gemini_whole,
    }[dialect]


def _streamed(dialect: str) -> Callable[[Said], Iterator[bytes]]:
    return {
        "openai.chat": chat_streamed,
        "openai.responses": responses_streamed,
        "anthropic.messages": messages_streamed,
        "gemini.generate": gemini_streamed,
    }[dialect]


__all__ = [
    "DIALECTS",
    "HELLO",
    "JSON",
    "SSE",
    "Call",
    "Said",
    "error_event",
    "refusal",
    "streamed",
    "whole",
]
