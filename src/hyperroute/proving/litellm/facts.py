"""What a deployment's model can do and what it costs: as said, else as the shipped table knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hyperroute.proving.litellm.catalogue import Catalogue
from hyperroute.proving.litellm.deployment import Deployment
from hyperroute.proving.litellm.hosts import split_model
from hyperroute.proving.litellm.numbers import decimal, trimmed
from hyperroute.proving.litellm.report import Draft, whole
from hyperroute.tables.source import Path
from hyperroute.tables.vocabulary import DOES

MILLION = 1_000_000
SUPPORTS: Mapping[str, str] = {
    "supports_function_calling": "tools",
    "supports_parallel_function_calling": "parallel_tools",
    "supports_vision": "vision",
    "supports_pdf_input": "pdf",
    "supports_audio_input": "audio_in",
    "supports_response_schema": "json_schema",
    "supports_reasoning": "thinking",
    "supports_prompt_caching": "prompt_cache",
    "supports_web_search": "web_search",
}
RATES: Mapping[str, str] = {
    "input_cost_per_token": "in",
    "output_cost_per_token": "out",
    "cache_read_input_token_cost": "in.cached",
    "cache_creation_input_token_cost": "in.cache_write",
    "output_cost_per_reasoning_token": "out.reasoning",
}


def read_facts(
    made: Deployment,
    params: Mapping[str, Any],
    info: Mapping[str, Any],
    *,
    draft: Draft,
    catalogue: Catalogue,
    host: str,
    sends: str,
) -> None:
    """Fill in facts and price; ``host`` is its name in the shipped table, ``sends`` the upstream id."""
    path, say = made.path, draft.report.say
    base = info.get("base_model")
    made.known = catalogue.find(sends if base is None else split_model(str(base))[1], host)
    facts = {} if made.known is None else dict(made.known.facts)
    facts.pop("vendor", None)
    if made.known is None and made.kind == "chat":
        # Where nobody knows what a model can do, LiteLLM sends it everything.
        facts["does"] = sorted(DOES["chat"])
    for key, value in info.items():
        place = (*path, "model_info", key)
        if key in ("mode", "base_model"):
            say("exact", place, "the kind" if key == "mode" else "whose facts and price it has")
        elif key in ("max_tokens", "max_output_tokens", "max_input_tokens"):
            number = whole(value)
            word = {"max_input_tokens": "input"}.get(key, "output")
            if number:
                facts[word] = number
            say("exact" if number else "refused", place, f"the model's {word}")
        elif key in SUPPORTS:
            does = set(facts.get("does", ())) - {SUPPORTS[key]}
            facts["does"] = sorted(does | ({SUPPORTS[key]} if value is True else set()))
            say("exact", place, f"{SUPPORTS[key]} in does")
        elif key in ("id", "description", "metadata"):
            say("adapted", place, f"not needed: the offer is called {made.id}")
        elif key not in RATES:
            say("dropped", place, "a table has nothing like it")
    made.facts |= facts
    _price(made, {"model_info": info, "litellm_params": params}, path, draft)


def _price(
    made: Deployment, written: Mapping[str, Mapping[str, Any]], path: Path, draft: Draft
) -> None:
    say = draft.report.say
    sheet: dict[str, Any] = {}
    for where, said in written.items():
        for key in (key for key in RATES if key in said):
            place = (*path, where, key)
            rate = decimal(said[key])
            if rate is None or rate < 0:
                say("refused", place, "expected dollars for a token")
                continue
            sheet[RATES[key]] = trimmed(rate * MILLION)
            say("exact", place, f"{sheet[RATES[key]]} usd for a million")
    if sheet:
        made.offer["price"] = {"per": "1M tok", **sheet}
        return
    place = (*path, "litellm_params", "model")
    known = made.known
    if known is None or known.price is None:
        told = "its price is unknown; say input_cost_per_token, or write it into the table"
        say("adapted", place, told)
        return
    if known.price_name:
        draft.prices[known.price_name] = known.price
    made.offer["price"] = known.price_name or known.price
    say("adapted", place, f"the price is the shipped table's, of {known.name}")
