"""Parameters that a table's shape fills in or changes, said in a dialect's own place and words.

A shape speaks the language's words (``effort``, ``n``, ``top_p``); each dialect has a table of where
it says them. What a dialect has no word for is left out and reported; a word of no table is the
host's own, and is written at the top as it stands. All other bytes of the body are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hyperroute.canon.loss import Loss
from hyperroute.dialects.json import dumps
from hyperroute.dialects.relay import Edit, Path, Remove, Set, find, splice

Places = Mapping[str, Path | None]
"""Parameter to the path of the member that says it; ``None``: the dialect has no such member."""


def fill(
    body: bytes, parameters: Mapping[str, Any], places: Places
) -> tuple[bytes, tuple[Loss, ...]]:
    """Set parameters where a dialect says them; ``None`` takes a member out.

    Raises:
        SpliceError: The body is not a JSON object.
        ValueError: A value is not JSON.
    """
    losses: list[Loss] = []
    for name, value in parameters.items():
        path = places.get(name, (name,))
        if path is None:
            losses.extend(_unsaid(name, value))
        elif value is None:
            if find(body, path) is not None:
                body = splice(body, [Remove(path)])
        else:
            body = splice(body, [_placed(body, path, dumps(value))])
            losses.extend(_limited(name, path))
    return body, tuple(losses)


def _placed(body: bytes, path: Path, value: bytes) -> Edit:
    """Set a member, and make the objects around it that are not there yet."""
    depth = len(path)
    while depth > 1 and not _is_object(body, path[: depth - 1]):
        depth -= 1
        value = b"{" + dumps(path[depth]) + b":" + value + b"}"
    return Set(path[:depth], value)


def _is_object(body: bytes, path: Path) -> bool:
    place = find(body, path)
    return place is not None and body[place[0] : place[0] + 1] == b"{"


def _limited(name: str, path: Path) -> Iterator[Loss]:
    if name == "max_output":  # the caller set no limit, and gets an answer that has one
        where = "".join(f"/{step}" for step in path)
        yield Loss(where, "synthesised", "a policy caps the tokens of an answer")


def _unsaid(name: str, value: object) -> Iterator[Loss]:
    if value is not None and (name, value) != ("n", 1):  # one answer is what everybody gives
        yield Loss(f"/{name}", "dropped", "a parameter of the shape has no place in this dialect")
