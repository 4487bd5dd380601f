"""Opaque provider state, on its way through our callers' hands (dialects.md, 1.4 and 3.7).

A signature goes back only to the vendor and credential group that made it. So that we know it again
when the caller replays it, one that came through a translation wears a tag::

    hr1.<vendor>.<group>.<payload>

An untagged value belongs to the vendor of the model that is asked.
"""

from __future__ import annotations

from typing import Literal

from hyperroute.canon.content import Sealed

_TAG = "hr1."
SealKind = Literal["signature", "encrypted", "redacted"]


def tagged(sealed: Sealed, *, own: str) -> str:
    """Write a seal for a caller whose dialect is ``own`` vendor's: bare if it is that vendor's."""
    if sealed.vendor in {"", own} and not sealed.group:
        return sealed.payload
    return f"{_TAG}{_step(sealed.vendor)}.{_step(sealed.group)}.{sealed.payload}"


def opened(payload: str, kind: SealKind) -> Sealed:
    """Read a seal that a caller replays."""
    if payload.startswith(_TAG) and payload.count(".") >= 3:
        _, vendor, group, rest = payload.split(".", 3)
        return Sealed(kind, rest, _unstep(vendor), _unstep(group))
    return Sealed(kind, payload)


def belongs(sealed: Sealed, *, vendor: str, group: str) -> bool:
    """Tell whether a seal may be sent to this vendor with this credential group."""
    return sealed.vendor in {"", vendor} and sealed.group in {"", group}


def _step(name: str) -> str:
    return name.replace("%", "%25").replace(".", "%2E")


def _unstep(name: str) -> str:
    return name.replace("%2E", ".").replace("%25", "%")
