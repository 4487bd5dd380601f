"""A key is made with its secret, and shown without it."""

from __future__ import annotations

from decimal import Decimal

from hyperroute.accounts.amounts import credits_of
from hyperroute.accounts.issuing import issue
from hyperroute.accounts.keys import Granted, put, verdict, wanted
from hyperroute.accounts.shown import moment, shown
from hyperroute.plugins.secret import Secret
from hyperroute.stores.memory import MemoryStore

PEPPER = Secret("pepper of this test")


def test_an_issued_secret_is_granted_and_never_shown() -> None:
    secret, key = issue(
        name="laptop", owner_type="org", owner_id="acme", pepper=PEPPER, now=0, expires_at=10**18
    )
    store = MemoryStore(now=lambda: 0)
    assert store.commit([put(key)]).done
    (found,) = store.read([wanted(secret)])
    assert verdict(secret, found, now=1, pepper=PEPPER) == Granted(key)
    told = shown(key)
    assert told["expiresAt"] == "2001-09-09T01:46:40Z"
    assert told["prefix"] == secret[:8]
    assert secret not in str(told)
    assert key.digest not in str(told)


def test_credits_are_exact() -> None:
    assert credits_of(None) is None
    assert credits_of(0) == 0
    assert credits_of(50_000_000_000) == 50_000
    assert credits_of(1) == Decimal("0.000001")
    assert credits_of(1_500_000) == Decimal("1.5")


def test_a_moment_is_the_second_that_has_begun() -> None:
    assert moment(None) is None
    assert moment(1_999_999_999) == "1970-01-01T00:00:01Z"
