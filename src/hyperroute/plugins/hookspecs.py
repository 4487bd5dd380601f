"""The hooks: called once, at start-up, to *collect values*; never while a request is served.

A plugin is a module (or any object) with functions of these names marked ``hookimpl``, announced
under the entry-point group ``hyperroute``. A hook that nobody knows is an error, not a silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from pluggy import HookimplMarker, HookspecMarker

from hyperroute.dialects.base import Dialect
from hyperroute.plugins.secret import Secret
from hyperroute.providers.flow import Provider

GROUP: Final = "hyperroute"
"""The entry-point group, the pluggy project and the prefix of every hook."""

hookspec = HookspecMarker(GROUP)
hookimpl = HookimplMarker(GROUP)

Factory = Callable[..., object]
"""Builds a store from its URL, a ranking from its argument, a sink from its address."""


class Hooks(Protocol):
    """What a plugin may implement. All are optional; all must be free of side effects."""

    @hookspec
    def hyperroute_providers(self) -> Iterable[Provider]:
        """Return the providers this plugin adds; a table's ``plugin:`` names them."""
        ...

    @hookspec
    def hyperroute_dialects(self) -> Iterable[Dialect]:
        """Return the wire formats this plugin adds, new by name and by endpoint."""
        ...

    @hookspec
    def hyperroute_tables(self) -> Iterable[str]:
        """Return YAML texts that ``include: [plugin:NAME]`` reads: models, prices, quirks."""
        ...

    @hookspec
    def hyperroute_stores(self) -> Mapping[str, Factory]:
        """Return store factories by URL scheme."""
        ...

    @hookspec
    def hyperroute_rankings(self) -> Mapping[str, Factory]:
        """Return ranking keys by the word that a table's ``rank:`` uses."""
        ...

    @hookspec
    def hyperroute_sinks(self) -> Mapping[str, Factory]:
        """Return takers of finished records, by name."""
        ...

    @hookspec(firstresult=True)
    def hyperroute_secret(self, reference: str) -> Secret | str | None:
        """Resolve a reference such as ``vault:llm/acme``; ``None`` if it is not yours.

        The first answer counts: built-in schemes first, then plugins by name.
        """
        ...


__all__ = ["GROUP", "Factory", "Hooks", "hookimpl", "hookspec"]
