"""Declared equivalents of a pinned model: when they are tried, and that they never cost more.

Laws: an ``instead`` entry is not followed further; what the caller pays for this request at an
equivalent is at most what the model asked for would have cost; with an unknown price on either
side that cannot be said, so the equivalent is not used.
"""

from __future__ import annotations

from hyperroute.canon.failure import FailureClass
from hyperroute.catalog.card import Offer
from hyperroute.routing.qualify import fits, select
from hyperroute.routing.table import Instead, Service
from hyperroute.routing.view import View

ALWAYS: frozenset[FailureClass] = frozenset()


def equivalents(
    service: Service, view: View
) -> tuple[tuple[Instead, frozenset[FailureClass]], ...]:
    """List a model's equivalents with the failures after which each is tried (none: after any).

    One for ``context_length`` is tried at once when the request fits none of the model's offers:
    that failure is then known before anything is sent.
    """
    too_long = not any(fits(view, offer) for offer in service.model.offers)
    return tuple(
        (entry, ALWAYS if too_long and FailureClass.CONTEXT_LENGTH in entry.after else entry.after)
        for entry in service.instead
    )


def asked_price(service: Service, view: View) -> int | None:
    """Price what the caller asked for: the least that a qualifying own offer would have cost.

    The least, because a caller of a model with two prices was promised neither the dearer one nor
    an equivalent above the cheaper one. Health plays no part. Where no own offer qualifies, all
    of them stand for what was asked.
    """
    selected = select(view.index.of_model(service), view).offers
    prices = [view.selling_price(offer) for offer in selected or service.model.offers]
    known = [price for price in prices if price is not None]
    return min(known) if known and len(known) == len(prices) else None


def no_dearer(offer: Offer, asked: int | None, view: View) -> bool:
    """Say whether an equivalent is known to cost the caller no more than the model asked for."""
    price = view.selling_price(offer)
    return price is not None and asked is not None and price <= asked
