"""Every rule of the language, broken once: one mistake, one problem, at its place, in these words."""

from pathlib import Path

import pytest

from hyperroute.errors import TableError
from hyperroute.tables.load import loads

FILE = Path(__file__).parents[2] / "fixtures" / "tables" / "broken.txt"


def read_cases():
    for block in FILE.read_text("utf-8").split("\n====\n"):
        if "## " in block:
            title, _, rest = block.split("## ", 1)[1].partition("\n")
            text, _, said = rest.rpartition("----\n")
            yield pytest.param(text, said.strip(), id=title)


CASES = list(read_cases())


@pytest.mark.parametrize(("text", "said"), CASES)
def test_says_what_is_wrong_where_and_only_once(text, said):
    with pytest.raises(TableError) as caught:
        loads(text, "t")

    assert [str(problem) for problem in caught.value.problems] == [f"t:{said}"]


def test_holds_two_hundred_tables_and_no_two_alike():
    texts = [case.values[0] for case in CASES]

    assert len(texts) >= 200
    assert len(set(texts)) == len(texts)
