"""Groups of deployments to models, and fallbacks to equivalents or to intents.

An equivalent of ours never costs the caller more than the model that was asked for. Where a general
fallback may be dearer, the group's name becomes an intent over its own model and the others: the
client's word stays the same, and the fallback is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from hyperroute.proving.litellm.deployment import Deployment
from hyperroute.proving.litellm.report import Draft
from hyperroute.tables.source import Path
from hyperroute.tables.words import size

FOLLOWED = 5
"""Fallbacks that one request may come through, as LiteLLM has it when nothing is said."""

_RANKS: Mapping[str, str] = {
    "latency-based-routing": "latency.p90",
    "least-busy": "load",
    "cost-based-routing": "cost",
}
_SHUFFLES = ("simple-shuffle", "usage-based-routing", "usage-based-routing-v2")
STRATEGIES = (*_SHUFFLES, *_RANKS)

Listed = dict[str, tuple[list[str], Path]]
"""Group to its fallbacks, and where they are written."""


def grouped(deployments: Iterable[Deployment]) -> dict[str, list[Deployment]]:
    """Gather the deployments of each name; a second one at the same provider becomes a variant."""
    groups: dict[str, list[Deployment]] = {}
    for one in deployments:
        group = groups.setdefault(one.group, [])
        same = sum(other.offer["at"] == one.offer["at"] for other in group)
        if same:
            one.offer = {"at": one.offer["at"], "variant": str(same + 1), **one.offer}
        group.append(one)
    return groups


def models(draft: Draft, groups: Mapping[str, list[Deployment]], strategy: str) -> None:
    """Write every group as a model with its offers, in the order that its strategy means."""
    for name, group in groups.items():
        kinds = {one.kind for one in group}
        if len(kinds) > 1:
            draft.report.say("refused", group[0].path, f"{name!r} is of several kinds: {kinds}")
        made: dict[str, Any] = {"kind": group[0].kind}
        for fact in ("does", "context", "input", "output"):
            said = [one.facts.get(fact) for one in group]
            if all(value == said[0] for value in said):
                if said[0] is not None:
                    made[fact] = said[0]
            else:
                for one, value in zip(group, said, strict=True):
                    if value is not None:
                        one.offer[fact] = value
        made["offers"] = [one.offer for one in group]
        if len(group) > 1 and "*" not in name:
            made["use"] = _use(group, strategy)
        draft.models[name] = made


def _use(group: list[Deployment], strategy: str) -> Any:
    ranks: dict[int, list[Deployment]] = {}
    for one in group:
        ranks.setdefault(-1 if one.order is None else one.order, []).append(one)
    last = max(ranks) + 1
    if -1 in ranks and last > 0:
        ranks[last] = ranks.pop(-1)  # what has no order comes last
    parts = [_among(ranks[order], strategy) for order in sorted(ranks)]
    return parts[0] if len(parts) == 1 else {"first": parts}


def _among(group: list[Deployment], strategy: str) -> Any:
    if len(group) == 1:
        return group[0].id
    if strategy in _RANKS:
        return {"first": [one.id for one in group], "rank": [_RANKS[strategy]]}
    arms = _shares({one.id: _weight(one, group) for one in group})
    return {"split": {"by": "req", "arms": arms, "rest": True}}


def _weight(one: Deployment, group: list[Deployment]) -> Decimal:
    """Take what simple-shuffle takes: weights where any is said, else rpm, else tpm, else all alike."""
    if any(other.weight is not None for other in group):
        return one.weight or Decimal(0)
    for key in ("rpm", "tpm"):
        rates = [other.facts.get("_rates", {}).get(key) for other in group]
        if any(rates):
            return Decimal(one.facts.get("_rates", {}).get(key) or 0)
    return Decimal(1)


def _shares(weights: Mapping[str, Decimal]) -> dict[str, str]:
    """Turn weights into shares of 100 % to two places; the largest takes what rounding leaves."""
    total = sum(weights.values()) or Decimal(len(weights))
    even = not sum(weights.values())
    cents = {
        name: int((Decimal(1) if even else weight) * 10_000 / total)
        for name, weight in weights.items()
    }
    largest = max(cents, key=lambda name: cents[name])
    cents[largest] += 10_000 - sum(cents.values())
    return {name: f"{Decimal(cent) / 100:f}%" for name, cent in cents.items()}


# --- fallbacks -----------------------------------------------------------------------------------
def unrolled(name: str, listed: Listed, defaults: Iterable[str]) -> list[str]:
    """List the fallbacks of a group and theirs in turn, each once, in the order of being tried."""
    found: list[str] = []
    waiting = list(listed[name][0] if name in listed else defaults)
    while waiting and len(found) < FOLLOWED:
        one = waiting.pop(0)
        if one != name and one not in found:
            found.append(one)
            waiting[:0] = listed[one][0] if one in listed else []
    return found


def route(
    draft: Draft,
    general: Listed,
    after: Mapping[str, Listed],
    defaults: tuple[list[str], Path] | None,
) -> None:
    """Write fallbacks: as equivalents where none can be dearer, else as an intent of the same name.

    Args:
        draft: Holds the models.
        general: Fallbacks after any failure.
        after: Failure class to fallbacks after it.
        defaults: Of every group without general fallbacks of its own.
    """
    say = draft.report.say
    names = [name for name in draft.models if "*" not in name]
    chosen: dict[str, list[str]] = {}
    for name in names:
        others = unrolled(name, general, defaults[0] if defaults else ())
        others = [one for one in others if _fit(draft, name, one)]
        if others:
            chosen[name] = others
    intents = {one for one, others in chosen.items() if not _never_dearer(draft, one, others)}
    longer: dict[str, tuple[int, list[str]]] = {}
    for failure, listed in after.items():
        for name in names:
            if name in listed:
                _after(draft, name, failure, listed[name], longer, intents)
    if defaults is not None and defaults[0]:
        say("exact", defaults[1], "behind every model that has no fallbacks of its own")
    for name in (one for one in chosen if one in general):
        told = f"unrolled: {', '.join(chosen[name])}"
        if name in intents:
            told += f"; {name!r} is an intent, since a fallback may cost more, or nobody knows"
            say("adapted", general[name][1], told)
        else:
            say("exact", general[name][1], f"{told}, as equivalents")
    for name, others in chosen.items():
        if name not in intents:
            draft.models[name].setdefault("instead", [])[:0] = others
    pools = {name: f"{name}-itself" for name in names if name in intents}
    _intents(draft, chosen, pools, longer)


def _intents(
    draft: Draft,
    chosen: Mapping[str, list[str]],
    pools: Mapping[str, str],
    longer: Mapping[str, tuple[int, list[str]]],
) -> None:
    """Give the names of some groups to intents; their models stay what they are under another."""
    for name, pool in pools.items():
        model = draft.models.pop(name)
        draft.models[pool] = {**model, "listed": False}
        for offer in draft.models[pool]["offers"]:
            offer.setdefault("sends", name)
        if "use" in model:
            draft.models[pool]["use"] = _renamed(model["use"], name, pool)
    for name, pool in pools.items():
        terms = [pool, *(pools.get(other, other) for other in chosen.get(name, ()))]
        use: Any = {"first": terms} if len(terms) > 1 else pool
        if name in longer:
            window, larger = longer[name]
            way = {"first": [pools.get(other, other) for other in larger]}
            use = {"match": [{"when": {"req.tokens": f"> {window}"}, "use": way}, {"use": use}]}
        draft.intents[name] = {"kind": draft.models[pool]["kind"], "use": use}
    for model in draft.models.values():
        if "instead" in model:
            model["instead"] = [
                {**one, "model": pools.get(one["model"], one["model"])}
                if isinstance(one, dict)
                else pools.get(one, one)
                for one in model["instead"]
            ]


def _renamed(term: Any, name: str, pool: str) -> Any:
    """Write a model's own order for its new name: offers are called after their model."""
    if isinstance(term, str):
        return pool + term.removeprefix(name) if term.startswith(f"{name}@") else term
    if isinstance(term, list):
        return [_renamed(one, name, pool) for one in term]
    if isinstance(term, dict):
        return {
            (_renamed(key, name, pool) if "@" in key else key): _renamed(value, name, pool)
            for key, value in term.items()
        }
    return term


