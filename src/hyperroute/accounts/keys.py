"""API keys: made once, kept as a digest, looked up by their first eight characters.

Laws: a secret is shown when it is made and nowhere else; what is kept is its HMAC-SHA256 under a
pepper that is kept apart, so that a copy of the records opens nothing (a secret of 256 random bits
needs no slow hash); of all keys that share a prefix each is compared in constant time; a word that
cannot be a key takes the same way as one that is merely unknown.

Nothing here reads a store or a clock. Whoever serves a request asks twice:

Example:
    >>> pepper = Secret("a pepper of at least sixteen characters")
    >>> secret = mint()
    >>> key = Key(id="k1", name="laptop", prefix=secret[:8], digest=digest(secret, pepper),
    ...           owner_type="user", owner_id="ada", created_at=0)
    >>> found = store.read([wanted(secret)])            # before it: store.commit([put(key)])
    >>> verdict(secret, found[0], now=1, pepper=pepper)
    Granted(key=Key(id='k1', …))
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from hyperroute.canon.money import MICROCREDITS_PER_USD
from hyperroute.canon.mutation import Delete, Found, Put, Row, RowKey, Tagged
from hyperroute.canon.quick import quick
from hyperroute.canon.units import Instant
from hyperroute.catalog.condition import Fact
from hyperroute.plugins.secret import Secret

PREFIX_CHARS = 8
"""Of the whole secret, ``ck_`` included: shown in lists, and enough to find the few it may be."""

_FORM = re.compile(r"ck_[A-Za-z0-9_-]{16,128}")
_NOBODYS_PREFIX = "ck_:none"
"""Looked up for a word that cannot be a key; no key has it, for ``:`` is not in the form."""
_NOBODYS_SECRET = "ck_" + "0" * 64

Why = Literal["missing", "malformed", "unknown", "expired", "inactive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key, without its secret. Instants are Unix nanoseconds.

    Attributes:
        prefix: The first characters of the secret.
        digest: ``digest(secret, pepper)``.
        owner_id: Whose limits and money its requests use.
        spending_limit_microcredits: Per calendar month, UTC; ``None``: no cap; 0: nothing passes.
        auto_disable: Whether a refusal for that cap makes the key inactive.
        allowed_models: Patterns of the models it may ask for; ``None``: all.
        expires_at: From this instant on it is no longer valid; ``None``: never.
        active: Whether it may be used; its owner says so.
        scopes: What it may do beyond the data plane, such as ``admin``.
        last_used_at: ``None``: never, or nobody keeps it.
    """

    id: str
    name: str
    prefix: str
    digest: str
    owner_type: Literal["user", "org"]
    owner_id: str
    created_at: Instant
    spending_limit_microcredits: int | None = None
    auto_disable: bool = False
    allowed_models: tuple[str, ...] | None = None
    expires_at: Instant | None = None
    active: bool = True
    scopes: frozenset[str] = frozenset()
    last_used_at: Instant | None = None


@quick(frozen=True, slots=True)
class Granted:
    """The secret is that of a key which may be used now."""

    key: Key

    @property
    def facts(self) -> Mapping[str, Fact]:
        """What the tables may read of the caller; what is not in it is unknown."""
        key = self.key
        found: dict[str, Fact] = {"key.id": key.id, f"{key.owner_type}.id": key.owner_id}
        if key.allowed_models is not None:
            found["key.models"] = key.allowed_models
        if key.spending_limit_microcredits is not None:
            found["key.limit"] = Decimal(key.spending_limit_microcredits) / MICROCREDITS_PER_USD
        return found


@quick(frozen=True, slots=True)
class Denied:
    """It is not, and why; every reason is a 401."""

    why: Why
    message: str


_MESSAGES: Mapping[Why, str] = {
    "missing": "no API key was sent; send one as 'Authorization: Bearer ck_…'",
    "malformed": "the API key is malformed: it begins with 'ck_'",
    "unknown": "the API key is not known",
    "expired": "the API key has expired",
    "inactive": "the API key is inactive",
}


