"""The response object of the Responses dialect, whole or as the frame of a stream.

It repeats what the request asked for, as its type demands (dialects.md, 4.3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from hyperroute.canon.content import Reasoning, ToolUse
from hyperroute.canon.events import Finished, Started
from hyperroute.canon.request import Request
from hyperroute.canon.usage import NO_USAGE, Usage
from hyperroute.dialects.openai_usage import responses_usage
from hyperroute.dialects.unsaid import TOKENS, Speech

SPEECH: Final = Speech(
    dialect="openai.responses",
    thinking="summary",
    seals=frozenset({Reasoning, ToolUse}),
    refusal=True,
    custom=True,
    finishes=frozenset({"stop", "length", "tool_calls", "filter", "refusal"}),
    meters=TOKENS | {"cache_read_tokens", "cache_write_tokens", "reasoning_tokens"},
)
_STRANGE: Final = re.compile(r"[^A-Za-z0-9]", re.ASCII)
_ECHOED: Final = (
    "instructions",
    "metadata",
    "temperature",
    "top_p",
    "max_output_tokens",
    "max_tool_calls",
    "previous_response_id",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "text",
    "top_logprobs",
    "truncation",
    "user",
    "prompt_cache_key",
    "store",
)
_DEFAULTS: Final = {"tool_choice": "auto", "parallel_tool_calls": True}


class Skeleton:
    """Everything of a response that does not depend on what is answered."""

    def __init__(self, request: Request, model: str) -> None:
        raw = request.raw
        self._model = model
        self._echo: dict[str, Any] = {key: raw.get(key) for key in _ECHOED}
        self._echo["metadata"] = raw.get("metadata") or {}
        for key, default in _DEFAULTS.items():
            self._echo[key] = default if raw.get(key) is None else raw[key]
        tools = raw.get("tools")
        self._echo["tools"] = [
            {"parameters": None, "strict": True, **tool} if tool.get("type") == "function" else tool
            for tool in (tools if isinstance(tools, list | tuple) else ())
            if isinstance(tool, Mapping)
        ]
        self._id = "resp_unnamed"
        self._created = 0

    def start(self, event: Started) -> None:
        """Take the answer's own id and time."""
        tail = _STRANGE.sub("", event.id.removeprefix("resp_"))
        if event.id.startswith("resp_"):
            self._id = event.id
        elif tail:
            self._id = f"resp_{tail}"
        self._created = event.created or 0

    def adopt(self, response: Mapping[str, Any]) -> None:
        """Go on with a response as a provider itself began it."""
        self._echo = {key: response.get(key, value) for key, value in self._echo.items()}
        if isinstance(identity := response.get("id"), str):
            self._id = identity
        if isinstance(model := response.get("model"), str):
            self._model = model
        if isinstance(created := response.get("created_at"), int | float):
            self._created = int(created)

    def identity(self, prefix: str, index: int) -> str:
        """Make an item id, unique as far as the response's own id is."""
        return f"{prefix}_{_STRANGE.sub('', self._id.removeprefix('resp_'))[-40:]}_{index}"

    def response(
        self,
        status: str,
        output: list[dict[str, Any]],
        *,
        usage: Usage = NO_USAGE,
        reason: str | None = None,
    ) -> dict[str, Any]:
        """Build the object; ``reason`` is why it is incomplete."""
        failed = {"code": "server_error", "message": "the model's output was malformed"}
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created,
            "status": status,
            "background": False,
            "error": failed if status == "failed" else None,
            "incomplete_details": {"reason": reason} if status == "incomplete" else None,
            "model": self._model,
            "output": list(output),
            **self._echo,
            "usage": responses_usage(usage),
        }


def ending(finish: Finished, *, refused: bool) -> tuple[str, str | None]:
    """Say the status, and why if it is incomplete (dialects.md, 4.1).

    What has no word is ``incomplete`` without a reason: never a plain success.
    """
    match finish.reason:
        case "stop" | "stop_sequence" | "tool_calls":
            return "completed", None
        case "length" | "context_full":
            return "incomplete", "max_output_tokens"
        case "filter":
            return "incomplete", "content_filter"
        case "refusal":
            return ("completed", None) if refused else ("incomplete", "content_filter")
        case "malformed" | "error":
            return "failed", None
        case "pause" | "other":
            return "incomplete", None
