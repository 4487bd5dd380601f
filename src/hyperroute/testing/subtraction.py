"""What a document says, minus what was declared lost; so that a loss explains only itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from hyperroute.canon.loss import Loss
from hyperroute.dialects import unsaid
from hyperroute.dialects.places import place
from hyperroute.testing.likeness import Form, rejoined

_MEDIA: Final = ("image", "audio", "video", "file")
_RANKS: Final = MappingProxyType({"text": 0, "refusal": 1, "call": 2})
_BROKEN: Final = unsaid.BROKEN.partition("{")[0]
_NEAREST: Final = unsaid.NEAREST.partition("{")[0]


def minus(form: Form, losses: Iterable[Loss]) -> Form:
    """Take out of a reply's form what the losses of it declare."""
    whys = frozenset(loss.why for loss in losses if loss.of == "reply")
    blurred = {unsaid.NO_CATEGORY} & whys
    blurred |= {why for why in whys if why.startswith(_NEAREST)}
    choices: dict[int, Any] = {}
    for index, (parts, reason, detail) in form["choices"].items():
        if index and unsaid.NO_CHOICES in whys:
            continue
        kept = [one for part in parts for one in _kept(part, whys)]
        if unsaid.REORDERED in whys:
            kept.sort(key=lambda one: _RANKS.get(one[0], 0))
        choices[index] = rejoined(kept), None if blurred else (reason, detail)
    lost = {unsaid.METER, unsaid.UNKNOWN}
    meters = {
        meter: count
        for meter, count in form["usage"].items()
        if whys.isdisjoint(why.format(meter) for why in lost)
    }
    return {"model": form["model"], "choices": choices, "usage": meters}


def _kept(part: tuple[Any, ...], whys: frozenset[str]) -> Iterator[tuple[Any, ...]]:
    kind = part[0]
    if kind == "thinking":
        if unsaid.NO_THINKING not in whys:
            yield (*part[:3], None if unsaid.NO_SEAL in whys else part[3])
    elif kind == "text":
        seal = None if unsaid.NO_SEAL in whys else part[4]
        yield (*part[:2], list(_cites(part[2], whys)), part[3], seal)
    elif kind == "refusal" and unsaid.AS_TEXT in whys:
        yield ("text", part[1], [], None, None)
    elif kind == "own" and unsaid.NOT_OURS in whys:
        return
    elif kind == "call":
        yield from _called(part, whys)
    elif kind in _MEDIA:
        if unsaid.MEDIUM.format(kind) not in whys:
            yield ("medium", part[2]) if unsaid.BESIDE in whys else part
    else:
        yield part


def _called(part: tuple[Any, ...], whys: frozenset[str]) -> Iterator[tuple[Any, ...]]:
    _, ident, name, said, custom, seal = part
    seal = None if unsaid.NO_SEAL in whys else seal
    if unsaid.AS_FUNCTION in whys and isinstance(said, dict) and said.keys() == {"input"}:
        said = said["input"]
    elif not custom and any(why.startswith(_BROKEN) for why in whys):
        said = None  # more than one call may be broken, and a loss does not say which
    yield ("call", ident, name, said, custom and unsaid.AS_FUNCTION not in whys, seal)


_BLURRING: Final = frozenset({unsaid.BY_WORDS, unsaid.AT_END, unsaid.AS_TEXT, unsaid.REORDERED})
"""Losses behind which a place in the text is another: words of refusal count, and order does."""


def _cites(cites: Iterable[tuple[Any, ...]], whys: frozenset[str]) -> Iterator[tuple[Any, ...]]:
    for cited in cites:
        page = len(cited) == 4 and isinstance(cited[0], str)
        if not page and unsaid.NO_DOCUMENT in whys:
            continue
        yield cited[:2] if _BLURRING & whys and page else cited


_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "choice": ("tool_choice", "tools"),
        "tools": ("tools", "tool_choice"),
        "system": ("system", "output"),
        "output": ("output", "verbosity"),
        "named": ("output",),
        "thinking": ("thinking", "effort"),
    }
)
"""Members of a request's form by the canonical names that a loss of them may have."""


def unexplained(asked: Form, told: Form, losses: Iterable[Loss], *, dialect: str) -> Form:
    """Name the members of two requests that differ without any loss that points there."""
    paths = [loss.path for loss in losses]
    different: Form = {}
    for member, said in asked.items():
        if said == told[member]:
            continue
        places = [place(dialect, name) for name in _MEMBERS.get(member, (member,))]
        if member == "extensions":
            continue  # each is a loss by itself, as drop_extensions sees to
        if not any(path.startswith(tuple(places)) for path in paths):
            different[member] = (said, told[member])
    return different


__all__ = ["minus", "unexplained"]