def _fit(draft: Draft, name: str, other: str) -> bool:
    model = draft.models.get(other)
    return model is not None and "*" not in other and model["kind"] == draft.models[name]["kind"]


def _after(  # noqa: PLR0917 - one row of a table, and what it adds to
    draft: Draft,
    name: str,
    failure: str,
    listed: tuple[list[str], Path],
    longer: dict[str, tuple[int, list[str]]],
    intents: set[str],
) -> None:
    """Write fallbacks after one class of failure; a dearer one only for what is known to be too long."""
    others, where = listed
    say, model = draft.report.say, draft.models[name]
    fitting = [one for one in others if _fit(draft, name, one)]
    windows = [offer.get("context", model.get("context")) for offer in model["offers"]]
    if not fitting:
        return
    if name not in intents and _never_dearer(draft, name, fitting):
        entries = [{"model": one, "after": [failure]} for one in fitting]
        model.setdefault("instead", []).extend(entries)
        say("exact", where, f"equivalents after {failure}: {', '.join(fitting)}")
    elif failure == "context_length" and all(windows):
        window = max(size(one) for one in windows)
        longer[name] = window, fitting
        intents.add(name)
        told = f"requests of more than {window} tokens go there at once; {name!r} is an intent"
        say("adapted", where, told)
    else:
        why = "an intent has no equivalents" if name in intents else "it may cost the caller more"
        say("dropped", where, f"{why}, so that nothing comes after {failure} alone")


def _never_dearer(draft: Draft, name: str, others: Iterable[str]) -> bool:
    """Say whether every offer of the others has known rates no higher than each of the model's own."""
    own = _rates(draft, name)
    return all(
        own is not None
        and theirs is not None
        and all(max(theirs[meter]) <= min(own[meter]) for meter in ("in", "out"))
        for theirs in (_rates(draft, other) for other in others)
    )


def _rates(draft: Draft, name: str) -> dict[str, list[Decimal]] | None:
    """Give the rates of a model's offers that matter; ``None``: some are unknown, or have tiers."""
    found: dict[str, list[Decimal]] = {"in": [], "out": []}
    for offer in draft.models[name]["offers"]:
        price = offer.get("price")
        price = draft.prices.get(price) if isinstance(price, str) else price
        rows = price if isinstance(price, list) else [price]
        for row in rows:
            if not isinstance(row, dict) or "tiers" in row or row.get("per") != "1M tok":
                return None
            for meter, rates in found.items():
                if meter not in row:
                    return None
                rates.append(Decimal(str(row[meter])))
    return found
