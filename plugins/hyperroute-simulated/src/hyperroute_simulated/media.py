"""Pictures, films, sounds, vectors and rented seconds, as far as routing and billing see them.

No wire format is involved. Images are real, small PNG files of the size that was asked for, given by
their bytes; of the other kinds what comes is a reference under ``.invalid``. The meters are those that
a real host would report, from the request's own parameters.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, Literal

from hyperroute.canon.content import Media, Opaque, Part
from hyperroute.canon.events import (
    Finished,
    PartEnded,
    PartStarted,
    Started,
    StreamEvent,
    UsageReported,
)
from hyperroute.canon.usage import Usage
from hyperroute.providers.classify import verdict_on
from hyperroute.providers.flow import CallError, Flow, Outbound, Pause
from hyperroute_simulated.pictures import png
from hyperroute_simulated.simulation import Simulation, draw

KINDS: Final = frozenset({"image", "video", "audio", "embed", "gpu"})
_MIMES: Final[Mapping[str, tuple[Literal["image", "video", "audio"], str, str]]] = MappingProxyType(
    {
        "image": ("image", "png", "image/png"),
        "video": ("video", "mp4", "video/mp4"),
        "audio": ("audio", "mp3", "audio/mpeg"),
    }
)
_RESULTS_MAX: Final = 64
_SIDE: Final = 64
_MS_DEFAULT: Final = 5_000


def produced(call: Outbound, world: Simulation) -> Flow:
    """Make what was asked for, or fail as the world says.

    Raises:
        CallError: The world says so.
    """
    fingerprint = b"\0".join(
        (call.model.encode(), str(call.seed).encode(), call.request.kind.encode())
    )
    step = world.step(attempt=call.attempt, fingerprint=fingerprint)
    if wait := world.latency_ns + step.slow_ns:
        yield Pause(wait)
    if step.kind is not None:
        raise CallError(replace(verdict_on(step.kind), message="simulated"))
    yield from _events(call, draw(world.seed, fingerprint, b"id"))


def _events(call: Outbound, number: int) -> Iterator[StreamEvent]:
    said: Mapping[str, Any] = {**call.request.parameters, **call.parameters}
    kind = call.request.kind
    count = min(max(_count(said.get("n"), 1), 1), _RESULTS_MAX)
    yield Started(f"sim-{number:016x}", call.model, call.unix_s)
    frame = _frame(said)
    for index in range(count):
        name = f"{number:016x}-{index}"
        part = _part(kind, name) if kind != "image" else _picture(f"{said}{name}", frame)
        yield PartStarted(index, part, index)
        yield PartEnded(index)
    ms = _count(said.get("duration"), _MS_DEFAULT // 1_000) * 1_000
    match kind:
        case "image":
            usage = Usage(images=count)
        case "video":
            usage = Usage(clips=count, made_ms=ms * count)
        case "audio":
            usage = Usage(calls=1, made_ms=ms)
        case "gpu":
            usage = Usage(calls=1, run_ms=ms)
        case _:
            usage = Usage(calls=1, input_tokens=-(-call.request.input_bytes // 4))
    yield UsageReported(usage)
    for index in range(count):
        yield Finished("stop", choice=index)


def _part(kind: str, name: str) -> Part:
    if kind in _MIMES:
        media, ending, mime = _MIMES[kind]
        address = f"https://simulated.invalid/{name}.{ending}"
        return Media(kind=media, source="url", value=address, mime=mime)
    return Opaque("simulated", {"kind": kind, "id": name})


def _picture(seed: str, frame: tuple[int, int]) -> Media:
    data = b64encode(png(seed.encode(), *frame)).decode()
    return Media(kind="image", source="data", value=data, mime="image/png")


def _frame(said: Mapping[str, Any]) -> tuple[int, int]:
    """Read width and height from a size; what is none gets a small square."""
    width, _, height = str(said.get("size", "")).lower().replace("*", "x").partition("x")
    sides = _count(width, 0), _count(height, 0)
    return sides if all(sides) else (_SIDE, _SIDE)


def _count(value: object, default: int) -> int:
    """Read a whole number, also of a time such as ``5s``."""
    text = str(value).removesuffix("s")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else default


__all__ = ["KINDS", "produced"]
