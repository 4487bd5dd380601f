"""Questions about a year of usage: ``nice python -m benchmarks.usage [--rows N] [--postgres URL]``.

Half of the rows are one busy account's, the others those of two hundred; a year, twelve models, three
endpoints, five keys each. Medians of five, in milliseconds, as a store answers them: rows are made
into values too. The database is loaded in bulk, by the store's own statement.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

from hyperroute.canon.journal import Log, Selection, UsageQuery, UsageRow, UsageSums
from hyperroute.canon.mutation import Key
from hyperroute.canon.units import DAY, MILLISECOND
from hyperroute.canon.usage import Usage
from hyperroute.stores import sql_journal
from hyperroute.stores.base import Store
from hyperroute.stores.postgres import PostgresStore
from hyperroute.stores.sqlite import SqliteStore
from hyperroute.stores.tallying import SUMMED
from hyperroute.usage.export import lines
from hyperroute.usage.reports import PAGE, period, questions, report

YEAR = 365
END = 20_779 * DAY + DAY // 2
BUSY = "user:busy"
STATUSES = (200,) * 93 + (429,) * 3 + (400, 401, 502, 504)


def made(count: int) -> Iterator[UsageRow]:
    """Make rows in the order of time."""
    dice = random.Random(1)  # noqa: S311 - a table of rows, and no secret
    for number in range(count):
        busy = number % 2 == 0
        owner = BUSY if busy else f"user:{dice.randrange(200)}"
        status = dice.choice(STATUSES)
        model = f"model-{dice.randrange(12)}"
        output = dice.randrange(1, 4_000)
        served = status == 200
        yield UsageRow(
            id=f"req_{dice.getrandbits(96):024x}",
            at=END - YEAR * DAY + number * YEAR * DAY // count,
            owner=owner,
            key=f"key_{owner}_{dice.randrange(5)}",
            endpoint=dice.choice(("chat", "messages", "responses")),
            requested=model,
            model=model,
            offer=f"{model}@provider" if served else None,
            provider="provider" if served else None,
            status=status,
            latency_ms=dice.randrange(100, 30_000),
            ttft_ms=dice.randrange(50, 5_000),
            usage=Usage(input_tokens=output * 3, output_tokens=output, cache_read_tokens=output),
            credits=output * 1_500 if served else 0,
            cost=output * 1_200 if served else 0,
            attempts=1,
            stream=True,
            error=None if served else "stalled",
        )


def load(database: Any, rows: Iterator[UsageRow], spell: Callable[[str], str]) -> None:
    """Fill the two tables; the sums are made by the database from the rows."""
    while chunk := list(islice(rows, 20_000)):
        inserts = [sql_journal.log(row)[0] for row in chunk]
        database.executemany(spell(inserts[0][0]), [values for _, values in inserts])
    names = "owner, day, key_id, model, endpoint, status"
    amounts = (
        "COUNT(*), SUM(credits), SUM(cost), SUM(lost), 0, SUM(input_tokens), SUM(output_tokens),"
        " SUM(cache_read_tokens), 0"
    )
    for table, group, more in (
        ("usage_days", names, ", dearest"),
        ("usage_totals", "owner, day, model", ""),
    ):
        found = amounts + (", MAX(credits)" if more else "")
        database.execute(
            f"INSERT INTO {table} ({group}, {', '.join(SUMMED)}{more})"  # noqa: S608 - names of ours
            f" SELECT {group}, {found} FROM usage_rows GROUP BY {group}"
        )


def asked() -> Mapping[str, tuple[Key, ...]]:
    """Name the questions."""
    year, month = (Selection(owner=BUSY, **period(days, now=END)) for days in (YEAR, 30))
    every = replace(year, owner=None)
    newest, dearest, sums = questions(year, limit=1_000)
    return {
        "a year of the busy account, whole report": (newest, dearest, sums),
        "- its 1,000 newest rows": (newest,),
        "- its ten dearest": (dearest,),
        "- its sums by day and model": (sums,),
        "a month of it, whole report": questions(month, limit=1_000),
        "a year of one of 200, whole report": questions(replace(year, owner="user:7"), limit=1_000),
        "the year, status 4xx, whole report": questions(
            replace(year, status=(400, 499)), limit=1_000
        ),
        "the month, slower than 29 s: sums from rows": (
            UsageSums(selection=replace(month, latency_ms_min=29_000), by=("model",)),
        ),
        "the year, slower than 29 s: sums from rows": (
            UsageSums(selection=replace(year, latency_ms_min=29_000), by=("model",)),
        ),
        "the month, a text: sums from rows": (
            UsageSums(selection=replace(month, text="model-11"), by=("model",)),
        ),
        "everybody's year, 1,000 newest rows": (UsageQuery(selection=every),),
        "everybody's year, sums by model": (UsageSums(selection=every, by=("model",)),),
        "everybody's year, ten dearest": (UsageQuery(selection=every, order="dearest", limit=10),),
    }


def measured(work: Callable[[], object], rounds: int = 5) -> float:
    """Take the median, in milliseconds."""
    spent = list[float]()
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent) * 1_000


def ask(store: Store) -> None:
    """Print a line for each question."""
    for name, keys in asked().items():
        print(f"{name:45} {measured(partial(store.read, keys)):9.1f} ms", flush=True)
    year = asked()["a year of the busy account, whole report"]
    found = store.read(year)
    whole: Any = year
    print(f"{'- and putting it together':45} {measured(lambda: report(whole, found)):9.1f} ms")
    page = UsageQuery(selection=year[0].selection, order="oldest", limit=PAGE)  # type: ignore[union-attr]

    def export() -> None:
        (journal,) = store.read([page])
        lines(journal.rows)  # type: ignore[union-attr]

    print(f"{'a page of 1,000 lines of an export':45} {measured(export):9.1f} ms")


def log(store: Store) -> None:
    """Print what it costs to write a row, alone in its commit and a hundred together."""
    rows = [replace(row, id=f"new_{uuid4().hex}", at=END) for row in made(2_100)]
    began, spent = time.perf_counter(), time.process_time()
    for row in rows[:100]:
        store.commit([Log(row)])
    each = (time.perf_counter() - began) * 10
    print(f"{'one row, one commit':45} {each:9.1f} ms")
    began, spent = time.perf_counter(), time.process_time()
    for first in range(100, 2_100, 100):
        store.commit([Log(row) for row in rows[first : first + 100]])
    cpu, each = (time.process_time() - spent) / 2, (time.perf_counter() - began) / 2
    print(f"{'one of a hundred rows':45} {each:9.3f} ms, {cpu * 1_000:.0f} us of this process")


def main() -> None:
    """Fill a database, and ask it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--postgres", metavar="URL")
    said = parser.parse_args()
    began = time.perf_counter()
    patience = 600_000 * MILLISECOND
    if said.postgres:
        import psycopg

        schema = f"bench_{uuid4().hex[:8]}"
        store: Store = PostgresStore(said.postgres, schema=schema, patience_ns=patience)
        with psycopg.connect(said.postgres, options=f"-c search_path={schema}") as connection:
            with connection.cursor() as cursor:
                load(cursor, made(said.rows), lambda text: text.replace("?", "%s"))
                cursor.execute("ANALYZE")  # as its autovacuum would have long done
            connection.commit()
            print(f"{said.rows:,} rows loaded in {time.perf_counter() - began:.0f} s", flush=True)
            ask(store)
            log(store)
            store.close()
            connection.execute(f"DROP SCHEMA {schema} CASCADE")
        return
    import sqlite3

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        SqliteStore(path, now=time.time_ns).close()
        with sqlite3.connect(path) as file:
            file.execute("PRAGMA synchronous = OFF")
            load(file, made(said.rows), str)
        file.close()
        size = path.stat().st_size / 1e6
        took = time.perf_counter() - began
        print(f"{said.rows:,} rows loaded in {took:.0f} s, {size:.0f} MB", flush=True)
        store = SqliteStore(path, now=time.time_ns, patience_ns=patience)
        ask(store)
        log(store)
        store.close()


if __name__ == "__main__":
    main()
