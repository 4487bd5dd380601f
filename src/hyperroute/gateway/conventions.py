"""Names of telemetry that are not ours: OpenTelemetry's, for generative AI and HTTP.

They are in development and will change; so they stand here and nowhere else.

Source: OpenTelemetry semantic conventions for generative AI spans, as of
opentelemetry-semantic-conventions 0.66; read 2026-11-22.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_STREAM: Final = "gen_ai.request.stream"
RESPONSE_MODEL: Final = "gen_ai.response.model"
FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
CACHE_READ_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"
REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
ERROR_TYPE: Final = "error.type"
METHOD: Final = "http.request.method"
STATUS: Final = "http.response.status_code"
PATH: Final = "url.path"

OPERATIONS: Final = MappingProxyType(
    {"chat": "chat", "embed": "embeddings", "image": "generate_content"}
)
"""Kinds of requests as the conventions call the operation; any other goes by its own word."""
