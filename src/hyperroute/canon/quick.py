"""Values that every call builds: frozen to whoever writes code, plain to Python.

``frozen=True`` makes a dataclass set its fields through ``object.__setattr__``, which costs three
times the construction, and a call builds two dozen of them. So these are frozen where it is checked
before anything runs, by the type checker, and not once more at run time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as quick
else:
    from collections.abc import Callable
    from dataclasses import dataclass

    def quick(*, frozen: bool, **options: bool) -> Callable[[type], type]:
        """Make a dataclass that hashes like a frozen one; ``frozen`` is for the type checker."""
        return dataclass(unsafe_hash=frozen, **options)


__all__ = ["quick"]
