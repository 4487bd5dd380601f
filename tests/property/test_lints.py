"""What a lint says of a random table is true: no request ever comes where it says that none does."""

import copy

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hyperroute.proving.lints.ground import Ground
from hyperroute.proving.lints.run import LINTS, lint
from hyperroute.routing.plan import plan
from hyperroute.tables.load import loads, text_files
from hyperroute.tables.read import gather
from hyperroute.testing import handmade
from hyperroute.testing.tables import render, tables

DAY = 20_500
default = settings.default
some = settings(
    max_examples=max(40, default.max_examples if default else 0),
    suppress_health_check=[HealthCheck.too_slow],
)
FIND = {one.name: one.find for one in LINTS}


def ground_of(text):
    return Ground(table=loads(text).table, folder=gather(text_files(text), None), day=DAY)


def ids(made):
    return [candidate.offer.id for candidate in made.candidates]


@given(tables())
@some
def test_every_finding_has_a_place_and_one_line(table):
    text = render(table)
    lines = text.splitlines()
    for problem in lint(ground_of(text)):
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
        assert problem.message
        assert "\n" not in problem.message


@given(tables(), st.data())
@some
def test_a_dead_offer_is_never_a_candidate(table, data):
    ground = ground_of(render(table))
    dead = {found.message.split()[0] for found in FIND["dead-offer"](ground)}
    assert dead <= set(ground.table.offers)
    for _ in range(4 if dead else 0):
        request = data.draw(handmade.requests(ground.table))
        made = plan(request, table=ground.table, answers=data.draw(handmade.answers(ground.table)))
        assert not dead & set(ids(made))


@given(tables(), st.data())
@some
def test_a_part_that_nobody_reaches_can_be_taken_out(table, data):
    text = render(table)
    ground = ground_of(text)
    for found in FIND["unreachable-arm"](ground):
        shorter = copy.deepcopy(table)
        holder = shorter
        for part in found.spot.path[:-1]:
            holder = holder[part]
        del holder[found.spot.path[-1]]
        if found.spot.path[-2] == "match":
            holder[-1].pop("when", None)  # the last arm has none
        after = loads(render(shorter)).table
        for _ in range(4):
            request = data.draw(handmade.requests(ground.table))
            answers = data.draw(handmade.answers(ground.table))
            before = plan(request, table=ground.table, answers=answers)
            assert ids(before) == ids(plan(request, table=after, answers=answers)), found.message


@given(tables(), st.data())
@some
def test_an_equivalent_that_always_costs_more_is_never_used(table, data):
    ground = ground_of(render(table))
    told = [
        found for found in FIND["price-inversion"](ground) if found.spot.path[-2:-1] == ("instead",)
    ]
    for found in told:
        model = found.spot.path[1]
        for _ in range(4):
            request = data.draw(handmade.requests(ground.table, pinned=True))
            answers = data.draw(handmade.answers(ground.table))
            asked = request.but(model=model, input_bytes=max(request.input_bytes, 4))
            made = plan(asked, table=ground.table, answers=answers)
            entry = ground.table.services[model].instead[found.spot.path[-1]]
            other = getattr(entry.term, "name", None) or ground.table.offers[entry.term.id].model
            assert all(one.offer.model != other for one in made.candidates)
