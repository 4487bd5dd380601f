"""Discovery once, by explicit call; then a frozen registry.

Nothing here is remembered between two calls of ``discover``: a thousand registries may live in one
process, each with its own plugins, and letting go of one lets go of everything it held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from hyperroute.dialects.base import Dialect
from hyperroute.errors import PluginError
from hyperroute.plugins.builtin import BUILTIN, BUILTIN_NAME
from hyperroute.plugins.hookspecs import Factory
from hyperroute.plugins.loading import (
    Loaded,
    Loader,
    Origin,
    PluginFailure,
    blocked_names,
    clash,
    installed,
)
from hyperroute.plugins.secret import Secret, SecretAnswer, builtin_secret
from hyperroute.providers.flow import SPEC, Provider

Resolver = Callable[..., Secret | str | None]
"""A plugin's ``hyperroute_secret``, called with ``reference=``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Everything installed, by name, with where it came from.

    Attributes:
        providers: By the word that a table's ``plugin:`` uses.
        dialects: By dotted name, ``openai.chat``.
        endpoints: The same dialects by the table's word, ``chat``.
        tables: YAML texts by plugin, for ``include: [plugin:NAME]``.
        stores: Factories by URL scheme.
        rankings: Factories by ranking word.
        sinks: Factories by name.
        origins: By ``"<kind> <name>"``, as in ``"provider openai"``.
        plugins: All that loaded, built-in ones too, in the order of their names.
        failures: All that did not, and why.
        resolvers: Who is asked for a secret, in this order.
    """

    providers: Mapping[str, Provider]
    dialects: Mapping[str, Dialect]
    endpoints: Mapping[str, Dialect]
    tables: Mapping[str, tuple[str, ...]]
    stores: Mapping[str, Factory]
    rankings: Mapping[str, Factory]
    sinks: Mapping[str, Factory]
    origins: Mapping[str, Origin]
    plugins: tuple[Origin, ...]
    failures: tuple[PluginFailure, ...]
    resolvers: tuple[tuple[str, Resolver], ...] = field(repr=False)

    def provider(self, name: str) -> Provider:
        """Return a provider by name.

        Raises:
            PluginError: It is not there; the message is ``missing(name)``.
        """
        found = self.providers.get(name)
        if found is None:
            raise PluginError(self.missing(name))
        return found

    def missing(self, name: str) -> str:
        """Say why a provider is not there: broken, misspelt, or not installed.

        A broken plugin never told us what it would have added, so its own name and its
        distribution's are all there is to compare with.
        """
        for failure in self.failures:
            origin = failure.origin
            if name in {origin.plugin, origin.distribution, origin.distribution[11:]}:
                return f"the provider {name!r} is not available: {failure}"
        from difflib import get_close_matches

        near = get_close_matches(name, self.providers, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"installed are {sorted(self.providers)}"
        broken = "".join(f"; {failure}" for failure in self.failures)
        return f"no plugin adds the provider {name!r}; {hint}{broken}"

    def secret(self, reference: str) -> SecretAnswer:
        """Resolve a secret reference; total, because a missing key must not stop a router.

        The empty reference means that none is needed and resolves to the empty secret.
        """
        if not reference:
            return SecretAnswer(Secret(""))
        for plugin, resolver in self.resolvers:
            try:
                found = resolver(reference=reference)
            except Exception as error:  # noqa: BLE001 - and its text may quote the secret
                return SecretAnswer(
                    None, f"plugin {plugin!r} raised {type(error).__name__} for {reference!r}"
                )
            if found:
                return SecretAnswer(found if isinstance(found, Secret) else Secret(found))
        own = builtin_secret(reference)
        return own or SecretAnswer(None, f"no plugin resolves the secret {reference!r}")

    def with_providers(self, providers: Mapping[str, Provider]) -> Registry:
        """Return a registry with these providers in place of its own (``--simulated``)."""
        return replace(self, providers=MappingProxyType(dict(sorted(providers.items()))))

    def with_secrets(self, resolver: Resolver) -> Registry:
        """Return a registry that asks one resolver for every secret, and nobody else."""
        return replace(self, resolvers=(("given", resolver),))


def discover(*extra: object, entry_points: bool = True, strict: bool = False) -> Registry:
    """Gather the built-in parts, what is installed, and ``extra`` plugins given in code.

    Args:
        extra: Modules or objects with hook implementations; a broken one is raised.
        entry_points: Whether installed distributions are asked.
        strict: Raise for a broken distribution instead of listing it in ``failures``.

    Raises:
        PluginError: Two parties claim one name, or a plugin is broken and may not be.
    """
    loader = Loader(strict=strict)
    loader.register(BUILTIN, Origin(BUILTIN_NAME), given=True)
    if entry_points:
        loader.from_entry_points(installed(), block=blocked_names())
    for plugin in extra:
        name = getattr(plugin, "__name__", None) or type(plugin).__name__
        loader.register(plugin, Origin(str(name)), given=True)
    shelf = _Shelf()
    resolvers: list[tuple[str, Resolver]] = []
    kept: list[Origin] = []
    for loaded in loader.loaded:
        try:
            added = _collected(loaded)
        except Exception as error:  # noqa: BLE001 - a hook may raise anything
            given = not loaded.origin.distribution
            loader.failed(loaded.origin, f"{type(error).__name__}: {error}", given=given)
            continue
        shelf.put(loaded.origin, added)
        kept.append(loaded.origin)
        if resolver := loaded.hooks.get("hyperroute_secret"):
            resolvers.append((loaded.origin.plugin, resolver))
    return shelf.registry(plugins=kept, failures=loader.failures, resolvers=resolvers)


_KINDS: Final = ("provider", "dialect", "endpoint", "table", "store", "ranking", "sink")


@dataclass(slots=True)
class _Shelf:
    """What has been collected so far, by kind and name, and who brought it."""

    found: dict[str, dict[str, Any]] = field(default_factory=lambda: {kind: {} for kind in _KINDS})
    origins: dict[str, Origin] = field(default_factory=dict[str, Origin])

    def put(self, origin: Origin, added: Mapping[str, Mapping[str, Any]]) -> None:
        for kind, values in added.items():
            for name, value in values.items():
                key = f"{kind} {name}"
                if other := self.origins.get(key):
                    raise PluginError(clash(f"the {kind} {name!r}", other, origin))
                self.origins[key] = origin
                self.found[kind][name] = value

    def registry(
        self,
        *,
        plugins: list[Origin],
        failures: list[PluginFailure],
        resolvers: list[tuple[str, Resolver]],
    ) -> Registry:
        def frozen(kind: str) -> Mapping[str, Any]:
            return MappingProxyType(dict(sorted(self.found[kind].items())))

        return Registry(
            providers=frozen("provider"),
            dialects=frozen("dialect"),
            endpoints=frozen("endpoint"),
            tables=frozen("table"),
            stores=frozen("store"),
            rankings=frozen("ranking"),
            sinks=frozen("sink"),
            origins=MappingProxyType(dict(sorted(self.origins.items()))),
            plugins=tuple(sorted(plugins)),
            failures=tuple(failures),
            resolvers=tuple(resolvers),
        )


def _collected(loaded: Loaded) -> dict[str, Mapping[str, Any]]:
    """Call one plugin's hooks; all of them count, or none."""

    def called(hook: str) -> Any:
        return loaded.hooks[hook]() if hook in loaded.hooks else ()

    dialects = tuple(called("hyperroute_dialects"))
    texts = tuple(called("hyperroute_tables"))
    if not all(isinstance(text, str) for text in texts):
        raise PluginError("hyperroute_tables returned something that is not text")
    return {
        "provider": _named(_checked(provider) for provider in called("hyperroute_providers")),
        "dialect": _named(dialects),
        "endpoint": {dialect.endpoint: dialect for dialect in dialects},
        "table": {loaded.origin.plugin: texts} if texts else {},
        "store": dict(called("hyperroute_stores")),
        "ranking": dict(called("hyperroute_rankings")),
        "sink": dict(called("hyperroute_sinks")),
    }


def _named(values: Iterable[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for value in values:
        if value.name in found:
            raise PluginError(f"it adds {value.name!r} twice")
        found[value.name] = value
    return found


def _checked(provider: object) -> Provider:
    if not isinstance(provider, Provider):
        raise PluginError(f"hyperroute_providers returned {type(provider).__name__}, no Provider")
    if provider.spec > SPEC:
        raise PluginError(
            f"the provider {provider.name!r} is written for plugin contract {provider.spec}, "
            f"this hyperroute knows {SPEC}: upgrade hyperroute"
        )
    silent = [
        word for word in provider.speaks if provider.dialects and word not in provider.dialects
    ]
    if silent:
        raise PluginError(
            f"the provider {provider.name!r} says it speaks {silent} without a dialect"
        )
    return provider


__all__ = ["Registry", "Resolver", "discover"]
