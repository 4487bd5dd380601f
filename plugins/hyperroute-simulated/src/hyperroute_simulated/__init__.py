"""A provider that lives in this process: no key, no socket, the same answer to the same question.

It speaks every dialect with the real wire code on both sides, and fails on request, by class or by
script. ``simulated_registry`` puts it in the place of every provider (``--simulated``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from hyperroute.plugins.hookspecs import hookimpl
from hyperroute.plugins.registry import Registry
from hyperroute.plugins.secret import Secret
from hyperroute.providers.builtin import DIALECTS, PASSING
from hyperroute.providers.flow import Provider
from hyperroute_simulated.flow import URL, simulated
from hyperroute_simulated.simulation import INSTANT, OPTIONS, SIMULATED, Simulation, Step, step_of

_SPOKEN: Final = MappingProxyType({**DIALECTS, **PASSING})


def provider(simulation: Simulation | None = None) -> Provider:
    """Build the provider; without a simulation it answers at the pace of a quick model."""
    world = Simulation() if simulation is None else simulation
    return Provider(
        name="simulated",
        flow=simulated(world, _SPOKEN),
        url=URL,
        speaks=tuple(_SPOKEN),
        options=OPTIONS,
        cancel_stops_billing=True,
        dialects=_SPOKEN,
    )


def simulated_registry(registry: Registry, simulation: Simulation | None = None) -> Registry:
    """Put a simulation in the place of every provider of a registry, and resolve every secret.

    Each stand-in keeps the name, the dialects and the vendor of the one it stands in for, so that a
    table compiles, plans and translates as it would in earnest.
    """
    world = Simulation() if simulation is None else simulation
    stand_ins = {
        name: replace(
            original,
            flow=simulated(world, original.dialects or _SPOKEN),
            url=original.url or URL,
            secret="",
        )
        for name, original in registry.providers.items()
    }
    return registry.with_providers(stand_ins).with_secrets(_any_secret)


def _any_secret(reference: str) -> Secret:
    return Secret(f"simulated {reference}")


SIMULATED_PROVIDER: Final = provider()


@hookimpl
def hyperroute_providers() -> Iterable[Provider]:
    """Add the simulated provider."""
    return (SIMULATED_PROVIDER,)


__all__ = [
    "INSTANT",
    "SIMULATED",
    "SIMULATED_PROVIDER",
    "Simulation",
    "Step",
    "hyperroute_providers",
    "provider",
    "simulated_registry",
    "step_of",
]
