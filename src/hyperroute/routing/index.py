"""All that is derived from one table, so that a decision does not grow with it.

An ``Index`` hangs on its table and is built in parts, when first asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from hyperroute.catalog.card import Model, Offer
from hyperroute.catalog.condition import Condition, Fact
from hyperroute.catalog.facts import offer_fact
from hyperroute.catalog.pricing import Linear, linear, sheet_on
from hyperroute.routing.gates import Gates, Required, static_lines
from hyperroute.routing.grids import Grid
from hyperroute.routing.pools import Memo, Pool
from hyperroute.routing.table import From, RouteTable, Service


class Index:
    """All that is derived from one table."""

    def __init__(self, table: RouteTable) -> None:
        """Start empty; parts are built when first asked."""
        self.table = table
        self._models: dict[str, Pool] = {}
        self._froms: dict[int, tuple[object, Pool]] = {}
        self._offers: dict[str, Pool] = {}
        self.gates = Gates(table.policies)
        self._static: dict[int, tuple[Condition, tuple[Required, ...] | None]] = {}
        self._line_days: Memo[dict[str, Linear | None]] = Memo()
        self._grids: Memo[Grid] = Memo()

    def model_of(self, offer: Offer) -> Model:
        """Find the model an offer belongs to."""
        return self.table.services[offer.model].model

    def fact_of(self, offer: Offer, name: str) -> Fact | None:
        """Read a fact of an offer, or of its model where only that can say it."""
        return offer_fact(offer, name, self.model_of(offer))

    @cached_property
    def offers(self) -> Mapping[str, Offer]:
        """All offers by id."""
        return self.table.offers or {
            offer.id: offer
            for service in self.table.services.values()
            for offer in service.model.offers
        }

    def line_of(self, offer: Offer, day: int) -> Linear | None:
        """Give an offer's sheet of a day in its simple form, ``None`` if it has none.

        Where a shape may fill in what is priced (``n``), two rates alone do not make the price.
        """
        lines = self._line_days.get(day)
        if lines is None:
            lines = self._line_days.keep(day, {})
        if offer.id not in lines:
            shaped = offer.takes is not None or self.model_of(offer).takes is not None
            sheet = None if shaped else sheet_on(offer.price, day)
            lines[offer.id] = None if sheet is None else linear(sheet)
        return lines[offer.id]

    def of_model(self, service: Service) -> Pool:
        """The pool of a model's own offers, in declared order."""
        name = service.model.name
        pool = self._models.get(name)
        if pool is None:
            pool = self._models[name] = Pool(self, service.model.offers)
        return pool

    def of_offer(self, offer: Offer) -> Pool:
        """The pool of one offer."""
        pool = self._offers.get(offer.id)
        if pool is None:
            pool = self._offers[offer.id] = Pool(self, (offer,))
        return pool

    def of_from(self, term: From) -> Pool:
        """The pool of an open selection, by offer id. Held by the term's identity."""
        found = self._froms.get(id(term))
        if found is None:
            services = self.table.services
            offers = [
                offer
                for name in dict.fromkeys(term.models)
                if name in services
                for offer in services[name].model.offers
            ]
            found = (term, Pool(self, sorted(offers, key=lambda offer: offer.id)))
            self._froms[id(term)] = found
        return found[1]

    def cells(self, percent: int) -> Grid:
        """The grid of one width over this table's units."""
        return self._grids.get(percent) or self._grids.keep(
            percent, Grid(self.table.scale, percent)
        )

    def static(self, condition: Condition) -> tuple[Required, ...] | None:
        """Prepare a condition on offers that refers to nothing else; ``None`` if it does.

        Held by identity: conditions live as long as their table.
        """
        found = self._static.get(id(condition))
        if found is None:
            found = self._static[id(condition)] = (condition, static_lines(condition))
        return found[1]


def index_of(table: RouteTable) -> Index:
    """Find the index that hangs on a table, or hang it there.

    Two threads may both build one; they are equal, and the last stays.
    """
    found = vars(table).get("_index")
    if isinstance(found, Index):
        return found
    index = Index(table)
    vars(table)["_index"] = index
    return index
