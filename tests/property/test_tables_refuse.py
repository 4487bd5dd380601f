"""Any text either loads whole or is refused whole, with places that the text has."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperroute.errors import TableError
from hyperroute.routing.table import (
    ChainTerm,
    First,
    From,
    IntentTerm,
    Match,
    ModelTerm,
    NoOffers,
    OfferTerm,
    Restrict,
    Split,
)
from hyperroute.tables.encode import decode, encode
from hyperroute.tables.load import loads
from hyperroute.testing.tables import render, tables

_TOKEN = re.compile(r"[A-Za-z0-9_.@/%-]+|\s+|.", re.DOTALL)
_PIECES = (
    *(
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "- ",
        "\n",
        "  ",
        "*",
        "&a ",
        "*a",
        "!!x ",
        "<<: ",
        "? ",
        "|\n",
        '"',
    ),
    *(
        "null",
        "yes",
        "on",
        "012",
        "-1",
        "1e9",
        "9" * 25,
        "..",
        "1..0",
        "~",
        "none",
        "given",
        "not x",
    ),
    *(
        "req.tokens",
        "limit.x.used",
        "> 5",
        "env:X",
        "1M tok",
        "50%",
        "5s",
        "\x00",
        "\ud7ff",
        "\u2028",
    ),
    *(
        "alpha",
        "alpha@north",
        "hyperroute: 1\n",
        "replace: true",
        "cost ~10%",
        "%",
        "@",
        "`",
        "---\n",
    ),
)

_CHARACTERS = "".join(map(chr, range(9, 127))) + "\x00\x85\xa0\u00e9\u2028\ufeff\ud800\U0001f600"


def check_references(table):
    """Everything that a loaded table names is there."""

    def walk(term):
        match term:
            case ModelTerm(name):
                assert name in table.services
            case OfferTerm(offer):
                assert offer in table.offers
            case IntentTerm(name):
                assert name in table.intents
            case ChainTerm(name):
                assert name in table.chains
            case First(terms):
                for item in terms:
                    walk(item)
            case Split(arms=arms):
                for arm in arms:
                    walk(arm.term)
            case Match(arms):
                for _, item in arms:
                    walk(item)
            case Restrict(term=inner):
                walk(inner)
            case _:
                assert isinstance(term, NoOffers | From)

    for service in table.services.values():
        for entry in service.instead:
            walk(entry.term)
        for offer in service.model.offers:
            assert offer.provider in table.providers
            assert table.offers[offer.id] is offer
        if service.use:
            walk(service.use)
    for group in (table.intents, table.chains):
        for entry in group.values():
            walk(entry.term)


def attempt(text):
    """Load, or give the problems; anything else that is raised fails the test."""
    try:
        return loads(text, "t"), ()
    except TableError as error:
        return None, error.problems


@given(table=tables(kinds=("chat", "image", "video")))
def test_invariant_5_what_loads_has_every_reference_resolved(table):
    loaded = loads(render(table)).table

    check_references(loaded)
    groups = (loaded.services, loaded.providers, loaded.intents, loaded.chains, loaded.aliases)
    for part in (
        *loaded.policies,
        *loaded.limits,
        *(x for group in groups for x in group.values()),
    ):
        assert decode(encode(part)) == part, "what is kept on disk comes back equal"


@given(table=tables(), edits=st.integers(1, 6), seed=st.integers(0, 2**32))
def test_invariant_5_a_damaged_text_loads_or_is_refused_and_nothing_else(table, edits, seed):
    dice = random.Random(seed)  # noqa: S311 - which piece goes where
    tokens = _TOKEN.findall(render(table))
    for _ in range(edits):
        place = dice.randrange(len(tokens))
        match dice.randrange(4):
            case 0:
                del tokens[place : place + dice.randrange(1, 4)]
            case 1:
                tokens.insert(place, dice.choice(_PIECES))
            case 2:
                tokens[place] = dice.choice(_PIECES)
            case _:
                tokens.insert(dice.randrange(len(tokens)), tokens[place])
        tokens = tokens or ["x"]
    text = "".join(tokens)

    loaded, problems = attempt(text)

    assert (loaded is None) == bool(problems)
    if loaded is not None:
        check_references(loaded.table)
    for problem in problems:
        assert problem.path == "t"
        assert problem.message
        assert 0 <= problem.line <= text.count("\n") + 2
        assert problem.column >= 1 or problem.line == 0


@given(st.text(_CHARACTERS, max_size=200))
def test_invariant_5_no_text_raises_anything_else(text):
    for whole in (text, "hyperroute: 1\n" + text):
        loaded, problems = attempt(whole)
        assert (loaded is None) == bool(problems)


@given(
    edges=st.dictionaries(
        st.sampled_from("abcdefgh"), st.sampled_from("abcdefghm"), min_size=1, max_size=8
    )
)
def test_invariant_4_aliases_end_or_their_circle_is_told_with_its_path(edges):
    text = "hyperroute: 1\nmodels: {m: {kind: chat}}\naliases: {" + ", ".join(
        f"{name}: {to}" for name, to in edges.items()
    )
    dangling = {to for to in edges.values() if to not in edges and to != "m"}

    def circles():
        for start in edges:
            path, name = [], start
            while name in edges and name not in path:
                path.append(name)
                name = edges[name]
            if name == start:
                yield frozenset(path)

    expected = set(circles())
    if not dangling and not expected:
        table = loads(text + "}\n").table
        assert {alias.to for alias in table.aliases.values()} == {"m"}
        return
    with pytest.raises(TableError) as caught:
        loads(text + "}\n")
    told = [p.message for p in caught.value.problems if "circle" in p.message]
    assert {
        frozenset(t.removeprefix("aliases in a circle: ").split(" → ")) for t in told
    } == expected
    assert len(told) == len(expected)
