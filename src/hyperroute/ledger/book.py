"""What a mutation does to the books: one pure function, given to a store at its construction.

The accounts, of which a positive balance is what we owe or have earned:

| account | what |
|---|---|
| ``wallet/OWNER`` | money of a customer that is free |
| ``held/OWNER`` | money of a customer that is set aside |
| ``funds`` | what customers have paid in, negative |
| ``sales`` | the price of what was delivered |
| ``lost/price`` | price that nobody pays, negative |
| ``owed/PROVIDER`` | what we owe a provider |
| ``bought`` | cost of what was delivered, negative |
| ``lost/attempts`` | cost of attempts that failed or lost a race, negative |

Laws: the sum of all accounts is zero (33); a hold ends once, and what it settles and releases is
what it held (34); a wallet without a floor never falls below zero (35); no budget's settled and held
exceed its limit (36); what exceeds a hold is ours to lose (37); no charge without an answer (40);
attempts that failed are ours to pay and always recorded (41).

A slot counts open holds as a budget counts money: a hold takes one, and its end gives it back. A
budget or slot without a limit counts like any other, and refuses nobody.

Only wallets have a balance that is kept: the platform's accounts would be one row that every
request waits for, so theirs is the sum of their entries.

Example:
    >>> store = MemoryStore(now=clock.unix_ns, book=book)
    >>> store.commit([Reserve(HoldKey("r1"), 700, purse=Purse("user:ada"))])
    Commit(done=False, outcomes=(Short(budget=None, left=0, needed=700),))
"""

from __future__ import annotations

from typing import Literal, TypeVar, assert_never

from hyperroute.canon.money import (
    OPEN,
    Barred,
    Checkpoint,
    Deposit,
    Dispatch,
    End,
    Held,
    Hold,
    HoldKey,
    Microcredits,
    MoneyMutation,
    MoneyOutcome,
    Phase,
    Posted,
    Posting,
    PostingKey,
    Repeated,
    Reserve,
    Short,
    Spend,
    Wallet,
    WalletKey,
)
from hyperroute.canon.units import Instant
from hyperroute.stores.deciding import Changes, Find

Kept = TypeVar("Kept", Wallet, Spend)


def book(mutation: MoneyMutation, find: Find, now: Instant) -> tuple[MoneyOutcome, Changes]:
    """Say what comes of a mutation, and what is then in the books.

    Args:
        mutation: Amounts of it are never below 0.
        find: Reads a cell as it stood before the batch.
        now: On the store's clock.

    Returns:
        What to tell, and the cells to change, which are none unless it is granted.
    """
    match mutation:
        case Deposit():
            return _deposit(mutation, find, now)
        case Reserve():
            return _reserve(mutation, find, now)
        case Dispatch() | Checkpoint():
            return _vouch(mutation, find, now)
        case End():
            return _end(mutation, find, now)
        case _:
            assert_never(mutation)


def posting_of(hold: HoldKey, word: Literal["hold", "end"]) -> PostingKey:
    """Name what is posted when a hold is made, and when it ends."""
    return PostingKey(f"{hold.id}/{word}")


def _deposit(mutation: Deposit, find: Find, now: Instant) -> tuple[Posted | Repeated, Changes]:
    amount, wallet_key = mutation.amount, WalletKey(mutation.owner)
    assert amount > 0
    if find(mutation.key) is not None:
        return Repeated(), {}
    wallet = _kept(find(wallet_key), Wallet)
    entries = {"funds": -amount, f"wallet/{mutation.owner}": amount}
    return Posted(0), {
        mutation.key: _posting(now, entries),
        wallet_key: Wallet(wallet.free + amount, wallet.held),
    }


def _reserve(mutation: Reserve, find: Find, now: Instant) -> tuple[Held | Short | Barred, Changes]:
    amount, purse = mutation.amount, mutation.purse
    assert amount >= 0
    existing = find(mutation.key)
    if isinstance(existing, Hold):
        return Barred(existing.phase, existing.charged), {}
    changes: Changes = {}
    for key, limit in mutation.budgets:
        spend = _kept(find(key), Spend)
        if limit is not None:
            left = limit - spend.settled - spend.held
            if amount > left or limit <= 0:
                return Short(key, max(0, left), amount), {}
        changes[key] = Spend(spend.settled, spend.held + amount)
    for key, most in mutation.slots:
        spend = _kept(find(key), Spend)
        if most is not None and spend.held >= most:
            return Short(key, 0, 1), {}
        changes[key] = Spend(spend.settled, spend.held + 1)
    assert len(changes) == len(mutation.budgets) + len(mutation.slots)
    of_wallet = 0
    if purse is not None:
        wallet = _kept(find(WalletKey(purse.owner)), Wallet)
        needed = amount if purse.floor is None else purse.floor
        if wallet.free < needed:
            return Short(None, wallet.free, needed), {}
        of_wallet = amount if purse.floor is None else 0
        if of_wallet:
            changes[WalletKey(purse.owner)] = Wallet(wallet.free - amount, wallet.held + amount)
            entries = {f"wallet/{purse.owner}": -amount, f"held/{purse.owner}": amount}
            changes[posting_of(mutation.key, "hold")] = _posting(now, entries)
    due = now + mutation.lease_ns
    owner = None if purse is None else purse.owner
    budgets = tuple([key for key, _ in mutation.budgets])
    changes[mutation.key] = Hold(
        amount,
        owner,
        of_wallet,
        mutation.is_bounded,
        budgets,
        "dispatched" if mutation.attempt else "held",
        mutation.attempt,
        due,
        slots=tuple([key for key, _ in mutation.slots]),
    )
    return Held(due), changes


