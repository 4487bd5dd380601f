"""What a row of the journal adds to which sums, and whether a selection has it: for every store.

Example:
    >>> group_of(UsageRow(id="r1", at=0, owner="user:ada", status=429))
    (0, 'user:ada', '', '', '', 429)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from string import ascii_lowercase, ascii_uppercase

from hyperroute.canon.journal import DIMENSIONS, Dimension, Selection, Tally, UsageRow
from hyperroute.canon.units import DAY

Group = tuple[int | str, ...]
"""A value for each of ``DIMENSIONS``."""

Amounts = tuple[int, ...]
"""By ``SUMMED``."""

SUMMED = (
    "requests",
    "credits",
    "cost",
    "lost",
    "uncosted",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
)
"""What is summed, as ``Tally`` calls it."""

_FOLD = str.maketrans(ascii_uppercase, ascii_lowercase)


def group_of(row: UsageRow) -> Group:
    """Say to which sums a row belongs."""
    return row.at // DAY, row.owner, row.key, row.model, row.endpoint, row.status


def amounts_of(row: UsageRow) -> Amounts:
    """Say what a row adds to its sums; what is unknown adds nothing."""
    usage = row.usage
    return (
        1,
        row.credits,
        row.cost or 0,
        row.lost or 0,
        int(row.cost is None or row.lost is None),
        usage.input_tokens or 0,
        usage.output_tokens or 0,
        usage.cache_read_tokens or 0,
        usage.cache_write_tokens or 0,
    )


def selects(selection: Selection, row: UsageRow) -> bool:
    """Say whether a row is selected."""
    return (
        selects_group(selection, group_of(row))
        and (selection.since is None or row.at >= selection.since)
        and (selection.until is None or row.at < selection.until)
        and (selection.latency_ms_min is None or row.latency_ms >= selection.latency_ms_min)
        and (selection.credits_min is None or row.credits >= selection.credits_min)
        and (selection.text is None or _has(selection.text, row))
    )


def selects_group(selection: Selection, group: Group) -> bool:
    """Say whether a selection by whole days has what belongs to these sums."""
    day, owner, key, model, endpoint, status = group
    assert isinstance(day, int)
    assert isinstance(status, int)
    first, last = selection.status or (status, status)
    return (
        (selection.since is None or day >= selection.since // DAY)
        and (selection.until is None or day <= (selection.until - 1) // DAY)
        and selection.owner in {None, owner}
        and selection.key in {None, key}
        and selection.model in {None, model}
        and selection.endpoint in {None, endpoint}
        and first <= status <= last
    )


def tallied(by: tuple[Dimension, ...], parts: Iterable[tuple[Group, Amounts]]) -> Iterator[Tally]:
    """Add up parts by some of their dimensions, in the order of their groups."""
    places = [DIMENSIONS.index(dimension) for dimension in by]
    sums: dict[Group, list[int]] = {}
    for group, amounts in parts:
        kept = sums.setdefault(tuple([group[place] for place in places]), [0] * len(SUMMED))
        for index, amount in enumerate(amounts):
            kept[index] += amount
    for named in sorted(sums, key=_by_kind):
        yield Tally(group=named, **dict(zip(SUMMED, sums[named], strict=True)))


def folded(text: str) -> str:
    """Make the letters of ASCII small, as every database can."""
    return text.translate(_FOLD)


def _by_kind(group: Group) -> tuple[tuple[int, str], ...]:
    """Order numbers as numbers; a dimension has one kind, so the two never meet."""
    return tuple([(value, "") if isinstance(value, int) else (0, value) for value in group])


def _has(text: str, row: UsageRow) -> bool:
    places = (row.model, row.requested, row.endpoint, row.error or "", row.id)
    if not text.isascii():
        return any(text in place for place in places)
    wanted = folded(text)
    return any(wanted in folded(place) for place in places)


__all__ = [
    "SUMMED",
    "Amounts",
    "Group",
    "amounts_of",
    "folded",
    "group_of",
    "selects",
    "selects_group",
    "tallied",
]
