"""``hyperroute translate``: a document of one dialect in another, and what that loses."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, cast

import typer

from hyperroute.cli.options import Json
from hyperroute.cli.say import emit, misuse, no, one_line
from hyperroute.errors import Untranslatable


def translate(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="The document as JSON; none, or -, reads stdin.",
            show_default=False,
        ),
    ] = None,
    *,
    source: Annotated[
        str, typer.Option("--from", metavar="DIALECT", help="The dialect it is in: openai.chat, …")
    ],
    target: Annotated[
        str, typer.Option("--to", metavar="DIALECT", help="The dialect it shall be in.")
    ],
    kind: Annotated[
        str,
        typer.Option("--kind", metavar="KIND", help="request, response, stream or error."),
    ] = "request",
    profile: Annotated[
        list[str] | None,
        typer.Option(
            "--profile",
            metavar="NAME=VALUE",
            help="What is known of the target, or a JSON file of it; may be repeated.",
        ),
    ] = None,
    request: Annotated[
        Path | None,
        typer.Option(
            "--request", metavar="FILE", help="Of a reply: what was asked, in the target's dialect."
        ),
    ] = None,
    refuse: Annotated[
        bool, typer.Option("--refuse", help="Refuse rather than lose anything.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say a document of one dialect in another; the document goes to stdout, its losses to stderr."""
    from hyperroute.dialects import translate as say_in

    known = _profile(profile, as_json=as_json)
    document = _read(file, as_json=as_json)
    asked = None if request is None else _read(request, as_json=as_json)
    try:
        made = say_in(
            document,
            source=source,
            target=target,
            kind=cast("Literal['request', 'response', 'stream', 'error']", kind),
            profile=known,
            request=asked,
            lossy="refuse" if refuse else "report",
        )
    except ValueError as error:
        misuse(one_line(error), as_json=as_json)
    except Untranslatable as error:
        _refused(error, as_json=as_json)
    losses = [{"path": x.path, "kind": x.kind, "why": x.why, "of": x.of} for x in made.losses]
    if as_json:
        beside: dict[str, Any] = {"path": made.path or None, "status": made.status}
        beside["headers"] = dict(made.headers) or None
        beside = {name: value for name, value in beside.items() if value is not None}
        emit({"document": made.document, "losses": losses, **beside})
        return
    emit(made.document)
    for loss in losses:
        print(f"{loss['kind']} {loss['path']}: {loss['why']}", file=sys.stderr)


def _refused(error: Untranslatable, *, as_json: bool) -> NoReturn:
    """Print the body that the client would get.

    Raises:
        typer.Exit: Always.
    """
    if as_json:
        told = {"type": type(error).__name__, "message": one_line(error), "pointer": error.pointer}
        emit({"error": {**told, "status": error.status, "body": error.body}})
    else:
        emit(error.body)
        print(f"hyperroute: refused with {error.status}: {one_line(error)}", file=sys.stderr)
    no()


def _read(file: Path | None, *, as_json: bool) -> Any:
    """Read a JSON document.

    Raises:
        typer.Exit: There is none.
    """
    name = "stdin" if file is None or str(file) == "-" else str(file)
    try:
        if name == "stdin":
            return json.loads(sys.stdin.read())
        return json.loads(Path(name).read_text("utf-8"))
    except OSError as error:
        misuse(f"{name} cannot be read: {error.strerror}", as_json=as_json)
    except (ValueError, RecursionError) as error:
        misuse(f"{name} holds no JSON: {one_line(error)}", as_json=as_json)


def _profile(words: list[str] | None, *, as_json: bool) -> dict[str, Any]:
    """Read ``NAME=VALUE`` words and files; a value that is no JSON is text.

    Raises:
        typer.Exit: A word is neither.
    """
    known: dict[str, Any] = {}
    for word in words or ():
        name, equals, value = word.partition("=")
        if equals and name.strip().isidentifier():
            try:
                known[name.strip()] = json.loads(value)
            except ValueError:
                known[name.strip()] = value
            continue
        if not Path(word).exists():
            misuse(f"--profile needs NAME=VALUE or a JSON file, not {word!r}", as_json=as_json)
        said = _read(Path(word), as_json=as_json)
        if not isinstance(said, dict):
            misuse(f"{word} must hold a JSON object", as_json=as_json)
        known |= said
    return known


__all__ = ["translate"]
