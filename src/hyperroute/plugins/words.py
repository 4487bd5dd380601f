"""What installed plugins add to the routing language, for the loader, which knows no plugin."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from hyperroute.tables.vocabulary import PluginWords, ProviderWords

if TYPE_CHECKING:
    from hyperroute.plugins.registry import Registry

_TYPES: Final = MappingProxyType({str: "text", int: "count", bool: "flag", Decimal: "decimal"})


def words_of(registry: Registry) -> PluginWords:
    """Tell the loader which providers, options, rankings and tables there are."""
    return PluginWords(
        providers={
            name: ProviderWords(
                options={word: _TYPES.get(kind, "any") for word, kind in provider.options.items()},
                speaks=tuple(provider.dialects) or provider.speaks,
                secret=provider.secret or None,
            )
            for name, provider in registry.providers.items()
        },
        rankings=frozenset(registry.rankings),
        tables={
            plugin: {f"{number}.yaml": text for number, text in enumerate(texts)}
            for plugin, texts in registry.tables.items()
        },
    )


__all__ = ["words_of"]
