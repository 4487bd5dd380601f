"""Accounts as an attempt needs them: references resolved once, when a client starts.

A variable that is not set never stops a client: what it belongs to is reported as missing, by
name, and the planner leaves it out and says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hyperroute.canon.wire import Headers
if TYPE_CHECKING:
    from hyperroute.plugins.registry import Registry
from hyperroute.plugins.secret import Secret
from hyperroute.providers.flow import Provider
from hyperroute.routing.table import RouteTable

_NONE = Secret("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One provider entry of the table, ready to be called.

    Attributes:
        secret: Of an entry that lists no keys: what the plugin's own default reference gave.
        headers: May hold credentials, so they are not printed.
    """

    provider: Provider
    url: str
    secret: Secret
    speaks: tuple[str, ...]
    headers: Headers = field(repr=False, default=())
    options: Mapping[str, Any]
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """All that could be resolved, and what could not.

    Attributes:
        by_name: Accounts by provider name.
        secrets: By credential id.
        missing: Provider names and credential ids to the reason, naming the variable.
    """

    by_name: Mapping[str, Account]
    secrets: Mapping[str, Secret]
    missing: Mapping[str, str]

    def secret(self, provider: str, credential: str) -> Secret:
        """Return the key of an attempt; ``""`` is the account's own default."""
        if credential:
            return self.secrets[credential]
        return self.by_name[provider].secret


def resolve(table: RouteTable, registry: Registry) -> Accounts:
    """Resolve every reference of a table; total, what fails is in ``missing``."""
    by_name: dict[str, Account] = {}
    secrets: dict[str, Secret] = {}
    missing: dict[str, str] = {}
    for name, entry in table.providers.items():
        provider = registry.providers.get(entry.plugin)
        if provider is None:
            missing[name] = registry.missing(entry.plugin)
            continue
        look = _Lookup(registry)
        url = look.text(entry.url or provider.url)
        headers = tuple((key, look.text(value)) for key, value in entry.headers.items())
        secret = _NONE if entry.keys is not None else look.secret(provider.secret)
        by_name[name] = Account(
            provider=provider,
            url=url,
            secret=secret,
            speaks=entry.speaks or (),
            headers=headers,
            options=entry.options,
            hidden=entry.hidden,
        )
        if not url and provider.dialects:
            look.reasons.append(f"the provider {name!r} has no url")
        if look.reasons:
            missing[name] = "; ".join(look.reasons)
        for key in entry.keys or ():
            found = registry.secret(key.secret)
            if found.secret is None:
                missing[key.id] = found.reason
            else:
                secrets[key.id] = found.secret
    return Accounts(
        by_name=MappingProxyType(by_name),
        secrets=MappingProxyType(secrets),
        missing=MappingProxyType(missing),
    )


@dataclass(slots=True)
class _Lookup:
    registry: Registry
    reasons: list[str] = field(default_factory=list[str])

    def text(self, value: str) -> str:
        """Resolve a text that may be a reference (``env:NAME``, ``file:/path``)."""
        if value.startswith(("env:", "file:")):
            return self.secret(value).reveal()
        return value

    def secret(self, reference: str) -> Secret:
        found = self.registry.secret(reference)
        if found.secret is None:
            self.reasons.append(found.reason)
            return _NONE
        return found.secret


__all__ = ["Account", "Accounts", "resolve"]
