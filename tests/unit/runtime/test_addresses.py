"""Which URLs may be fetched: every hostile spelling is refused, before or after the lookup."""

import asyncio
import re
from ipaddress import IPv4Address, IPv6Address, ip_network

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperroute.runtime.addresses import RULES, Rules, checked, is_public
from hyperroute.runtime.guard import Pinned
from hyperroute.runtime.ports import Unfetchable

INNER = ("127.0.0.1", "169.254.169.254", "10.0.0.1", "172.16.0.9", "192.168.1.1", "100.100.100.200",
         "0.0.0.0", "168.63.129.16")  # fmt: skip # noqa: S104 - a way to say "here"
WIDE = {ord("0") + digit: 0xFF10 + digit for digit in range(10)} | {ord("."): 0x3002}
CIRCLED = {ord("1") + digit: 0x2460 + digit for digit in range(9)}


def spellings(address: str) -> list[str]:
    """Write one IPv4 address in every way that some parser or resolver takes."""
    a, b, c, d = (int(part) for part in address.split("."))
    number = int(IPv4Address(address))
    high, low = f"{a:02x}{b:02x}", f"{c:02x}{d:02x}"
    return [
        address,
        f"{address}.",
        f"{number}",
        f"{number}.",
        f"{number + 2**32}",
        f"0{number:o}",
        f"{number:#x}",
        f"{number:#X}",
        f"0x{number:016x}",
        f"{a}.{number % 2**24}",
        f"{a}.{b}.{number % 2**16}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"000{a:o}.{b}.{c}.{d}",
        f"{a:#x}.{b:#x}.{c:#x}.{d:#x}",
        f"{a:#x}.{b}.0{c:o}.{d}",
        f"{a + 256}.{b}.{c}.{d}",
        address.translate(WIDE),
        address.translate(CIRCLED),
        address.replace(".", "。"),
        address.replace(".", "%2e"),
        "".join(f"%{ord(char):02x}" for char in address),
        f"[{address}]",
        f"[::{address}]",
        f"[::ffff:{address}]",
        f"[::ffff:{high}:{low}]",
        f"[::ffff:0:{high}:{low}]",
        f"[0:0:0:0:0:ffff:{high}:{low}]",
        f"[64:ff9b::{high}:{low}]",
        f"[64:ff9b:1::{high}:{low}]",
        f"[2002:{high}:{low}::]",
        f"[2001:0:4136:e378:8000:63bf:{number >> 16 ^ 0xFFFF:x}:{number & 0xFFFF ^ 0xFFFF:x}]",
        f"[2001:db8::5efe:{high}:{low}]",
        f"{address}.nip.io",
        f"a.{address.replace('.', '-')}.sslip.io",
        f"{number:08x}.nip.io",
        f"media.example@{address}",
        f"user:word@{address}",
        f"media.example%40{address}",
        f"media.example:443@{address}",
        f"{address}\\@media.example",
        f"media.example#@{address}:99999",
        f"media.example\\.{address}",
        f"{address}%23.media.example",
        f"{address}%00.media.example",
        f"\t{address}",
        f" {address}",
    ]


