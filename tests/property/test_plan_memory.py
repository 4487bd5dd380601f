"""A table remembers what it worked out for one request, and no other request may notice."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hyperroute.catalog.shape import Parameter, Range, Shape
from hyperroute.routing.needs import UNKNOWN_WINDOW
from hyperroute.routing.plan import plan
from hyperroute.routing.questions import Answers
from hyperroute.routing.table import First, Instead, Intent, ModelTerm, RankKey, Restrict
from hyperroute.testing import handmade

LIMITS = st.sampled_from((None, 1_000, 9_000, 100_000))
AROUND = st.sampled_from(
    (0, 999, 1_000, 1_001, UNKNOWN_WINDOW, UNKNOWN_WINDOW + 1, 9_000, 9_001, 100_001)
)
NAMES = ("a", "b", "c")


@st.composite
def limited(draw):
    """The parts of a table, from which it can be made again without its memory."""
    offers = {
        name: [
            handmade.offer(
                name,
                host,
                handmade.price(draw(st.integers(0, 9)), draw(st.integers(0, 9))),
                context=draw(LIMITS),
                input=draw(LIMITS),
                output=draw(LIMITS),
                region=draw(st.sampled_from((None, "eu", "us"))),
            )
            for host in draw(st.sampled_from(("p", "pq")))
        ]
        for name in NAMES
    }
    chain = Restrict(First(tuple(map(ModelTerm, NAMES))), rank=(RankKey("cost"),))
    eu = (handmade.line("region", "equal", "eu"),)
    intents = {
        "chain": Intent(name="chain", kind="chat", term=chain, default={}),
        "from": handmade.intent("from", NAMES),
        "eu": handmade.intent("eu", NAMES, require=eu),
    }

    def made():
        services = [
            handmade.service(name, *found, instead=[Instead(ModelTerm("c"))])
            for name, found in offers.items()
        ]
        return handmade.table(*services, intents=intents)

    return made


@st.composite
def asked(draw):
    """A request of some size, pinned or not."""
    named = draw(st.sampled_from([{"model": name} for name in NAMES] + [{"intent": "chain"}]))
    named = draw(st.sampled_from([named, {"intent": "from"}, {"intent": "eu"}]))
    request = handmade.request(
        **named, max_output=draw(st.none() | AROUND), fallback=draw(st.booleans())
    )
    return request, Answers(input_tokens=draw(AROUND))


@given(limited(), st.lists(asked(), min_size=2, max_size=6))
@settings(max_examples=100)
def test_what_a_table_remembers_changes_no_decision(made, requests):
    used = made()
    for request, answers in requests:
        told = plan(request, table=used, answers=answers).to_json()
        assert told == plan(request, table=made(), answers=answers).to_json()


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4)), min_size=2, max_size=5),
    st.none() | st.integers(1, 4),
    st.none() | st.integers(1, 3),
)
@example(shaped=[(3, 2), (5, 1)], filled=4, asked_for=None)
@example(shaped=[(3, 2), (5, 1)], filled=4, asked_for=3)
@example(shaped=[(3, 2), (5, 1)], filled=None, asked_for=None)
def test_what_is_filled_in_is_what_is_priced_and_ranked(shaped, filled, asked_for):
    """The number of answers may be said by the caller, by the intent or by a shape's default."""

    def takes(default: int) -> Shape:
        count = Parameter(name="n", range=Range(1, 9), default=default)
        return Shape(parameters={"n": count})

    names = [f"m{at}" for at in range(len(shaped))]
    services = [
        handmade.service(
            name,
            handmade.offer(
                name, "p", handmade.price(0, rate), takes=takes(default) if at % 2 else None
            ),
            takes=None if at % 2 else takes(default),
        )
        for at, (name, (rate, default)) in enumerate(zip(names, shaped, strict=True))
    ]
    default: dict[str, Any] = {} if filled is None else {"n": filled}
    table = handmade.table(*services, intents={"i": handmade.intent("i", names, default=default)})
    given_: dict[str, Any] = {} if asked_for is None else {"n": asked_for}
    made = plan(
        handmade.request(intent="i", max_output=10, parameters=given_),
        table=table,
        answers=Answers(input_tokens=1),
    )
    count = asked_for or filled
    expected = {
        name: rate * 10 * (count or by_default)
        for name, (rate, by_default) in zip(names, shaped, strict=True)
    }
    assert {one.offer.model: one.expected for one in made.candidates} == expected
    assert [one.expected for one in made.candidates] == sorted(expected.values())


def test_an_unknown_output_limit_is_looked_at_again_for_every_size_of_answer():
    table = handmade.table(
        handmade.service("a", handmade.offer("a", "p", output=None)),
        intents={"i": handmade.intent("i", "a")},
    )

    def candidates(most: int) -> int:
        request = handmade.request(intent="i", max_output=most)
        answers = Answers(input_tokens=2 * UNKNOWN_WINDOW)
        return len(plan(request, table=table, answers=answers).candidates)

    assert [candidates(UNKNOWN_WINDOW + more) for more in (0, 1, 0, 1)] == [1, 0, 1, 0]


@pytest.mark.parametrize("count", [1, 64, 65, 100, 129])
def test_sizes_are_exact_however_many_a_pool_tells_apart(count):
    names = [f"m{at:03}" for at in range(count)]
    table = handmade.table(
        *(
            handmade.service(name, handmade.offer(name, "p", context=1_000 + at))
            for at, name in enumerate(names)
        ),
        intents={"all": handmade.intent("all", names, rank=())},
    )
    for more in range(-1, count + 1):
        known = Answers(input_tokens=1_000 + more)
        made = plan(handmade.request(intent="all"), table=table, answers=known)
        assert [one.offer.model for one in made.candidates] == names[max(0, more) :]
