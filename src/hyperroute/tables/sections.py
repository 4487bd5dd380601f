"""Every section through its schema, definition by definition where something is wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Tag, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from hyperroute.catalog.price import METERS
from hyperroute.tables.merge import Entry, Folder
from hyperroute.tables.report import Spot
from hyperroute.tables.schema_catalog import (
    ModelDoc,
    NamedPrice,
    ProviderDoc,
    ShapeDoc,
    SheetDoc,
    TierDoc,
)
from hyperroute.tables.schema_policy import FactDoc, LimitDoc, PolicyDoc, TestDoc
from hyperroute.tables.schema_terms import AliasRef, ChainRef, IntentDoc
from hyperroute.tables.vocabulary import PARAMETERS, PluginWords, likely, nearest

FORMS: dict[str, Any] = {
    "providers": ProviderDoc,
    "models": ModelDoc,
    "shapes": ShapeDoc,
    "prices": NamedPrice,
    "aliases": AliasRef,
    "intents": IntentDoc,
    "chains": ChainRef,
    "policies": PolicyDoc,
    "limits": LimitDoc,
    "facts": FactDoc,
    "tests": TestDoc,
}


@cache
def _adapter(section: str) -> TypeAdapter[Any]:
    form: Any = dict.__class_getitem__((str, FORMS[section]))
    return TypeAdapter(form)


Extras = Mapping[type[BaseModel], Iterable[str]]
"""The words that a map which plugins may extend has beside its keys: parameters, meters."""


def understand(folder: Folder, section: str, extras: Extras) -> dict[str, Any]:
    """Validate a section: name to its document, ``None`` for one that is broken and told.

    A definition with a misspelt key is read as it was meant, and one with a wrong value without it:
    what is wrong with the rest of it is then told in the same report.
    """
    entries = folder.sections[section]
    docs, mended = _validate(section, entries, extras)
    for name, value in mended.items():
        folder.mended.add((section, name))
        entries[name] = replace(entries[name], value=value)
    return docs


def extras(plugins: PluginWords | None) -> Extras:
    """Gather those words."""
    words = plugins or PluginWords()
    meters = {*METERS, *words.meters}
    return {ShapeDoc: PARAMETERS | words.parameters, SheetDoc: meters, TierDoc: meters}


def understand_tests(folder: Folder) -> list[tuple[Entry, TestDoc]]:
    """Validate the cases of all files; broken ones are told and left out."""
    entries = {str(index): entry for index, entry in enumerate(folder.tests)}
    docs, _ = _validate("tests", entries, {})
    return [(entries[key], doc) for key, doc in docs.items() if doc is not None]


def _validate(
    section: str, entries: dict[str, Entry], extras: Extras
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the documents by name, and the values of those that were mended on the way."""
    values = {name: entry.value for name, entry in entries.items()}
    adapter, form = _adapter(section), FORMS[section]
    mended: dict[str, Any] = {}
    broken: set[str] = set()
    while True:
        try:
            docs = adapter.validate_python(
                {name: value for name, value in values.items() if name not in broken}
            )
            return {name: docs.get(name) for name in values}, mended
        except ValidationError as error:
            faults: dict[str, list[ErrorDetails]] = defaultdict(list)
            for detail in _once(error.errors(include_url=False)):
                name, *inside = detail["loc"]
                detail["loc"] = tuple(inside)
                faults[str(name)].append(detail)
        for name, details in faults.items():
            if name not in mended:
                mended[name] = deepcopy(values[name])  # parts of it may stand elsewhere too
            spot, changed = entries[name].spot, False
            for detail in details:
                tagged = detail["loc"]
                detail["loc"] = path = _place(values[name], detail)
                if not _misspelt(spot, form, tagged, extras):
                    spot.fault(detail, _keys_at(form, tagged[:-1]))
                if _mended(mended[name], path, detail["type"], _keys_at(form, tagged[:-1]), spot):
                    changed = True
            values[name] = mended[name]
            if not changed:
                broken.add(name)
                del mended[name]


