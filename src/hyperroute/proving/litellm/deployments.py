"""``model_list``: every deployment an offer, every account a provider."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from hyperroute.proving.litellm.catalogue import Catalogue
from hyperroute.proving.litellm.deployment import Deployment
from hyperroute.proving.litellm.facts import RATES, read_facts
from hyperroute.proving.litellm.hosts import HOSTS, Host, kind_of, split_model
from hyperroute.proving.litellm.numbers import decimal, exact, seconds
from hyperroute.proving.litellm.report import Draft, whole
from hyperroute.tables.source import Path

_VARIABLE = re.compile(r"os\.environ/([A-Za-z_][A-Za-z0-9_]*)")
_ADDRESS = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")
_FILLED = ("temperature", "top_p", "seed")


class Reading:
    """Reads one deployment; each key of it has a method or a line in a table."""

    def __init__(
        self, draft: Draft, catalogue: Catalogue, credentials: Mapping[str, Any], *, limited: bool
    ) -> None:
        """Keep what all deployments share; ``limited``: rpm and tpm are limits, not only weights."""
        self.draft = draft
        self.say = draft.report.say
        self.catalogue = catalogue
        self.credentials = credentials
        self.limited = limited
        self._taken: set[str] = set()

    def read(self, entry: Any, path: Path) -> Deployment | None:
        """Understand one entry; ``None`` after saying why it cannot be."""
        params = entry.get("litellm_params") if isinstance(entry, dict) else None
        group = entry.get("model_name") if isinstance(entry, dict) else None
        if not isinstance(params, dict) or not isinstance(group, str) or "model" not in params:
            self.say("refused", path, "a deployment has a model_name and litellm_params.model")
            return None
        info = entry.get("model_info") or {}
        if not isinstance(info, dict):
            self.say("refused", (*path, "model_info"), "expected a map")
            info = {}
        if not re.fullmatch(r"[^\s]{1,200}", group):
            self.say("refused", (*path, "model_name"), f"{group!r} holds blanks; a name does not")
            return None
        params = self._with_credential(params, path)
        prefix, sends = split_model(
            str(params["model"]), str(params.get("custom_llm_provider", ""))
        )
        host, kind = HOSTS.get(prefix), kind_of(sends, str(info.get("mode", "")))
        if host is None or kind is None or (sends == "*" and "*" not in group):
            why = "is of no kind that a table has" if host else "has no host that is known here"
            told = f"{params['model']!r} {why}; the deployment is left out"
            self.say("refused", path, told)
            return None
        made = Deployment(path, group, kind, {})
        made.offer["at"] = self._provider(prefix, host, params, path)
        if sends != group:
            made.offer["sends"] = sends
        self.say("exact", (*path, "model_name"), f"{group!r} is a model")
        place = (*path, "litellm_params", "model")
        self.say("exact", place, f"an offer at {made.offer['at']} that sends {sends!r}")
        self._params(made, params, (*path, "litellm_params"))
        read_facts(
            made,
            params,
            info,
            draft=self.draft,
            catalogue=self.catalogue,
            host="" if self._own_address(prefix, params) else host.shipped,
            sends=sends,
        )
        for key in entry:
            if key in ("rpm", "tpm", "weight", "order"):
                self._param(made, key, entry[key], (*path, key))
            elif key not in ("model_name", "litellm_params", "model_info"):
                self.say("dropped", (*path, key), "this reader knows no such key")
        return made

    def _with_credential(self, params: dict[str, Any], path: Path) -> dict[str, Any]:
        name = params.get("litellm_credential_name")
        if name is None:
            return params
        place = (*path, "litellm_params", "litellm_credential_name")
        found = self.credentials.get(str(name))
        if not isinstance(found, dict):
            self.say("refused", place, f"no credential_list entry is called {name!r}")
            return params
        self.say("exact", place, "its values are read where they stand")
        return {**found, **params}

    # --- accounts --------------------------------------------------------------------------------
    def _provider(self, prefix: str, host: Host, params: Mapping[str, Any], path: Path) -> str:
        """Find or make the account: equal settings are one provider."""
        at = (*path, "litellm_params")
        made: dict[str, Any] = {"plugin": host.plugin}
        base = params.get("api_base", params.get("base_url"))
        url = host.url if base is None else self._url(prefix, str(base), at)
        if url:
            made["url"] = url
        elif host.needs_url:
            self.say(
                "refused", at, f"{prefix} needs an api_base; {prefix.upper()}_URL stands for it"
            )
            made["url"] = f"env:{prefix.upper()}_URL"
        made["keys"] = self._keys(prefix, host, params, at)
        if host.compatible or (host.plugin == "openai" and base is not None):
            made["speaks"] = ["chat", "embeddings"]
        options: dict[str, Any] = {"auth": "api-key"} if prefix == "azure" else {}
        if params.get("organization") and host.plugin == "openai":
            options["organization"] = str(params["organization"])
            self.say("exact", (*at, "organization"), "an option of the provider")
        if options:
            made["options"] = options
        headers = params.get("extra_headers")
        if isinstance(headers, dict):
            made["headers"] = {
                name: _reference(value) or str(value) for name, value in headers.items()
            }
            self.say("exact", (*at, "extra_headers"), "headers of the provider")
        for name, other in self.draft.providers.items():
            if other == made:
                return name
        word = re.sub(r"[^a-z0-9]+", "-", prefix.removesuffix("_ai")).strip("-")
        names = [word, *(f"{word}-{number}" for number in range(2, 1000))]
        name = next(name for name in names if name not in self.draft.providers)
        self.draft.providers[name] = made
        return name

    @staticmethod
    def _own_address(prefix: str, params: Mapping[str, Any]) -> bool:
        """Say whether a vendor's prefix is used for an address that is not the vendor's."""
        said = params.get("api_base", params.get("base_url"))
        return said is not None and prefix != "azure" and HOSTS[prefix].url != str(said).rstrip("/")

    def _url(self, prefix: str, base: str, at: Path) -> str:
        place = (*at, "api_base")
        reference = _reference(base)
        if reference is not None:
            if prefix == "azure":
                told = f"its value has to end in /openai/v1, Azure's own v1 endpoint: {reference}"
                self.say("adapted", place, told)
            else:
                self.say("exact", place, f"the provider's url, {reference}")
            return reference
        if not _ADDRESS.fullmatch(base):
            self.say("refused", place, "expected an address or os.environ/NAME")
            return ""
        if prefix == "azure":
            url = base.rstrip("/") + (
                "" if base.rstrip("/").endswith("/openai/v1") else "/openai/v1"
            )
            self.say(
                "adapted", place, "Azure's v1 endpoint, which takes deployments by their names"
            )
            return url
        if prefix.startswith("ollama") and not base.rstrip("/").endswith("/v1"):
            self.say("adapted", place, "Ollama's compatible endpoint below it, /v1")
            return base.rstrip("/") + "/v1"
        self.say("exact", place, "the provider's url")
        return base.rstrip("/")

    def _keys(self, prefix: str, host: Host, params: Mapping[str, Any], at: Path) -> list[str]:
        key = params.get("api_key")
        place = (*at, "api_key")
        if key is None:
            return [f"env:{host.variable}"] if host.variable else []
        reference = _reference(key)
        if reference is not None:
            self.say("exact", place, f"a reference, {reference}")
            return [reference]
        if str(key).casefold() in ("none", "", "fake-key", "dummy", "anything", "sk-none"):
            self.say("adapted", place, "no credential is sent")
            return []
        variable = host.variable or f"{prefix.upper()}_API_KEY"
        word = variable
        for number in range(2, 1000):
            if word not in self._taken:
                break
            word = f"{variable}_{number}"
        self._taken.add(word)
        self.say("refused", place, f"a table holds no credential: put it into {word}")
        return [f"env:{word}"]

    # --- parameters ------------------------------------------------------------------------------
    def _params(self, made: Deployment, params: Mapping[str, Any], at: Path) -> None:
        for key, value in params.items():
            if key not in _READ and key not in RATES:
                self._param(made, key, value, (*at, key))

    def _param(self, made: Deployment, key: str, value: Any, place: Path) -> None:
        known: Mapping[str, Callable[[Deployment, str, Any, Path], None]] = {
            "weight": self._weight,
            "order": self._order,
            "rpm": self._rate,
            "tpm": self._rate,
            "max_parallel_requests": self._at_once,
            "timeout": self._timeout,
            "stream_timeout": self._timeout,
            "extra_body": self._body,
            "tags": self._tags,
        }
        if key in known:
            known[key](made, key, value, place)
        elif key in _FILLED:
            made.offer.setdefault("takes", {})[key] = {"default": exact(value)}
            self.say("exact", place, "filled in where the request does not say it")
        elif key == "api_version":
            self.say("adapted", place, "Azure's v1 endpoint needs none")
        elif key == "drop_params":
            self.say("exact", place, "what a host cannot be told is left out and reported")
        elif key in ("max_budget", "budget_duration"):
            if key == "max_budget":
                self.say(
                    "dropped", place, "an offer has limits of rate, not of money; a provider has"
                )
            else:
                self.say("dropped", place, "with its max_budget")
        else:
            self.say("dropped", place, "a table has nothing like it")

    def _weight(self, made: Deployment, _key: str, value: Any, place: Path) -> None:
        number = decimal(value)
        if number is None or number < 0:
            self.say("refused", place, "a weight is a number from 0")
            return
        made.weight = number
        self.say("exact", place, f"its share of {made.group!r}")

    def _order(self, made: Deployment, _key: str, value: Any, place: Path) -> None:
        made.order = whole(value)
        if made.order is None:
            self.say("refused", place, "an order is a whole number")
        else:
            self.say("exact", place, "lower ones come first in the model's use")

    def _rate(self, made: Deployment, key: str, value: Any, place: Path) -> None:
        number = whole(value)
        if not number:
            self.say("refused", place, "a rate is a whole number from 1")
            return
        made.facts.setdefault("_rates", {})[key] = number
        if self.limited:
            unit = "req" if key == "rpm" else "tok"
            rates = made.offer.setdefault("limits", {}).setdefault("rate", [])
            rates.append(f"{number} {unit} / min")
            self.say("exact", place, "a limit of the offer, beyond which it is passed by")
        else:
            told = "its weight, as simple-shuffle has it; no limit without pre-call checks"
            self.say("exact", place, told)

    def _at_once(self, made: Deployment, _key: str, value: Any, place: Path) -> None:
        number = whole(value)
        if not number:
            self.say("refused", place, "expected a whole number from 1")
            return
        made.offer.setdefault("limits", {})["at_once"] = number
        self.say("exact", place, "a limit of the offer")

    def _timeout(self, made: Deployment, key: str, value: Any, place: Path) -> None:
        span = seconds(value)
        if span is None:
            self.say("refused", place, "expected seconds")
        elif key == "timeout":
            made.offer.setdefault("timeout", {})["total"] = span
            self.say("exact", place, "of one attempt, from its beginning to its end")
        else:
            made.offer.setdefault("timeout", {}).update({"first_byte": span, "idle": span})
            self.say("adapted", place, "until the first byte and between any two, streamed or not")

    def _body(self, made: Deployment, _key: str, value: Any, place: Path) -> None:
        if not isinstance(value, dict):
            self.say("refused", place, "expected a map")
            return
        made.offer["adds"] = value
        self.say("exact", place, "put into every body")

    def _tags(self, made: Deployment, _key: str, value: Any, place: Path) -> None:
        listed = value if isinstance(value, list) else [value]
        words = [re.sub(r"[^A-Za-z0-9._-]+", "-", str(word)).strip(".-") for word in listed]
        if not all(words):
            self.say("refused", place, "a tag is a word")
            return
        made.offer["tags"] = list(dict.fromkeys(words))
        self.say("adapted", place, "tags of the offer; a policy may require req.tags of it")


_READ = frozenset(
    {
        *("model", "api_key", "api_base", "base_url", "organization", "extra_headers"),
        *("custom_llm_provider", "litellm_credential_name"),
    }
)


def _reference(value: object) -> str | None:
    found = _VARIABLE.fullmatch(str(value))
    return f"env:{found[1]}" if found else None
