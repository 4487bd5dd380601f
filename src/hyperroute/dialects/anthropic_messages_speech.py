"""What Messages can say of an answer, and how it cites."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hyperroute.canon.content import Reasoning, Sealed, ToolUse
from hyperroute.dialects.anthropic_messages_read import NAME
from hyperroute.dialects.citing import is_neutral
from hyperroute.dialects.sealing import tagged
from hyperroute.dialects.unsaid import TOKENS, Speech

VENDOR = "anthropic"

SPEECH = Speech(
    dialect=NAME,
    seals=frozenset({Reasoning, ToolUse}),
    objects=True,
    cites="words",
    finishes=frozenset(
        {"stop", "stop_sequence", "length", "context_full", "tool_calls", "refusal", "pause"}
    ),
    meters=TOKENS
    | {
        "cache_read_tokens",
        "cache_write_tokens",
        "cache_write_1h_tokens",
        "reasoning_tokens",
        "searches",
    },
    required=True,
)
_CITATIONS = frozenset(
    {
        "char_location",
        "page_location",
        "content_block_location",
        "web_search_result_location",
        "search_result_location",
    }
)


def cited(citations: tuple[Any, ...]) -> list[Any]:
    """Write Anthropic's own citations as they are, and a web page of another vendor's as its own.

    What stands in ``encrypted_index`` wears our tag, so that it is never sent to Anthropic.
    """
    told: list[Any] = []
    for citation in citations:
        if is_neutral(citation):
            tag = Sealed("signature", "", citation["vendor"] or "unsigned")
            told.append(
                {
                    "type": "web_search_result_location",
                    "url": citation["url"],
                    "title": citation["title"],
                    "cited_text": citation["text"],
                    "encrypted_index": tagged(tag, own=VENDOR),
                }
            )
        elif isinstance(citation, Mapping) and str(citation.get("type")) in _CITATIONS:
            told.append(citation)
    return told
