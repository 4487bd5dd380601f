"""Readers and writers: each wire format to the canon and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hyperroute.dialects.translating import Translation, translate

_HOMES = {"Translation": "translating", "translate": "translating"}

__all__ = ["Translation", "translate"]


def __getattr__(name: str) -> object:
    """Import a public name from its home on first use.

    Raises:
        AttributeError: There is no such name.
    """
    if home := _HOMES.get(name):
        from importlib import import_module

        return getattr(import_module(f"hyperroute.dialects.{home}"), name)
    raise AttributeError(f"module 'hyperroute.dialects' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