ODD = [
    "https:media.example",
    "https:/media.example",
    "https:///media.example",
    "https:\\\\media.example",
    "//media.example",
    "media.example",
    "https://",
    "https://.",
    "https://..",
    "https://.media.example",
    "https://media..example",
    "https://media.example.",
    "https://media.example:0",
    "https://media.example:",
    "https://media.example:22",
    "https://media.example:8080",
    "https://media.example:0443",
    "https://media.example:443:443",
    "https://media.example:65979",
    "https://media.example:\uff14\uff14\uff13",
    "https://media.example:4 43",
    "https://me\u00addia.example",
    "https://media。example",
    "https://media\uff0eexample",
    "https://\uff4dedia.example",
    "https://medi\u0430.example",
    "https://bücher.example",
    "https://media.example\r\nHost: x",
    "https://media.example/\r\nX: y",
    "https://media.example/a b",
    "https://media.example/\x00",
    "https://media.example/%",
    "https://media.example/%zz",
    "https://media.example\\a",
    "https://media.example/\\a",
    "https://-media.example",
    "https://media-.example",
    "https://" + "a" * 64 + ".example",
    "https://" + "a." * 130 + "example",
    "https://media.example/" + "a" * 9_000,
    "https://media.123",
    "https://media.0x7f",
    "https://media.e1",
    "https://[::]",
    "https://[::1]",
    "https://[::1%25eth0]",
    "https://[fe80::1%25eth0]",
    "https://[fd00:ec2::254]",
    "https://[fc00::1]",
    "https://[ff02::1]",
    "https://[2606:4700::1111]",
    "https://[v1.fe80::a]",
    "https://localhost",
    "https://LOCALHOST",
    "https://a.localhost",
    "https://localhost.localdomain",
    "https://metadata",
    "https://metadata.google.internal",
    "https://METADATA.google.INTERNAL/computeMetadata/v1/",
    "https://instance-data.ec2.internal",
    "https://kubernetes.default.svc.cluster.local",
    "https://router.lan",
    "https://printer.local",
    "https://nas.home.arpa",
    "https://hidden.onion",
    "https://wiki.corp",
    "http://media.example/plain",
    "HTTP://media.example",
    "file:///etc/passwd",
    "file://media.example/etc/passwd",
    "gopher://media.example/_",
    "dict://media.example:443/",
    "ftp://media.example",
    "ldap://media.example",
    "jar:https://media.example!/",
    "data:text/plain,hi",
    "javascript:alert(1)",
    "view-source:https://media.example",
    "blob:https://media.example",
    "https\t://media.example",
    " https://media.example",
    "https://media.example ",
    "\ufeffhttps://media.example",
    "https://me\tdia.example",
    "https://media.example/\u202e",
    "",
    "/",
    "?",
]
HOSTILE = [f"https://{host}/latest" for address in INNER for host in spellings(address)] + ODD


async def resolved(host: str, _port: int) -> list[str]:
    """Answer as nip.io does for addresses in a name, and publicly for everything else."""
    for text in re.findall(r"\d+(?:[.-]\d+){3}", host):
        return [str(IPv4Address(text.replace("-", ".")))]
    if found := re.match(r"([0-9a-f]{8})\.", host):
        return [str(IPv4Address(int(found[1], 16)))]
    return ["93.184.215.14"]


class Carrier(httpx.AsyncBaseTransport):
    """Writes down where it was sent."""

    def __init__(self) -> None:
        self.went: list[tuple[str, str, str]] = []
        self.dead: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        self.went.append((host, request.extensions["sni_hostname"], request.headers["host"]))
        if host in self.dead:
            raise httpx.ConnectError("refused")
        return httpx.Response(200)


async def asked(url: str, carrier: Carrier) -> httpx.Response:
    request = httpx.Request("GET", checked(url).url)
    return await Pinned(carrier, rules=RULES, resolve=resolved).handle_async_request(request)


def test_there_are_enough_of_them() -> None:
    assert len(set(HOSTILE)) >= 400


@pytest.mark.parametrize("url", HOSTILE, ids=ascii)
def test_no_hostile_spelling_is_connected_to(url: str) -> None:
    carrier = Carrier()
    with pytest.raises(Unfetchable):
        asyncio.run(asked(url, carrier))
    assert carrier.went == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://media.example", "https://media.example/"),
        ("HTTPS://Media.Example:443/A%20b?c=/?&d", "https://media.example/A%20b?c=/?&d"),
        ("https://my_bucket.s3.eu-west-1.amazonaws.com/a", None),
        ("https://xn--bcher-kva.example/", None),
        ("https://media.xn--p1ai/", None),
        ("https://1.2.3.4.example/", None),
        ("https://media.example:80/?x", None),
    ],
)
def test_a_plain_url_is_spelt_in_one_way(url: str, said: str | None) -> None:
    assert checked(url).url == (said or url)


