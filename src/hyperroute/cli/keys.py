"""``hyperroute keys``: who may call a gateway."""

from __future__ import annotations

import os
import sys
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from hyperroute.cli.options import Json, Keys, State, keys_url
from hyperroute.cli.say import answering, columns, emit, misuse, say_no
from hyperroute.cli.state import opened_state

if TYPE_CHECKING:
    from hyperroute.accounts.keys import Key
    from hyperroute.stores.base import Store

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)

KeyId = Annotated[str, typer.Argument(metavar="ID", help="Of the key, as `keys list` shows it.")]

_NAME_CHARS_MAX = 200


@app.callback()
def keys() -> None:
    """Make, list, disable and delete API keys."""


@app.command("create")
def create(
    *,
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="What it is for.")],
    user: Annotated[
        str | None, typer.Option("--user", metavar="ID", help="The user it belongs to.")
    ] = None,
    org: Annotated[
        str | None, typer.Option("--org", metavar="ID", help="The organisation it belongs to.")
    ] = None,
    limit: Annotated[
        str | None,
        typer.Option("--limit", metavar="CREDITS", help="Spend at most, a calendar month (UTC)."),
    ] = None,
    auto_disable: Annotated[
        bool, typer.Option("--auto-disable", help="Disable it when its limit is reached.")
    ] = False,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="PATTERN", help="Only these models; may be repeated."),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option("--expires", metavar="WHEN", help="A time from now (30d), or a date (UTC)."),
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", metavar="NAME", help="admin: may manage keys over HTTP."),
    ] = None,
    state: State = None,
    file: Keys = None,
    as_json: Json = False,
) -> None:
    """Make a key and print its secret, which is shown once and kept nowhere."""
    owner = owner_of(user, org, what="a key belongs to", as_json=as_json)
    if not 0 < len(name) <= _NAME_CHARS_MAX or not name.isprintable():
        message = f"--name is a line of 1 to {_NAME_CHARS_MAX} characters, not {name[:60]!r}"
        misuse(message, as_json=as_json)
    scopes = _scopes(scope, as_json=as_json)
    microcredits = _microcredits(limit, what="--limit", as_json=as_json)
    url, now = keys_url(state, file, as_json=as_json), _unix_ns()
    expires_at = _expiry(expires, now, as_json=as_json)
    with answering(as_json=as_json), opened_state(url, makes=True) as store:
        from hyperroute.accounts.issuing import issue
        from hyperroute.accounts.keys import put
        from hyperroute.accounts.pepper import pepper_of
        from hyperroute.accounts.shown import shown
        from hyperroute.stores import opening

        secret, key = issue(
            name=name,
            owner_type=owner[0],
            owner_id=owner[1],
            pepper=pepper_of(url, os.environ),
            now=now,
            spending_limit_microcredits=microcredits,
            auto_disable=auto_disable,
            allowed_models=tuple(model) if model else None,
            expires_at=expires_at,
            scopes=scopes,
        )
        store.commit([put(key)])
        if as_json:
            emit({"key": secret, **shown(key)})
            return
        print(secret)
        place = opening.shown(url)
        print(f"{key.id}, kept in {place}; the secret is not shown again", file=sys.stderr)


@app.command("list")
def list_keys(
    *,
    state: State = None,
    file: Keys = None,
    as_json: Json = False,
) -> None:
    """List the keys, without their secrets."""
    url = keys_url(state, file, as_json=as_json)
    with answering(as_json=as_json), opened_state(url) as store:
        from hyperroute.accounts.shown import moment, shown

        found = sorted(_read(store), key=lambda key: (key.created_at, key.id))
        if as_json:
            emit({"keys": [shown(key) for key in found]})
            return
        rows = [
            (
                key.id,
                f"{key.prefix}…",
                f"{key.owner_type}:{key.owner_id}",
                _state(key),
                _limit(key),
                (moment(key.expires_at) or "-")[:10],
                ", ".join(key.allowed_models or ("all",)),
                key.name,
            )
            for key in found
        ]
        head = ("ID", "PREFIX", "OWNER", "STATE", "LIMIT", "EXPIRES", "MODELS", "NAME")
        for line in columns([head, *rows] if rows else []):
            print(line)
        if not rows:
            print("hyperroute: there is no key yet", file=sys.stderr)


@app.command("limit")
def limit_key(
    key_id: KeyId,
    credits_: Annotated[
        str, typer.Argument(metavar="CREDITS", help="A calendar month (UTC); none: no limit.")
    ],
    *,
    state: State = None,
    file: Keys = None,
    as_json: Json = False,
) -> None:
    """Let a key spend more or less a month; raised, it is written of again."""
    given = None if credits_ == "none" else credits_
    microcredits = _microcredits(given, what="a limit", as_json=as_json)
    url = keys_url(state, file, as_json=as_json)
    _change(key_id, url, as_json=as_json, spending_limit_microcredits=microcredits)


@app.command("disable")
def disable(
    key_id: KeyId, *, state: State = None, file: Keys = None, as_json: Json = False
) -> None:
    """Refuse a key from now on, and keep it."""
    _change(key_id, keys_url(state, file, as_json=as_json), as_json=as_json, active=False)


