"""``router_settings`` and ``litellm_settings``: retries, time, cool-downs, budgets, everything else."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hyperroute.proving.litellm.groups import STRATEGIES, Listed
from hyperroute.proving.litellm.numbers import DAY_MS, decimal, seconds, trimmed
from hyperroute.proving.litellm.report import Draft, whole
from hyperroute.routing.table import ATTEMPTS_CEILING
from hyperroute.tables.source import Path

ELSEWHERE: Mapping[str, str] = {
    "master_key": "callers have keys of their own: hyperroute keys",
    "database_url": "where keys and usage are kept is the gateway's to know, not the table's",
    "database_connection_pool_limit": "the gateway's to know, not the table's",
    "redis_host": "what is shared is the gateway's to know, not the table's",
    "redis_port": "what is shared is the gateway's to know, not the table's",
    "redis_password": "what is shared is the gateway's to know, not the table's",
    "redis_url": "what is shared is the gateway's to know, not the table's",
    "redis_db": "what is shared is the gateway's to know, not the table's",
    "set_verbose": "how much is logged is the gateway's to know",
    "json_logs": "how much is logged is the gateway's to know",
    "debug_level": "how much is logged is the gateway's to know",
    "client_ttl": "connections are kept and closed by themselves",
    "store_model_in_db": "models are in the table and nowhere else",
    "force_ipv4": "addresses are tried as they come, the quickest first",
}
"""What has a place, though not in a table."""

ERRORS: Mapping[str, tuple[str, ...]] = {
    "RateLimitErrorRetries": ("rate_limited",),
    "TimeoutErrorRetries": ("slow_start",),
    "InternalServerErrorRetries": ("server_error", "overloaded"),
    "AuthenticationErrorRetries": ("provider_auth",),
}
MOST_FAILS = 1_000
FRUITLESS = ("BadRequestErrorRetries", "ContentPolicyViolationErrorRetries")
_PERIODS: Mapping[str, str] = {"1d": "day", "24h": "day", "30d": "month", "1mo": "month"}


class Settings:
    """Reads both sections as one, as LiteLLM does: what the router says goes before."""

    def __init__(self, draft: Draft, top: Mapping[str, Any]) -> None:
        """Find every key, and where the one that counts stands."""
        self.draft = draft
        self.say = draft.report.say
        self.found: dict[str, tuple[Any, Path]] = {}
        for section in ("litellm_settings", "router_settings"):
            values = top.get(section) or {}
            if not isinstance(values, dict):
                self.say("refused", (section,), "expected a map")
                continue
            for key, value in values.items():
                if key in self.found:
                    self.say("exact", self.found[key][1], "router_settings say it too, and win")
                self.found[key] = value, (section, key)
        self.policy: dict[str, Any] = {}
        self._done: set[str] = set()

    def take(self, key: str) -> tuple[Any, Path] | None:
        """Give a setting and its place, once."""
        self._done.add(key)
        return self.found.get(key)

    @property
    def strategy(self) -> str:
        """How a deployment of a group is chosen."""
        taken = self.take("routing_strategy")
        if taken is None:
            return "simple-shuffle"
        word, place = str(taken[0]), taken[1]
        if word not in STRATEGIES:
            self.say("refused", place, f"expected one of {', '.join(STRATEGIES)}")
            return "simple-shuffle"
        told = {
            "simple-shuffle": ("exact", "a split by request over the offers, the others behind it"),
            "latency-based-routing": ("adapted", "rank by latency.p90 as measured here"),
            "least-busy": ("adapted", "rank by load as measured here"),
            "cost-based-routing": ("adapted", "rank by the price of the very request"),
        }.get(word, ("adapted", "a split by request; rpm and tpm are limits of each offer"))
        self.say(told[0], place, told[1])  # type: ignore[arg-type]
        return word

    @property
    def limited(self) -> bool:
        """Whether rpm and tpm keep a deployment from being chosen."""
        for key in ("enable_pre_call_checks", "enable_pre_call_check"):
            taken = self.take(key)
            if taken is not None:
                self.say("exact", taken[1], "windows are always checked; rpm and tpm are limits")
                if taken[0] is True:
                    return True
        found = self.found.get("routing_strategy")
        return found is not None and str(found[0]).startswith("usage-based")

    def listed(self, key: str, names: frozenset[str]) -> Listed:
        """Read ``[{group: [fallback, …]}, …]``; the group ``*`` stands for all others."""
        taken = self.take(key)
        made: Listed = {}
        if taken is None:
            return made
        value, place = taken
        for at, entry in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(entry, dict):
                self.say("refused", (*place, at), "expected a group with its fallbacks")
                continue
            for group, others in entry.items():
                here = (*place, at, group)
                if group != "*" and group not in names:
                    self.say("refused", here, f"there is no model_name {group!r}")
                    continue
                known = self._known(others, names, here)
                for name in sorted(names) if group == "*" else [group]:
                    if name not in made or group != "*":
                        made[name] = known, here
        return made

    def defaults(self, names: frozenset[str]) -> tuple[list[str], Path] | None:
        """Read the fallbacks of every group that has none."""
        taken = self.take("default_fallbacks")
        if taken is None:
            return None
        return self._known(taken[0], names, taken[1]), taken[1]

    def _known(self, others: Any, names: frozenset[str], place: Path) -> list[str]:
        found: list[str] = []
        aliases = self.found.get("model_group_alias", ({}, ()))[0]
        for at, one in enumerate(others if isinstance(others, list) else [others]):
            meant = aliases.get(one) if isinstance(aliases, dict) and isinstance(one, str) else None
            if isinstance(one, str) and one in names:
                found.append(one)
            elif isinstance(meant, str) and meant in names:
                found.append(meant)
            elif isinstance(one, dict):
                self.say(
                    "refused", (*place, at), "a fallback with another prompt is another request"
                )
            else:
                self.say("refused", (*place, at), f"there is no model_name {one!r}")
        return found

    # --- the policy ------------------------------------------------------------------------------
    def rules(self, offers: int, levels: int) -> None:
        """Write the policy of all requests.

        Args:
            offers: That one request may come to, at most.
            levels: Groups that it may come through, at most.
        """
        attempts = self._retries(offers, levels)
        self._time(attempts)
        self._cooling()
        self._classes()
        if self.policy:
            self.draft.policies["litellm"] = self.policy

    def _retries(self, offers: int, levels: int) -> int:
        taken = self.take("num_retries")
        if taken is None:
            return 6
        count = whole(taken[0])
        if count is None:
            self.say("refused", taken[1], "expected a whole number")
            return 6
        each = min(count, max(0, ATTEMPTS_CEILING // max(levels, 1) - 1))
        attempts = max(1, min(ATTEMPTS_CEILING, (1 + each) * max(offers, 1)))
        self.policy["cap"] = {"attempts": attempts}
        self.policy["retry"] = {"per_offer": each}
        told = f"{each} retries of an offer, at most {attempts} attempts of a request"
        self.say("exact" if (each, offers) == (count, 1) else "adapted", taken[1], told)
        return attempts

    def _time(self, attempts: int) -> None:
        timeout, other = self.take("timeout"), self.take("request_timeout")
        if timeout is not None and other is not None:
            self.say("exact", other[1], "router_settings.timeout goes before it")
        taken = timeout or other
        if taken is not None:
            span, number = seconds(taken[0]), decimal(taken[0])
            if span is None or number is None:
                self.say("refused", taken[1], "expected seconds")
            else:
                self.policy.setdefault("timeout", {})["total"] = span
                longest = seconds(min(number * attempts, Decimal(DAY_MS) / 1000))
                self.policy.setdefault("cap", {})["time"] = longest
                self.say("adapted", taken[1], f"{span} of an attempt, {longest} of a request")
        stream = self.take("stream_timeout")
        if stream is not None:
            span = seconds(stream[0])
            if span is None:
                self.say("refused", stream[1], "expected seconds")
            else:
                self.policy.setdefault("timeout", {}).update({"first_byte": span, "idle": span})
                self.say("adapted", stream[1], "until the first byte and between any two")

    def _cooling(self) -> None:
        off, cool, fails = (
            self.take(key) for key in ("disable_cooldowns", "cooldown_time", "allowed_fails")
        )
        if off is not None and off[0] is True:
            self.policy["breaker"] = {"cool": "0s"}
            self.say("exact", off[1], "no offer is ever left alone")
            for one in (cool, fails):
                if one is not None:
                    self.say("exact", one[1], "cool-downs are disabled")
            return
        if off is not None:
            self.say("exact", off[1], "offers that fail are left alone for a while")
        made: dict[str, Any] = {}
        span = None if cool is None else seconds(cool[0])
        if cool is not None:
            if span is None:
                self.say("refused", cool[1], "expected seconds")
            else:
                made |= {"cool": span, "cool_max": span}
                self.say("exact", cool[1], "of an open breaker, each time the same")
        count = None if fails is None else whole(fails[0])
        if fails is not None:
            if count is None or count >= MOST_FAILS:
                self.say("refused", fails[1], f"expected a whole number below {MOST_FAILS}")
            else:
                made["open"] = [f"{count + 1} in a row"]
                self.say("adapted", fails[1], f"{count + 1} failures in a row, not within a minute")
        if made:
            made.setdefault("open", ["5 in a row", "50% of 20 in 30s"])
            self.policy["breaker"] = {key: made[key] for key in sorted(made, reverse=True)}

    def _classes(self) -> None:
        taken = self.take("retry_policy")
        if taken is None:
            return
        if not isinstance(taken[0], dict):
            self.say("refused", taken[1], "expected a map")
            return
        for key, value in taken[0].items():
            place, count = (*taken[1], key), whole(value)
            if key in FRUITLESS:
                told = "the same request fails in the same way: it is not sent again"
                self.say("dropped" if count else "exact", place, told)
            elif key not in ERRORS or count is None:
                self.say("refused", place, f"expected one of {', '.join((*ERRORS, *FRUITLESS))}")
            else:
                most = min(count, ATTEMPTS_CEILING - 1)
                word = f"retry {most}" if most else "next"
                for failure in ERRORS[key]:
                    self.policy.setdefault("errors", {})[failure] = word
                self.say(
                    "exact" if most == count else "adapted", place, f"{word}, then the next offer"
                )

    # --- money and the rest ----------------------------------------------------------------------
    def budgets(self) -> None:
        """Write the budgets of providers."""
        taken = self.take("provider_budget_config")
        if taken is None:
            return
        if not isinstance(taken[0], dict):
            self.say("refused", taken[1], "expected a map")
            return
        for prefix, value in taken[0].items():
            place = (*taken[1], prefix)
            said = value if isinstance(value, dict) else {}
            most = decimal(said.get("budget_limit", said.get("max_budget")))
            period = _PERIODS.get(str(said.get("time_period", said.get("budget_duration"))))
            word = str(prefix).removesuffix("_ai").replace("_", "-")
            accounts = [
                name
                for name in self.draft.providers
                if name.partition("-")[0] == word or name == word
            ]
            if most is None or period is None or not accounts:
                self.say(
                    "refused", place, "a budget is dollars a day or a month of a provider in use"
                )
                continue
            for name in accounts:
                limits = self.draft.providers[name].setdefault("limits", {})
                limits["budget"] = f"{_usd(most)} usd / {period}"
            verdict = "exact" if period == "day" and len(accounts) == 1 else "adapted"
            told = f"{_usd(most)} usd a calendar {period} (UTC) of each of {', '.join(accounts)}"
            self.say(verdict, place, told)  # type: ignore[arg-type]

    def rest(self) -> None:
        """Give every key that nobody asked for its line."""
        budget = self.take("max_internal_user_budget")
        period = self.take("internal_user_budget_duration")
        if budget is not None:
            most, word = decimal(budget[0]), _PERIODS.get(str(period[0]) if period else "")
            if most is None or word is None:
                self.say("refused", budget[1], "a budget is dollars a day or a month")
            else:
                self.draft.limits["litellm-user"] = {
                    "per": "user",
                    "budget": f"{_usd(most)} usd / {word}",
                }
                self.say("adapted", budget[1], f"a limit per user, by the calendar {word} (UTC)")
        if period is not None:
            self.say("exact" if budget else "dropped", period[1], "the period of that budget")
        for key, (value, place) in self.found.items():
            if key in self._done:
                continue
            if key in ELSEWHERE:
                self.say("adapted", place, ELSEWHERE[key])
            elif key == "drop_params" and value is True:
                self.say("exact", place, "what a host cannot be told is left out and reported")
            elif key == "num_retries_per_request":
                self.say("dropped", place, "num_retries says it")
            elif key == "cache" and value is False:
                self.say("exact", place, "answers are not kept")
            else:
                self.say("dropped", place, "a table has nothing like it")


def _usd(amount: Decimal) -> str:
    return str(trimmed(amount))
