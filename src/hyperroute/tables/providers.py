"""Providers, and the parts that offers and policies share with them: limits, timeouts, breakers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from hyperroute.canon.money import MICROCREDITS_PER_USD, Microcredits
from hyperroute.catalog.card import (
    AccountLimits,
    Breaker,
    Budget,
    KeyEntry,
    OpenByShare,
    OpenInRow,
    ProviderEntry,
    Rate,
    Timeouts,
)
from hyperroute.tables import words
from hyperroute.tables.report import Spot
from hyperroute.tables.schema import AccountLimitsDoc, BreakerDoc, TimeoutDoc
from hyperroute.tables.schema_catalog import KeyDoc, ProviderDoc
from hyperroute.tables.vocabulary import (
    COMMON_OPTIONS,
    ENDPOINTS,
    OPTION_WORDS,
    PluginWords,
    nearest,
)

_IN_A_ROW = re.compile(r"([1-9][0-9]{0,3}) in a row")
_BY_SHARE = re.compile(r"([1-9][0-9]?|100)\s?% of ([1-9][0-9]{0,5}) in (\S+)")

DEFAULT_OPEN: tuple[OpenInRow | OpenByShare, ...] = (
    OpenInRow(5),
    OpenByShare(50, 20, 30_000_000_000),
)
DEFAULT_COOL_NS = 30_000_000_000
DEFAULT_COOL_MAX_NS = 300_000_000_000
_OPTION_FORMS: Mapping[str, tuple[str, tuple[type, ...]]] = {
    "text": ("text", (str,)),
    "count": ("a whole number", (int,)),
    "flag": ("true or false", (bool,)),
    "decimal": ("a number", (int, Decimal)),
}


def provider(spot: Spot, doc: ProviderDoc, name: str, plugins: PluginWords | None) -> ProviderEntry:
    """Compile a provider; its plugin and options are checked when the plugins are known."""
    if plugins is not None:
        known = plugins.providers.get(doc.plugin)
        if known is None:
            suggestion = nearest(doc.plugin, plugins.providers)
            (spot / "plugin").error(f"unknown plugin {doc.plugin!r}{suggestion}")
        elif known.options is not None:
            for option, value in doc.options.items():
                all_known = {**COMMON_OPTIONS, **known.options}
                _check_option(spot / "options" / option, option, value, all_known)
    if doc.url is not None:
        _check_url(spot / "url", doc.url)
    return ProviderEntry(
        name=name,
        plugin=doc.plugin,
        url=doc.url,
        keys=None if doc.keys is None else tuple(_keys(spot / "keys", doc.keys, name)),
        region=doc.region,
        retain_ns=doc.retain,
        trains=doc.trains,
        speaks=None if doc.speaks is None else tuple(sorted(set(doc.speaks), key=ENDPOINTS.index)),
        timeout=timeouts(spot / "timeout", doc.timeout),
        breaker=breaker(spot / "breaker", doc.breaker) if doc.breaker else None,
        limits=account_limits(spot / "limits", doc.limits),
        hidden=doc.hidden,
        headers=MappingProxyType(dict(sorted(doc.headers.items()))),
        options=freeze(doc.options),
    )


def _check_url(spot: Spot, url: str) -> None:
    if url.startswith(("env:", "file:")):
        try:
            words.secret(url)
        except ValueError as error:
            spot.error(str(error))
    elif not url.startswith(("https://", "http://")):
        spot.error(f"expected https://…, env:NAME or file:/path, found {words.shown(url)}")
    elif "@" in url.split("/", 3)[2]:
        spot.error("a URL holds no credentials; name them under keys")


def _check_option(spot: Spot, option: str, value: Any, known: Mapping[str, str]) -> None:
    if option not in known:
        spot.error(f"unknown option {option!r}{nearest(option, known)}", key=True)
    elif known[option] in _OPTION_FORMS:
        form, types = _OPTION_FORMS[known[option]]
        flag_as_number = isinstance(value, bool) and bool not in types
        if option in OPTION_WORDS and value not in OPTION_WORDS[option]:
            spot.error(f"expected {' or '.join(OPTION_WORDS[option])}, found {words.shown(value)}")
        elif flag_as_number or not isinstance(value, types):
            spot.error(f"expected {form}, found {words.shown(value)}")


def _keys(spot: Spot, docs: list[Any], name: str) -> list[KeyEntry]:
    entries: list[KeyEntry] = []
    for index, doc in enumerate(docs):
        secret = doc.key if isinstance(doc, KeyDoc) else doc
        limits = doc.limits if isinstance(doc, KeyDoc) else None
        if any(entry.secret == secret for entry in entries):
            (spot / index).error(f"the key {secret} stands there twice")
        entries.append(
            KeyEntry(
                id=f"{name}#{index}",
                secret=secret,
                limits=account_limits(spot / index / "limits", limits),
            )
        )
    return entries


def rates(written: Any) -> tuple[Rate, ...]:
    """Read one rate or a list of them into one order, because their order says nothing."""
    found = written if isinstance(written, list) else [written] if written else []
    return tuple(sorted(set(found), key=lambda rate: (rate.unit, rate.per, rate.amount)))


def no_polls(spot: Spot, written: Any) -> None:
    """Refuse a rate of polls where attempts count: no attempt is one."""
    many = isinstance(written, list)
    for index, rate in enumerate(written if many else [written] if written else []):
        if rate.unit == "poll":
            (spot / index if many else spot).error("polls are asked of us, and not of an account")


def account_limits(spot: Spot, doc: AccountLimitsDoc | None) -> AccountLimits | None:
    """Compile the limits of an account, a key or an offer."""
    if doc is None:
        return None
    no_polls(spot / "rate", doc.rate)
    budget = None
    if doc.budget is not None:
        amount, per = doc.budget
        budget = Budget(per=per, amount=microcredits(spot / "budget", amount))
    return AccountLimits(rate=rates(doc.rate), at_once=doc.at_once, budget=budget)


def microcredits(spot: Spot, written: str | Decimal) -> Microcredits:
    """Read money that is counted, and so a whole number of micro-credits; ``Decimal`` is USD."""
    try:
        usd = words.money(written) if isinstance(written, str) else written
    except ValueError as error:
        spot.error(str(error))
        return 0
    amount = usd * MICROCREDITS_PER_USD
    if amount != amount.to_integral_value():
        spot.error("the least part of money is 0.000001 credit (0.00000001 usd)")
    return int(amount)


def timeouts(spot: Spot, doc: TimeoutDoc | None) -> Timeouts | None:
    """Compile the limits of one attempt."""
    if doc is None:
        return None
    for key in doc.model_fields_set:
        if getattr(doc, key) == 0:
            (spot / key).error("a limit of 0s lets nothing through; leave it out for none")
    return Timeouts(
        connect_ns=doc.connect,
        first_byte_ns=doc.first_byte,
        first_content_ns=doc.first_content,
        idle_ns=doc.idle,
        total_ns=doc.total,
    )


def breaker(spot: Spot, doc: BreakerDoc) -> Breaker:
    """Compile a breaker; what it does not say has the language's default."""
    lines: list[OpenInRow | OpenByShare] = []
    for index, text in enumerate(doc.open or ()):
        if found := _IN_A_ROW.fullmatch(text):
            lines.append(OpenInRow(int(found[1])))
        elif found := _BY_SHARE.fullmatch(text):
            try:
                lines.append(OpenByShare(int(found[1]), int(found[2]), words.time(found[3])))
            except ValueError as error:
                (spot / "open" / index).error(str(error))
        else:
            (spot / "open" / index).error(
                f"expected 5 in a row, or 50% of 20 in 30s, found {words.shown(text)}"
            )
    cool = DEFAULT_COOL_NS if doc.cool is None else doc.cool
    cool_max = max(DEFAULT_COOL_MAX_NS, cool) if doc.cool_max is None else doc.cool_max
    if doc.cool is not None and doc.cool_max is not None and cool > cool_max:
        (spot / "cool").error("cool is longer than cool_max")
    opens = tuple(sorted(set(lines), key=repr)) if doc.open else DEFAULT_OPEN
    return Breaker(open=opens, cool_ns=cool, cool_max_ns=cool_max)


def freeze(value: Any) -> Any:
    """Make free data read-only: maps with sorted keys, tuples; decimals become JSON numbers."""
    if isinstance(value, dict):
        return MappingProxyType({key: freeze(value[key]) for key in sorted(value)})
    if isinstance(value, list):
        return tuple(freeze(item) for item in value)
    if isinstance(value, Decimal):
        return float(value)
    return value