def _vouch(
    mutation: Dispatch | Checkpoint, find: Find, now: Instant
) -> tuple[Held | Barred, Changes]:
    hold = find(mutation.key)
    if not isinstance(hold, Hold):
        return Barred(None), {}
    if hold.phase not in OPEN or (isinstance(mutation, Checkpoint) and hold.phase == "held"):
        return Barred(hold.phase, hold.charged), {}
    attempt, charged = hold.attempt, hold.charged
    if isinstance(mutation, Dispatch):
        attempt = max(attempt, mutation.attempt)
    else:
        charged = max(charged or 0, mutation.charged)
    due = max(hold.due, now + mutation.lease_ns)
    after = _later(hold, "dispatched", attempt, due, charged)
    return Held(due), {mutation.key: after}


def _end(mutation: End, find: Find, now: Instant) -> tuple[Posted | Barred, Changes]:
    hold, price = find(mutation.key), mutation.charged or 0
    assert price >= 0
    if not isinstance(hold, Hold):
        return Barred(None), {}
    if hold.phase not in OPEN or (mutation.overdue and not _is_left(hold, mutation, now)):
        return Barred(hold.phase, hold.charged), {}
    charged = min(price, hold.amount) if hold.bounded else price
    changes: Changes = {}
    for key in hold.budgets:
        spend = _kept(find(key), Spend)
        changes[key] = Spend(spend.settled + charged, spend.held - hold.amount)
    for key in hold.slots:
        spend = _kept(find(key), Spend)
        changes[key] = Spend(spend.settled, spend.held - 1)
    for cost in mutation.costs:
        for key in cost.budgets:
            spend = _kept(changes.get(key, find(key)), Spend)
            changes[key] = Spend(spend.settled + cost.amount, spend.held)
    entries = _costs(mutation)
    if hold.owner is not None:
        wallet_key = WalletKey(hold.owner)
        wallet = _kept(find(wallet_key), Wallet)
        back = hold.of_wallet - charged
        changes[wallet_key] = Wallet(wallet.free + back, wallet.held - hold.of_wallet)
        entries |= {
            f"wallet/{hold.owner}": back,
            f"held/{hold.owner}": -hold.of_wallet,
            "sales": price,
            "lost/price": charged - price,
        }
    phase: Phase = "released" if mutation.charged is None else "settled"
    changes[mutation.key] = _later(hold, phase, hold.attempt, hold.due, charged)
    posting = _posting(now, entries)
    if posting.entries:
        changes[posting_of(mutation.key, "end")] = posting
    return Posted(charged, price - charged), changes


def _is_left(hold: Hold, mutation: End, now: Instant) -> bool:
    """Say whether its owner has neither renewed it nor said anything since a sweeper looked."""
    return now >= hold.due and mutation.charged == hold.charged


def _later(
    hold: Hold, phase: Phase, attempt: int, due: Instant, charged: Microcredits | None
) -> Hold:
    """Keep the terms of a hold; ``dataclasses.replace`` takes five times as long."""
    terms = (hold.amount, hold.owner, hold.of_wallet, hold.bounded, hold.budgets)
    return Hold(*terms, phase, attempt, due, charged, hold.slots)


def _costs(mutation: End) -> dict[str, Microcredits]:
    entries: dict[str, Microcredits] = {}
    for cost in mutation.costs:
        assert cost.amount >= 0
        for account, amount in (
            (f"owed/{cost.provider}", cost.amount),
            ("bought" if cost.served else "lost/attempts", -cost.amount),
        ):
            entries[account] = entries.get(account, 0) + amount
    return entries


def _posting(now: Instant, entries: dict[str, Microcredits]) -> Posting:
    told = tuple([(account, amount) for account, amount in sorted(entries.items()) if amount])
    assert sum([amount for _, amount in told]) == 0
    return Posting(now, told)


def _kept(state: object, kind: type[Kept]) -> Kept:
    """Read a cell that is all zeros where there is none."""
    if state is None:
        return kind()
    assert isinstance(state, kind)
    return state


__all__ = ["book", "posting_of"]
