"""From the bytes of a configuration to a table that loads, and a report of every key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hyperroute.errors import Problem, TableError
from hyperroute.proving.litellm import groups
from hyperroute.proving.litellm.catalogue import Catalogue
from hyperroute.proving.litellm.deployment import Deployment
from hyperroute.proving.litellm.deployments import Reading
from hyperroute.proving.litellm.report import Draft, Report
from hyperroute.proving.litellm.settings import ELSEWHERE, Settings
from hyperroute.proving.litellm.writing import written
from hyperroute.tables.load import loads
from hyperroute.tables.source import Reader, Source
from hyperroute.tables.vocabulary import PluginWords

_HEAD = """Written by hyperroute import from {name}; edit it freely.
{counts}."""
_TOLERATED = ("merge keys are not", "many YAML readers take")
"""LiteLLM's own reader takes these."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A table, and what became of every line of the configuration."""

    table: str
    report: Report


def read(name: str, data: bytes, catalogue: Catalogue, plugins: PluginWords | None) -> Imported:
    """Turn a configuration into a table.

    Args:
        name: Of the file, for problems.
        data: YAML.
        catalogue: Facts and prices of models that are known.
        plugins: What the table is loaded with, to try it.

    Raises:
        TableError: It is no YAML map, or what came of it does not load, with the reason.
    """
    source, top = _parsed(name, data)
    draft = Draft(Report(source))
    settings = Settings(draft, top)
    limited, strategy = settings.limited, settings.strategy
    reading = Reading(draft, catalogue, _credentials(draft, top), limited=limited)
    listed = top.get("model_list") or []
    if not isinstance(listed, list):
        draft.report.say("refused", ("model_list",), "expected a list")
        listed = []
    found = [reading.read(entry, ("model_list", at)) for at, entry in enumerate(listed)]
    sorted_out = groups.grouped([one for one in found if one is not None])
    groups.models(draft, sorted_out, strategy)
    _fallbacks(draft, settings, sorted_out)
    settings.budgets()
    _aliases(draft, settings)
    settings.rest()
    _others(draft, top)
    draft.report.lines.sort()
    counts = ", ".join(f"{count} {word}" for word, count in draft.report.counts().items())
    text = written(draft.document(), head=_HEAD.format(name=name, counts=counts))
    loads(text, f"{name} as a table", plugins=plugins)
    return Imported(text, draft.report)


def _parsed(name: str, data: bytes) -> tuple[Source, dict[str, Any]]:
    reader = Reader()
    taken = reader.take(name, data, own=True)
    wrong = [one for one in reader.problems if not one.message.startswith(_TOLERATED)]
    if taken is None or wrong:
        raise TableError(tuple(wrong) or (Problem(name, 0, 0, "no map"),))
    if "model_list" not in taken[1]:
        raise TableError(
            (Problem(name, 1, 1, "no model_list: this is no configuration of LiteLLM's"),)
        )
    return taken


def _credentials(draft: Draft, top: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    listed = top.get("credential_list") or ()
    for at, entry in enumerate(listed if isinstance(listed, list) else ()):
        path = ("credential_list", at)
        values = entry.get("credential_values") if isinstance(entry, dict) else None
        if not isinstance(values, dict) or "credential_name" not in entry:
            draft.report.say("refused", path, "a credential has a name and its values")
            continue
        found[str(entry["credential_name"])] = values
        draft.report.say("exact", path, "read where a deployment names it")
    return found


def _fallbacks(draft: Draft, settings: Settings, found: dict[str, list[Deployment]]) -> None:
    names = frozenset(found)
    general = settings.listed("fallbacks", names)
    after = {
        "context_length": settings.listed("context_window_fallbacks", names),
        "content_policy": settings.listed("content_policy_fallbacks", names),
    }
    defaults = settings.defaults(names)
    most = settings.take("max_fallbacks")
    if most is not None:
        draft.report.say("adapted", most[1], f"at most {groups.FOLLOWED} are followed")
    ways = {
        name: [name, *groups.unrolled(name, general, defaults[0] if defaults else ())]
        for name in names
    }
    offers = max((sum(len(found[one]) for one in way) for way in ways.values()), default=1)
    levels = max((len(way) for way in ways.values()), default=1)
    groups.route(draft, general, after, defaults)
    settings.rules(offers, levels)


def _aliases(draft: Draft, settings: Settings) -> None:
    taken = settings.take("model_group_alias")
    if taken is None:
        return
    if not isinstance(taken[0], dict):
        draft.report.say("refused", taken[1], "expected a map")
        return
    for alias, said in taken[0].items():
        place = (*taken[1], alias)
        to = str(said.get("model") if isinstance(said, dict) else said)
        hidden = isinstance(said, dict) and said.get("hidden") is True
        if to not in draft.models and to not in draft.intents:
            draft.report.say("refused", place, f"there is no model_name {to!r}")
        elif alias in draft.models or alias in draft.intents:
            draft.report.say(
                "refused", place, f"{alias!r} is also a model_name, and would be hidden"
            )
        else:
            draft.aliases[alias] = {"to": to, "listed": not hidden}
            draft.report.say("exact", place, f"an alias of {to!r}")


def _others(draft: Draft, top: dict[str, Any]) -> None:
    say = draft.report.say
    for section, value in top.items():
        if section in ("model_list", "router_settings", "litellm_settings", "credential_list"):
            continue
        if section == "environment_variables" and isinstance(value, dict):
            for key in value:
                say(
                    "adapted",
                    (section, key),
                    "set it where hyperroute runs; a table holds no values",
                )
        elif section == "general_settings" and isinstance(value, dict):
            for key in value:
                if key in ELSEWHERE:
                    say("adapted", (section, key), ELSEWHERE[key])
                else:
                    say("dropped", (section, key), "a table has nothing like it")
        elif section == "include":
            say("refused", (section,), "one file is read: put the included ones into it")
        else:
            say("dropped", (section,), "a table has nothing like it")
