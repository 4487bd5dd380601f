"""``hyperroute ledger``: do the books agree with themselves?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from hyperroute.cli import sweeping
from hyperroute.cli.options import Json, State, state_url
from hyperroute.cli.say import answering, emit, no
from hyperroute.cli.state import opened_state

if TYPE_CHECKING:
    from hyperroute.ledger.checking import Checked
    from hyperroute.stores.base import Store

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
app.command("sweep")(sweeping.sweep)

_PATIENCE_MIN = 10


@app.callback()
def ledger() -> None:
    """Look after the books."""


@app.command("check")
def check(*, state: State = None, as_json: Json = False) -> None:
    """Prove that the books agree with themselves, and name every figure that does not.

    A gateway may go on meanwhile.
    """
    url = state_url(state, as_json=as_json)
    from hyperroute.canon.units import MINUTE
    from hyperroute.ledger.checking import WRONG_MAX

    patience_ns = _PATIENCE_MIN * MINUTE
    with answering(as_json=as_json), opened_state(url, patience_ns=patience_ns) as store:
        found = _checked(store)
    if as_json:
        emit(
            {
                "wallets": found.wallets,
                "budgets": found.budgets,
                "holds": found.holds,
                "wrong": [{"place": one.place, "said": one.said} for one in found.wrong],
            }
        )
    else:
        for one in found.wrong:
            print(f"{one.place}: {one.said}")
        told = f"{found.wallets} wallets, {found.budgets} budgets, {found.holds} holds"
        most = " and perhaps more" if len(found.wrong) == WRONG_MAX else ""
        print(f"{told}: {len(found.wrong) or 'no'} mismatches{most}", file=sys.stderr)
    if found.wrong:
        no()


def _checked(store: Store) -> Checked:
    from hyperroute.ledger.checking import checked

    asking = checked()
    keys = next(asking)
    while True:
        try:
            keys = asking.send(store.read(keys))
        except StopIteration as end:
            verdict: Checked = end.value
            return verdict


__all__ = ["app"]
