"""Every lint finds what is planted, at its place, and says nothing of the mended table."""

import re
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from tests.unit.proving.planted_faults import CHEAP, DEAR, FAULTS, PRICE, PROVIDERS

from hyperroute.errors import TableError
from hyperroute.proving.linting import look
from hyperroute.proving.lints.run import LINTS, LOADED, NAMES
from hyperroute.tables.load import loads, text_files

TODAY = (date(2026, 11, 22) - date(1970, 1, 1)).days
MARK = re.compile(r"«([^|»]*)\|([^»]*)»")
PAGES = Path(__file__).parents[3] / "docs" / "lints"
CASES = [(lint, text) for lint, texts in FAULTS.items() for text in texts]
IDS = [f"{lint}-{number}" for lint, texts in FAULTS.items() for number, _ in enumerate(texts)]


def written(text, *, mended):
    text = MARK.sub(lambda found: found[2] if mended else found[1], text)
    for word, price in (("P", PRICE), ("CHEAP", CHEAP), ("DEAR", DEAR)):
        text = re.sub(rf"(?<=, ){word}\b", price, text)
    used = [name for name in PROVIDERS if re.search(rf"at: {name}\b", text)]
    lines = "".join(f"{name}: {PROVIDERS[name]}, " for name in used)
    own = re.search(r"^providers: \{(.*)\}$", text, re.MULTILINE)
    if own is not None:
        text = text.replace(own[0] + "\n", "")
        lines += own[1]
    return f"hyperroute: 1\nproviders: {{{lines}}}\n{text}\n"


def found_in(text, **options):
    return look(loads(text, "t"), text_files(text, "t"), day=TODAY, **options)


def refused(text):
    """A broken promise that the loader itself proves to be one needs no lint."""
    with suppress(TableError):
        loads(text, "t")
        return False
    return True


def test_there_are_a_hundred():
    assert len(CASES) >= 100


@pytest.mark.parametrize(("lint", "text"), CASES, ids=IDS)
def test_a_planted_fault_is_found_and_nothing_else(lint, text):
    if lint == "impossible-promise" and refused(written(text, mended=False)):
        return
    found = found_in(written(text, mended=False))
    assert {problem.lint for problem in found} == {lint}, "\n".join(map(str, found))
    assert all(problem.line > 1 and problem.column > 0 for problem in found)
    assert all("\n" not in problem.message for problem in found)


@pytest.mark.parametrize(("lint", "text"), CASES, ids=IDS)
def test_the_mended_table_is_clean(lint, text):
    found = found_in(written(text, mended=True))
    assert found == (), "\n".join(map(str, found))


@pytest.mark.parametrize("lint", NAMES)
def test_every_lint_has_a_page_that_says_why_and_how_to_mend(lint):
    text = (PAGES / f"{lint}.md").read_text("utf-8")
    assert text.startswith(f"# `{lint}`\n")
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Avoid",
        "## Prefer",
        "## Why",
        "## Leave it be",
    ]


@pytest.mark.parametrize("lint", NAMES)
def test_the_examples_of_a_page_show_the_lint_and_its_mending(lint):
    text = (PAGES / f"{lint}.md").read_text("utf-8")
    bad, good = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    missing = {"acme#0": "ACME_API_KEY"} if lint == "missing-credential" else None
    if lint != "impossible-promise" or not refused(bad):
        assert {one.lint for one in found_in(bad, missing=missing)} == {lint}
    assert found_in(good) == ()


def test_every_lint_is_tested_by_planting_but_the_one_that_reads_the_environment():
    assert {lint.name for lint in LINTS} | set(LOADED) == {*FAULTS, "missing-credential"}


def test_a_missing_credential_is_a_note_at_its_provider():
    text = written("models: {a: {kind: chat, offers: [{at: us, P}]}}", mended=True)
    (found,) = found_in(text, missing={"us#0": "US_KEY"}, strict=True)
    assert (found.lint, found.severity, found.line) == ("missing-credential", "note", 2)
    assert found.message == "the provider 'us' needs US_KEY"


def test_strict_makes_warnings_errors_and_leaves_notes():
    bad = written(FAULTS["dead-offer"][0], mended=False)
    assert {one.severity for one in found_in(bad)} == {"warning"}
    assert {one.severity for one in found_in(bad, strict=True)} == {"error"}
    old = written(FAULTS["stale-price"][0], mended=False)
    assert {one.severity for one in found_in(old, strict=True)} == {"note"}


@pytest.mark.parametrize("lint", ["dead-offer", "unused-name"])
def test_a_lint_can_be_left_out_by_name(lint):
    bad = written(FAULTS[lint][0], mended=False)
    assert found_in(bad, ignore=[lint]) == ()


def test_what_was_included_is_not_the_authors():
    text = "hyperroute: 1\ninclude: [shipped]\naliases: {mine: gpt-5.5}\n"
    assert found_in(text) == ()
