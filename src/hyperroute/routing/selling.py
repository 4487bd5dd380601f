"""What a run sets aside, what it charges and what it cost us: a plan and a record in money.

A caller pays for the answer that was delivered, in whole or in part, at the prices of the day on
which it was dispatched. What failed is free (40), what lost is ours (41), and both are listed.
"""

from __future__ import annotations

from hyperroute.canon.money import Cost, Microcredits
from hyperroute.canon.usage import Usage
from hyperroute.catalog.card import Offer
from hyperroute.catalog.charging import charge, owing
from hyperroute.catalog.pricing import sheet_on
from hyperroute.routing.index import index_of
from hyperroute.routing.plan import Plan
from hyperroute.routing.quotas import spent_from
from hyperroute.routing.record import Record
from hyperroute.routing.recording import CHARACTERS_PER_TOKEN, asked_of


def worst_charge(plan: Plan) -> Microcredits | None:
    """Bound what the request may cost its caller, whichever candidate serves it.

    Returns:
        ``None`` where one of them has no bound.
    """
    worst = 0
    for candidate in plan.candidates:
        if candidate.worst_charge is None:
            return None
        worst = max(worst, candidate.worst_charge)
    return worst


def unpriced(plan: Plan) -> tuple[Offer, ...]:
    """List the offers whose answers have no price: what nobody can charge is not free."""
    index, day = index_of(plan.table), plan.answers.day
    found: list[Offer] = []
    for candidate in plan.candidates:
        own = index.model_of(candidate.offer).sell.price
        if sheet_on(candidate.offer.price if own is None else own, day) is None:
            found.append(candidate.offer)
    return tuple(found)


def charged(plan: Plan, record: Record) -> Microcredits | None:
    """Price what was delivered; ``None``: nothing was, or its price is unknown."""
    answer = record.answer
    return None if answer is None else _charge(plan, answer.offer, answer.usage)


def charged_so_far(plan: Plan, offer: Offer, produced: int) -> Microcredits:
    """Price an answer that is on its way: its input, and the characters that came."""
    usage = Usage(
        input_tokens=plan.input_tokens,
        output_tokens=-(-produced // CHARACTERS_PER_TOKEN),
        estimated=True,
    )
    return _charge(plan, offer.id, usage) or 0


def costs(plan: Plan, record: Record) -> tuple[Cost, ...]:
    """List what each attempt costs us, as far as it is known, and which accounts' budgets it uses."""
    answer = record.answer
    return tuple(
        [
            Cost(
                attempt.provider,
                owing(attempt.cost, scale=record.scale),
                attempt is answer,
                spent_from(plan, record, attempt),
            )
            for attempt in record.attempts
            if attempt.cost is not None
        ]
    )


def _charge(plan: Plan, offer: str, usage: Usage) -> Microcredits | None:
    candidate = next(one for one in plan.candidates if one.offer.id == offer)
    model = index_of(plan.table).model_of(candidate.offer)
    return charge(
        model.sell,
        candidate.offer.price,
        usage,
        asked_of(plan, candidate),
        day=plan.answers.day,
        scale=plan.table.scale,
    )


__all__ = ["charged", "charged_so_far", "costs", "unpriced", "worst_charge"]
