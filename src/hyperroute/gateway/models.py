"""The list of models, in the shape that a caller's headers ask for (clients.md, 26).

What the shape has no member for stands beside its members where clients look for it all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final

from hyperroute.catalog.card import Model
from hyperroute.dialects import json
from hyperroute.gateway.paths import CHAT, GEMINI, MESSAGES
from hyperroute.routing.resolve import PATHS, find_service
from hyperroute.routing.table import RouteTable

_EPOCH: Final = 1_767_225_600
"""When a model came to be is a fact that no table states; the field is required, so every model was
made at the beginning of 2026."""
_EPOCH_TEXT: Final = "2026-01-01T00:00:00Z"


def listed(table: RouteTable, allowed: Callable[[str], bool]) -> list[Model]:
    """List what a caller may name, in the table's order."""
    return [
        service.model
        for name, service in table.services.items()
        if service.model.listed
        and not service.model.is_pattern
        and service.model.offers
        and allowed(name)
    ]


def named(table: RouteTable, name: str, allowed: Callable[[str], bool]) -> Model | None:
    """Find one model by any name it answers to: its own, an alias, or one that its pattern matches.

    It is told under the name that was asked for, because that is the one to be used.
    """
    true_name = name
    for _ in table.aliases:
        if true_name not in table.aliases:
            break
        true_name = table.aliases[true_name].to
    service = find_service(true_name, table)
    if service is None or not service.model.offers or not allowed(true_name):
        return None
    return replace(service.model, name=name)


def write_list(models: Iterable[Model], dialect: str) -> bytes:
    """Write a list in a dialect's shape; each leaves out what it has no endpoint for."""
    if dialect == MESSAGES:
        entries = [_anthropic(model) for model in models if "messages" in model.endpoints]
        return json.dumps(
            {
                "data": entries,
                "has_more": False,
                "first_id": entries[0]["id"] if entries else None,
                "last_id": entries[-1]["id"] if entries else None,
            }
        )
    if dialect == GEMINI:
        return json.dumps(
            {"models": [_gemini(model) for model in models if "gemini" in model.endpoints]}
        )
    return json.dumps({"object": "list", "data": [_openai(model) for model in models]})


def write_one(model: Model, dialect: str) -> bytes:
    """Write one model in a dialect's shape."""
    writers = {MESSAGES: _anthropic, GEMINI: _gemini, CHAT: _openai}
    return json.dumps(writers.get(dialect, _openai)(model))


def _openai(model: Model) -> dict[str, Any]:
    return {
        "id": model.name,
        "object": "model",
        "created": _EPOCH,
        "owned_by": model.vendor or "unknown",
        "endpoints": [PATHS[word] for word in PATHS if word in model.endpoints],
        **({"context_length": model.context} if model.context is not None else {}),
        **({"max_output_tokens": model.output} if model.output is not None else {}),
    }


def _anthropic(model: Model) -> dict[str, Any]:
    return {
        "type": "model",
        "id": model.name,
        "display_name": model.name,
        "created_at": _EPOCH_TEXT,
        **({"max_input_tokens": model.context} if model.context is not None else {}),
        **({"max_tokens": model.output} if model.output is not None else {}),
    }


def _gemini(model: Model) -> dict[str, Any]:
    limits = {"inputTokenLimit": model.context, "outputTokenLimit": model.output}
    return {
        "name": f"models/{model.name}",
        "baseModelId": model.name,
        "version": "001",
        "displayName": model.name,
        "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
        **{name: limit for name, limit in limits.items() if limit is not None},
    }


__all__ = ["listed", "named", "write_list", "write_one"]
