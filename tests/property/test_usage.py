"""The journal under any rows and any selection: sums by day are sums of rows, in every store."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from uuid import uuid4

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hyperroute.canon.journal import (
    DIMENSIONS,
    Dimension,
    Forget,
    Log,
    Selection,
    Tallies,
    UsagePage,
    UsageQuery,
    UsageRow,
    UsageSums,
)
from hyperroute.canon.units import DAY
from hyperroute.canon.usage import Usage
from hyperroute.stores.base import Store
from hyperroute.stores.memory import MemoryStore
from hyperroute.stores.postgres import PostgresStore
from hyperroute.stores.sqlite import SqliteStore

amounts = st.one_of(st.sampled_from([0, 1, 2**40]), st.integers(0, 10**9))
unsure = st.one_of(st.none(), amounts)
names = st.sampled_from(["", "a", "B"])
instants = st.builds(
    lambda day, rest: day * DAY + rest,
    st.integers(100, 103),
    st.sampled_from([0, 1, DAY // 2, DAY - 1]),
)
rows = st.lists(
    st.builds(
        UsageRow,
        id=st.uuids(version=4).map(lambda one: one.hex),
        at=instants,
        owner=names,
        key=names,
        endpoint=names,
        model=names,
        status=st.sampled_from([200, 400, 429, 499, 500]),
        latency_ms=st.integers(0, 3),
        credits=amounts,
        cost=unsure,
        lost=unsure,
        usage=st.builds(
            Usage,
            input_tokens=unsure,
            output_tokens=unsure,
            cache_read_tokens=unsure,
            cache_write_tokens=unsure,
        ),
        error=st.sampled_from([None, "stalled"]),
    ),
    max_size=25,
    unique_by=lambda row: row.id,
)
bounds = st.one_of(st.none(), st.integers(99, 105).map(lambda day: day * DAY), instants)
some_names = st.one_of(st.none(), names)
selections = st.builds(
    Selection,
    since=bounds,
    until=bounds,
    owner=some_names,
    key=some_names,
    endpoint=some_names,
    model=some_names,
    status=st.sampled_from([None, (429, 429), (400, 499), (500, 599)]),
    latency_ms_min=st.sampled_from([None, None, None, 2]),
    credits_min=st.sampled_from([None, None, None, 1]),
    text=st.sampled_from([None, None, None, "b", "STALL"]),
)
dimensions = st.lists(st.sampled_from(DIMENSIONS), max_size=3, unique=True).map(tuple)


def wanted(row: UsageRow, selection: Selection) -> bool:
    """A selection read once more, from its own words."""
    said = selection
    text = f"{row.model}\n{row.requested}\n{row.endpoint}\n{row.error or ''}\n{row.id}".lower()
    return all(
        (
            said.since is None or said.since <= row.at,
            said.until is None or row.at < said.until,
            said.owner is None or said.owner == row.owner,
            said.key is None or said.key == row.key,
            said.endpoint is None or said.endpoint == row.endpoint,
            said.model is None or said.model == row.model,
            said.status is None or said.status[0] <= row.status <= said.status[1],
            said.latency_ms_min is None or row.latency_ms >= said.latency_ms_min,
            said.credits_min is None or row.credits >= said.credits_min,
            said.text is None or said.text.lower() in text,
        )
    )


def added(found: list[UsageRow], by: tuple[Dimension, ...]) -> dict[str, Counter[object]]:
    sums: dict[str, Counter[object]] = {}
    for row in found:
        group = tuple(row.at // DAY if one == "day" else getattr(row, one) for one in by)
        amounts = {
            "requests": 1,
            "credits": row.credits,
            "cost": row.cost or 0,
            "lost": row.lost or 0,
            "uncosted": int(row.cost is None or row.lost is None),
            "input_tokens": row.usage.input_tokens or 0,
            "output_tokens": row.usage.output_tokens or 0,
            "cache_read_tokens": row.usage.cache_read_tokens or 0,
            "cache_write_tokens": row.usage.cache_write_tokens or 0,
        }
        for name, amount in amounts.items():
            sums.setdefault(name, Counter())[group] += amount
    return sums


def check(
    store: Store,
    logged: list[UsageRow],
    asked: list[tuple[Selection, tuple[Dimension, ...]]],
    forgotten: int,
) -> None:
    half = len(logged) // 2
    assert store.commit([Log(row) for row in logged[:half]]).done
    for row in logged:  # the first half a second time
        assert store.commit([Log(row)]).done
    store.commit([Forget(before=forgotten, most=1_000)])
    kept = [row for row in logged if row.at >= forgotten]
    for selection, by in asked:
        queries = [
            UsageQuery(selection=selection, order=order)
            for order in ("newest", "oldest", "dearest")
        ]
        *pages, tallies = store.read([*queries, UsageSums(selection=selection, by=by)])
        right = [row for row in kept if wanted(row, selection)]
        for page in pages:
            assert isinstance(page, UsagePage)
            assert sorted(row.id for row in page.rows) == sorted(row.id for row in right)
            assert set(page.rows) == set(right)
        (dearest,) = store.read([UsageQuery(selection=selection, order="dearest", limit=2)])
        assert isinstance(dearest, UsagePage)
        right.sort(key=lambda row: (row.credits, row.at, row.id), reverse=True)
        assert [row.id for row in dearest.rows] == [row.id for row in right[:2]]
        assert isinstance(tallies, Tallies)
        summed = logged if selection.by_day else kept
        sums = added([row for row in summed if wanted(row, selection)], by)
        assert {tally.group for tally in tallies.tallies} == set(sums.get("requests", ()))
        for tally in tallies.tallies:
            for name, counter in sums.items():
                assert getattr(tally, name) == counter[tally.group], name


questions = st.lists(st.tuples(selections, dimensions), min_size=3, max_size=6)


@given(logged=rows, asked=questions, forgotten=st.one_of(st.just(0), instants))
def test_sums_by_day_are_the_sums_of_rows_in_memory(logged, asked, forgotten) -> None:
    check(MemoryStore(now=lambda: 1), logged, asked, forgotten)


@settings(max_examples=settings().max_examples // 3)
@given(logged=rows, asked=questions, forgotten=st.one_of(st.just(0), instants))
def test_sums_by_day_are_the_sums_of_rows_in_sqlite(logged, asked, forgotten) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "state.db", now=lambda: 1)
        check(store, logged, asked, forgotten)
        store.close()


@settings(
    max_examples=settings().max_examples // 5,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(logged=rows, asked=questions, forgotten=st.one_of(st.just(0), instants))
def test_sums_by_day_are_the_sums_of_rows_in_postgres(
    postgres: tuple[str, str], logged, asked, forgotten
) -> None:
    url, _ = postgres
    schema = f"hyperroute_test_{uuid4().hex[:12]}"
    store = PostgresStore(url, schema=schema, now=lambda: 1)
    check(store, logged, asked, forgotten)
    store.close()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


@given(selection=selections)
def test_only_whole_days_and_what_they_know_are_answered_from_sums(selection: Selection) -> None:
    by_rows = (
        selection.latency_ms_min is not None
        or selection.credits_min is not None
        or selection.text is not None
        or (selection.since or 0) % DAY != 0
        or (selection.until or 0) % DAY != 0
    )
    assert selection.by_day == (not by_rows)
