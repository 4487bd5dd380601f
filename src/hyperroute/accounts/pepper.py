"""Where the pepper comes from: the environment, or a file that is made once beside the records.

Kept apart from the records on purpose: whoever copies one of the two has nothing. Whoever loses the
pepper has lost every key, so it is never made anew where a file is there already.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from hyperroute.errors import StoreError
from hyperroute.plugins.secret import Secret
from hyperroute.stores.opening import path_of, shown

VARIABLE = "HYPERROUTE_PEPPER"
CHARS_MIN = 16
"""A shorter pepper could be tried out; 32 random characters are better."""


def pepper_of(url: str, environment: Mapping[str, str]) -> Secret:
    """Return the pepper of the keys that a store keeps.

    Args:
        url: Of the store. Beside one that is a file the pepper is a file too; several hosts share
            theirs by their environment.
        environment: Where ``HYPERROUTE_PEPPER`` counts more than a file.

    Raises:
        StoreError: It cannot be read or written, is too short, or is nowhere to be found.
    """
    path = path_of(url)
    if path is not None:
        return pepper_beside(path, environment)
    given = environment.get(VARIABLE)
    if given is None:
        raise StoreError(
            f"keys in {shown(url)} need a pepper that every host knows: set {VARIABLE} to "
            f"{CHARS_MIN} characters or more, such as `openssl rand -hex 32` prints"
        )
    return _checked(given, f"the environment variable {VARIABLE}")


def pepper_beside(records: Path, environment: Mapping[str, str]) -> Secret:
    """Return the pepper of the keys that are kept at a path, and make it if there is none.

    Args:
        records: The file of the keys; the pepper's is beside it, with ``.pepper`` in place of its suffix.
        environment: Where ``HYPERROUTE_PEPPER`` counts more than the file.

    Raises:
        StoreError: It cannot be read or written, or is too short.
    """
    given = environment.get(VARIABLE)
    if given is not None:
        return _checked(given, f"the environment variable {VARIABLE}")
    path = records.with_suffix(".pepper")
    try:
        if not path.exists():
            _make(path)
        return _checked(path.read_text("ascii").strip(), repr(str(path)))
    except OSError as error:
        raise StoreError(f"{str(path)!r} cannot be used: {error.strerror}") from None
    except ValueError:
        raise StoreError(f"{str(path)!r} holds no text of ASCII characters") from None


def _make(path: Path) -> None:
    """Make the file whole or not at all; of two that make it at once, the first one's stays."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}.draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _checked(text: str, place: str) -> Secret:
    if len(text) < CHARS_MIN:
        raise StoreError(f"{place} is too short for a pepper: {CHARS_MIN} characters at least")
    return Secret(text)


__all__ = ["CHARS_MIN", "VARIABLE", "pepper_beside", "pepper_of"]
