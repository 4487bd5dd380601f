"""What the shipped table knows of a model: facts, and prices at the same host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hyperroute.tables.load import find_shipped, read_files
from hyperroute.tables.read import gather


@dataclass(frozen=True, slots=True)
class Known:
    """A model of the shipped table as it is written there."""

    name: str
    facts: Mapping[str, Any]
    price_name: str
    price: Any
    """At that host; ``None`` where it is not offered there."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The definitions of the shipped table."""

    models: Mapping[str, Any]
    prices: Mapping[str, Any]
    aliases: Mapping[str, Any]

    def find(self, upstream: str, host: str) -> Known | None:
        """Find a model by what is sent to a host, its own name, or an alias; dates are no names."""
        for name, model in self.models.items():
            for offer in model.get("offers") or ():
                if offer["at"] == host and offer.get("sends", name) == upstream:
                    return self._known(name, offer)
        elsewhere = [
            name
            for name, model in self.models.items()
            if any(offer.get("sends") == upstream for offer in model.get("offers") or ())
        ]
        for word in (upstream, upstream.rpartition("/")[2], *elsewhere):
            to = self.aliases.get(word, word)
            name = to["to"] if isinstance(to, dict) else to
            if name in self.models and "*" not in name and "*" not in upstream:
                offers = self.models[name].get("offers") or ()
                return self._known(name, next((one for one in offers if one["at"] == host), None))
        return None

    def _known(self, name: str, offer: Mapping[str, Any] | None) -> Known:
        model = self.models[name]
        facts = {key: model[key] for key in _FACTS if key in model}
        price = None if offer is None else offer.get("price")
        if isinstance(price, str):
            return Known(name, facts, price, self.prices[price])
        return Known(name, facts, "", price)


_FACTS = ("vendor", "does", "context", "input", "output")


def shipped() -> Catalogue:
    """Read the shipped table as it is written."""
    place = find_shipped()
    if place is None:
        return Catalogue({}, {}, {})
    folder = gather(read_files([place]), None)
    models, prices, aliases = (
        {name: entry.value for name, entry in folder.sections[section].items()}
        for section in ("models", "prices", "aliases")
    )
    return Catalogue(models, prices, aliases)
