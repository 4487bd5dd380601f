"""Changes to what a table says of an offer: facts and prices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

from hyperroute.catalog.card import Model, Offer
from hyperroute.catalog.condition import Condition, Fact, FactRef, Line
from hyperroute.catalog.facts import line_holds, model_fact, offer_fact, resolve
from hyperroute.catalog.price import Price
from hyperroute.proving.whynot.change import Change, Scene, chosen, step
from hyperroute.proving.whynot.edits import finer, with_model, with_offer
from hyperroute.routing.table import From
from hyperroute.routing.view import View
from hyperroute.routing.why import plain, worded

ONE = Fraction(1)
_FIELDS = {
    "does": "does",
    "endpoints": "endpoints",
    "tags": "tags",
    "context": "context",
    "input": "input",
    "output": "output",
    "region": "region",
    "retain": "retain_ns",
    "trains": "trains",
}
"""Facts that an offer may say for itself."""


def of_offer(
    scene: Scene, offer: Offer, view: View, demands: Condition, froms: tuple[From, ...]
) -> Iterator[Change]:
    """List what the table could say of the offer instead, prices last."""
    request = scene.request
    for name, need in (
        ("context", view.context_needed),
        ("input", view.input_tokens),
        ("output", request.max_output or 0),
    ):
        have = getattr(offer, name)
        if need and (have is None or have < need):
            size = step(have, need)
            yield _said(scene, offer, name, need, size)
    wanted = frozenset(request.features)
    if not wanted <= offer.does:
        yield _said(scene, offer, "does", offer.does | wanted, Fraction(len(wanted - offer.does)))
    if request.endpoint and request.endpoint not in offer.endpoints:
        yield _said(scene, offer, "endpoints", offer.endpoints | {request.endpoint}, ONE)
    for line in demands:
        yield from _satisfying(scene, offer, line, view)
    for term in froms:
        yield from _selected(scene, offer, term)


def _said(scene: Scene, offer: Offer, name: str, value: Any, size: Fraction) -> Change:
    changed = replace(offer, **{_FIELDS[name]: value})
    had: Any = getattr(offer, _FIELDS[name])
    if isinstance(value, frozenset):
        text = f"let {offer.id} have {', '.join(sorted(value - had))} in {name}"
    else:
        text = f"let {name} of {offer.id} be {worded(value)} instead of {worded(had)}"
    return Change(
        kind="offer",
        step=size,
        text=text,
        scene=replace(scene, table=with_offer(scene.table, changed)),
    )


def _satisfying(scene: Scene, offer: Offer, line: Line, view: View) -> Iterator[Change]:
    """Say the fact that a line wants, where an offer can say it."""
    if line.fact not in _FIELDS:
        return
    values = resolve(line, view.fact)
    had = offer_fact(offer, line.fact)
    if values is None or line_holds(replace(line, values=values), lambda _: had):
        return
    if line.op == "contains":
        words = frozenset(str(value) for value in values)
        own: frozenset[str] = getattr(offer, _FIELDS[line.fact])
        yield _said(scene, offer, line.fact, own | words, Fraction(len(words - own)))
        return
    for value in values:
        new: Fact = value
        if line.op in (">", "<") and isinstance(value, int):
            new = value + (1 if line.op == ">" else -1)
        if line.op == "not" or (isinstance(value, str) and "*" in value):
            continue
        if isinstance(getattr(offer, _FIELDS[line.fact]), frozenset):
            continue
        size = (
            step(had, new)
            if isinstance(new, int) and isinstance(had, int) and not isinstance(new, bool)
            else ONE
        )
        yield _said(scene, offer, line.fact, new, size)


def _selected(scene: Scene, offer: Offer, term: From) -> Iterator[Change]:
    """Say of the model what an intent selects by."""
    model = scene.table.services[offer.model].model
    for line in term.condition:
        have = model_fact(model, line.fact)
        if any(isinstance(value, FactRef) for value in line.values):
            continue
        if line_holds(line, partial(model_fact, model)):
            continue
        for value in line.values:
            changed = _told(model, line, value)
            if changed is not None:
                yield Change(
                    kind="offer",
                    step=step(have, value)
                    if isinstance(have, int) and isinstance(value, int)
                    else ONE,
                    text=f"let {line.fact} of {model.name} be {worded(value)}"
                    f" instead of {worded(have)}",
                    scene=replace(scene, table=with_model(scene.table, changed)),
                )


def _told(model: Model, line: Line, value: Any) -> Model | None:
    """Say a fact of a model, and of its offers, which carry it too."""
    changes: dict[str, Any]
    if line.fact.startswith("quality."):
        changes = {"quality": {**model.quality, line.fact[8:]: value}}
    elif line.fact in ("does", "tags"):
        held: frozenset[str] = getattr(model, line.fact)
        changes = {line.fact: held | {str(one) for one in line.values}}
    elif line.fact in ("context", "input", "output", "vendor"):
        changes = {line.fact: value}
    else:
        return None
    offers = tuple(replace(one, **changes) for one in model.offers)
    return replace(model, offers=offers, **changes)


# --- prices --------------------------------------------------------------------------------------
def of_price(coarse: Scene, offer_id: str, *, first: bool) -> Iterator[Change]:
    """Find the least cut of the price, in whole percents, that is enough; or any price that is."""
    # A hundredth of a unit, so that a percent of any rate is exact.
    scene = replace(coarse, table=finer(coarse.table, 100))
    offer = scene.table.offers[offer_id]
    view = scene.view()
    if not offer.price:
        others = {one.id: one for one in view.index.offers.values() if one.price}
        for other in sorted(others.values(), key=lambda one: (-(view.price(one) or 0), one.id)):
            made = _priced(
                scene, offer, other.price, ONE, f"give {offer.id} the price of {other.id}"
            )
            if chosen(made.scene.plan(), offer.id, first=first):
                yield made
                return
        return

    def cut(percent: int) -> Change:
        price = scaled_price(offer.price, percent)
        text = f"let {offer.id} cost {percent}% less"
        now = view.price(offer)
        if now is not None:
            cheaper = with_offer(scene.table, replace(offer, price=price))
            less = replace(scene, table=cheaper).view()
            after = less.price(cheaper.offers[offer.id])
            if after is not None:
                unit = Fraction(1, scene.table.scale)
                text += f": {_usd(after * unit)} instead of {_usd(now * unit)} usd for this request"
        return _priced(scene, offer, price, Fraction(percent, 100), text)

    least = _least(lambda percent: chosen(cut(percent).scene.plan(), offer.id, first=first))
    if least is not None:
        yield cut(least)


def _least(enough: Callable[[int], bool]) -> int | None:
    """Find the least percent that is enough; a lower price never makes an offer worse."""
    if not enough(100):
        return None
    low, high = 0, 100
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def scaled_price(price: Price, percent: int) -> Price:
    """Take so many percent off every rate."""

    def less(rates: Mapping[str, int]) -> dict[str, int]:
        return {meter: rate * (100 - percent) // 100 for meter, rate in rates.items()}

    return tuple(
        replace(
            sheet,
            rates=less(sheet.rates),
            tiers=tuple(replace(tier, rates=less(tier.rates)) for tier in sheet.tiers),
        )
        for sheet in price
    )


def _priced(scene: Scene, offer: Offer, price: Price, size: Fraction, text: str) -> Change:
    table = with_offer(scene.table, replace(offer, price=price))
    return Change(kind="offer", step=size, text=text, scene=replace(scene, table=table))


def _usd(amount: Fraction) -> str:
    return plain(Decimal(amount.numerator) / Decimal(amount.denominator))
