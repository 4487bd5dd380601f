"""Candidates drawn when they are looked at.

A plan of twenty offers is made for one answer, and most of it is never read: the first offer
usually serves. So a candidate keeps its offer and its price, and works out the rest (the credential
order, the worst price, merged timeouts, parameters) when first asked, from the same inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from itertools import repeat
from typing import Any

from hyperroute.canon.failure import FailureClass
from hyperroute.canon.money import Microcredits
from hyperroute.canon.usage import Usage
from hyperroute.catalog.card import Offer, Timeouts
from hyperroute.catalog.charging import charge_bound
from hyperroute.catalog.pricing import bound, sheet_on
from hyperroute.routing.candidate import Candidate
from hyperroute.routing.needs import worst_usage
from hyperroute.routing.policies import tighter
from hyperroute.routing.resolve import sends
from hyperroute.routing.shapes import Misfit, changes
from hyperroute.routing.view import View

ALWAYS: frozenset[FailureClass] = frozenset()


class Drawn(Candidate):
    """A candidate whose further fields are computed on first reading, and then stay."""

    __slots__ = ("_view",)
    _view: View

    def __getattr__(self, name: str) -> Any:
        """Compute a field that was not set yet; Python calls this only for those."""
        draw = _DRAWERS.get(name)
        if draw is None:
            raise AttributeError(name)
        value = draw(self, self._view)
        object.__setattr__(self, name, value)
        return value

    def __reduce__(self) -> tuple[object, ...]:
        """Travel as a plain candidate, whole."""
        return (_plain, tuple(getattr(self, name) for name in _FIELDS))


_FIELDS = tuple(Candidate.__dataclass_fields__)


def _plain(*values: Any) -> Candidate:
    return Candidate(**dict(zip(_FIELDS, values, strict=True)))


_new = Drawn.__new__
_set_offer = Candidate.__dict__["offer"].__set__
_set_view = Drawn.__dict__["_view"].__set__
_set_after = Candidate.__dict__["after"].__set__
_set_last = Candidate.__dict__["last_resort"].__set__

LIMIT = "max_output"
"""The parameter that limits an answer's tokens; each dialect has a member of its own for it."""


def draw(offers: Sequence[Offer], view: View) -> list[Candidate]:
    """Make candidates of offers.

    In three passes without a step of the interpreter for each: a third of the time of a loop, and
    this is the only part of a decision that grows with the candidates.
    """
    candidates: list[Candidate] = list(map(_new, repeat(Drawn, len(offers))))
    any(map(_set_offer, candidates, offers))
    any(map(_set_view, candidates, repeat(view)))
    return candidates


def drawn(offer: Offer, view: View) -> Candidate:
    """Make a candidate of an offer."""
    candidate = _new(Drawn)
    _set_offer(candidate, offer)
    _set_view(candidate, view)
    return candidate


def drawn_after(offer: Offer, view: View, after: frozenset[FailureClass]) -> Candidate:
    """Make a candidate that is only tried after some failures."""
    candidate = drawn(offer, view)
    _set_after(candidate, after)
    return candidate


def drawn_last(offer: Offer, view: View) -> Candidate:
    """Make the one candidate of a plan whose every offer is closed."""
    candidate = drawn(offer, view)
    _set_last(candidate, True)
    return candidate


def credentials(offer: Offer, view: View, *, last_resort: bool = False) -> tuple[str, ...]:
    """Order an account's credentials: those not cooling, by a rendezvous hash of the organisation.

    One organisation starts with one key as long as it can, so that prompt caches stay warm; a key
    that cools moves only those who started with it. Without an organisation the key or user of the
    caller stands in.
    """
    keys = view.warm(offer)
    if not keys and last_resort:
        keys = tuple(key for key in view.credentials_of(offer) if key not in view.answers.missing)
    if len(keys) > 1:
        who = view.fact("org.id") or view.fact("key.id") or view.fact("user.id") or ""
        keys = tuple(sorted(keys, key=lambda key: (_weight(f"{who}\0{key}"), key)))
    return keys[:1] if last_resort else keys


def _weight(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=8).digest()


def rotations(offer: Offer, view: View) -> int:
    """Bound the attempts with another credential."""
    return max(0, min(len(credentials(offer, view)) - 1, view.rules.rotate))


def worst(offer: Offer, view: View) -> int | None:
    """Bound the price of one attempt."""
    sheet = sheet_on(offer.price, view.day)
    fitted = view.fitted(offer)
    if sheet is None or isinstance(fitted, Misfit):
        return None
    return bound(_most(offer, view, fitted.parameters), sheet, fitted.parameters)


def worst_charge(offer: Offer, view: View) -> Microcredits | None:
    """Bound what an answer of this offer costs its caller; what a hold must cover."""
    fitted = view.fitted(offer)
    if isinstance(fitted, Misfit):
        return None
    return charge_bound(
        view.index.model_of(offer).sell,
        offer.price,
        _most(offer, view, fitted.parameters),
        fitted.parameters,
        day=view.day,
        scale=view.table.scale,
    )


def _most(offer: Offer, view: View, parameters: Mapping[str, Any]) -> Usage:
    """Bound what one attempt can consume."""
    request, rules = view.request, view.rules
    caps = [limit for limit in (request.max_output, rules.output) if limit is not None]
    return worst_usage(
        request,
        offer,
        view.index.model_of(offer),
        parameters,
        input_tokens=view.input_tokens if view.counted else request.input_bytes,
        output_cap=min(caps, default=None),
    )


def timeouts(offer: Offer, view: View) -> Timeouts:
    """Merge the limits of the policies, the account and the offer: the smallest of each."""
    account = view.table.providers[offer.provider].timeout
    if account is None and offer.timeout is None:
        return view.rules.timeouts
    return tighter(view.rules.timeouts, account, offer.timeout)


def _upstream(candidate: Candidate, view: View) -> str:
    offer = candidate.offer
    return sends(view.index.model_of(offer), offer.sends, view.name_of(offer))


def _parameters(candidate: Candidate, view: View) -> Mapping[str, Any]:
    offer = candidate.offer
    fitted = view.fitted(offer)
    if isinstance(fitted, Misfit):
        return {}
    changed = changes(view.request.parameters, fitted, offer.fields)
    most = output_limit(offer, view)
    return changed if most is None else {**changed, offer.fields.get(LIMIT, LIMIT): most}


def output_limit(offer: Offer, view: View) -> int | None:
    """Say what an answer must be limited to because a policy caps it and the caller did not.

    Without it the provider would not know of the cap, and the worst price would be no bound.
    """
    cap = view.rules.output
    if cap is None or view.request.kind != "chat" or view.request.max_output is not None:
        return None
    return cap if offer.output is None else min(cap, offer.output)


_DRAWERS: dict[str, Any] = {
    "after": lambda _one, _view: ALWAYS,
    "last_resort": lambda _one, _view: False,
    "sends": _upstream,
    "parameters": _parameters,
    "expected": lambda one, view: view.price(one.offer),
    "worst": lambda one, view: worst(one.offer, view),
    "worst_charge": lambda one, view: worst_charge(one.offer, view),
    "credentials": lambda one, view: credentials(one.offer, view, last_resort=one.last_resort),
    "timeouts": lambda one, view: timeouts(one.offer, view),
    "retries": lambda one, view: 0 if one.last_resort else view.retries,
    "rotations": lambda one, view: 0 if one.last_resort else rotations(one.offer, view),
}
