"""Changes to the request and to what is known of the world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hyperroute.catalog.card import Offer
from hyperroute.proving.whynot.change import Change, Kind, Scene, step
from hyperroute.routing.needs import BYTES_PER_TOKEN
from hyperroute.routing.view import View
from hyperroute.routing.why import plain

ONE = Fraction(1)


def of_request(scene: Scene, offer: Offer, view: View) -> Iterator[Change]:
    """List what a caller could ask for instead."""
    request = scene.request

    def changed(text: str, size: Fraction = ONE, **changes: Any) -> Change:
        return Change(
            kind="request",
            step=size,
            text=text,
            scene=replace(scene, request=request.but(**changes)),
        )

    for feature in sorted(request.features):
        yield changed(f"do not need {feature}", features=request.features - {feature})
    for endpoint in sorted(offer.endpoints - {request.endpoint}):
        if request.endpoint:
            yield changed(f"send it to the endpoint {endpoint}", endpoint=endpoint)
    asked = request.max_output
    if asked is not None:
        limits = [offer.output, view.rules.output]
        if offer.context is not None:
            limits.append(offer.context - view.input_tokens)
        for limit in sorted({one for one in limits if one is not None and 0 < one < asked}):
            text = f"ask for {limit} tokens of output instead of {asked}"
            yield changed(text, step(asked, limit), max_output=limit)
    yield from _shorter(scene, offer, view)
    for name in sorted(request.parameters):
        rest = {key: value for key, value in request.parameters.items() if key != name}
        yield changed(f"leave out {name}", parameters=rest)
    yield from _narrowing(scene, offer, view)


def _shorter(scene: Scene, offer: Offer, view: View) -> Iterator[Change]:
    have, asked = view.input_tokens, scene.request.max_output or 0
    limits = [offer.input, view.rules.input]
    limits += [offer.context - asked] if offer.context is not None else []
    for limit in sorted({one for one in limits if one is not None and 0 < one < have}):
        answers = replace(scene.answers, input_tokens=limit)
        request = scene.request.but(input_bytes=limit * BYTES_PER_TOKEN)
        yield Change(
            kind="request",
            step=step(have, limit),
            text=f"send {limit} tokens of input instead of {have}",
            scene=replace(scene, request=request, answers=answers),
        )


def _narrowing(scene: Scene, offer: Offer, view: View) -> Iterator[Change]:
    narrowing = scene.request.narrowing

    def changed(text: str, size: Fraction = ONE, **changes: Any) -> Change:
        request = scene.request.but(narrowing=replace(narrowing, **changes))
        return Change(kind="request", step=size, text=text, scene=replace(scene, request=request))

    if narrowing.only is not None and offer.provider not in narrowing.only:
        only = (*narrowing.only, offer.provider)
        yield changed(f"name {offer.provider} in providers.only", only=only)
    if offer.provider in narrowing.avoid:
        avoid = tuple(one for one in narrowing.avoid if one != offer.provider)
        yield changed(f"do not avoid {offer.provider}", avoid=avoid)
    if not narrowing.fallback:
        yield changed("allow a fallback", fallback=True)
    if narrowing.models is not None:
        name = view.name_of(offer)
        yield changed(f"open the key to {name}", models=(*narrowing.models, name))
    if narrowing.account is not None:
        yield changed("send the whole conversation", account=None)
    price = view.selling_price(offer)
    if narrowing.max_cost is not None and price is not None:
        have, need = Decimal(narrowing.max_cost), Decimal(price) / scene.table.scale
        if need > have:
            far = Fraction(need - have) / Fraction(have) if have else ONE
            text = f"allow max_cost of {plain(need)} usd instead of {plain(have)}"
            yield changed(text, far, max_cost=format(need, "f"))


def of_world(scene: Scene, offer: Offer, view: View) -> Iterator[Change]:
    """List what could become otherwise by itself, or by somebody who sets a variable."""
    answers = scene.answers
    keys = view.credentials_of(offer)
    names = [name for name in (offer.provider, *keys) if name in answers.missing]
    for wanted in sorted({answers.missing[name] for name in names}):
        rest = {
            name: word
            for name, word in answers.missing.items()
            if name not in names or word != wanted
        }
        yield _known("world", f"set {wanted}", scene, missing=rest)
    scopes = [f"offer:{offer.id}", f"provider:{offer.provider}"]
    scopes += [f"credential:{key}" for key in keys]
    scopes += [f"credential_model:{key}/{offer.model}" for key in keys]
    for scope in scopes:
        if view.blocked(scope):
            rest_of = {name: until for name, until in answers.blocked.items() if name != scope}
            what = scope.replace(":", " ", 1).replace("_", " of a ", 1)
            yield _known(
                "world", f"wait until {what} is no longer left alone", scene, blocked=rest_of
            )
    if offer.id in answers.probing:
        yield _known(
            "world", "wait for the probe in flight", scene, probing=answers.probing - {offer.id}
        )


def _known(
    kind: Kind, text: str, scene: Scene, **changes: Mapping[str, Any] | frozenset[str]
) -> Change:
    answers = replace(scene.answers, **changes)  # type: ignore[arg-type]
    return Change(kind=kind, step=ONE, text=text, scene=replace(scene, answers=answers))
