"""Keys are looked up by a prefix, told apart by their digest, and never kept."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from hyperroute.accounts.keys import (
    Denied,
    Granted,
    Key,
    delete,
    digest,
    mint,
    put,
    read,
    verdict,
    wanted,
)
from hyperroute.accounts.pepper import pepper_beside
from hyperroute.canon.mutation import Commit, RowKey, Shelved, Stored
from hyperroute.errors import StoreError
from hyperroute.plugins.secret import Secret
from hyperroute.stores.memory import MemoryStore

PEPPER = Secret("pepper of this test")
SECRET = "ck_" + "0" * 64


def key(secret: str = SECRET, key_id: str = "k1", **said: object) -> Key:
    made = Key(
        id=key_id,
        name="laptop",
        prefix=secret[:8],
        digest=digest(secret, PEPPER),
        owner_type="user",
        owner_id="ada",
        created_at=5,
    )
    return replace(made, **said)  # type: ignore[arg-type] # what a test says


def asked(
    secret: str | None, *keys: Key, now: int = 10, pepper: Secret = PEPPER
) -> Granted | Denied:
    store = MemoryStore(now=lambda: 0)
    assert store.commit([put(one) for one in keys]).done
    (found,) = store.read([wanted(secret)])
    return verdict(secret, found, now=now, pepper=pepper)


def why(told: Granted | Denied) -> str:
    assert isinstance(told, Denied)
    assert told.message
    return told.why


def test_a_minted_secret_has_the_form_and_is_granted() -> None:
    secret = mint()
    assert re.fullmatch(r"ck_[0-9a-f]{64}", secret)
    assert mint() != secret
    assert asked(secret, key(secret)) == Granted(key(secret))


def test_of_all_keys_with_one_prefix_the_right_one_is_found() -> None:
    others = [f"ck_00000{number:011}" for number in range(5)]
    keys = [key(secret, f"k{index}") for index, secret in enumerate(others)]
    for index, secret in enumerate(others):
        assert asked(secret, *keys) == Granted(keys[index])
    assert why(asked("ck_00000" + "9" * 11, *keys)) == "unknown"


@pytest.mark.parametrize(
    "secret",
    ["", "ck_short", "sk_" + "0" * 64, "ck_" + "0" * 129, "ck_" + "0" * 20 + "\n", "ck_é" * 9, "CK_" + "0" * 64],
)  # fmt: skip
def test_a_word_that_cannot_be_a_key_is_malformed_and_looked_up_like_any(secret: str) -> None:
    assert wanted(secret).name == "prefix"
    assert wanted(secret).value == wanted("ck_").value
    assert why(asked(secret, key())) == "malformed"


def test_every_other_reason_has_its_word() -> None:
    assert why(asked(None, key())) == "missing"
    assert why(asked(SECRET)) == "unknown"
    assert why(asked(SECRET, key(), pepper=Secret("another pepper, as long"))) == "unknown"
    assert why(asked(SECRET, key(active=False))) == "inactive"
    assert why(asked(SECRET, key(expires_at=10))) == "expired"
    assert asked(SECRET, key(expires_at=11)) == Granted(key(expires_at=11))


def test_no_record_and_no_message_holds_a_secret() -> None:
    store = MemoryStore(now=lambda: 0)
    store.commit([put(key())])
    (rows,) = store.read([Shelved("key")])
    assert SECRET not in repr(rows)
    assert PEPPER.reveal() not in repr(rows)
    assert SECRET not in repr(asked(SECRET, key(active=False)))


def test_a_key_is_the_same_after_it_was_kept() -> None:
    full = key(
        spending_limit_microcredits=0,
        auto_disable=True,
        allowed_models=("gpt-*", "m"),
        expires_at=7,
        active=False,
        scopes=frozenset({"admin"}),
        last_used_at=6,
        owner_type="org",
    )
    store = MemoryStore(now=lambda: 0)
    store.commit([put(full)])
    (rows,) = store.read([Shelved("key")])
    assert isinstance(rows, tuple)
    assert [read(row) for row in rows] == [full]


def test_a_record_that_is_no_key_is_told_by_its_id() -> None:
    store = MemoryStore(now=lambda: 0)
    store.commit([replace(put(key()), body='{"name": "x", "colour": "red"}')])
    (rows,) = store.read([Shelved("key")])
    assert isinstance(rows, tuple)
    with pytest.raises(ValueError, match="'k1' is no key"):
        read(rows[0])


def test_the_facts_are_what_tables_read_and_nothing_unknown_is_among_them() -> None:
    assert Granted(key()).facts == {"key.id": "k1", "user.id": "ada"}
    limited = key(
        owner_type="org", allowed_models=("m",), spending_limit_microcredits=50_000_000_000
    )
    assert Granted(limited).facts == {
        "key.id": "k1",
        "org.id": "ada",
        "key.models": ("m",),
        "key.limit": Decimal(500),
    }


def test_a_new_key_takes_no_others_place_and_what_is_deleted_is_unknown() -> None:
    store = MemoryStore(now=lambda: 0)
    assert store.commit([put(key())]).done
    assert not store.commit([put(key())]).done
    assert store.commit([delete("k1")]) == Commit(done=True, outcomes=(Stored(2),))
    assert store.read([wanted(SECRET), RowKey("key", "k1")]) == ((), None)


# --- the pepper ------------------------------------------------------------------------------------
def test_the_pepper_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = pepper_beside(tmp_path / "keys.json", {})
    assert pepper_beside(tmp_path / "keys.json", {}) == first
    assert [path.name for path in tmp_path.iterdir()] == ["keys.pepper"]
    assert stat.S_IMODE((tmp_path / "keys.pepper").stat().st_mode) == 0o600
    assert len(first.reveal()) == 64


def test_the_environment_counts_more_than_the_file(tmp_path: Path) -> None:
    given = pepper_beside(tmp_path / "keys.json", {"HYPERROUTE_PEPPER": "0123456789abcdef"})
    assert given == Secret("0123456789abcdef")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "said"), [("short", "too short"), ("", "too short"), ("é" * 20, "ASCII")]
)
def test_a_pepper_that_is_none_is_never_replaced(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "keys.pepper").write_text(content, "utf-8")
    with pytest.raises(StoreError, match=said):
        pepper_beside(tmp_path / "keys.json", {})
    assert (tmp_path / "keys.pepper").read_text("utf-8") == content
    with pytest.raises(StoreError, match="HYPERROUTE_PEPPER is too short"):
        pepper_beside(tmp_path / "keys.json", {"HYPERROUTE_PEPPER": "x"})


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        pepper_beside(tmp_path / "none" / "keys.json", dict(os.environ) | {})
