"""Understood definitions to a ``RouteTable``: every name resolved, every contradiction told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

from hyperroute.catalog.card import Model, ProviderEntry
from hyperroute.catalog.condition import Condition, Scalar
from hyperroute.catalog.facts import holds, model_fact
from hyperroute.catalog.shape import Shape
from hyperroute.routing.table import Alias, Chain, Intent, RouteTable, Service
from hyperroute.tables import lint, shapes
from hyperroute.tables.merge import Entry, Folder, check_shared_names
from hyperroute.tables.models import Models, PriceKey, offer_id
from hyperroute.tables.namespace import Namespace, What, fixed_characters
from hyperroute.tables.policies import Policies, declared
from hyperroute.tables.prices import PriceBook
from hyperroute.tables.providers import provider
from hyperroute.tables.report import Spot
from hyperroute.tables.schema_catalog import ModelDoc, SheetDoc
from hyperroute.tables.sections import extras, understand, understand_tests
from hyperroute.tables.services import instead, own_term
from hyperroute.tables.spaces import Spaces, spaces
from hyperroute.tables.terms import Terms, cycles
from hyperroute.tables.vocabulary import PluginWords, nearest

_WHAT: Mapping[str, What] = {
    "models": "model",
    "aliases": "alias",
    "intents": "intent",
    "chains": "chain",
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """A table and what its tests are checked with."""

    table: RouteTable
    spaces: Spaces
    names: Namespace
    promised: tuple[tuple[str, Spot], ...] = ()
    """Names with a promise, and where it stands."""


def compile_folder(folder: Folder, plugins: PluginWords | None) -> Compiled:
    """Compile a folder; what is wrong is in its report, and the table then means nothing."""
    return _Compiler(folder, plugins).run()


def understand_alone(folder: Folder, plugins: PluginWords | None) -> None:
    """Check every definition by itself, where nothing can be said of what it refers to."""
    words = extras(plugins)
    for section in folder.sections:
        understand(folder, section, words)
    understand_tests(folder)


@dataclass(slots=True)
class _Compiler:
    """Each step needs those before it; a definition's document is dropped once it is compiled."""

    folder: Folder
    plugins: PluginWords | None
    names: Namespace = field(default_factory=Namespace)
    docs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def run(self) -> Compiled:
        check_shared_names(self.folder)
        words = extras(self.plugins)
        raw = [entry.value for entry in self.folder.sections["models"].values()]
        for section in self.folder.sections:
            self.docs[section] = understand(self.folder, section, words)
        self._name_all()
        facts = {
            entry.name: declared(entry.spot, entry.name, doc) for entry, doc in self._of("facts")
        }
        # A mended model may have a quality only as it was written, or only as it was meant.
        raw += [entry.value for entry in self.folder.sections["models"].values()]
        sure = {
            name: one for name, one in facts.items() if ("facts", name) not in self.folder.mended
        }
        known = spaces(self.docs, raw, self.names, sure, self.plugins)
        policies = Policies(known.request, known.offers)
        providers = {
            name: doc and provider(self._spot("providers", name), doc, name, self.plugins)
            for name, doc in sorted(self.docs["providers"].items())
        }
        models, scale = self._models(providers, known)
        terms = self._terms(models, known)
        services = {
            name: self._service(name, model, models, terms, policies)
            for name, model in models.items()
        }
        table = RouteTable(
            digest="",
            scale=scale,
            providers=MappingProxyType({n: entry for n, entry in providers.items() if entry}),
            services=MappingProxyType(services),
            patterns=_patterns(models),
            aliases=MappingProxyType(self._aliases()),
            intents=MappingProxyType(self._intents(terms, policies, known)),
            chains=MappingProxyType(self._chains(terms, policies)),
            policies=tuple(policies.policy(e.spot, e.name, doc) for e, doc in self._of("policies")),
            limits=tuple(policies.limit(e.spot, e.name, doc) for e, doc in self._of("limits")),
            facts=MappingProxyType(facts),
            offers=MappingProxyType(
                {offer.id: offer for model in models.values() for offer in model.offers}
            ),
        )
        self._check_cycles(terms)
        lint.patterns(self.folder)
        return Compiled(table, known, self.names, tuple(self._promised()))

    def _promised(self) -> Iterator[tuple[str, Spot]]:
        for section in ("models", "intents", "chains"):
            for entry, doc in self._of(section):
                if getattr(doc, "promise", None) is not None:
                    yield entry.name, entry.spot / "promise"

    def _of(self, section: str) -> list[tuple[Entry, Any]]:
        """Give the definitions that are whole, in the order of their names."""
        held = self.folder.sections[section]
        docs = self.docs[section]
        return [(held[name], docs[name]) for name in sorted(docs) if docs[name] is not None]

    def _spot(self, section: str, name: str) -> Spot:
        return self.folder.sections[section][name].spot

    # --- names -----------------------------------------------------------------------------------
    def _name_all(self) -> None:
        names = self.names
        for section, what in _WHAT.items():
            for name, doc in self.docs[section].items():
                names.kinds.setdefault(name, what)
                if doc is None or (section, name) in self.folder.mended:
                    names.broken.add(name)
                if doc is None:
                    continue
                if what == "alias" and names.kinds[name] == "alias":
                    names.aliases[name] = doc if isinstance(doc, str) else doc.to
        for entry, doc in self._of("models"):
            for index, offer in enumerate(doc.offers):
                spelt = offer_id(entry.name, offer)
                names.offers[spelt] = entry.name
                if offer.at not in self.docs["providers"]:
                    names.astray.add(entry.name)
                if spelt in names.kinds:
                    other = names.kinds[spelt]
                    (entry.spot / "offers" / index).error(
                        f"{spelt!r} is also the name of a {other}"
                    )

    def _aliases(self) -> dict[str, Alias]:
        made: dict[str, Alias] = {}
        for entry, doc in self._of("aliases"):
            to = doc if isinstance(doc, str) else doc.to
            at = entry.spot if isinstance(doc, str) else entry.spot / "to"
            listed = False if isinstance(doc, str) else doc.listed
            if self.names.kinds[entry.name] != "alias":
                continue
            if path := self.names.cycle(entry.name):
                if entry.name == min(path):
                    at.error(f"aliases in a circle: {' → '.join(path)}")
                continue
            final = self.names.resolve(to)
            if self.names.kinds.get(final) == "chain":
                at.error(f"{final!r} is a chain; an alias means a model or an intent")
            elif to == final and not (final in self.names.kinds or self.names.pattern_for(final)):
                at.error(self.names.unknown(final, "model", "alias", "intent"))
            made[entry.name] = Alias(name=entry.name, to=final, listed=listed)
        return made

    # --- models ----------------------------------------------------------------------------------
    def _models(
        self, providers: Mapping[str, ProviderEntry | None], known: Spaces
    ) -> tuple[dict[str, Model], int]:
        named: dict[str, Shape | None] = {
            name: doc and shapes.shape(self._spot("shapes", name), doc, name, known.parameters)
            for name, doc in sorted(self.docs["shapes"].items())
        }
        book = PriceBook(known.priced, known.meters)
        numbers = self._prices(book)
        book.close()
        compiler = Models(
            names=self.names,
            providers=providers,
            shapes=named,
            prices=book,
            numbers=numbers,
            parameters=known.parameters,
            does=known.does,
        )
        models: dict[str, Model] = {}
        for entry, doc in self._of("models"):
            models[entry.name] = compiler.model(entry.spot, entry.name, doc)
        return models, book.scale

    def _prices(self, book: PriceBook) -> dict[PriceKey, int | None]:
        numbers: dict[PriceKey, int | None] = {("", n): None for n in self.docs["prices"]}
        for entry, doc in self._of("prices"):
            if isinstance(doc, str):
                entry.spot.error(f"expected a row or a list of rows, found {doc!r}")
                continue
            rows = doc if isinstance(doc, list) else [doc]
            spots = (
                [entry.spot / index for index in range(len(rows))]
                if isinstance(doc, list)
                else [entry.spot]
            )
            numbers["", entry.name] = book.add(spots, rows)
        for entry, doc in self._of("models"):
            for index, offer in enumerate(doc.offers):
                if isinstance(offer.price, SheetDoc):
                    spot = entry.spot / "offers" / index / "price"
                    numbers[entry.name, index] = book.add([spot], [offer.price])
            if isinstance(doc.sell, SheetDoc):
                numbers[entry.name, "sell"] = book.add([entry.spot / "sell"], [doc.sell])
        return numbers

    def _service(
        self,
        name: str,
        model: Model,
        models: Mapping[str, Model],
        terms: Terms,
        policies: Policies,
    ) -> Service:
        doc: ModelDoc = self.docs["models"][name]
        spot = self._spot("models", name)
        return Service(
            model=model,
            use=None if doc.use is None else own_term(spot / "use", doc.use, model, terms),
            instead=instead(spot / "instead", doc.instead, model, models, self.names),
            promise=policies.promise(spot / "promise", doc.promise),
        )

    # --- terms -----------------------------------------------------------------------------------
    def _terms(self, models: Mapping[str, Model], known: Spaces) -> Terms:
        listed = {n: model for n, model in models.items() if model.listed and not model.is_pattern}

        def select(when: Condition, kind: str | None) -> tuple[str, ...]:
            return tuple(
                name
                for name, model in listed.items()
                if kind in {None, model.kind} and holds(when, partial(model_fact, model))
            )

        return Terms(
            names=self.names,
            request=known.request,
            offers=known.offers,
            models=known.models,
            qualities=known.qualities,
            rankings=self.plugins.rankings if self.plugins else frozenset(),
            select=select,
        )

    def _intents(self, terms: Terms, policies: Policies, known: Spaces) -> dict[str, Intent]:
        made: dict[str, Intent] = {}
        for entry, doc in self._of("intents"):
            default: dict[str, Scalar] = {}
            for word in sorted(doc.default):
                at = entry.spot / "default" / word
                if word not in known.parameters.types:
                    suggestion = nearest(word, known.parameters.types)
                    at.error(f"unknown parameter {word!r}{suggestion}", key=True)
                    continue
                try:
                    default[word] = shapes.value(word, doc.default[word])
                except ValueError as error:
                    at.error(str(error))
            made[entry.name] = Intent(
                name=entry.name,
                kind=doc.kind,
                term=terms.intent(entry.spot, doc, entry.name),
                default=MappingProxyType(default),
                listed=doc.listed,
                promise=policies.promise(entry.spot / "promise", doc.promise),
            )
        return made

    def _chains(self, terms: Terms, policies: Policies) -> dict[str, Chain]:
        made: dict[str, Chain] = {}
        for entry, doc in self._of("chains"):
            promise = None if isinstance(doc, str) else doc.promise
            made[entry.name] = Chain(
                name=entry.name,
                term=terms.term(entry.spot, doc, entry.name),
                promise=policies.promise(entry.spot / "promise", promise),
            )
        return made

    def _check_cycles(self, terms: Terms) -> None:
        for found in cycles(terms.edges):
            name = min(found)
            turn = found.index(name)
            path = (*found[turn:-1], *found[:turn], name)
            section = "chains" if self.names.kinds[name] == "chain" else "intents"
            self._spot(section, name).error(f"terms in a circle: {' → '.join(path)}", key=True)


def _patterns(models: Mapping[str, Model]) -> tuple[str, ...]:
    found = (name for name, model in models.items() if model.is_pattern)
    return tuple(sorted(found, key=lambda name: (-fixed_characters(name), name)))
