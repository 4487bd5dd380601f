"""Models and their offers: effective facts, shapes and prices looked up, names checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar

from hyperroute.catalog.card import JobTerms, Model, Offer, ProviderEntry
from hyperroute.catalog.price import Price, Sell
from hyperroute.catalog.shape import Shape
from hyperroute.tables.conditions import FactSpace
from hyperroute.tables.namespace import Namespace
from hyperroute.tables.prices import PriceBook
from hyperroute.tables.providers import account_limits, freeze, timeouts
from hyperroute.tables.report import Spot
from hyperroute.tables.schema_catalog import ModelDoc, OfferDoc, ShapeDoc, SheetDoc
from hyperroute.tables.shapes import compares, shape, shown
from hyperroute.tables.vocabulary import DOES, KIND_ENDPOINTS, nearest

_T = TypeVar("_T")
_MARGIN = re.compile(r"cost\s*\+\s*([0-9]{1,4})%")

PriceKey = tuple[str, int | str]
"""Model and offer index, model and ``sell``, or ``""`` and the name of a price."""


@dataclass(slots=True)
class Models:
    """Compiles the models of one table, sharing what is equal."""

    names: Namespace
    providers: Mapping[str, ProviderEntry | None]
    """``None``: defined, but broken."""
    shapes: Mapping[str, Shape | None]
    prices: PriceBook
    numbers: Mapping[PriceKey, int | None]
    parameters: FactSpace
    does: Mapping[str, frozenset[str]]
    _words: dict[frozenset[str], frozenset[str]] = field(default_factory=dict)

    def model(self, spot: Spot, name: str, doc: ModelDoc) -> Model:
        """Compile a model with its offers."""
        does = self._does(spot / "does", doc.kind, doc.does)
        endpoints = frozenset(doc.endpoints) if doc.endpoints else KIND_ENDPOINTS[doc.kind]
        takes = self._shape(spot / "takes", doc.takes)
        quality: Mapping[str, int] = MappingProxyType(dict(sorted(doc.quality.items())))
        for word, mark in doc.quality.items():
            if mark > 100:
                (spot / "quality" / word).error(f"expected a quality from 0 to 100, found {mark}")
        model = Model(
            name=name,
            kind=doc.kind,
            offers=(),
            vendor=doc.vendor,
            does=does,
            context=doc.context,
            input=doc.input,
            output=doc.output,
            endpoints=self._share(endpoints),
            tags=self._share(frozenset(doc.tags)),
            quality=quality,
            listed=doc.listed,
            takes=takes,
            sell=self._sell(spot / "sell", name, doc, takes),
            wait_ns=doc.wait,
            max_run_ns=doc.max_run,
            fps=doc.fps,
            clients=frozenset(doc.clients) if doc.clients else None,
        )
        return replace(model, offers=self._offers(spot / "offers", model, doc.offers))

    def _share(self, words: frozenset[str]) -> frozenset[str]:
        return self._words.setdefault(words, words)

    def _does(self, spot: Spot, kind: str, written: Iterable[str]) -> frozenset[str]:
        valid = self.does[kind]
        found = frozenset(written)
        if not found <= valid:
            for index, word in enumerate(written):
                if word not in valid:
                    of = next((k for k, words in DOES.items() if word in words), None)
                    hint = f"; it is of kind {of}" if of else nearest(word, valid)
                    (spot / index).error(f"unknown capability {word!r} of kind {kind}{hint}")
        return self._share(found)

    def _shape(self, spot: Spot, ref: ShapeDoc | str | None) -> Shape | None:
        if ref is None:
            return None
        if isinstance(ref, str):
            self.names.use("shapes", ref)
            if ref not in self.shapes:
                spot.error(f"unknown shape {ref!r}{nearest(ref, self.shapes)}")
            return self.shapes.get(ref)
        if ref.replace:
            (spot / "replace").error("only a named definition replaces another", key=True)
        return shape(spot, ref, "", self.parameters)

    def _sell(self, spot: Spot, name: str, doc: ModelDoc, takes: Shape | None) -> Sell:
        if isinstance(doc.sell, str):
            if doc.sell == "cost":
                return Sell()
            if found := _MARGIN.fullmatch(doc.sell):
                return Sell(margin_percent=int(found[1]))
            if " " in doc.sell:
                spot.error(f"expected a price, cost or cost + 15%, found {doc.sell!r}")
                return Sell()
        if doc.sell is None:
            return Sell()
        price = self._price(spot, (name, "sell"), doc.sell)
        self._check_sizes(spot, price, takes)
        return Sell(price=price)

    def _price(self, spot: Spot, key: PriceKey, ref: SheetDoc | str | None) -> Price:
        if ref is None:
            return ()
        if isinstance(ref, str):
            self.names.use("prices", ref)
            key = ("", ref)
            if key not in self.numbers:
                valid = [str(name) for model, name in self.numbers if not model]
                spot.error(f"unknown price {ref!r}{nearest(ref, valid)}")
        elif ref.replace:
            (spot / "replace").error("only a named definition replaces another", key=True)
        number = self.numbers.get(key)
        return () if number is None else self.prices.price(number)

    # --- offers ----------------------------------------------------------------------------------
    def _offers(self, spot: Spot, model: Model, docs: list[OfferDoc]) -> tuple[Offer, ...]:
        offers: dict[str, Offer] = {}
        for index, doc in enumerate(docs):
            at = spot / index
            offer = self._offer(at, model, doc, index)
            if offer.id in offers:
                at.error(f"a second offer {offer.id}; tell them apart by variant")
            offers[offer.id] = offer
        return tuple(offers.values())

    def _offer(self, spot: Spot, model: Model, doc: OfferDoc, index: int) -> Offer:
        if doc.at not in self.providers:
            (spot / "at").error(f"unknown provider {doc.at!r}{nearest(doc.at, self.providers)}")
        provider = self.providers.get(doc.at)
        self.names.use("providers", doc.at)
        price = self._price(spot / "price", (model.name, index), doc.price)
        takes = self._shape(spot / "takes", doc.takes)
        self._check_sizes(spot / "price", price, model.takes)
        for word in doc.fields:
            if word not in self.parameters.types:
                (spot / "fields" / word).error(
                    f"unknown parameter {word!r}{nearest(word, self.parameters.types)}", key=True
                )
        if doc.sends is not None and doc.sends.count("*") > (1 if model.is_pattern else 0):
            pattern = "one * at most" if model.is_pattern else "no *: the model's name has none"
            (spot / "sends").error(f"sends holds {pattern}")
        return Offer(
            id=offer_id(model.name, doc),
            model=model.name,
            provider=doc.at,
            variant=doc.variant,
            sends=doc.sends or model.name,
            price=price,
            kind=model.kind,
            does=model.does
            if doc.does is None
            else self._does(spot / "does", model.kind, doc.does),
            endpoints=model.endpoints,
            context=_own(doc.context, model.context),
            input=_own(doc.input, model.input),
            output=_own(doc.output, model.output),
            region=doc.region or (provider.region if provider else None),
            retain_ns=_own(doc.retain, provider.retain_ns if provider else None),
            trains=_own(doc.trains, provider.trains if provider else None),
            tags=model.tags if doc.tags is None else self._share(frozenset(doc.tags)),
            quality=model.quality,
            vendor=model.vendor,
            takes=takes,
            batch=doc.batch,
            fields=_NO_FIELDS if not doc.fields else freeze(doc.fields),
            adds=_NO_FIELDS if not doc.adds else freeze(doc.adds),
            job=None
            if doc.job is None
            else JobTerms(
                poll_ns=doc.job.poll,
                within_ns=doc.job.within,
                cancel=doc.job.cancel,
                notify=doc.job.notify,
            ),
            limits=account_limits(spot / "limits", doc.limits),
            timeout=timeouts(spot / "timeout", doc.timeout),
        )

    def _check_sizes(self, spot: Spot, price: Price, takes: Shape | None) -> None:
        """Refuse a price that names some sizes and leaves another without a rate."""
        if takes is None or self.prices.doubtful:
            return
        for sheet in price:
            tiered = {meter for tier in sheet.tiers for meter in tier.rates} - set(sheet.rates)
            for limits in takes.parameters.values() if tiered else ():
                read = any(line.fact == limits.name for tier in sheet.tiers for line in tier.when)
                for item in (limits.one_of or ()) if read else ():
                    paid = {
                        meter
                        for tier in sheet.tiers
                        if all(
                            line.fact != limits.name or compares(line, item) for line in tier.when
                        )
                        for meter in tier.rates
                    }
                    if missing := sorted(tiered - paid):
                        value = shown(limits.name, item)
                        spot.error(f"{limits.name} {value} has no price of {missing[0]}")


_NO_FIELDS: Mapping[str, str] = MappingProxyType({})


def offer_id(model: str, doc: OfferDoc) -> str:
    """Spell the id of an offer: ``model@provider`` or ``model@provider/variant``."""
    return f"{model}@{doc.at}/{doc.variant}" if doc.variant else f"{model}@{doc.at}"


def _own(own: _T | None, inherited: _T | None) -> _T | None:
    return inherited if own is None else own
