"""Opaque provider state, on its way through our callers' hands (dialects.md, 1.4 and 3.7).

A signature goes back only to the vendor and credential group that made it. So that we know it again
when the caller replays it, one that came through a translation wears a tag::

    hr1.<vendor>.<group>.<payload>

An untagged value belongs to the vendor of the model that is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from hyperroute.canon.content import Sealed

TAG = "hr1."
NATIVE: Mapping[str, str] = MappingProxyType(
    {
        "openai.chat": "openai",
        "openai.responses": "openai",
        "anthropic.messages": "anthropic",
        "gemini.generate": "google",
    }
)
"""Whose seals travel bare in a dialect."""
SealKind = Literal["signature", "encrypted", "redacted"]


def tagged(sealed: Sealed, *, own: str) -> str:
    """Write a seal for a caller whose dialect is ``own`` vendor's: bare if it is that vendor's."""
    if sealed.vendor in {"", own} and not sealed.group:
        return sealed.payload
    kind = "" if sealed.kind == "signature" else f"{sealed.kind}:"
    return f"{TAG}{_step(sealed.vendor)}.{_step(sealed.group)}.{kind}{sealed.payload}"


def opened(payload: str, kind: SealKind) -> Sealed:
    """Read a seal that a caller replays; ``kind`` is what an untagged one is here."""
    if not payload.startswith(TAG) or payload.count(".") < 3:
        return Sealed(kind, payload)
    _, vendor, group, rest = payload.split(".", 3)
    tagged_kind: SealKind = "signature"
    if rest.startswith("redacted:"):
        tagged_kind = "redacted"
    elif rest.startswith("encrypted:"):
        tagged_kind = "encrypted"
    if tagged_kind != "signature":
        rest = rest.partition(":")[2]
    return Sealed(tagged_kind, rest, _unstep(vendor), _unstep(group))


def belongs(sealed: Sealed, *, source: str, vendor: str, group: str) -> bool:
    """Tell whether a seal in a request of dialect ``source`` may go to this vendor and group.

    Tags are only added when translating, so an untagged seal was made where ``source`` is native:
    sending it to any other vendor is a sure 400.
    """
    maker = sealed.vendor or NATIVE.get(source, "")
    return maker == vendor != "" and sealed.group in {"", group}


def _step(name: str) -> str:
    return name.replace("%", "%25").replace(".", "%2E")


def _unstep(name: str) -> str:
    return name.replace("%2E", ".").replace("%25", "%")