def test_http_and_ports_need_a_word() -> None:
    rules = Rules(http=True, ports=frozenset({8080}))
    assert checked("http://media.example:8080/a", rules).url == "http://media.example:8080/a"
    with pytest.raises(Unfetchable, match="port 80 is none"):
        checked("http://media.example/a", rules)


def test_a_connection_goes_to_the_address_under_the_name() -> None:
    carrier = Carrier()

    async def several(_host: str, _port: int) -> list[str]:
        return ["93.184.215.14", "2606:4700::1111", "8.8.8.8", "8.8.4.4"]

    carrier.dead = {"93.184.215.14"}
    pinned = Pinned(carrier, rules=RULES, resolve=several)
    response = asyncio.run(
        pinned.handle_async_request(httpx.Request("GET", "https://media.example/"))
    )
    assert response.status_code == 200
    assert carrier.went == [
        ("93.184.215.14", "media.example", "media.example"),
        ("2606:4700::1111", "media.example", "media.example"),
    ]


@pytest.mark.parametrize("found", [[], ["8.8.8.8"] * 17, ["8.8.8.8", "10.0.0.1"], ["fe80::1%eth0"]])
def test_one_private_address_among_public_ones_is_one_too_many(found: list[str]) -> None:
    carrier = Carrier()

    async def resolve(_host: str, _port: int) -> list[str]:
        return found

    with pytest.raises(Unfetchable, match="no public address"):
        asyncio.run(
            Pinned(carrier, rules=RULES, resolve=resolve).handle_async_request(
                httpx.Request("GET", "https://media.example/")
            )
        )
    assert carrier.went == []


def test_a_name_that_moves_between_lookups_never_leads_inside() -> None:
    """Whoever answers publicly to a check and privately to a connection is asked only once."""
    carrier = Carrier()
    asked = 0

    async def rebinding(_host: str, _port: int) -> list[str]:
        nonlocal asked
        asked += 1
        return ["93.184.215.14"] if asked % 2 else ["169.254.169.254"]

    async def main() -> int:
        pinned = Pinned(carrier, rules=RULES, resolve=rebinding)
        request = httpx.Request("GET", "https://media.example/")
        refused = 0
        for _ in range(10_000):
            request.url = httpx.URL("https://media.example/")
            try:
                await pinned.handle_async_request(request)
            except Unfetchable:
                refused += 1
        return refused

    assert asyncio.run(main()) == 5_000
    assert asked == 10_000
    assert {host for host, _, _ in carrier.went} == {"93.184.215.14"}


@pytest.mark.parametrize(
    "address",
    ["", "x", "1", "0x7f000001", "::", "::1", "::7f00:1", "::ffff:8.8.8.8", "::ffff:10.0.0.1",
     "64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1", "2001::1", "2001:20::1", "2001:db8::1",
     "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1",
     "fe80::1%eth0", "2606:4700::1%1", "fec0::1", "ff0e::1", "2606:4700::5efe:a00:1",
     "2606:4700::200:5efe:808:808", "4000::1"],
)  # fmt: skip
def test_an_address_that_is_not_plainly_public_is_not(address: str) -> None:
    assert not is_public(address)


@given(st.integers(0, 2**32 - 1))
def test_ipv4_is_public_where_the_registry_says_so(number: int) -> None:
    address = IPv4Address(number)
    if not address.is_global or address.is_multicast:
        assert not is_public(str(address))


@given(st.integers(0, 2**128 - 1) | st.integers(2**125, 2**126 - 1))
def test_ipv6_is_public_only_where_the_registry_says_so(number: int) -> None:
    address = IPv6Address(number)
    if is_public(str(address)):
        assert address.is_global
        assert (address.ipv4_mapped, address.sixtofour, address.teredo) == (None, None, None)


def test_an_operator_may_trust_and_refuse_networks() -> None:
    rules = Rules(trusted=(ip_network("10.0.0.7/32"),), refused=(ip_network("8.8.0.0/16"),))
    assert is_public("10.0.0.7", rules)
    assert not is_public("10.0.0.8", rules)
    assert is_public("8.8.8.8")
    assert not is_public("8.8.8.8", rules)
