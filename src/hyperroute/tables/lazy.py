"""Models of a compiled table, decoded when somebody asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hyperroute.catalog.card import Offer
from hyperroute.routing.table import Service
from hyperroute.tables.encode import decode


class LazyServices(Mapping[str, Service]):
    """Services by model name; names are at hand, values are decoded once, at first sight."""

    __slots__ = ("_data", "_known", "_spans")

    def __init__(self, data: bytes, spans: dict[str, tuple[int, int]]) -> None:
        """Keep the bytes, and where in them each service stands."""
        self._data = data
        self._spans = spans
        self._known: dict[str, Service] = {}

    def __getitem__(self, name: str) -> Service:
        known = self._known.get(name)
        if known is None:
            start, end = self._spans[name]
            # Two threads may decode the same bytes: one of two equal values is kept.
            known = self._known.setdefault(name, decode(self._data[start:end]))
        return known

    def __contains__(self, name: object) -> bool:
        return name in self._spans

    def __iter__(self) -> Iterator[str]:
        return iter(self._spans)

    def __len__(self) -> int:
        return len(self._spans)


class LazyOffers(Mapping[str, Offer]):
    """Offers by id, found in their models."""

    __slots__ = ("_models", "_services")

    def __init__(self, services: Mapping[str, Service], models: dict[str, str]) -> None:
        """Keep offer id to model name, in the order of the models."""
        self._services = services
        self._models = models

    def __getitem__(self, offer_id: str) -> Offer:
        model = self._services[self._models[offer_id]].model
        return next(offer for offer in model.offers if offer.id == offer_id)

    def __contains__(self, offer_id: object) -> bool:
        return offer_id in self._models

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)
