"""``--simulated``: every provider of every table answered by one that needs no key and no network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hyperroute.errors import PluginError

if TYPE_CHECKING:
    from hyperroute.plugins.registry import Registry
    from hyperroute.plugins.secret import Secret

PLUGIN = "simulated"


def _any_secret(reference: str) -> Secret:
    """Resolve every reference: what a simulated provider is told opens nothing."""
    from hyperroute.plugins.secret import Secret

    return Secret(f"{PLUGIN} {reference}")


def simulated_registry() -> Registry:
    """Gather the plugins, and put the simulated provider in the place of each.

    Raises:
        PluginError: The simulated provider is not installed.
    """
    from hyperroute.plugins.registry import discover

    registry = discover()
    simulated = registry.providers.get(PLUGIN)
    if simulated is None:
        raise PluginError("--simulated needs the plugin: pip install hyperroute-simulated")
    stand_ins = {
        name: replace(simulated, name=name, options=provider.options)
        for name, provider in registry.providers.items()
    }
    return registry.with_providers(stand_ins).with_secrets(_any_secret)


__all__ = ["PLUGIN", "simulated_registry"]
