"""Every rule of the language, broken once: one mistake, one problem, at its place, in these words."""

import re
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
TOGETHER = FILE.with_name("broken_together.txt")

OPENING = re.compile(r"  [^\s{}]+: \{|[a-z]+: \{[^\s{}]+: \{|  [^\s{}]+:$")
"""Where the keys of a definition begin: on one line, in a map of its section, or below its name."""

MENDED_FIRST = frozenset(
    """a key that is nothing|a star that is not quoted|a flow map that is not closed|
    a value that begins with @|a colon too many|seventy levels of maps|a bomb of aliases|
    seventy levels by aliases|instead of itself|two patterns that tie|a term of two forms|
    a term of no form|terms in a circle|an intent that uses itself|a circle through an alias|
    a limit of nothing|a limit that is named as the key's own|a fact of no form|a fact of two forms|an unknown offer is down|
    a script of an unknown offer|served by nobody|rejected is keyed by offers|
    a fact without an owner|a built-in fact of another type|
    a built-in word that is counted|a key twice|
    a section of another name hides what would have been said of its names""".replace(
        "\n    ", ""
    ).split("|")
)
"""What is only told once an unknown key beside it is gone: what cannot be read, what is said of the
definition that holds the key, and what else names that definition or its offers."""


@pytest.mark.parametrize(("text", "said"), CASES)
def test_says_what_is_wrong_where_and_only_once(text, said):
    with pytest.raises(TableError) as caught:
        loads(text, "t")

    assert [str(problem) for problem in caught.value.problems] == [f"t:{said}"]


def with_an_unknown_key(text: str, line: int) -> tuple[str, int, int] | None:
    """Put a key that nobody knows into the definition that a line belongs to.

    Given back with it: its line, and how far it moves what stands behind it; 0: to the next line.
    """
    lines = text.split("\n")
    for at in range(min(line, len(lines)) - 1, -1, -1):
        if found := OPENING.match(lines[at]):
            head, tail = lines[at][: found.end()], lines[at][found.end() :]
            if not tail:
                lines[at : at + 1] = [head, "    zzz: 1"]
                return "\n".join(lines), at + 1, 0
            added = "zzz: 1" if tail.startswith("}") else "zzz: 1, "
            lines[at] = f"{head}{added}{tail}"
            return "\n".join(lines), at + 1, len(added)
    return None


def place_of(said):
    return int(said.partition(":")[0])


@pytest.mark.parametrize(
    ("text", "said"),
    [one for one in CASES if with_an_unknown_key(one.values[0], place_of(one.values[1]))],
)
def test_an_unknown_key_hides_no_other_mistake_of_its_definition(text, said, request):
    line, column, words = said.split(":", 2)
    words = words.strip()
    more, at, moved = with_an_unknown_key(text, int(line)) or (text, 0, 0)

    with pytest.raises(TableError) as caught:
        loads(more, "t")

    told = [one for one in caught.value.problems if "'zzz'" not in one.message]
    expected = (int(line) + (not moved and int(line) > at), words)
    found = [(one.line, re.sub(r"column \d+", f"column {column}", one.message)) for one in told]
    if request.node.callspec.id in MENDED_FIRST:
        assert found in ([], [expected])
    else:
        assert len(told) + 1 == len(caught.value.problems)
        assert [where for where, _ in found] == [expected[0]]
        assert found == [expected] or "column" in words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(*(part.strip("\n") for part in rest.split("\n----\n")), id=title)
        for title, _, rest in (
            block.strip().partition("\n") for block in TOGETHER.read_text("utf-8").split("## ")[1:]
        )
    ],
)
def test_all_mistakes_of_a_table_are_told_in_one_report(text, said):
    with pytest.raises(TableError) as caught:
        loads(text, "t")

    assert [str(problem)[2:] for problem in sorted(caught.value.problems)] == said.split("\n")


def test_holds_two_hundred_tables_and_no_two_alike():
    texts = [case.values[0] for case in CASES]

    assert len(texts) >= 200
    assert len(set(texts)) == len(texts)
