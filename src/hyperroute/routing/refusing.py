"""Why a request gets no candidate: one clean error, about the caller's own request and rights.

Laws: nothing here names our credentials' content, an upstream's address or another tenant; a
message says what would work.
"""

from __future__ import annotations

from hyperroute.routing.candidate import Refusal
from hyperroute.routing.resolve import PATHS, Resolved, available
from hyperroute.routing.shapes import Misfit
from hyperroute.routing.table import Service
from hyperroute.routing.view import View


def pin_refused(view: View, service: Service, name: str) -> Refusal | None:
    """Refuse a pinned model at the wrong endpoint, for the wrong client, or in the wrong shape."""
    model, request = service.model, view.request
    if model.clients is not None and view.fact("req.client") not in model.clients:
        return Refusal(
            status=403,
            code="client_not_allowed",
            message=f"Model {name!r} is not available to this client.",
            param="model",
        )
    if request.endpoint not in model.endpoints or request.kind != model.kind:
        return wrong_endpoint(view, name, model.endpoints)
    fitted = view.fitted_model(model)
    if isinstance(fitted, Misfit):
        return Refusal(
            status=400,
            code="invalid_parameter",
            message=f"{fitted.parameter!r} of model {name!r} must be {fitted.needed}; "
            f"it was {fitted.had}.",
            param=fitted.parameter,
        )
    return None


def wrong_endpoint(view: View, name: str, endpoints: frozenset[str]) -> Refusal:
    """Name the path that would have served."""
    paths = [PATHS.get(endpoint, endpoint) for endpoint in sorted(endpoints)]
    return Refusal(
        status=400,
        code="wrong_endpoint",
        message=f"{name!r} is not served at this endpoint; use {' or '.join(paths)}.",
        param="model",
        available=available(view.table, view.request),
    )


def request_refused(view: View) -> Refusal | None:
    """Refuse what a policy caps, before any offer is looked at."""
    rules, request = view.rules, view.request
    if rules.input is not None and view.input_tokens > rules.input:
        return Refusal(
            status=400,
            code="over_cap",
            message=f"The input has about {view.input_tokens} tokens; at most {rules.input} are "
            "allowed here.",
            param="input",
        )
    if rules.output is not None and (request.max_output or 0) > rules.output:
        return Refusal(
            status=400,
            code="over_cap",
            message=f"At most {rules.output} output tokens may be asked for here, not "
            f"{request.max_output}.",
            param="max_tokens",
        )
    return None


def nothing_left(view: View, resolved: Resolved) -> Refusal:
    """Say why no offer is left."""
    return Refusal(
        status=503,
        code="no_candidate",
        message=f"No offer can serve {resolved.name!r} now.",
        param="model",
    )
