"""Names and ids that do not fit the other side, replaced one to one.

Tool names have one common form that all four dialects take: a letter or ``_``, then letters,
digits, ``_`` and ``-``, 64 in all (dialects.md, 3.4). Because it does not depend on the target, the
writer of the reply can undo it from the request alone: ``{v: k for k, v in fitted(names).items()}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from types import MappingProxyType

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_STRANGE = re.compile(r"[^A-Za-z0-9_-]", re.ASCII)


def fitted(names: Iterable[str]) -> Mapping[str, str]:
    """Map every tool name to its common form; those that fit map to themselves, injectively."""
    return _injective(names, _NAME, "_")


def fitted_ids(ids: Iterable[str]) -> Mapping[str, str]:
    """Map every pairing id to one of ``[A-Za-z0-9_-]{1,64}``, injectively (dialects.md, 3.6)."""
    return _injective(ids, _ID, "id_")


def _injective(names: Iterable[str], good: re.Pattern[str], lead: str) -> Mapping[str, str]:
    wanted = dict.fromkeys(names)
    made = {name: name for name in wanted if good.fullmatch(name)}
    for name in wanted:
        if name in made:
            continue
        salt = 0
        while (short := _short(name, lead, salt)) in made.values():
            salt += 1
        made[name] = short
    return MappingProxyType(made)


def _short(name: str, lead: str, salt: int) -> str:
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=6, salt=b"%d" % salt)
    kept = _STRANGE.sub("_", name)[:48]
    return f"{kept if kept[:1].isalpha() else lead + kept}_{digest.hexdigest()}"
