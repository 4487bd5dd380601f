"""``hyperroute image``: pictures from a prompt, into files, and one line about what it took."""

from __future__ import annotations

import sys
from base64 import b64decode
from binascii import Error as NoBase64
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hyperroute.cli.asking import usd
from hyperroute.cli.options import Intent, Json, Model, Tables, place
from hyperroute.cli.say import answering, emit, misuse

if TYPE_CHECKING:
    from hyperroute.canon.content import Media
    from hyperroute.runtime.answer import Answer


def image(
    prompt: Annotated[
        str, typer.Argument(metavar="PROMPT", help="What to draw.", show_default=False)
    ],
    *,
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="FILE", help="Where to; of several, a number goes before the suffix."
        ),
    ] = Path("image.png"),
    model: Model = None,
    intent: Intent = None,
    n: Annotated[int | None, typer.Option("--n", metavar="N", min=1, max=10)] = None,
    size: Annotated[
        str | None, typer.Option("--size", metavar="WxH", help="As the model takes it.")
    ] = None,
    quality: Annotated[
        str | None, typer.Option("--quality", metavar="WORD", help="As the model takes it.")
    ] = None,
    simulated: Annotated[
        bool,
        typer.Option("--simulated", help="Let a simulated provider answer: no key, no network."),
    ] = False,
    tables: Tables = None,
    as_json: Json = False,
) -> None:
    """Draw; files are named on stdout, what it took goes to stderr."""
    if model is not None and intent is not None:
        misuse("say either --model or --intent", as_json=as_json)
    if not out.parent.is_dir():
        misuse(f"--out names a folder that is not there: {str(out.parent)!r}", as_json=as_json)
    with answering(as_json=as_json):
        from hyperroute.cli.simulating import simulated_registry
        from hyperroute.client import Client, Router

        registry = simulated_registry() if simulated else None
        router = Router.load(place(tables, as_json=as_json), registry=registry)
        named = {"intent": intent or "text-to-image-fast"} if model is None else {"model": model}
        said: dict[str, Any] = {"n": n, "size": size, "quality": quality}
        body = {**named, "prompt": prompt, **{name: v for name, v in said.items() if v is not None}}
        with Client(router) as client:
            answer = client.send(body, dialect="openai.images")
        files = [_kept(one, place_) for one, place_ in _places(answer, out)]
        _tell(answer, files, as_json=as_json)


def _places(answer: Answer, out: Path) -> list[tuple[Media, Path]]:
    from hyperroute.canon.content import Media

    pictures = [
        part for one in answer.reply.choices for part in one.parts if isinstance(part, Media)
    ]
    if len(pictures) == 1:
        return [(pictures[0], out)]
    return [
        (each, out.with_name(f"{out.stem}-{at}{out.suffix}"))
        for at, each in enumerate(pictures, start=1)
    ]


def _kept(picture: Media, file: Path) -> str:
    """Write a picture; one that is only addressed is named by its address."""
    if picture.source != "data":
        return picture.value
    try:
        data = b64decode(picture.value, validate=True)
    except NoBase64:
        return f"{file}: not written, because the provider sent no base64"
    file.write_bytes(data)
    return str(file)


def _tell(answer: Answer, files: list[str], *, as_json: bool) -> None:
    record = answer.record
    taken = {
        "served": record.served,
        "attempts": len(record.attempts),
        "latency_ms": record.latency_ns // 1_000_000,
        "images": record.usage.images,
        "cost_usd": usd(record.cost, record.scale),
    }
    if as_json:
        emit({"files": files, **taken, "record": record.to_json()})
        return
    for file in files:
        print(file)
    price = taken["cost_usd"]
    attempts = f"{taken['attempts']} attempt{'s' if taken['attempts'] != 1 else ''}"
    told = f"{taken['served']}, {attempts}, {taken['latency_ms']} ms, {taken['images']} images"
    print(
        f"{told}, {'price unknown' if price is None else f'{price} USD'}",
        file=sys.stderr,
    )
