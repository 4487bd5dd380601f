"""Why not this offer: what is suggested flips the plan, and nothing smaller that is enumerated does."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from hyperroute.proving.whynot.answer import changes, flips, why_not
from hyperroute.proving.whynot.change import KINDS, Scene
from hyperroute.proving.whynot.edits import finer, with_offer
from hyperroute.proving.whynot.offers import scaled_price
from hyperroute.routing.plan import plan
from hyperroute.testing import handmade
from hyperroute.testing.tables import route_tables

default = settings.default
many = settings(max_examples=max(100, default.max_examples if default else 0))


@st.composite
def questions(draw):
    """A plan over a random table, and any offer of the table."""
    table = draw(route_tables().filter(lambda table: table.offers))
    request = draw(handmade.requests(table))
    made = plan(
        request, table=table, answers=draw(handmade.answers(table)), seed=draw(st.integers(0, 3))
    )
    return made, draw(st.sampled_from(sorted(table.offers)))


def tried(scene, offer, *, first):
    """The production planner, asked anew."""
    found = plan(scene.request, table=scene.table, answers=scene.answers, seed=scene.seed)
    ids = [candidate.offer.id for candidate in found.candidates]
    return ids[:1] == [offer] if first else offer in ids


@given(questions())
@many
def test_a_suggestion_flips_and_no_smaller_single_change_does(question):
    made, offer = question
    found = why_not(made, offer)
    ids = [candidate.offer.id for candidate in made.candidates]
    assert found.place == (ids.index(offer) + 1 if offer in ids else None)
    assert (found.rejection is None) == (offer in ids)
    if found.place == 1:
        assert found.change is None
        return
    every = changes(made, made.table.offers[offer])
    assert every == sorted(every, key=lambda one: (KINDS.index(one.kind), one.step, one.text))
    if found.change is None:
        assert not any(tried(one.scene, offer, first=found.first) for one in every)
        return
    assert tried(found.change.scene, offer, first=found.first)
    smaller = [one for one in every if one.order < found.change.order]
    assert not any(tried(one.scene, offer, first=found.first) for one in smaller)
    assert flips(found.change, offer, first=found.first)
    assert str(found).count("\n") == 1
    assert found.to_json()["change"]["text"] == found.change.text


@given(questions())
@many
def test_a_cut_of_the_price_is_the_least_that_is_enough(question):
    """The search halves; here every smaller percent is tried."""
    made, offer = question
    ids = [candidate.offer.id for candidate in made.candidates]
    first = offer in ids
    table = finer(made.table, 100)
    scene = Scene(request=made.request, table=table, answers=made.answers, seed=made.seed)
    if ids[:1] == [offer]:
        return
    suggested = [one for one in changes(made, made.table.offers[offer]) if "% less" in one.text]
    enough = [
        percent
        for percent in range(1, 101)
        if made.table.offers[offer].price and tried(cut(scene, offer, percent), offer, first=first)
    ]
    if not enough:
        assert suggested == []
    elif not tried(scene, offer, first=first):
        assert [one.step * 100 for one in suggested] == [enough[0]]


def cut(scene, offer_id, percent):
    offer = scene.table.offers[offer_id]
    cheaper = replace(offer, price=scaled_price(offer.price, percent))
    return replace(scene, table=with_offer(scene.table, cheaper))
