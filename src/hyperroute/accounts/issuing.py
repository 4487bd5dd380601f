"""Making a key.

Example:
    >>> secret, key = issue(name="laptop", owner_type="user", owner_id="ada", pepper=pepper, now=0)
    >>> store.commit([put(key)]).done       # then show the secret, which nobody can show again
    True
"""

from __future__ import annotations

import secrets
from typing import Literal

from hyperroute.accounts.keys import PREFIX_CHARS, Key, digest, mint
from hyperroute.canon.units import Instant
from hyperroute.plugins.secret import Secret


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


__all__ = ["issue"]