def _place(value: Any, detail: ErrorDetails) -> tuple[int | str, ...]:
    """Take out of pydantic's path the tags of unions, which no document has."""
    path: list[int | str] = []
    part: Any
    for part in detail["loc"]:
        if (isinstance(value, dict) and part in value) or (
            isinstance(value, list) and isinstance(part, int) and part < len(value)
        ):
            path.append(part)
            value = value[part]
    return (*path, detail["loc"][-1]) if detail["type"] == "missing" else tuple(path)


def _mended(
    value: Any, path: tuple[int | str, ...], fault: str, keys: Iterable[str], spot: Spot
) -> bool:
    """Spell a key as it was meant, or leave out what is wrong; say whether anything was changed."""
    holder: dict[str, Any] | None = None
    at = 0
    part: Any
    for index, part in enumerate(path):
        if isinstance(value, dict) and part in value:
            holder, at = value, index
        elif isinstance(value, dict):
            return False  # it is missing
        value = value[part]
    if holder is None:
        return False
    word = str(path[at])
    found = holder.pop(word)
    if fault == "extra_forbidden":
        for meant in likely(word, keys):
            if meant not in holder:
                holder[meant] = found
                spot.source.respell((*spot.path, *path[:at]), word, meant)
                return True
    spot.report.gaps[spot.source.name].add((*spot.path, *path[: at + 1]))
    return True


def _misspelt(spot: Spot, form: Any, path: Sequence[int | str], extras: Extras) -> bool:
    """Tell a key of an open map that is no word at all, instead of what is wrong with its value."""
    for part in path:
        spot = spot / part
        known = _strip(form)
        form = _step(form, part)
        if known in extras and part not in (keys := _keys(known)):
            words = [*extras[known], *keys]
            if part not in words and not str(part).startswith("<"):
                what = "parameter" if known is ShapeDoc else "meter"
                spot.error(f"unknown {what} {part!r}{nearest(str(part), words)}", key=True)
                return True
    return False


def _once(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Drop what is said to be missing where it stands misspelt: that is one mistake, not two."""
    wrong = [detail["loc"] for detail in details if detail["type"] == "extra_forbidden"]
    return [
        detail
        for detail in details
        if detail["type"] != "missing"
        or not any(
            place[:-1] == detail["loc"][:-1]
            and get_close_matches(str(place[-1]), [str(detail["loc"][-1])])
            for place in wrong
        )
    ]


def _keys_at(form: Any, path: Sequence[int | str]) -> list[str]:
    """List the keys that the language has at a place, following pydantic's own path."""
    for part in path:
        form = _step(form, part)
    return _keys(_strip(form))


def _keys(form: Any) -> list[str]:
    if isinstance(form, type) and issubclass(form, BaseModel):
        return [field.alias or name for name, field in form.model_fields.items()]
    return []


def _strip(form: Any) -> Any:
    """Take off ``Annotated`` and ``| None``."""
    while True:
        if get_origin(form) is Annotated:
            form = get_args(form)[0]
            continue
        members = [member for member in get_args(form) if member is not type(None)]
        if len(members) == 1 and len(get_args(form)) == 2:
            form = members[0]
            continue
        return form


def _step(form: Any, part: int | str) -> Any:
    form = _strip(form)
    if isinstance(form, type) and issubclass(form, BaseModel):
        for name, field in form.model_fields.items():
            if part == (field.alias or name):
                return field.annotation
        if form.model_config.get("extra") == "allow":
            return get_args(get_type_hints(form, include_extras=True)["__pydantic_extra__"])[1]
        return None
    if get_origin(form) is dict:
        return get_args(form)[1]
    if get_origin(form) is list:
        return get_args(form)[0]
    for member in get_args(form):
        for mark in get_args(member)[1:]:
            if isinstance(mark, Tag) and mark.tag == part:
                return member
    return None
