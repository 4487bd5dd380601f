"""Secrets as a type that cannot be printed, and the two places where we look for them ourselves.

A credential in a log is the commonest leak of all gateways, and it always happens by way of a
``repr``. So what a reference resolves to is wrapped at once, and unwrapped at exactly one place:
where an attempt is signed.
"""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Never

SECRET_BYTES_MAX: Final = 64 * 1024
"""A larger file is not a credential; reading stops there."""


class Secret:
    """A credential. Printing, formatting and pickling never show it; ``reveal`` does."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Wrap the text."""
        self._value = value

    def reveal(self) -> str:
        """Return the text, for a signature and nothing else."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> Never:
        raise TypeError("a Secret is not pickled: pass its reference instead")


@dataclass(frozen=True, slots=True)
class SecretAnswer:
    """What a reference resolved to; ``reason`` says why not, and never holds the secret."""

    secret: Secret | None
    reason: str = ""


def builtin_secret(reference: str) -> SecretAnswer | None:
    """Resolve ``env:NAME`` and ``file:/path``; ``None`` for any other scheme.

    A file's trailing line break is not part of it, because every editor adds one. An empty value
    counts as missing: it is what a forgotten variable looks like inside a container.
    """
    scheme, _, name = reference.partition(":")
    match scheme:
        case "env":
            value = os.environ.get(name)
            if value:
                return SecretAnswer(Secret(value))
            state = "is not set" if value is None else "is empty"
            return SecretAnswer(None, f"the environment variable {name!r} {state}")
        case "file":
            return _from_file(name)
        case _:
            return None


def _from_file(name: str) -> SecretAnswer:
    try:
        with Path(name).open("rb") as file:
            data = file.read(SECRET_BYTES_MAX + 1)
        text = data.decode("utf-8").rstrip("\r\n")
    except OSError as error:
        return SecretAnswer(None, f"the file {name!r} cannot be read: {error.strerror}")
    except ValueError:
        return SecretAnswer(None, f"the file {name!r} is not UTF-8 text")
    if len(data) > SECRET_BYTES_MAX:
        return SecretAnswer(None, f"the file {name!r} exceeds {SECRET_BYTES_MAX} bytes")
    return SecretAnswer(Secret(text)) if text else SecretAnswer(None, f"the file {name!r} is empty")


__all__ = ["SECRET_BYTES_MAX", "Secret", "SecretAnswer", "builtin_secret"]
