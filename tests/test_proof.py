"""The page of the proof is true: every invariant has its test, and every test it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "proof.md").read_text("utf-8")
INVARIANTS = (*range(1, 38), 39, 40, 41, 45, 46, 50, 51, 52)
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)))
ROWS = re.findall(r"^\| (\d+) \|[^|]*\| `([\w/]+\.py)::(\w+)` \|$", PAGE, re.MULTILINE)


def cited(name: str) -> set[int]:
    """The numbers in a test's name: ``test_invariants_25_and_26_…``."""
    found = re.match(r"test_invariants?_(\d+(?:_and_\d+)*)_", name)
    return set(map(int, found[1].split("_and_"))) if found else set()


def written_in(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize("number", INVARIANTS)
def test_every_invariant_has_a_row_and_a_test_that_cites_it(number: int) -> None:
    told = {name for row, _, name in ROWS if int(row) == number}
    assert told
    assert all(number in cited(name) for name in told)


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_every_test_that_the_page_names_is_there(file: str, name: str) -> None:
    assert name in written_in(TESTS / file)


def test_no_row_is_about_an_invariant_that_is_not_ours() -> None:
    assert {int(row) for row, _, _ in ROWS} == set(INVARIANTS)
