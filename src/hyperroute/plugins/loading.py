"""Load each plugin by itself, so that one broken distribution cannot take the others with it.

pluggy's own loader stops at the first entry point that fails to import and does not say whose it
was. Ours goes on, remembers the distribution, and tells how to block it.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from typing import Any, Final

import pluggy

from hyperroute.errors import PluginError
from hyperroute.plugins.hookspecs import GROUP, Hooks

BLOCK_VARIABLE: Final = "HYPERROUTE_BLOCK"
"""Names of plugins or distributions, separated by commas, that are not to be loaded."""


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """Where something came from; ``distribution`` is ``""`` for an object given in code."""

    plugin: str
    distribution: str = ""
    version: str = ""

    def __str__(self) -> str:
        if not self.distribution:
            return f"plugin {self.plugin!r}"
        return f"plugin {self.plugin!r} of {self.distribution} {self.version}".rstrip()


@dataclass(frozen=True, slots=True)
class PluginFailure:
    """A plugin that is installed and not there, and why."""

    origin: Origin
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.origin} is not usable: {self.reason}; "
            f"repair it, uninstall it, or set {BLOCK_VARIABLE}={self.origin.plugin}"
        )


@dataclass(frozen=True, slots=True)
class Loaded:
    """One plugin that registered cleanly: its hooks by name, not yet called."""

    origin: Origin
    hooks: dict[str, Callable[..., Any]]


@dataclass(slots=True)
class Loader:
    """Registers plugins one by one and keeps what became of each."""

    strict: bool
    loaded: list[Loaded] = field(default_factory=list[Loaded])
    failures: list[PluginFailure] = field(default_factory=list[PluginFailure])
    _manager: pluggy.PluginManager = field(init=False)
    _origins: dict[str, Origin] = field(default_factory=dict[str, Origin])

    def __post_init__(self) -> None:
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(Hooks)

    def from_entry_points(self, points: Iterable[EntryPoint], *, block: Collection[str]) -> None:
        """Load installed plugins, in the order of their names: installation order decides nothing.

        Raises:
            PluginError: Two distributions announce the same name; or, if strict, one is broken.
        """
        for point in sorted(points, key=lambda point: (point.name, point.value)):
            dist = point.dist
            origin = Origin(point.name, dist.name if dist else "", dist.version if dist else "")
            if point.name in block or origin.distribution in block:
                continue
            try:
                plugin = point.load()
            except Exception as error:  # noqa: BLE001 - a stranger's module may raise anything
                self.failed(origin, f"{type(error).__name__}: {error}")
            else:
                self.register(plugin, origin)

    def register(self, plugin: object, origin: Origin, *, given: bool = False) -> None:
        """Take one plugin in, or note why not; ``given`` in code, a broken one is raised.

        Raises:
            PluginError: The name is taken; or the plugin is broken and ``given``, or strict.
        """
        if self._manager.is_registered(plugin):
            return
        if other := self._origins.get(origin.plugin):
            raise PluginError(clash(f"the plugin name {origin.plugin!r}", other, origin))
        try:
            self._manager.register(plugin, name=origin.plugin)
            self._manager.check_pending()
            hooks = self._hooks(plugin)
        except (pluggy.PluginValidationError, PluginError) as error:
            if self._manager.is_registered(plugin):
                self._manager.unregister(plugin)
            self.failed(origin, " ".join(str(error).split()), given=given)
        else:
            self._origins[origin.plugin] = origin
            self.loaded.append(Loaded(origin, hooks))

    def failed(self, origin: Origin, reason: str, *, given: bool = False) -> None:
        """Remember a broken plugin.

        Raises:
            PluginError: It was ``given`` in code, or the loader is strict.
        """
        failure = PluginFailure(origin, reason)
        if self.strict or given:
            raise PluginError(str(failure))
        self.failures.append(failure)

    def _hooks(self, plugin: object) -> dict[str, Callable[..., Any]]:
        hooks: dict[str, Callable[..., Any]] = {}
        for caller in self._manager.get_hookcallers(plugin) or ():
            for impl in caller.get_hookimpls():
                if impl.plugin is not plugin:
                    continue
                if impl.wrapper or impl.hookwrapper:
                    raise PluginError(f"{caller.name!r} is a wrapper; hooks only return values")
                if inspect.iscoroutinefunction(impl.function):
                    raise PluginError(f"{caller.name!r} is async; hooks run once, at start-up")
                hooks[caller.name] = impl.function
        if not hooks:
            raise PluginError("it implements no hook of hyperroute")
        return hooks


def clash(what: str, one: Origin, other: Origin) -> str:
    """Write the sentence that names both parties, and the way out."""
    first, second = sorted((one, other))
    names = " or ".join(
        dict.fromkeys(
            origin.plugin if first.plugin != second.plugin else origin.distribution
            for origin in (first, second)
        )
    )
    return f"{what} is claimed by {first} and by {second}; set {BLOCK_VARIABLE} to {names}"


def blocked_names() -> frozenset[str]:
    """Read the names that the environment blocks."""
    words = os.environ.get(BLOCK_VARIABLE, "").split(",")
    return frozenset(word.strip() for word in words if word.strip())


def installed() -> tuple[EntryPoint, ...]:
    """List what is announced under our group, without importing any of it."""
    from importlib.metadata import entry_points

    return tuple(entry_points(group=GROUP))


__all__ = [
    "BLOCK_VARIABLE",
    "Loaded",
    "Loader",
    "Origin",
    "PluginFailure",
    "blocked_names",
    "clash",
    "installed",
]
