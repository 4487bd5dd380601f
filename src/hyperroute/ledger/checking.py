"""Do the books agree with themselves? A generator that asks a store, and says what is wrong.

Every figure is found twice, by ways that share nothing:

| figure | is kept | and comes to the same from |
|---|---|---|
| everything | | the sum of all entries, and of each posting, is zero |
| a wallet's free and held | in the wallet | the entries of its two accounts |
| a wallet's held | in the wallet | what its open holds have set aside of it |
| a budget's held and settled | in the budget | its open holds' amounts, its ended holds' charges |
| a slot's held | in its counter | how many open holds are in it |
| a hold | in its phase and charge | the posting of its end: none while it is open, one afterwards |

Sums are the store's own, of one instant, so that a gateway may go on meanwhile. Holds come in pages;
one that looks wrong is read again together with its postings before it is called so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from hyperroute.canon.auditing import (
    Cells,
    Every,
    HoldsAfter,
    HoldSum,
    HoldSums,
    PostingsOf,
    SumsOfHolds,
    Unbalanced,
)
from hyperroute.canon.money import (
    OPEN,
    BudgetKey,
    Hold,
    HoldKey,
    Posting,
    PostingKey,
    Spend,
    Sums,
    Totals,
    Wallet,
    WalletKey,
)
from hyperroute.canon.mutation import Found, Key
from hyperroute.canon.quick import quick
from hyperroute.ledger.book import posting_of

PAGE = 400
"""Holds of one page; their postings are asked for in one statement."""

WRONG_MAX = 1_000
"""Mismatches that are named; whoever has more has one cause."""

Kept = TypeVar("Kept", Wallet, Spend)
Asking = Generator[Sequence[Key], tuple[Found, ...], Any]


@quick(frozen=True, slots=True)
class Wrong:
    """One figure that does not come to the same by its two ways."""

    place: str
    said: str


@quick(frozen=True, slots=True)
class Checked:
    """What was looked at, and what is wrong with it."""

    wallets: int
    budgets: int
    holds: int
    wrong: tuple[Wrong, ...]


def checked(*, page: int = PAGE) -> Generator[Sequence[Key], tuple[Found, ...], Checked]:
    """Check the books; yields what is to be read, is sent what was found, returns the verdict."""
    totals, wallets, spends, sums, unbalanced = yield (
        Totals(),
        Every("wallet"),
        Every("budget"),
        SumsOfHolds(),
        Unbalanced(WRONG_MAX),
    )
    assert isinstance(totals, Sums)
    assert isinstance(sums, HoldSums)
    accounts = dict(totals.accounts)
    purses = {key.owner: one for key, one in _of(wallets, WalletKey, Wallet)}
    budgets = dict(_of(spends, BudgetKey, Spend))
    wrong = [
        *_everything(accounts, unbalanced),
        *_wallets(purses, accounts, sums.sums),
        *_budgets(budgets, sums.sums),
    ]
    holds, after, more = 0, "", True
    while more and len(wrong) < WRONG_MAX:
        (found,) = yield (HoldsAfter(after, page),)
        cells = _of(found, HoldKey, Hold)
        if cells:
            wrong += yield from _holds(cells)
            holds, after = holds + len(cells), cells[-1][0].id
        more = len(cells) == page
    return Checked(len(purses), len(budgets), holds, tuple(wrong[:WRONG_MAX]))


def _everything(accounts: Mapping[str, int], unbalanced: Found) -> Iterator[Wrong]:
    if total := sum(accounts.values()):
        yield Wrong("all accounts", f"come to {total} micro-credits, and not to 0")
    for key, posting in _of(unbalanced, PostingKey, Posting):
        total = sum(amount for _, amount in posting.entries)
        yield Wrong(f"posting {key.id}", f"its entries come to {total}, and not to 0")


def _wallets(
    wallets: Mapping[str, Wallet], accounts: Mapping[str, int], sums: Sequence[HoldSum]
) -> Iterator[Wrong]:
    set_aside = Counter[str]()
    for one in sums:
        if one.owner is not None and one.phase in OPEN:
            set_aside[one.owner] += one.of_wallet
    named = [name.partition("/") for name in accounts]
    owners = {owner for kind, _, owner in named if kind in {"wallet", "held"}}
    for owner in sorted({*wallets, *owners, *set_aside}):
        wallet, place = wallets.get(owner, Wallet()), f"wallet {owner}"
        free, held = accounts.get(f"wallet/{owner}", 0), accounts.get(f"held/{owner}", 0)
        yield from _differs(place, "free", wallet.free, "entries", free)
        yield from _differs(place, "held", wallet.held, "entries", held)
        yield from _differs(place, "held", wallet.held, "open holds", set_aside[owner])


def _budgets(spends: Mapping[BudgetKey, Spend], sums: Sequence[HoldSum]) -> Iterator[Wrong]:
    held, settled = Counter[BudgetKey](), Counter[BudgetKey]()
    for one in sums:
        for budget in one.budgets:
            held[budget] += one.amount if one.phase in OPEN else 0
            settled[budget] += 0 if one.phase in OPEN else one.charged
        for slot in one.slots:
            held[slot] += one.count if one.phase in OPEN else 0
    for budget in sorted({*spends, *held}, key=_named):
        spend, place = spends.get(budget, Spend()), f"budget {_named(budget)}"
        yield from _differs(place, "held", spend.held, "open holds", held[budget])
        yield from _differs(place, "settled", spend.settled, "ended holds", settled[budget])


def _holds(cells: Sequence[tuple[HoldKey, Hold]]) -> Generator[Any, Any, list[Wrong]]:
    names = tuple(name.id for key, _ in cells for name in _postings(key))
    (found,) = yield (PostingsOf(names),)
    there = dict(_of(found, PostingKey, Posting))
    suspects = [
        key
        for key, hold in cells
        if any(_hold(key, hold, *[there.get(name) for name in _postings(key)]))
    ]
    wrong: list[Wrong] = []
    for key in suspects:  # it may have ended between the two answers
        hold, made, ended = yield (key, *_postings(key))
        wrong += _hold(key, hold, made, ended)
    return wrong


def _postings(key: HoldKey) -> tuple[PostingKey, PostingKey]:
    return posting_of(key, "hold"), posting_of(key, "end")


def _hold(key: HoldKey, hold: Hold, made: Posting | None, ended: Posting | None) -> Iterator[Wrong]:
    """Hold a hold against what was posted when it was made and when it ended."""
    place = f"hold {key.id}"
    aside = _entries(made, hold)
    if aside != ({} if not hold.of_wallet else {"wallet": -hold.of_wallet, "held": hold.of_wallet}):
        yield Wrong(place, f"sets {hold.of_wallet} of its wallet aside, and {aside} is posted")
    if hold.phase in OPEN:
        if ended is not None:
            yield Wrong(place, f"is {hold.phase}, and its end is posted")
        return
    charged = hold.charged
    if charged is None or (hold.phase == "released" and charged):
        yield Wrong(place, f"is {hold.phase}, and was charged {charged}")
        return
    if hold.bounded and charged > hold.amount:
        yield Wrong(place, f"was charged {charged}, beyond its {hold.amount}")
    back = {"wallet": hold.of_wallet - charged, "held": -hold.of_wallet}
    due = {name: amount for name, amount in back.items() if amount and hold.owner is not None}
    given = _entries(ended, hold)
    if given != due:
        yield Wrong(place, f"ended with {due} for its wallet, and {given} is posted")
    paid = dict(ended.entries) if ended is not None and hold.owner is not None else {}
    price = paid.get("sales", 0) + paid.get("lost/price", 0)
    if hold.owner is not None and price != charged:
        yield Wrong(place, f"was charged {charged}, and {price} is posted as paid")


def _entries(posting: Posting | None, hold: Hold) -> dict[str, int]:
    """Return what a posting moves of the hold's own wallet."""
    entries = dict(posting.entries) if posting is not None else {}
    told = {word: entries.get(f"{word}/{hold.owner}", 0) for word in ("wallet", "held")}
    return {word: amount for word, amount in told.items() if amount}


def _differs(place: str, what: str, kept: int, where: str, found: int) -> Iterator[Wrong]:
    if kept != found:
        yield Wrong(place, f"{what} is {kept}, and its {where} come to {found}")


def _named(budget: BudgetKey) -> str:
    subject = ",".join(f"{name}={value}" for name, value in budget.subject)
    return f"{budget.limit}/{subject}/{budget.period}"


K = TypeVar("K")
S = TypeVar("S")


def _of(found: Found, key: type[K], state: type[S]) -> list[tuple[K, S]]:
    assert isinstance(found, Cells)
    return [
        (one, kept) for one, kept in found.cells if isinstance(one, key) and isinstance(kept, state)
    ]


__all__ = ["PAGE", "WRONG_MAX", "Checked", "Wrong", "checked"]
