"""What a model says of its own serving: the order of its offers, and its equivalents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hyperroute.canon.failure import FailureClass
from hyperroute.catalog.card import Model
from hyperroute.routing.table import (
    First,
    Instead,
    Match,
    ModelTerm,
    NoOffers,
    OfferTerm,
    Restrict,
    Split,
    Term,
)
from hyperroute.tables.namespace import Namespace
from hyperroute.tables.report import Spot
from hyperroute.tables.schema_catalog import InsteadDoc
from hyperroute.tables.schema_terms import TermDoc
from hyperroute.tables.terms import Terms


def own_term(spot: Spot, doc: TermDoc | str, model: Model, terms: Terms) -> Term:
    """Compile ``use`` of a model, which may name nothing but its own offers."""
    term = terms.term(spot, doc, model.name)
    terms.edges.pop(model.name, None)
    own = {offer.id for offer in model.offers}
    for leaf in _leaves(term):
        if isinstance(leaf, NoOffers) or leaf == ModelTerm(model.name):
            continue
        if not (isinstance(leaf, OfferTerm) and leaf.id in own):
            name = getattr(leaf, "id", None) or getattr(leaf, "name", "from")
            spot.error(f"use orders the model's own offers, and {name!r} is none of them")
            break
    return term


def _leaves(term: Term) -> Iterator[Term]:
    match term:
        case First(terms):
            for item in terms:
                yield from _leaves(item)
        case Split(arms=arms):
            for arm in arms:
                yield from _leaves(arm.term)
        case Match(arms):
            for _, item in arms:
                yield from _leaves(item)
        case Restrict(term=inner):
            yield from _leaves(inner)
        case _:
            yield term


def instead(
    spot: Spot,
    docs: Sequence[InsteadDoc | str],
    model: Model,
    models: Mapping[str, Model],
    names: Namespace,
) -> tuple[Instead, ...]:
    """Resolve the equivalents of a model: other models of its kind, or their offers."""
    made: list[Instead] = []
    for index, doc in enumerate(docs):
        at = spot / index
        named = doc if isinstance(doc, str) else doc.model
        after = frozenset() if isinstance(doc, str) else frozenset(map(FailureClass, doc.after))
        if not isinstance(doc, str):
            at = at / "model"
        final = names.resolve(named)
        if final in names.broken or (final not in names.offers and names.excused(final)):
            continue
        if named != final and final not in names.kinds:
            continue  # told where the alias is defined
        term: ModelTerm | OfferTerm
        what = names.kinds.get(final)
        if what == "model" and "*" not in final:
            term, other = ModelTerm(final), models.get(final)
        elif what is None and final in names.offers:
            term, other = OfferTerm(final), models.get(names.offers[final])
        else:
            if what is None:
                at.error(names.unknown(final, "model", "alias"))
            else:
                kind = "pattern" if what == "model" else what
                at.error(f"instead names a model or an offer, and {final!r} is of kind {kind}")
            continue
        if other is None:
            continue
        if other.name == model.name:
            at.error("a model is no equivalent of itself; its own offers are tried anyway")
        elif other.kind != model.kind:
            at.error(f"{other.name!r} is of kind {other.kind}, not {model.kind}")
        elif any(entry.term == term and entry.after == after for entry in made):
            at.error(f"{final!r} already stands in this list")
        made.append(Instead(term, after))
    return tuple(made)
