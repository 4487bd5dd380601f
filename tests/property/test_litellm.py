"""Any configuration becomes a table that loads, or an error with its place; never a traceback."""

import copy
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperroute.errors import TableError
from hyperroute.plugins.registry import discover
from hyperroute.plugins.words import words_of
from hyperroute.proving.litellm.catalogue import shipped
from hyperroute.proving.litellm.reading import read
from hyperroute.tables.load import loads

FOLDER = Path(__file__).parents[1] / "fixtures" / "litellm"
CONFIGS = [
    yaml.safe_load(path.read_text("utf-8"))
    for path in sorted(FOLDER.glob("*.yaml"))
    if not path.stem.endswith(".table")
]
WORDS = words_of(discover())
CATALOGUE = shipped()

some = settings(max_examples=150)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-5, 10**6)
    | st.sampled_from((0.5, 1e-7, -1.5, float("inf")))
    | st.sampled_from(
        ("", "a b", "os.environ/X", "os.environ/", "*", "é:#{}", "openai/*", "gpt-5.4")
    )
    | st.text("abc/*:. -{}[]\n\"'", max_size=8)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("ab/*", min_size=1, max_size=3), inner, max_size=3)
    ),
)


def places(node, path=()):
    yield path
    items = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for key, value in items:
        yield from places(value, (*path, key))


def outcome(text):
    try:
        return read("c.yaml", text.encode(), CATALOGUE, WORDS), ()
    except TableError as error:
        return None, error.problems


@given(st.data())
@some
def test_a_configuration_with_anything_in_any_place(data):
    config = copy.deepcopy(data.draw(st.sampled_from(CONFIGS)))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([path for path in places(config) if path]))
        holder = config
        for part in path[:-1]:
            holder = holder[part]
        holder[path[-1]] = data.draw(values)
    text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
    made, wrong = outcome(text)
    if made is None:
        assert {problem.path for problem in wrong} == {"c.yaml"}, wrong
        return
    loads(made.table, plugins=WORDS)
    assert sum(made.report.counts().values()) == len(made.report.lines)
