"""Which addresses a stranger may send us to: one spelling of a name, and no machine of our own.

A URL in a request is a wish to let *us* connect, from inside the house, where other doors are open
than outside. So a URL is taken only in the one spelling that every parser reads alike: a DNS name
in ASCII, and never an address in its place, because there are too many ways to write one. What the
name resolves to is held against the lists below, every single address of it (reliability.md, 6).

IPv6 is a list of what is allowed and not of what is refused: outside 2000::/3 lie loopback,
link-local, unique local, multicast, IPv4 in disguise (mapped, compatible, translated) and NAT64;
within it Teredo, 6to4, ORCHID and documentation are taken out again, and whatever carries an IPv4
address in its last half as ISATAP does.

Source: IANA IPv4 and IPv6 Special-Purpose Address Registries; RFC 6761, 6890, 8190, 5214; WHATWG
URL, "ends in a number"; the metadata addresses of AWS, GCP, Azure, Oracle and Alibaba; read 2026-11-22.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from hyperroute.runtime.ports import Unfetchable

URL_MAX: Final = 8_192
HOST_MAX: Final = 253

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Where to may be connected.

    Attributes:
        http: Without TLS as well.
        ports: The only ones.
        refused: Networks of this house that look public from outside.
        trusted: Networks that may be connected to although they are private; the lists above all
            give way to it, so it names single hosts and not ranges.
    """

    http: bool = False
    ports: frozenset[int] = frozenset({80, 443})
    refused: tuple[Network, ...] = ()
    trusted: tuple[Network, ...] = ()


RULES: Final = Rules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL that may be asked for, once its name has been looked up."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """Spell it, in the one way."""
        plain = self.port == (443 if self.scheme == "https" else 80)
        return f"{self.scheme}://{self.host}{'' if plain else f':{self.port}'}{self.path}"


_PATH: Final = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*+"
_QUERY: Final = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*+"
_URL: Final = re.compile(
    rf"(https?)://([a-z0-9._-]+)(?::([1-9][0-9]{{0,4}}))?((?:/{_PATH})?(?:\?{_QUERY})?)",
    re.IGNORECASE | re.ASCII,
)
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?", re.ASCII)
_TOP: Final = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{0,58}[a-z0-9]", re.ASCII)
"""No top-level domain has a digit but those in punycode; and so no last label is a number."""

_OURS: Final = frozenset(
    {
        "arpa",
        "corp",
        "home",
        "internal",
        "intranet",
        "invalid",
        "lan",
        "local",
        "localdomain",
        "localhost",
        "mail",
        "onion",
        "private",
    }
)
"""Last labels that name something within a house: metadata.google.internal, *.svc.cluster.local."""

_REFUSED_4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # public by its number, but every Azure machine's own host
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_ALLOWED_6: Final = IPv6Network("2000::/3")
_REFUSED_6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # Teredo, ORCHID, benchmarks, AMT
        "2001:db8::/32",
        "2002::/16",
        "2620:4f:8000::/48",
        "3ffe::/16",  # the 6bone, given back
        "3fff::/20",
    )
)
_ISATAP: Final = frozenset({0x0000_5EFE, 0x0200_5EFE})


def checked(url: str, rules: Rules = RULES) -> Target:
    """Take a URL apart, if it is spelt in the one way and may be asked for.

    Raises:
        Unfetchable: It may not; the reason may be told to whoever wrote it.
    """
    if len(url) > URL_MAX:
        raise Unfetchable(f"a URL of more than {URL_MAX} characters")
    found = _URL.fullmatch(url)
    if found is None:
        raise Unfetchable("no plain URL: https, a name, and nothing that must be escaped")
    scheme, host, path = found[1].lower(), found[2].lower(), found[4]
    if scheme == "http" and not rules.http:
        raise Unfetchable("only https is fetched")
    port = int(found[3]) if found[3] else 443 if scheme == "https" else 80
    if port not in rules.ports:
        raise Unfetchable(f"port {port} is none of {sorted(rules.ports)}")
    labels = host.split(".")
    named = len(labels) > 1 and len(host) <= HOST_MAX and all(map(_LABEL.fullmatch, labels))
    if not named or _TOP.fullmatch(labels[-1]) is None:
        raise Unfetchable("no full domain name; addresses are not fetched from")
    if labels[-1] in _OURS:
        raise Unfetchable(f"names that end in .{labels[-1]} are private")
    if not path.startswith("/"):
        path = f"/{path}"
    return Target(scheme=scheme, host=host, port=port, path=path)


def is_public(address: str, rules: Rules = RULES) -> bool:
    """Say whether an address, as a resolver spells it, is out in the world."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if any(parsed in network for network in rules.trusted):
        return True
    if any(parsed in network for network in rules.refused):
        return False
    return _public_4(parsed) if isinstance(parsed, IPv4Address) else _public_6(parsed)


def _public_4(address: IPv4Address) -> bool:
    return not any(address in network for network in _REFUSED_4)


def _public_6(address: IPv6Address) -> bool:
    if address.scope_id is not None or address not in _ALLOWED_6:
        return False
    if int(address) >> 32 & 0xFFFF_FFFF in _ISATAP:
        return False
    return not any(address in network for network in _REFUSED_6)


__all__ = ["RULES", "Network", "Rules", "Target", "checked", "is_public"]
