"""Opaque provider state, on its way through our callers' hands (dialects.md, 1.4 and 3.7).

A signature goes back only to the vendor and credential group that made it. So that we know it again
when the caller replays it, one that came through a translation wears a tag::

    hr1.<vendor>.<group>.<payload>

A payload that is no signature says so before a colon, with the id of the item that it sealed if there
is one: ``encrypted@rs_1:…``. An untagged value belongs to the vendor of the model that is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Literal, TypeGuard

from hyperroute.canon.content import Part, Reasoning, Sealed

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
_KIND = re.compile(r"(encrypted|redacted)(?:@([^:]*))?:")


def tagged(sealed: Sealed, *, own: str) -> str:
    """Write a seal for a caller whose dialect is ``own`` vendor's: bare if it is that vendor's."""
    if sealed.vendor in {"", own} and not sealed.group:
        return sealed.payload
    kind = ""
    if sealed.kind != "signature":
        kind = f"{sealed.kind}{f'@{_step(sealed.id)}' if sealed.id else ''}:"
    return f"{TAG}{_step(sealed.vendor)}.{_step(sealed.group)}.{kind}{sealed.payload}"


def opened(payload: str, kind: SealKind) -> Sealed:
    """Read a seal that a caller replays; ``kind`` is what an untagged one is here."""
    if not payload.startswith(TAG) or payload.count(".") < 3:
        return Sealed(kind, payload)
    _, vendor, group, rest = payload.split(".", 3)
    tagged_kind: SealKind = "signature"
    ident = ""
    if (told := _KIND.match(rest)) is not None:
        tagged_kind = "redacted" if told[1] == "redacted" else "encrypted"
        ident, rest = told[2] or "", rest[told.end() :]
    return Sealed(tagged_kind, rest, _unstep(vendor), _unstep(group), _unstep(ident))


def identified(sealed: Sealed, ident: str) -> Sealed:
    """Remember the item that encrypted state belongs to; signatures belong to nothing else."""
    return replace(sealed, id=ident) if sealed.kind == "encrypted" else sealed


def carries(part: Part, *, own: str) -> TypeGuard[Reasoning]:
    """Say whether empty thinking only carries another vendor's signature of the call behind it.

    Encrypted thinking that shows nothing is thinking, and goes back as such.
    """
    if not isinstance(part, Reasoning) or part.text or part.sealed is None:
        return False
    return part.sealed.kind == "signature" and part.sealed.vendor not in {"", own}


def belongs(sealed: Sealed, *, source: str, vendor: str, group: str) -> bool:
    """Tell whether a seal in a request of dialect ``source`` may go to this vendor and group.

    Tags are only added when translating, so an untagged seal was made where ``source`` is native:
    sending it to any other vendor is a sure 400.
    """
    maker = sealed.vendor or NATIVE.get(source, "")
    return maker == vendor != "" and sealed.group in {"", group}


def _step(name: str) -> str:
    return name.replace("%", "%25").replace(".", "%2E").replace(":", "%3A")


def _unstep(name: str) -> str:
    return name.replace("%3A", ":").replace("%2E", ".").replace("%25", "%")
