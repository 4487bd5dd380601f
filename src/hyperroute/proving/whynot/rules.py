"""Changes to policies and to terms: a line less, a cap higher, a place more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hyperroute.catalog.card import Offer
from hyperroute.proving.reach import owned, parts
from hyperroute.proving.whynot.change import Change, Scene, step
from hyperroute.proving.whynot.edits import (
    selected,
    swap,
    with_equivalent,
    with_model,
    with_policy,
    with_terms,
)
from hyperroute.routing.resolve import Resolved
from hyperroute.routing.table import First, From, OfferTerm, Policy, Restrict, RouteTable, Term
from hyperroute.routing.view import View
from hyperroute.routing.why import plain

ONE = Fraction(1)


def of_policies(scene: Scene, offer: Offer, view: View) -> Iterator[Change]:
    """List what the policies that apply could say less of."""
    applied = frozenset(view.applied.key)
    for policy in scene.table.policies:
        if policy.name not in applied:
            continue
        for at, line in enumerate(policy.require):
            rest = (*policy.require[:at], *policy.require[at + 1 :])
            text = f"take {line.fact} out of what policy {policy.name} requires"
            yield _ruled(scene, replace(policy, require=rest), text, ONE)
        yield from _caps(scene, policy, offer, view)


def _caps(scene: Scene, policy: Policy, offer: Offer, view: View) -> Iterator[Change]:
    cap, price = policy.cap, view.price(offer)
    if cap.cost is not None and price is not None:
        need = Decimal(price) / scene.table.scale
        if need > cap.cost:
            size = Fraction(need - cap.cost) / Fraction(cap.cost) if cap.cost else ONE
            text = f"let policy {policy.name} cap cost at {plain(need)} instead of {plain(cap.cost)} usd"
            yield _ruled(scene, replace(policy, cap=replace(cap, cost=need)), text, size)
    if cap.input is not None and cap.input < view.input_tokens:
        text = f"let policy {policy.name} cap in at {view.input_tokens} instead of {cap.input}"
        changed = replace(policy, cap=replace(cap, input=view.input_tokens))
        yield _ruled(scene, changed, text, step(cap.input, view.input_tokens))
    asked = scene.request.max_output or 0
    if cap.output is not None and cap.output < asked:
        text = f"let policy {policy.name} cap out at {asked} instead of {cap.output}"
        changed = replace(policy, cap=replace(cap, output=asked))
        yield _ruled(scene, changed, text, step(cap.output, asked))


def _ruled(scene: Scene, policy: Policy, text: str, size: Fraction) -> Change:
    table = with_policy(scene.table, policy)
    return Change(kind="policy", step=size, text=text, scene=replace(scene, table=table))


# --- terms ---------------------------------------------------------------------------------------
def of_terms(scene: Scene, offer: Offer, resolved: Resolved | None) -> Iterator[Change]:
    """List what intents and chains could say otherwise, and where the offer could be added."""
    table = scene.table
    for owner, term in owned(table):
        for inner in parts(term):
            yield from _loosened(scene, owner, inner, len(table.offers))
    if resolved is None:
        return
    if resolved.service is not None and offer.model != resolved.service.model.name:
        name = resolved.service.model.name
        yield _turned(
            scene, with_equivalent(table, name, offer), f"add {offer.id} to instead of {name}", ONE
        )
    if resolved.service is not None and offer.model == resolved.service.model.name:
        model = resolved.service.model
        rest = tuple(one for one in model.offers if one.id != offer.id)
        ahead = with_model(table, replace(model, offers=(offer, *rest)))
        yield _turned(
            scene, ahead, f"declare {offer.id} before the other offers of {model.name}", ONE
        )
    if resolved.intent is not None and isinstance(resolved.intent.term, First):
        longer = First((*resolved.intent.term.terms, OfferTerm(offer.id)))
        text = f"add {offer.id} to the end of intent {resolved.name}"
        intents = {
            name: replace(one, term=longer) if name == resolved.name else one
            for name, one in table.intents.items()
        }
        yield _turned(scene, replace(table, intents=intents), text, ONE)


def _loosened(scene: Scene, owner: str, term: Term, most: int) -> Iterator[Change]:
    table = scene.table
    if isinstance(term, From):
        for at, line in enumerate(term.condition):
            rest = (*term.condition[:at], *term.condition[at + 1 :])
            changed = with_terms(table, swap(term, selected(From(rest, ()), table)))
            yield _turned(scene, changed, f"take {line.fact} out of from of {owner}", ONE)
    if not isinstance(term, Restrict):
        return
    for at, line in enumerate(term.require):
        rest = (*term.require[:at], *term.require[at + 1 :])
        changed = with_terms(table, swap(term, replace(term, require=rest)))
        yield _turned(scene, changed, f"take {line.fact} out of what {owner} requires", ONE)
    if term.take is not None:
        for count in range(term.take + 1, most + 1):
            changed = with_terms(table, swap(term, replace(term, take=count)))
            text = f"let {owner} take {count} instead of {term.take}"
            yield _turned(scene, changed, text, step(term.take, count))


def _turned(scene: Scene, table: RouteTable, text: str, size: Fraction) -> Change:
    return Change(kind="term", step=size, text=text, scene=replace(scene, table=table))