def mint() -> str:
    """Draw a secret: ``ck_`` and 64 hexadecimal digits, 256 random bits."""
    return f"ck_{secrets.token_hex(32)}"


def digest(secret: str, pepper: Secret) -> str:
    """Return what is kept of a secret."""
    return hmac.digest(pepper.reveal().encode(), secret.encode(), "sha256").hex()


def wanted(secret: str | None) -> Tagged:
    """Say which records to read before the verdict; there is always something to read."""
    known_form = secret is not None and _FORM.fullmatch(secret) is not None
    prefix = secret[:PREFIX_CHARS] if known_form and secret is not None else _NOBODYS_PREFIX
    return Tagged("key", "prefix", prefix)


def verdict(secret: str | None, found: Found, *, now: Instant, pepper: Secret) -> Granted | Denied:
    """Say whose key it is, or why nobody's.

    Args:
        secret: As the caller sent it; ``None``: nothing was sent.
        found: What a store answered to ``wanted(secret)``.
        now: Unix nanoseconds.
        pepper: The one under which the keys were made.
    """
    if secret is None:
        return _denied("missing")
    assert isinstance(found, tuple)
    well_formed = _FORM.fullmatch(secret) is not None
    given = digest(secret if well_formed else _NOBODYS_SECRET, pepper)
    match: Key | None = None
    for row in found or (_NOBODY,):  # an empty shelf takes no less time than one key
        key = read(row)
        if hmac.compare_digest(given, key.digest):
            match = key
    if not well_formed:
        return _denied("malformed")
    if match is None:
        return _denied("unknown")
    if not match.active:
        return _denied("inactive")
    if match.expires_at is not None and now >= match.expires_at:
        return _denied("expired")
    return Granted(match)


def _denied(why: Why) -> Denied:
    return Denied(why, _MESSAGES[why])


# --- as records ----------------------------------------------------------------------------------
def put(key: Key, *, expected: int | None = 0) -> Put:
    """Write a key; by default a new one, whose id nobody has."""
    return Put(RowKey("key", key.id), json.dumps(_body(key)), _tags(key), expected)


def delete(key_id: str, *, expected: int | None = None) -> Delete:
    """Remove a key."""
    return Delete(RowKey("key", key_id), expected)


def read(row: Row) -> Key:
    """Read a key from its record.

    Raises:
        ValueError: The record is none of a key.
    """
    body: dict[str, Any] = json.loads(row.body)
    models, scopes = body.pop("allowed_models", None), body.pop("scopes", ())
    try:
        return Key(
            id=row.key.id,
            allowed_models=None if models is None else tuple(models),
            scopes=frozenset(scopes),
            **body,
        )
    except TypeError as error:
        raise ValueError(f"the record {row.key.id!r} is no key: {error}") from None


def _body(key: Key) -> dict[str, Any]:
    """Write every member but the id, which the record has itself."""
    return {
        "name": key.name,
        "prefix": key.prefix,
        "digest": key.digest,
        "owner_type": key.owner_type,
        "owner_id": key.owner_id,
        "created_at": key.created_at,
        "spending_limit_microcredits": key.spending_limit_microcredits,
        "auto_disable": key.auto_disable,
        "allowed_models": key.allowed_models,
        "expires_at": key.expires_at,
        "active": key.active,
        "scopes": sorted(key.scopes),
        "last_used_at": key.last_used_at,
    }


def _tags(key: Key) -> tuple[tuple[str, str], ...]:
    return (("owner", f"{key.owner_type}:{key.owner_id}"), ("prefix", key.prefix))


_NOBODY = Row(
    RowKey("key", "nobody"),
    json.dumps(
        _body(
            Key(
                id="nobody",
                name="a name of usual length",
                prefix=_NOBODYS_PREFIX,
                digest="0" * 64,
                owner_type="user",
                owner_id="nobody",
                created_at=1_800_000_000_000_000_000,
                active=False,
            )
        )
    ),
    (),
    1,
)


__all__ = [
    "PREFIX_CHARS",
    "Denied",
    "Granted",
    "Key",
    "Why",
    "delete",
    "digest",
    "mint",
    "put",
    "read",
    "verdict",
    "wanted",
]
