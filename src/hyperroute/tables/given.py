"""Test cases from their documents: names and words checked, facts told from parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from hyperroute.canon.failure import FailureClass
from hyperroute.tables import words
from hyperroute.tables.compile import Compiled
from hyperroute.tables.conditions import condition, scalar
from hyperroute.tables.merge import Folder
from hyperroute.tables.providers import freeze
from hyperroute.tables.report import Spot
from hyperroute.tables.schema_policy import ExpectDoc, GivenDoc
from hyperroute.tables.sections import understand_tests
from hyperroute.tables.testcases import Expect, Given, TestCase
from hyperroute.tables.vocabulary import nearest

_CUT = re.compile(r"cut after [0-9]+ tok")


def cases(folder: Folder, compiled: Compiled) -> tuple[TestCase, ...]:
    """Compile the cases of the table's own files, in reading order."""
    made: list[TestCase] = []
    for entry, doc in understand_tests(folder):
        if not entry.spot.source.own:
            continue
        line, column = entry.spot.source.place(entry.spot.path)
        made.append(
            TestCase(
                name=doc.name,
                given=_given(entry.spot / "given", doc.given, compiled),
                expect=_expect(entry.spot / "expect", doc.expect, compiled),
                path=entry.spot.source.name,
                line=line,
                column=column,
            )
        )
    return tuple(sorted(made, key=lambda case: (case.path, case.line, case.column)))


def _given(spot: Spot, doc: GivenDoc, compiled: Compiled) -> Given:
    if (doc.model is None) == (doc.intent is None):
        spot.error("a request names either a model or an intent", key=True)
    names = compiled.names
    if doc.intent is not None and names.kinds.get(doc.intent) != "intent":
        intents = [name for name, what in names.kinds.items() if what == "intent"]
        (spot / "intent").error(f"unknown intent {doc.intent!r}{nearest(doc.intent, intents)}")
    parameters: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    request = compiled.spaces.request.types
    for word, value in (doc.__pydantic_extra__ or {}).items():
        at = spot / word
        if word in request:
            facts[word] = _fact(at, word, value, compiled)
        elif word in compiled.spaces.parameters.types:
            parameters[word] = freeze(value)
        else:
            valid = [*request, *compiled.spaces.parameters.types, *GivenDoc.model_fields]
            at.error(f"unknown fact or parameter {word!r}{nearest(word, valid)}", key=True)
    _needs(spot / "needs", doc.needs, compiled)
    _offers_or_providers(spot / "down", doc.down, compiled)
    only = doc.providers.only if doc.providers else None
    avoid = (doc.providers.avoid if doc.providers else None) or []
    _providers(spot / "providers" / "only", only or [], compiled)
    _providers(spot / "providers" / "avoid", avoid, compiled)
    return Given(
        model=doc.model,
        intent=doc.intent,
        input=_tokens(spot / "in", doc.input),
        output=_tokens(spot / "out", doc.output),
        needs=tuple(doc.needs),
        parameters=MappingProxyType(parameters),
        facts=MappingProxyType(facts),
        down=tuple(doc.down),
        day=doc.at,
        script=_script(spot / "script", doc.script, compiled),
        fallback=doc.fallback,
        only=None if only is None else tuple(only),
        avoid=tuple(avoid),
        max_cost=doc.max_cost,
        deadline_ns=doc.deadline,
        cache=doc.cache,
    )


def _expect(spot: Spot, doc: ExpectDoc, compiled: Compiled) -> Expect:
    for key, offers in (("served", [doc.served] if doc.served else []), ("order", doc.order or [])):
        for index, offer in enumerate(offers):
            _offer(spot / key / index if key == "order" else spot / key, offer, compiled)
    for offer in doc.rejected:
        _offer(spot / "rejected" / offer, offer, compiled, key=True)
    return Expect(
        served=doc.served,
        attempts=doc.attempts,
        order=None if doc.order is None else tuple(doc.order),
        never=condition(spot / "never", doc.never, compiled.spaces.offers),
        cost=doc.cost,
        ends=doc.ends,
        error=doc.error,
        status=doc.status,
        rejected=MappingProxyType(dict(doc.rejected)),
    )


def _tokens(spot: Spot, written: Any) -> int | None:
    if written is None:
        return None
    try:
        return words.size(
            written.removesuffix("tok").strip() if isinstance(written, str) else written
        )
    except ValueError:
        spot.error(f"expected tokens such as 2k tok, found {words.shown(written)}")
        return None


def _fact(spot: Spot, word: str, value: Any, compiled: Compiled) -> Any:
    space = compiled.spaces.request
    kind = space.types[word]
    try:
        if kind == "words" and isinstance(value, list):
            return tuple(scalar(kind, item) for item in value)
        read = scalar(kind, value)
        choices = space.choices.get(word)
        if choices is not None and isinstance(read, str) and read not in choices:
            raise ValueError(f"unknown {word} {read!r}{nearest(read, choices)}")  # noqa: TRY301
    except ValueError as error:
        spot.error(str(error))
        return None
    return (read,) if kind == "words" else read


def _needs(spot: Spot, needs: Iterable[str], compiled: Compiled) -> None:
    valid = frozenset().union(*compiled.spaces.does.values())
    for index, word in enumerate(needs):
        if word not in valid:
            (spot / index).error(f"unknown capability {word!r}{nearest(word, valid)}")


def _offers_or_providers(spot: Spot, down: Iterable[str], compiled: Compiled) -> None:
    providers = list(compiled.spaces.offers.choices["provider"])
    for index, word in enumerate(down):
        if word not in providers:
            if "@" in word:
                _offer(spot / index, word, compiled)
            else:
                (spot / index).error(f"unknown provider {word!r}{nearest(word, providers)}")


def _providers(spot: Spot, listed: Iterable[str], compiled: Compiled) -> None:
    providers = list(compiled.spaces.offers.choices["provider"])
    for index, word in enumerate(listed):
        if word not in providers:
            (spot / index).error(f"unknown provider {word!r}{nearest(word, providers)}")


def _offer(spot: Spot, name: str, compiled: Compiled, *, key: bool = False) -> None:
    names = compiled.names
    model = name.rpartition("@")[0]
    if name not in names.offers and not names.excused(name) and not names.pattern_for(model):
        spot.error(f"unknown offer {name!r}{nearest(name, names.offers)}", key=key)


def _script(
    spot: Spot, script: Mapping[str, list[str]], compiled: Compiled
) -> Mapping[str, tuple[str, ...]]:
    for offer, steps in script.items():
        _offer(spot / offer, offer, compiled, key=True)
        for index, step in enumerate(steps):
            if not _is_step(step):
                (spot / offer / index).error(
                    "expected ok, a failure class, cut after 20 tok or slow 5s, "
                    f"found {words.shown(step)}{_near_step(step)}"
                )
    return MappingProxyType({offer: tuple(steps) for offer, steps in sorted(script.items())})


def _is_step(step: str) -> bool:
    if step == "ok" or step in FailureClass.__members__.values() or _CUT.fullmatch(step):
        return True
    head, _, tail = step.partition(" ")
    try:
        return head == "slow" and words.time(tail) >= 0
    except ValueError:
        return False


def _near_step(step: str) -> str:
    found = nearest(step, list(FailureClass))
    return found if "mean" in found else ""
