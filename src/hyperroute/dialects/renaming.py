"""Names and ids that do not fit the other side, replaced one to one.

Tool names have one common form that all four dialects take: a letter or ``_``, then letters,
digits, ``_`` and ``-``, 64 in all (dialects.md, 3.4). Because it does not depend on the target, the
writer of the reply can undo it from the request alone (``called``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from types import MappingProxyType

from hyperroute.canon.content import ToolUse
from hyperroute.canon.request import Request
from hyperroute.errors import ClientWireError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_HASHED = re.compile(r"_[0-9a-f]{12}\Z", re.ASCII)
"""How every replacement ends; names without it need no looking up."""
_STRANGE = re.compile(r"[^A-Za-z0-9_-]", re.ASCII)


def fitted(names: Iterable[str]) -> Mapping[str, str]:
    """Map every tool name to its common form; those that fit map to themselves, injectively."""
    return _injective(names, _NAME, "_")


def fitted_ids(ids: Iterable[str]) -> Mapping[str, str]:
    """Map every pairing id to one of ``[A-Za-z0-9_-]{1,64}``, injectively (dialects.md, 3.6)."""
    return _injective(ids, _ID, "id_")


def called(request: Request, name: str) -> str:
    """Give a tool the name that the caller knows it by, where ``fitted`` had replaced it."""
    if not _HASHED.search(name):
        return name
    try:
        asked = request.conversation
    except ClientWireError:
        return name
    used = (part.name for turn in asked.turns for part in turn.parts if isinstance(part, ToolUse))
    names = fitted([*(tool.name for tool in asked.tools if tool.kind != "server"), *used])
    return next((theirs for theirs, short in names.items() if short == name), name)


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
