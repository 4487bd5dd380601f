"""An arm or tier is only called unreachable when it is: what is implied holds wherever it should."""

from hypothesis import given
from hypothesis import strategies as st

from hyperroute.catalog.condition import Line
from hyperroute.catalog.facts import holds
from hyperroute.tables.conditions import implies

_NUMBERS = st.integers(0, 4)
_LINES = st.one_of(
    st.builds(
        lambda op, value: Line("n", op, (value,)),
        st.sampled_from((">", ">=", "<", "<=", "=", "equal", "not", "at_least", "at_most")),
        _NUMBERS,
    ),
    st.builds(
        lambda op, values: Line("w", op, tuple(values)),
        st.sampled_from(("equal", "not", "within", "contains")),
        st.lists(st.sampled_from(("a", "b", "a-c", "a*")), min_size=1, max_size=3, unique=True),
    ),
    st.sampled_from((Line("n", "given"), Line("n", "not given"), Line("w", "given"))),
)
_CONDITIONS = st.lists(_LINES, max_size=3).map(tuple)
_WORDS = st.sampled_from(("a", "b", "a-c", "ab"))
_FACTS = st.fixed_dictionaries(
    {}, optional={"n": _NUMBERS, "w": _WORDS | st.lists(_WORDS, min_size=1).map(tuple)}
)


@given(stronger=_CONDITIONS, weaker=_CONDITIONS, facts=st.lists(_FACTS, min_size=1, max_size=30))
def test_whatever_satisfies_the_stronger_satisfies_what_it_implies(stronger, weaker, facts):
    if implies(stronger, weaker):
        for known in facts:
            assert not holds(stronger, known.get) or holds(weaker, known.get)


@given(_CONDITIONS)
def test_a_condition_implies_itself_and_the_empty_one(condition):
    assert implies(condition, condition)
    assert implies(condition, ())