@app.command("enable")
def enable(key_id: KeyId, *, state: State = None, file: Keys = None, as_json: Json = False) -> None:
    """Let a disabled key pass again."""
    _change(key_id, keys_url(state, file, as_json=as_json), as_json=as_json, active=True)


@app.command("delete")
def delete(key_id: KeyId, *, state: State = None, file: Keys = None, as_json: Json = False) -> None:
    """Forget a key for good."""
    url = keys_url(state, file, as_json=as_json)
    with answering(as_json=as_json), opened_state(url) as store:
        from hyperroute.accounts import keys as accounts
        from hyperroute.accounts import uses
        from hyperroute.canon.mutation import Row, RowKey

        (row,) = store.read([RowKey("key", key_id)])
        if not isinstance(row, Row):
            _unknown(key_id, store, url, as_json=as_json)
        store.commit([accounts.delete(key_id), uses.forget(key_id)])
        if as_json:
            emit({"deleted": key_id})
        else:
            print(f"{key_id} is deleted", file=sys.stderr)


def _change(key_id: str, url: str, *, as_json: bool, **said: object) -> None:
    with answering(as_json=as_json), opened_state(url) as store:
        from hyperroute.accounts import changing
        from hyperroute.accounts.shown import shown
        from hyperroute.canon.mutation import Row

        asked = changing.asked(key_id, now=_unix_ns())
        found = store.read(asked)
        if not isinstance(found[0], Row):
            _unknown(key_id, store, url, as_json=as_json)
        key, batch = changing.changed(found, said)
        if not store.commit(batch).done:
            say_no(f"somebody else has just changed {key_id}; try again", as_json=as_json)
        if as_json:
            emit(shown(key))
        else:
            print(f"{key_id} is {_state(key)}, its limit {_limit(key)}", file=sys.stderr)


def _read(store: Store) -> list[Key]:
    from hyperroute.accounts.keys import read
    from hyperroute.accounts.uses import with_uses
    from hyperroute.canon.mutation import Shelved

    rows, used = store.read([Shelved("key"), Shelved("use")])
    assert isinstance(rows, tuple)
    assert isinstance(used, tuple)
    return with_uses([read(row) for row in rows], used)


def _limit(key: Key) -> str:
    from hyperroute.accounts.amounts import credits_of

    credits_a_month = credits_of(key.spending_limit_microcredits)
    return "-" if credits_a_month is None else f"{credits_a_month}"


def _state(key: Key) -> str:
    if not key.active:
        return "disabled"
    return "active" if key.expires_at is None or key.expires_at > _unix_ns() else "expired"


def _unix_ns() -> int:
    from hyperroute.runtime.clock import SystemClock

    return SystemClock.unix_ns()


def _unknown(key_id: str, store: Store, url: str, *, as_json: bool) -> NoReturn:
    from hyperroute.stores.opening import shown
    from hyperroute.tables.vocabulary import nearest

    hint = nearest(key_id, [key.id for key in _read(store)])
    say_no(f"there is no key {key_id!r} in {shown(url)}{hint}", as_json=as_json)


# --- reading what was written ----------------------------------------------------------------------
def owner_of(
    user: str | None, org: str | None, *, what: str, as_json: bool
) -> tuple[Literal["user", "org"], str]:
    """Read whose something is from its two options.

    Raises:
        typer.Exit: Neither or both were given, or no word.
    """
    if (user is None) == (org is None):
        misuse(f"{what} --user ID or to --org ID, one of the two", as_json=as_json)
    owner_id = user if user is not None else org
    if not owner_id or owner_id != owner_id.strip() or not owner_id.isprintable():
        misuse(f"an owner's id is a word, not {owner_id!r}", as_json=as_json)
    return ("user" if user is not None else "org"), owner_id


def _scopes(words: list[str] | None, *, as_json: bool) -> frozenset[str]:
    from hyperroute.accounts.keys import SCOPES
    from hyperroute.tables.vocabulary import nearest

    for word in words or ():
        if word not in SCOPES:
            misuse(f"--scope knows no {word!r}{nearest(word, SCOPES)}", as_json=as_json)
    return frozenset(words or ())


def _microcredits(text: str | None, *, what: str, as_json: bool) -> int | None:
    from hyperroute.accounts.amounts import microcredits

    if text is None:
        return None
    try:
        return microcredits(Decimal(text))
    except (InvalidOperation, ValueError):
        message = f"{what} is credits a month, from 0 with six decimals at most, not {text!r}"
        misuse(message, as_json=as_json)


def _expiry(text: str | None, now: int, *, as_json: bool) -> int | None:
    from hyperroute.canon.units import DAY
    from hyperroute.tables.words import date, time

    if text is None:
        return None
    try:
        at = date(text) * DAY if "-" in text else now + time(text)
    except ValueError:
        message = f"--expires is a time such as 30d or a date such as 2027-01-31, not {text!r}"
        misuse(message, as_json=as_json)
    if at <= now:
        misuse(f"--expires is in the future, not {text!r}", as_json=as_json)
    return at


__all__ = ["app", "owner_of"]
