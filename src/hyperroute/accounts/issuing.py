"""Making a key, and what may be shown of one afterwards.

Example:
    >>> secret, key = issue(name="laptop", owner_type="user", owner_id="ada", pepper=pepper, now=0)
    >>> store.commit([put(key)]).done       # then show the secret, which nobody can show again
    True
    >>> shown(key)["prefix"] == secret[:8]
    True
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from hyperroute.accounts.keys import PREFIX_CHARS, Key, digest, mint
from hyperroute.canon.units import SECOND, Instant
from hyperroute.plugins.secret import Secret

MICROCREDITS = 1_000_000
"""In one credit."""


def issue(
    *,
    name: str,
    owner_type: Literal["user", "org"],
    owner_id: str,
    pepper: Secret,
    now: Instant,
    spending_limit_microcredits: int | None = None,
    auto_disable: bool = False,
    allowed_models: tuple[str, ...] | None = None,
    expires_at: Instant | None = None,
    scopes: frozenset[str] = frozenset(),
) -> tuple[str, Key]:
    """Draw a secret and make its key, which is yet to be kept.

    Args:
        name: For people; need not be unique.
        owner_type: What ``owner_id`` is.
        owner_id: Whose limits and money its requests use.
        pepper: The one of the store that will keep it.
        now: Unix nanoseconds.
        spending_limit_microcredits: As of ``Key``, as are all that follow.
        auto_disable: As of ``Key``.
        allowed_models: As of ``Key``.
        expires_at: As of ``Key``.
        scopes: As of ``Key``.
    """
    secret = mint()
    key = Key(
        id=f"key_{secrets.token_hex(8)}",
        name=name,
        prefix=secret[:PREFIX_CHARS],
        digest=digest(secret, pepper),
        owner_type=owner_type,
        owner_id=owner_id,
        created_at=now,
        spending_limit_microcredits=spending_limit_microcredits,
        auto_disable=auto_disable,
        allowed_models=allowed_models,
        expires_at=expires_at,
        scopes=scopes,
    )
    return secret, key


def shown(key: Key) -> dict[str, Any]:
    """Return what anybody may see of a key: its object in the control plane, without the digest."""
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "ownerType": key.owner_type,
        "ownerId": key.owner_id,
        "spendingLimit": credits_of(key.spending_limit_microcredits),
        "autoDisable": key.auto_disable,
        "allowedModels": None if key.allowed_models is None else list(key.allowed_models),
        "expiresAt": moment(key.expires_at),
        "active": key.active,
        "scopes": sorted(key.scopes),
        "createdAt": moment(key.created_at),
        "lastUsedAt": moment(key.last_used_at),
    }


def credits_of(microcredits: int | None) -> int | Decimal | None:
    """Turn parts of a credit into credits, whole ones where they are."""
    if microcredits is None:
        return None
    whole, rest = divmod(microcredits, MICROCREDITS)
    return whole if rest == 0 else (Decimal(microcredits) / MICROCREDITS).normalize()


def moment(at: Instant | None) -> str | None:
    """Write Unix nanoseconds as ``2026-11-22T18:00:00Z``, the second that has begun."""
    if at is None:
        return None
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


__all__ = ["MICROCREDITS", "credits_of", "issue", "moment", "shown"]
