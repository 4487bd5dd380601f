"""What anybody may see of a key: its object in the control plane, without the digest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hyperroute.accounts.amounts import credits_of
from hyperroute.accounts.keys import Key
from hyperroute.canon.units import SECOND, Instant


def shown(key: Key) -> dict[str, Any]:
    """Return a key as an object of JSON; amounts are exact."""
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


def moment(at: Instant | None) -> str | None:
    """Write Unix nanoseconds as ``2026-11-22T18:00:00Z``, the second that has begun."""
    if at is None:
        return None
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


__all__ = ["moment", "shown"]
