"""The replayable core of a decision: needs, answers, seed, and the digest of the table.

Laws: planning again from a capsule and an equal table gives the same bytes; a capsule holds no
prompt text, no media and no secret, only what a decision reads of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hyperroute.canon.request import Conversation, Narrowing, Request
from hyperroute.routing.questions import Answers
from hyperroute.routing.readings import redacted
from hyperroute.routing.table import RouteTable
from hyperroute.routing.view import as_fact

VERSION = 3


def sealed(request: Request, table: RouteTable, answers: Answers, seed: int) -> bytes:
    """Write the inputs of a plan down, the same way in any process."""
    document = {
        "capsule": VERSION,
        "table": table.digest,
        "seed": seed,
        "needs": _needs(request),
        "answers": _answers(answers),
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def opened(data: bytes, table: RouteTable) -> tuple[Request, Answers, int]:
    """Read a capsule back into what ``plan`` takes: request, answers and seed.

    Raises:
        ValueError: The bytes are no capsule of this version, or belong to another table.
    """
    try:
        document = json.loads(data)
        version, digest = document["capsule"], document["table"]
    except (ValueError, TypeError, KeyError) as error:
        message = "these bytes are no capsule"
        raise ValueError(message) from error
    if version != VERSION:
        message = f"this capsule is of version {version!r}, not {VERSION}"
        raise ValueError(message)
    if digest != table.digest:
        message = f"this capsule belongs to table {digest!r}, not {table.digest!r}"
        raise ValueError(message)
    return _request(document["needs"]), _answered(document["answers"]), document["seed"]


def _needs(request: Request) -> dict[str, Any]:
    narrowing = request.narrowing
    return {
        "kind": request.kind,
        "model": request.model,
        "intent": request.intent,
        "dialect": request.dialect,
        "endpoint": request.endpoint,
        "stream": request.stream,
        "features": sorted(request.features),
        "input_bytes": request.input_bytes,
        "max_output": request.max_output,
        "parameters": {
            name: packed(redacted(name, value))
            for name, value in sorted(request.parameters.items())
        },
        "labels": {name: packed(as_fact(value)) for name, value in sorted(request.labels.items())},
        "narrowing": {
            "fallback": narrowing.fallback,
            "only": None if narrowing.only is None else list(narrowing.only),
            "avoid": list(narrowing.avoid),
            "max_cost": narrowing.max_cost,
            "deadline_ns": narrowing.deadline_ns,
            "cache": narrowing.cache,
            "models": None if narrowing.models is None else list(narrowing.models),
            "account": narrowing.account,
            "again": narrowing.again,
        },
    }


def _request(needs: Mapping[str, Any]) -> Request:
    narrowing = dict(needs["narrowing"])
    only, models = narrowing.pop("only"), narrowing.pop("models")
    return Request(
        kind=needs["kind"],
        model=needs["model"],
        intent=needs["intent"],
        dialect=needs["dialect"],
        endpoint=needs["endpoint"],
        raw={},
        stream=needs["stream"],
        features=frozenset(needs["features"]),
        input_bytes=needs["input_bytes"],
        max_output=needs["max_output"],
        parameters=unpacked(needs["parameters"]),
        labels=unpacked(needs["labels"]),
        narrowing=Narrowing(
            **{
                **narrowing,
                "only": None if only is None else tuple(only),
                "avoid": tuple(narrowing["avoid"]),
                "models": None if models is None else tuple(models),
            }
        ),
        decode=lambda _: Conversation(),
    )


def _answers(answers: Answers) -> dict[str, Any]:
    return {
        "at": answers.at,
        "day": answers.day,
        "input_tokens": answers.input_tokens,
        "blocked": dict(answers.blocked),
        "full": dict(answers.full),
        "probing": sorted(answers.probing),
        "missing": dict(answers.missing),
        "facts": {name: packed(value) for name, value in answers.facts.items()},
        "measured": {name: dict(values) for name, values in answers.measured.items()},
    }


def _answered(known: Mapping[str, Any]) -> Answers:
    return Answers(
        at=known["at"],
        day=known["day"],
        input_tokens=known["input_tokens"],
        blocked=known["blocked"],
        full=known["full"],
        probing=frozenset(known["probing"]),
        missing=known["missing"],
        facts=unpacked(known["facts"]),
        measured=known["measured"],
    )


_DECIMAL, _TUPLE, _SET = "$decimal", "$tuple", "$set"


def packed(value: Any) -> Any:
    """Write a fact or parameter as JSON that reads back as the same value."""
    if isinstance(value, Decimal):
        return {_DECIMAL: str(value)}
    if isinstance(value, tuple):
        return {_TUPLE: [packed(one) for one in value]}
    if isinstance(value, frozenset):
        return {_SET: sorted(value)}
    if isinstance(value, list):
        return [packed(one) for one in value]
    if isinstance(value, Mapping):
        return {str(name): packed(one) for name, one in value.items()}
    return value


def unpacked(value: Any) -> Any:
    """Read what ``packed`` wrote."""
    if isinstance(value, list):
        return [unpacked(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {_DECIMAL}:
        return Decimal(value[_DECIMAL])
    if value.keys() == {_TUPLE}:
        return tuple(unpacked(one) for one in value[_TUPLE])
    if value.keys() == {_SET}:
        return frozenset(value[_SET])
    return {name: unpacked(one) for name, one in value.items()}
