"""The table that loading is measured with is a table."""

from benchmarks.generate_table import tables_big

from hyperroute.tables.load import loads


def test_the_generated_table_has_the_size_that_was_asked_for():
    loaded = loads(tables_big(60, 150), strict=True)

    assert len(loaded.table.services) == 60
    assert len(loaded.table.offers) == 150
    assert len(loaded.table.aliases) == 6
