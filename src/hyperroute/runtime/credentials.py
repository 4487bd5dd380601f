"""Accounts as an attempt needs them: references resolved once, when a client starts.

A variable that is not set never stops a client: what it belongs to is reported as missing, by
name, and the planner leaves it out and says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from hyperroute.canon.wire import Headers
from hyperroute.catalog.card import ProviderEntry

if TYPE_CHECKING:
    from hyperroute.plugins.registry import Registry
from hyperroute.plugins.secret import Secret
from hyperroute.providers.flow import Provider
from hyperroute.routing.table import RouteTable

NO_SECRET: Final = Secret("")
"""Of an account that needs none."""

UNTOLD_MIN: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One provider entry of the table, ready to be called.

    Attributes:
        headers: May hold credentials, so they are not printed.
    """

    provider: Provider
    url: str
    speaks: tuple[str, ...]
    headers: Headers = field(repr=False, default=())
    options: Mapping[str, Any]

    @property
    def cancel_stops_billing(self) -> bool:
        """Whether hanging up on a stream stops its meter.

        What the table says of this host goes before what the plugin says of its vendor's own.
        """
        said = self.options.get("cancel_stops_billing")
        if isinstance(said, bool):
            return said
        return self.provider.cancel_stops_billing and self.url in ("", self.provider.url)

    @property
    def passes_sse(self) -> bool:
        """Whether a stream that nobody asked for is handed on as it is (api.md, 4)."""
        return self.options.get("sse_when_not_requested") == "passthrough"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """All that could be resolved, and what could not.

    Attributes:
        by_name: Accounts by provider name.
        secrets: By credential id.
        missing: Provider names and credential ids to the reason, naming the variable.
        wanted: The same keys to what would help, in words that follow "needs": the variable's name.
    """

    by_name: Mapping[str, Account]
    secrets: Mapping[str, Secret]
    missing: Mapping[str, str]
    wanted: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def secret(self, credential: str) -> Secret:
        """Return the key of an attempt; ``""`` is that of an account without one.

        Raises:
            KeyError: It is missing, and the planner was not told.
        """
        return self.secrets[credential] if credential else NO_SECRET

    def untold(self) -> Iterator[str]:
        """List what no explanation may repeat (invariant 29): keys, headers, hosts; lazily.

        Shorter ones are no secret, and removing them would leave no explanation.
        """
        said = [secret.reveal() for secret in self.secrets.values()]
        for account in self.by_name.values():
            said += [value for _, value in account.headers]
            host = account.url.partition("://")[2].partition("/")[0]
            said += [host, host.rpartition(":")[0]]
        yield from sorted({word for word in said if len(word) >= UNTOLD_MIN}, key=len, reverse=True)


def resolve(table: RouteTable, registry: Registry) -> Accounts:
    """Resolve every reference of a table; total, what fails is in ``missing``."""
    by_name: dict[str, Account] = {}
    secrets: dict[str, Secret] = {}
    missing: dict[str, str] = {}
    wanted: dict[str, str] = {}
    for name, entry in table.providers.items():
        provider = registry.providers.get(entry.plugin)
        if provider is None:
            missing[name] = registry.missing(entry.plugin)
            wanted[name] = f"the plugin {entry.plugin!r}"
            continue
        look = _Lookup(registry)
        url = look.text(entry.url or provider.url)
        headers = tuple((key, look.text(value)) for key, value in entry.headers.items())
        by_name[name] = Account(
            provider=provider,
            url=url.rstrip("/"),
            speaks=entry.speaks or (),
            headers=headers,
            options=entry.options,
        )
        if not (entry.url or provider.url) and provider.dialects:
            look.lacks(f"the provider {name!r} has no url", f"a url of the provider {name!r}")
        if look.reasons:
            missing[name] = "; ".join(look.reasons)
            wanted[name] = " and ".join(look.wanted)
        for credential, reference in references(name, entry, provider):
            found = registry.secret(reference)
            if found.secret is None:
                missing[credential] = found.reason
                wanted[credential] = _in_words(reference)
            else:
                secrets[credential] = found.secret
    return Accounts(
        by_name=MappingProxyType(by_name),
        secrets=MappingProxyType(secrets),
        missing=MappingProxyType(missing),
        wanted=MappingProxyType(wanted),
    )


def references(name: str, entry: ProviderEntry, provider: Provider) -> Iterator[tuple[str, str]]:
    """List an account's credential ids with what they refer to.

    An entry that does not say its keys has the one that its plugin names.
    """
    if entry.keys is None:
        yield f"{name}#0", provider.secret
    for key in entry.keys or ():
        yield key.id, key.secret


def _in_words(reference: str) -> str:
    """Name what a reference refers to, as somebody who must provide it knows it."""
    scheme, _, name = reference.partition(":")
    return name if scheme == "env" else f"the {scheme} {name!r}"


@dataclass(slots=True)
class _Lookup:
    registry: Registry
    reasons: list[str] = field(default_factory=list[str])
    wanted: list[str] = field(default_factory=list[str])

    def text(self, value: str) -> str:
        """Resolve a text that may be a reference (``env:NAME``, ``file:/path``)."""
        if value.startswith(("env:", "file:")):
            return self.secret(value).reveal()
        return value

    def secret(self, reference: str) -> Secret:
        found = self.registry.secret(reference)
        if found.secret is None:
            self.lacks(found.reason, _in_words(reference))
            return NO_SECRET
        return found.secret

    def lacks(self, reason: str, wanted: str) -> None:
        self.reasons.append(reason)
        self.wanted.append(wanted)


__all__ = ["NO_SECRET", "Account", "Accounts", "references", "resolve"]
