"""Answers that no run makes: which models there are, and how many tokens a request has."""

from __future__ import annotations

from hyperroute.canon.failure import FailureClass
from hyperroute.canon.request import Request
from hyperroute.canon.wire import Headers
from hyperroute.dialects import json
from hyperroute.dialects.base import ClientError, Dialect
from hyperroute.errors import RequestError
from hyperroute.gateway import models, render
from hyperroute.gateway.door import Caller
from hyperroute.gateway.message import HttpResponse
from hyperroute.gateway.paths import MESSAGES, Place
from hyperroute.gateway.visit import Visit
from hyperroute.runtime.desk import Desk

_UNNAMED = frozenset({"model_not_found", "missing_model", "intent_not_found", "wrong_endpoint"})
"""Refusals of a request that names nothing which could be counted for."""


def models_told(
    desk: Desk, place: Place, dialect: Dialect, caller: Caller, visit: Visit
) -> HttpResponse:
    """List the models that are open to a caller, or tell of one."""
    table = desk.router.table
    if place.verb == "models":
        found = models.listed(table, caller.may_name)
        return told(200, models.write_list(found, dialect.name), visit, caller.headers)
    name = (place.model or "").removeprefix("models/")
    model = models.named(table, name, caller.may_name)
    if model is not None:
        return told(200, models.write_one(model, dialect.name), visit, caller.headers)
    return render.refusal(dialect, error(404, f"There is no model {name[:100]!r}.", visit))


def counted(desk: Desk, request: Request, caller: Caller, visit: Visit) -> HttpResponse:
    """Count the input; where that is not possible, estimate, and say so in a header.

    Raises:
        RequestError: The model is unknown, or closed to the caller.
    """
    decided = desk.router.plan(request)
    refused = decided.refusal
    closed = decided.pinned and not caller.may_name(decided.name)
    if refused is not None and (closed or refused.code in _UNNAMED):
        raise RequestError(
            refused.message,
            status=refused.status,
            code=refused.code,
            param=refused.param,
            available=refused.available,
        )
    measured = desk.measure(request)
    tokens = measured.tokens
    body = (
        {"input_tokens": tokens}
        if request.dialect == MESSAGES
        else {
            "totalTokens": tokens,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}],
        }
    )
    more = (*caller.headers, ("x-hyperroute-count", measured.way))
    return told(200, json.dumps(body), visit, more)


def told(status: int, body: bytes, visit: Visit, more: Headers = ()) -> HttpResponse:
    """Answer with JSON that is about this moment."""
    headers = (*render.ids(visit.request_id), render.JSON, render.NO_STORE, *more)
    return HttpResponse(status=status, headers=headers, body=body)


def error(status: int, message: str, visit: Visit) -> ClientError:
    """Say what is wrong with a request, whatever its dialect."""
    kind: FailureClass | str = "not_found" if status == 404 else FailureClass.BAD_REQUEST
    return ClientError(status=status, kind=kind, message=message, request_id=visit.request_id)


__all__ = ["counted", "error", "models_told", "told"]
