"""``--simulated``: every provider of a table answered by one that needs no key and no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperroute.errors import PluginError

if TYPE_CHECKING:
    from hyperroute.plugins.registry import Registry


def simulated_registry() -> Registry:
    """Gather the plugins, and put the simulated provider in the place of each.

    Raises:
        PluginError: The simulated provider is not installed, or two plugins clash.
    """
    try:
        from hyperroute_simulated import simulated_registry as stand_ins
    except ModuleNotFoundError:
        raise PluginError("--simulated needs a plugin: pip install hyperroute-simulated") from None
    from hyperroute.plugins.registry import discover

    return stand_ins(discover())


__all__ = ["simulated_registry"]
