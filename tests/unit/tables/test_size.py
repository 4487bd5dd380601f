"""The table that loading is measured with is a table."""

import runpy
from pathlib import Path

from hyperroute.tables.load import loads

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "generate_table.py"


def test_the_generated_table_has_the_size_that_was_asked_for():
    tables_big = runpy.run_path(str(SCRIPT))["tables_big"]

    loaded = loads(tables_big(60, 150), strict=True)

    assert len(loaded.table.services) == 60
    assert len(loaded.table.offers) == 150
    assert len(loaded.table.aliases) == 6
