"""One question in each dialect, to the table of ``conftest``: path, body, the host that answers."""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]

CHAT: Body = {"model": "gpt", "messages": [{"role": "user", "content": "hi"}]}
CLAUDE: Body = {"model": "sonnet", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
GOOGLE: Body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
ASKED: dict[str, tuple[str, Body, str]] = {
    "openai.chat": ("/v1/chat/completions", CHAT, "https://one.test"),
    "openai.responses": ("/v1/responses", {"model": "gpt", "input": "hi"}, "https://one.test"),
    "anthropic.messages": ("/v1/messages", CLAUDE, "https://claude.test"),
    "gemini.generate": ("/v1beta/models/flash:generateContent", GOOGLE, "https://google.test"),
}


def streaming(dialect: str) -> tuple[str, Body]:
    path, body, _ = ASKED[dialect]
    if dialect == "gemini.generate":
        return path.replace("generateContent", "streamGenerateContent?alt=sse"), body
    return path, {**body, "stream": True}
