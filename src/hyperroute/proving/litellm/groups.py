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
    for failure, listed in after.items():
        for name in names:
            if name in listed:
                _after(draft, name, failure, listed[name], intent=name in chosen)
    if defaults is not None:
        say("exact", defaults[1], "behind every model that has no fallbacks of its own")
    pools: dict[str, str] = {}
    for name, others in chosen.items():
        where = general[name][1] if name in general else (defaults or ([], ()))[1]
        told = f"unrolled: {', '.join(others)}"
        if _never_dearer(draft, name, others):
            draft.models[name].setdefault("instead", [])[:0] = others
            say("exact", where, f"{told}, as equivalents")
        else:
            pools[name] = f"{name}-itself"
            told += f"; {name!r} is an intent, because a fallback may cost more, or nobody knows"
            say("adapted", where, told)
    _intents(draft, chosen, pools)


def _intents(draft: Draft, chosen: Mapping[str, list[str]], pools: Mapping[str, str]) -> None:
    for name, pool in pools.items():
        model = draft.models.pop(name)
        draft.models[pool] = {**model, "listed": False}
        for offer in draft.models[pool]["offers"]:
            offer.setdefault("sends", name)
        if "use" in model:
            draft.models[pool]["use"] = _renamed(model["use"], name, pool)
    for name, pool in pools.items():
        terms = [pool, *(pools.get(other, other) for other in chosen[name])]
        kind = draft.models[pool]["kind"]
        draft.intents[name] = {"kind": kind, "use": {"first": terms}}
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


def _after(
    draft: Draft, name: str, failure: str, listed: tuple[list[str], Path], *, intent: bool
) -> None:
    others, where = listed
    fitting = [one for one in others if _fit(draft, name, one)]
    if not fitting:
        return
    entries = [{"model": one, "after": [failure]} for one in fitting]
    draft.models[name].setdefault("instead", []).extend(entries)
    if not _never_dearer(draft, name, fitting):
        told = f"after {failure}, but only where the equivalent costs the caller no more"
        draft.report.say("dropped", where, told)
    elif intent and not _never_dearer(draft, name, fitting):
        draft.report.say("dropped", where, "an intent has no equivalents of its own")
    else:
        draft.report.say("exact", where, f"equivalents after {failure}: {', '.join(fitting)}")


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
