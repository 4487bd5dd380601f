"""The conformance matrix: what each pair of dialects carries, loses or refuses, found by trying.

Nothing here is written down by hand but the features themselves. A cell is *translated* only where
reading the target's document gives back what reading the source's gave, and nothing was reported
lost; a difference that nobody reported is a defect and raises.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hyperroute.canon.loss import Loss
from hyperroute.dialects.base import ErrorInStream
from hyperroute.dialects.translating import DIALECTS, Kind, Translation, translate
from hyperroute.errors import Untranslatable
from hyperroute.testing.likeness import of_reply, of_request
from hyperroute.testing.matrix_replies import REPLIES, as_stream
from hyperroute.testing.matrix_requests import REQUESTS
from hyperroute.testing.subtraction import minus, unexplained

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One feature from one dialect to another.

    Attributes:
        why: What is lost, or why it is refused.
    """

    kind: Kind
    feature: str
    source: str
    target: str
    outcome: Literal["same", "translated", "lossy", "refused"]
    losses: tuple[Loss, ...] = ()
    why: str = ""


class SilentLoss(AssertionError):
    """A translation changed something and said nothing of it."""


def features(kind: Kind) -> Mapping[str, Mapping[str, Document]]:
    """Return the documents of a kind by feature and dialect."""
    if kind == "request":
        return REQUESTS
    if kind == "response":
        return REPLIES
    return {
        feature: {dialect: as_stream(dialect, dict(whole)) for dialect, whole in said.items()}
        for feature, said in REPLIES.items()
    }


def cells(kind: Kind) -> Iterator[Cell]:
    """Try every feature of a kind from every dialect that has it to all four.

    Raises:
        SilentLoss: Something was lost without a word.
    """
    for feature, said in features(kind).items():
        for source, document in said.items():
            for target in DIALECTS:
                yield cell(kind, feature, document, source=source, target=target)


def cell(kind: Kind, feature: str, document: Document, *, source: str, target: str) -> Cell:
    """Try one.

    Raises:
        SilentLoss: Something was lost without a word.
    """
    tried = {"kind": kind, "feature": feature, "source": source, "target": target}
    try:
        made = translate(document, source=source, target=target, kind=kind)
    except Untranslatable as error:
        return Cell(**tried, outcome="refused", why=str(error))  # type: ignore[arg-type]
    if source == target:
        if made.document != document or made.losses:
            raise SilentLoss(f"{feature}: {source} is not itself")
        return Cell(**tried, outcome="same")  # type: ignore[arg-type]
    if different := differences(document, made, source=source, target=target, kind=kind):
        raise SilentLoss(f"{feature}: {kind} from {source} to {target} differs: {different}")
    outcome = "lossy" if made.losses else "translated"
    return Cell(**tried, outcome=outcome, losses=made.losses)  # type: ignore[arg-type]


def differences(
    document: Document, made: Translation, *, source: str, target: str, kind: Kind
) -> dict[str, Any]:
    """Name what a translation changed without declaring it."""
    if kind == "request":
        asked, told = of_request(document, source), of_request(made.document, target)
        return unexplained(asked, told, made.losses, dialect=source)
    try:
        asked, told = of_reply(document, source), of_reply(made.document, target)
    except ErrorInStream:
        return {}  # told as a failure, which a reader does not take for an answer
    asked, told = minus(asked, made.losses), minus(told, made.losses)
    return {key: (asked[key], told[key]) for key in asked if asked[key] != told[key]}


# --- as a page -------------------------------------------------------------------------------------
def page() -> Iterator[str]:
    """Write the matrix for people: one table for each source, of requests and of answers."""
    yield from _tables("Requests", {"request": list(cells("request"))})
    answers: dict[Kind, list[Cell]] = {
        "response": list(cells("response")),
        "stream": list(cells("stream")),
    }
    yield from _tables("Answers", answers)


def _tables(title: str, found: Mapping[Kind, list[Cell]]) -> Iterator[str]:
    told = {
        (one.source, one.feature, one.target, kind): shown(one)
        for kind, row in found.items()
        for one in row
    }
    for source in DIALECTS:
        others = [name for name in DIALECTS if name != source]
        yield from (f"## {title} of {source}", "")
        yield f"| | {' | '.join(f'to {name}' for name in others)} |"
        yield "|---|---|---|---|"
        for feature in dict.fromkeys(key[1] for key in told if key[0] == source):
            row = (
                _joined([told[source, feature, name, kind] for kind in found]) for name in others
            )
            yield f"| {feature} | {' | '.join(row)} |"
        yield ""


def _joined(said: list[str]) -> str:
    if len(set(said)) == 1:
        return said[0]
    return f"whole: {said[0]}; streamed: {said[1]}"


def shown(one: Cell) -> str:
    """Write a cell."""
    if one.outcome == "refused":
        return f"**refused**: {_plain(one.why)}"
    if one.outcome == "lossy":
        told = dict.fromkeys(f"*{loss.kind}* {_plain(loss.why)}" for loss in one.losses)
        return "; ".join(told)
    return "translated"


def _plain(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")


__all__ = ["Cell", "SilentLoss", "cell", "cells", "differences", "features", "page", "shown"]
