"""``hyperroute credits``: money that customers have paid in."""

from __future__ import annotations

import re
import secrets
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from hyperroute.cli.keys import owner_of
from hyperroute.cli.options import Json, State, state_url
from hyperroute.cli.say import answering, columns, emit, misuse, say_no
from hyperroute.cli.state import opened_state

if TYPE_CHECKING:
    from hyperroute.canon.money import Wallet
    from hyperroute.ledger.payments import Payment
    from hyperroute.stores.base import Store

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)

User = Annotated[str | None, typer.Option("--user", metavar="ID", help="A user's wallet.")]
Org = Annotated[str | None, typer.Option("--org", metavar="ID", help="An organisation's wallet.")]

_AMOUNT = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)\s?(usd|credits?)")
_NOTE_CHARS_MAX = 500


@app.callback()
def credits_() -> None:
    """Put money into wallets, and see what is there; 100 credits are 1 USD."""


@app.command("add")
def add(
    amount: Annotated[
        str, typer.Argument(metavar="AMOUNT", help="Such as 20usd or 2000credit; exact.")
    ],
    *,
    user: User = None,
    org: Org = None,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What it is for.")] = "",
    payment: Annotated[
        str | None,
        typer.Option(
            "--id",
            metavar="PAYMENT",
            help="Its name where it was paid: a second time it changes nothing. Default: a new one.",
        ),
    ] = None,
    state: State = None,
    as_json: Json = False,
) -> None:
    """Put money into a wallet, once for each payment."""
    owner = ":".join(owner_of(user, org, what="money goes to", as_json=as_json))
    microcredits = _microcredits(amount, as_json=as_json)
    if payment is not None and not re.fullmatch(r"[!-~]{1,200}", payment):
        misuse(
            f"--id is a word of 1 to 200 visible ASCII characters, not {payment!r}", as_json=as_json
        )
    if len(note) > _NOTE_CHARS_MAX or not (note.isprintable() or not note):
        misuse(f"--note is a line of {_NOTE_CHARS_MAX} characters at most", as_json=as_json)
    url = _database(state, as_json=as_json)
    with answering(as_json=as_json), opened_state(url, makes=True) as store:
        from hyperroute.ledger.payments import Payment, deposited

        given = Payment(payment or f"pay_{secrets.token_hex(8)}", owner, microcredits, note)
        done = store.commit(deposited(given)).done
        if not done:
            _agrees(given, store, as_json=as_json)
        told = _told(owner, _wallet(store, owner))
        if as_json:
            emit({"payment": given.id, "repeated": not done, **told})
            return
        said = "was there before; nothing has changed" if not done else f"is in {owner}"
        print(f"{given.id} {said}: {told['free']} credits free, {told['held']} held")


@app.command("show")
def show(*, user: User = None, org: Org = None, state: State = None, as_json: Json = False) -> None:
    """Show what a wallet has free and held, or what every wallet has."""
    owner = None
    if user is not None or org is not None:
        owner = ":".join(owner_of(user, org, what="a wallet belongs to", as_json=as_json))
    url = _database(state, as_json=as_json)
    with answering(as_json=as_json), opened_state(url) as store:
        if owner is not None:
            told = _told(owner, _wallet(store, owner))
            rows = [told]
        else:
            told = {"wallets": (rows := [_told(name, one) for name, one in _wallets(store)])}
        if as_json:
            emit(told)
            return
        table = [(f"{row['owner']}", f"{row['free']}", f"{row['held']}") for row in rows]
        for line in columns([("OWNER", "FREE", "HELD"), *table] if table else []):
            print(line)
        if not table:
            print("hyperroute: there is no wallet yet", file=sys.stderr)


def _database(state: str | None, *, as_json: bool) -> str:
    url = state_url(state, as_json=as_json)
    if url.startswith("file:"):
        misuse(
            "a file of keys keeps no money: name a database, such as sqlite:///hyperroute.db",
            as_json=as_json,
        )
    return url


def _microcredits(text: str, *, as_json: bool) -> int:
    from hyperroute.accounts.amounts import microcredits

    found = _AMOUNT.fullmatch(text.strip())
    amount = Decimal(found[1]) * (100 if found[2] == "usd" else 1) if found else Decimal(0)
    if not amount:
        message = f"an amount is more than nothing, such as 20usd or 2000credit, not {text!r}"
        misuse(message, as_json=as_json)
    try:
        return microcredits(amount)
    except ValueError as error:
        misuse(f"the amount {text!r} is not possible: {error}", as_json=as_json)


def _agrees(given: Payment, store: Store, *, as_json: bool) -> None:
    """See that a repeated payment is the same one.

    Raises:
        typer.Exit: It is another one under the same name.
    """
    from hyperroute.canon.mutation import Row
    from hyperroute.ledger.payments import kept_as, read

    (row,) = store.read([kept_as(given.id)])
    there = read(row) if isinstance(row, Row) else None
    if there is None or (there.owner, there.amount) != (given.owner, given.amount):
        before = "" if there is None else f": {_credits(there.amount)} credits to {there.owner}"
        say_no(
            f"the payment {given.id!r} was made before, and is another one{before}", as_json=as_json
        )


def _wallet(store: Store, owner: str) -> Wallet:
    from hyperroute.canon.money import Wallet, WalletKey

    (found,) = store.read([WalletKey(owner)])
    assert found is None or isinstance(found, Wallet)
    return found or Wallet()


def _wallets(store: Store) -> list[tuple[str, Wallet]]:
    from hyperroute.canon.auditing import Cells, Every
    from hyperroute.canon.money import Wallet, WalletKey

    (found,) = store.read([Every("wallet")])
    assert isinstance(found, Cells)
    return sorted(
        [
            (key.owner, one)
            for key, one in found.cells
            if isinstance(key, WalletKey) and isinstance(one, Wallet)
        ]
    )


def _told(owner: str, wallet: Wallet) -> dict[str, object]:
    return {"owner": owner, "free": _credits(wallet.free), "held": _credits(wallet.held)}


def _credits(microcredits: int) -> object:
    from hyperroute.accounts.amounts import credits_of

    return credits_of(microcredits)


__all__ = ["app"]
