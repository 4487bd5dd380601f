"""Names and patterns."""

from itertools import product

import pytest

from hyperroute.catalog.facts import matches
from hyperroute.tables.namespace import Namespace, overlap

NAMES = ["".join(letters) for size in range(6) for letters in product("ab", repeat=size)]
PATTERNS = ["".join(signs) for size in (1, 2, 3) for signs in product("ab*", repeat=size)]


@pytest.mark.parametrize("one", PATTERNS)
def test_two_patterns_overlap_when_some_name_fits_both(one):
    mine = {name for name in NAMES if matches(one, name)}
    for other in PATTERNS:
        both = any(matches(other, name) for name in mine)
        assert overlap(one, other) == both, other


def test_the_pattern_with_the_most_fixed_characters_answers():
    names = Namespace(kinds={"*": "model", "a*": "model", "ab*": "model", "abc": "intent"})

    assert names.pattern_for("abc") == "ab*"
    assert names.pattern_for("axe") == "a*"
    assert names.pattern_for("x") == "*"


def test_what_is_nearest_is_proposed_and_few_are_all_named():
    names = Namespace(kinds={"claude": "model", "smart": "intent", "deep": "chain"})

    assert names.unknown("cluade") == "unknown name 'cluade'; did you mean 'claude'?"
    assert names.unknown("x", "model", "intent") == "unknown name 'x'; one of: claude, smart"
    assert names.unknown("x@y") == "unknown offer 'x@y'"
