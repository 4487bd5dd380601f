"""The house's own parts enter by the same door as everybody's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hyperroute.dialects.base import Dialect
from hyperroute.plugins.hookspecs import hookimpl
from hyperroute.plugins.secret import Secret, builtin_secret
from hyperroute.providers.builtin import DIALECTS, PASSING

BUILTIN_NAME: Final = "hyperroute"


class Builtin:
    """A plugin like any other: its dialects, and secrets from the environment and files."""

    @hookimpl
    def hyperroute_dialects(self) -> Iterable[Dialect]:
        """Add the dialects that ship with the library."""
        return (*DIALECTS.values(), *PASSING.values())

    @hookimpl
    def hyperroute_secret(self, reference: str) -> Secret | None:
        """Resolve ``env:NAME`` and ``file:/path``."""
        answer = builtin_secret(reference)
        return answer.secret if answer else None


BUILTIN: Final = Builtin()

__all__ = ["BUILTIN", "BUILTIN_NAME", "Builtin"]
