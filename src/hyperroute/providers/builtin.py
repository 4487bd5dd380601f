"""The dialects that ship with the library, by the table's word for their endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hyperroute.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from hyperroute.dialects.base import Dialect
from hyperroute.dialects.gemini import GEMINI_GENERATE
from hyperroute.dialects.openai_chat import OPENAI_CHAT
from hyperroute.dialects.openai_completions import OPENAI_COMPLETIONS
from hyperroute.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from hyperroute.dialects.openai_images import OPENAI_IMAGES
from hyperroute.dialects.openai_responses import OPENAI_RESPONSES

DIALECTS: Final[Mapping[str, Dialect]] = MappingProxyType(
    {
        dialect.endpoint: dialect
        for dialect in (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES, GEMINI_GENERATE)
    }
)
"""Law 7 makes the order matter nowhere: a request's own dialect always comes first."""

PASSING: Final[Mapping[str, Dialect]] = MappingProxyType(
    {
        dialect.endpoint: dialect
        for dialect in (OPENAI_EMBEDDINGS, OPENAI_COMPLETIONS, OPENAI_IMAGES)
    }
)
"""Those that stand alone: no other dialect can say their requests, nor they what others say."""

__all__ = ["DIALECTS", "PASSING"]
