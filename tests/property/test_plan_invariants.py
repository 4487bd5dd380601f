"""The routing invariants 1 to 4, 9 to 12 and 51, and what a plan promises beside them."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hyperroute.catalog.card import Model, Offer
from hyperroute.routing.candidate import Candidate, Refusal
from hyperroute.routing.explain import canonical
from hyperroute.routing.plan import plan, replan
from hyperroute.routing.questions import NOTHING_KNOWN, questions
from hyperroute.routing.resolve import resolve_name
from hyperroute.routing.table import (
    Alias,
    Chain,
    First,
    Instead,
    ModelTerm,
    OfferTerm,
    RankKey,
    Restrict,
    RouteTable,
)
from hyperroute.tables.load import loads
from hyperroute.testing import handmade
from hyperroute.testing.tables import render, route_tables, tables

some = settings(max_examples=30)
many = settings(max_examples=60)


def models_allowed(table: RouteTable, model: str) -> set[str]:
    """The model itself and what it declares instead."""
    allowed = {model}
    for entry in table.services[model].instead:
        term = entry.term
        allowed.add(term.name if isinstance(term, ModelTerm) else table.offers[term.id].model)
    return allowed


@st.composite
def served_tables(draw):
    """Hand-made tables with equivalents: quick to draw, every price known or not."""
    rate = st.none() | st.integers(0, 9)
    names = ("a", "b", "c", "d")
    services = []
    for name in names:
        hosts = draw(st.lists(st.sampled_from("pqr"), unique=True, max_size=3))
        offers = [
            handmade.offer(
                name,
                host,
                handmade.price(draw(rate), draw(st.integers(0, 9))),
                context=draw(st.sampled_from((None, 1_000, 100_000))),
                region=draw(st.sampled_from((None, "eu", "us"))),
            )
            for host in hosts
        ]
        others = [other for other in names if other != name]
        instead = draw(st.lists(st.sampled_from(others), unique=True, max_size=2))
        after = draw(st.sampled_from((frozenset(), frozenset({"context_length"}))))
        entries = [Instead(ModelTerm(other), after) for other in instead]
        services.append(handmade.service(name, *offers, instead=entries))
    accounts = [handmade.account(name, keys) for name, keys in zip("pqr", (1, 2, 4), strict=True)]
    cheap = handmade.intent("cheap", names, take=draw(st.none() | st.integers(1, 5)))
    return handmade.table(*services, accounts=accounts, intents={"cheap": cheap})


@given(st.data())
@many
def test_invariant_1_a_pinned_model_is_served_by_itself_or_a_declared_equivalent(data):
    """Invariant 1."""
    table = data.draw(served_tables())
    request = data.draw(handmade.requests(table, pinned=True))
    made: Any = plan(request, table=table, answers=data.draw(handmade.answers(table)))
    allowed = models_allowed(table, request.model)
    if not request.narrowing.fallback:
        allowed = {request.model}
    assert {one.offer.model for one in made.candidates} <= allowed
    if not made.candidates:
        assert request.model in made.refusal.message or made.refusal.code == "over_cap"


@given(st.data())
@many
def test_an_equivalent_never_costs_the_caller_more(data):
    table = data.draw(served_tables())
    request = data.draw(handmade.requests(table, pinned=True))
    answers = data.draw(handmade.answers(table, healthy=True))
    made = plan(request, table=table, answers=answers)
    own = [one for one in made.candidates if one.offer.model == request.model]
    for candidate in made.candidates:
        if candidate.offer.model != request.model:
            assert candidate.expected is not None
            prices: Any = [one.expected for one in own]
            assert all(candidate.expected <= price for price in prices)


@given(st.data())
@some
def test_invariant_2_what_a_pinned_request_does_not_name_never_changes_its_models(data):
    """Invariant 2: other aliases, intents, chains and any health."""
    table = data.draw(served_tables())
    request = data.draw(handmade.requests(table, pinned=True))
    answers = data.draw(handmade.answers(table))
    more = replace(
        table,
        aliases={"other": Alias(name="other", to="a")},
        intents={**table.intents, "new": handmade.intent("new", ("d",))},
        chains={"x": Chain(name="x", term=First((ModelTerm("d"), ModelTerm("a"))))},
    )
    made = plan(request, table=table, answers=answers)
    again = plan(request, table=more, answers=answers)
    assert [one.offer.id for one in made.candidates] == [one.offer.id for one in again.candidates]
    healthy = plan(request, table=table, answers=replace(answers, blocked={}, probing=frozenset()))
    assert {one.offer.id for one in made.candidates} <= {one.offer.id for one in healthy.candidates}


@given(st.data())
@some
def test_invariant_3_a_capsule_gives_the_same_bytes(data):
    """Invariant 3: equal inputs, equal plan, also from what was written down."""
    table = data.draw(route_tables())
    request = data.draw(handmade.requests(table))
    answers = data.draw(handmade.answers(table))
    made = plan(request, table=table, answers=answers, seed=data.draw(st.integers(0, 9)))
    assert canonical(made) == canonical(plan(request, table=table, answers=answers, seed=made.seed))
    assert canonical(made) == canonical(replan(made.capsule(), table))
    assert made.capsule() == replan(made.capsule(), table).capsule()
    assert isinstance(made.explain(), str)
    assert json.loads(canonical(made))["name"] == made.name
    questions(request, table)


SCRIPT = """
import hashlib
from hyperroute.routing.explain import canonical
from hyperroute.routing.plan import plan, replan
from hyperroute.routing.table import Arm, RankKey, Restrict, Split, ModelTerm, From, Intent
from decimal import Decimal
from hyperroute.testing import handmade as h
services = [
    h.service(f"m{n}", *[h.offer(f"m{n}", p, h.price(n * 7 % 5, 3), does=frozenset({"tools", "vision", "pdf"}),
              tags=frozenset({"x", "y", "z"}), region="eu") for p in ("p", "q", "r")])
    for n in range(9)
]
arms = tuple(Arm(f"m{n}", Decimal(20), ModelTerm(f"m{n}")) for n in range(5))
intents = {
    "cheap": h.intent("cheap", [f"m{n}" for n in range(9)], take=4),
    "split": Intent(name="split", kind="chat", term=Split("org", arms, "s", True), default={}),
}
table = h.table(*services, accounts=[h.account("p", 5)], intents=intents)
digest = hashlib.sha256()
for word in ("m1", "cheap", "split", "m22"):
    for org in range(20):
        request = h.request(word, features=frozenset({"tools", "pdf", "logprobs"} if org % 5 == 4 else {"tools"}),
                            labels={"org.id": f"o{org}", "req.tags": frozenset({"x", "q"})}, input_bytes=999)
        made = plan(request, table=table, seed=org)
        digest.update(canonical(made)); digest.update(made.capsule())
print(digest.hexdigest())
"""


def test_invariant_3_bytes_are_equal_in_any_process():
    """Invariant 3: whatever Python's hash seed is."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(digests) == 1


@given(st.dictionaries(st.sampled_from("uvwxyz"), st.sampled_from("uvwxyza"), max_size=6))
def test_invariant_4_aliases_always_end(names):
    """Invariant 4: each alias is visited at most once, even in a table that no loader would pass."""
    table = handmade.table(
        handmade.service("a", handmade.offer("a", "p")),
        aliases={name: Alias(name=name, to=to) for name, to in names.items()},
    )
    for name in names:
        found = resolve_name(handmade.request(name), table)
        if isinstance(found, Refusal):
            assert found.code == "model_not_found"
        else:
            assert found.name == "a"
            assert len(set(found.via)) == len(found.via) <= len(names)


@given(st.data())
@some
def test_invariant_9_no_offer_is_listed_twice_and_every_other_has_a_reason(data):
    """Invariant 9, and drops are values: candidates and rejections share what was considered."""
    table = data.draw(route_tables())
    request = data.draw(handmade.requests(table))
    made = plan(request, table=table, answers=data.draw(handmade.answers(table)))
    used = [one.offer.id for one in made.candidates]
    dropped = [one.offer for one in made.rejections]
    assert len(set(used)) == len(used)
    assert len(set(dropped)) == len(dropped)
    assert not set(used) & set(dropped)
    if made.pinned and (made.refusal is None or made.refusal.looked):
        named: Any = resolve_name(request, table)
        own = {one.id for one in named.service.model.offers}
        assert not own or own & {*used, *dropped}


@given(st.data())
def test_invariant_10_another_offer_in_a_chain_takes_no_other_away(data):
    """Invariant 10, the plan's part: what could be tried before can be tried still, in its order."""
    table = data.draw(served_tables())
    ids = sorted(table.offers)
    if len(ids) < 2:
        return
    order = data.draw(st.permutations(ids))
    added = data.draw(st.sampled_from(ids))
    without = [one for one in order if one != added]
    intents = {
        name: replace(table.intents["cheap"], name=name, term=First(tuple(map(OfferTerm, listed))))
        for name, listed in (("more", order), ("less", without))
    }
    table = replace(table, intents=intents)
    answers = data.draw(handmade.answers(table))
    facts: dict[str, Any] = {"input_bytes": 400, "endpoint": "chat"}
    more, less = (
        plan(handmade.request(intent=name, **facts), table=table, answers=answers)
        for name in ("more", "less")
    )
    if not any(one.last_resort for one in (*more.candidates, *less.candidates)):
        kept = [one.offer.id for one in more.candidates if one.offer.id != added]
        assert kept == [one.offer.id for one in less.candidates]


def dearer(table: RouteTable, offer_id: str) -> RouteTable:
    """The same table with one offer's price raised."""

    def raised(one: Offer) -> Offer:
        if one.id != offer_id:
            return one
        sheets = tuple(
            replace(sheet, rates={meter: rate + 3 for meter, rate in sheet.rates.items()})
            for sheet in one.price
        )
        return replace(one, price=sheets)

    services = {}
    for name, served in table.services.items():
        model: Model = replace(
            served.model, offers=tuple(raised(one) for one in served.model.offers)
        )
        services[name] = replace(served, model=model)
    offers = {one.id: one for each in services.values() for one in each.model.offers}
    return replace(table, services=services, offers=offers)


@given(st.data())
@many
def test_invariant_11_raising_the_price_of_what_was_not_chosen_changes_nothing(data):
    """Invariant 11."""
    table = data.draw(served_tables())
    request = data.draw(handmade.requests(table, pinned=False))
    answers = data.draw(handmade.answers(table))
    made = plan(request, table=table, answers=answers)
    chosen = {one.offer.id for one in made.candidates}
    others = sorted(set(table.offers) - chosen)
    if not others:
        return
    again = plan(request, table=dearer(table, data.draw(st.sampled_from(others))), answers=answers)
    assert [one.offer.id for one in again.candidates] == [one.offer.id for one in made.candidates]
    assert [one.expected for one in again.candidates] == [one.expected for one in made.candidates]


@given(st.data())
@some
def test_invariant_12_health_of_what_is_not_considered_changes_nothing(data):
    """Invariant 12."""
    table = data.draw(served_tables())
    request = data.draw(handmade.requests(table, pinned=True))
    made = plan(request, table=table)
    seen = {one.offer.id for one in made.candidates} | {one.offer for one in made.rejections}
    others = sorted(set(table.offers) - seen)
    blocked = {f"offer:{one}": 10**9 for one in others}
    troubled = replace(NOTHING_KNOWN, blocked=blocked, probing=frozenset(others))
    again = plan(request, table=table, answers=troubled)
    if made.refusal is None or made.refusal.looked:
        assert canonical(again) == canonical(made)


@given(tables(), st.data())
@some
def test_invariant_51_an_equal_table_decides_equally(document, data):
    """Invariant 51: loading the same text again changes no decision."""
    first, second = loads(render(document)).table, loads(render(document)).table
    request = data.draw(handmade.requests(first))
    answers = data.draw(handmade.answers(first))
    made = plan(request, table=first, answers=answers, seed=3)
    assert canonical(made) == canonical(plan(request, table=second, answers=answers, seed=3))


@given(st.data())
@some
def test_health_leaves_one_last_resort_where_everything_is_closed(data):
    table = data.draw(served_tables())
    request = data.draw(handmade.requests(table, narrowed=False))
    open_plan = plan(request, table=table)
    blocked = {f"offer:{one}": 10**9 for one in table.offers}
    made = plan(request, table=table, answers=replace(NOTHING_KNOWN, blocked=blocked))
    if not open_plan.candidates:
        assert made.candidates == ()
        return
    (only,) = made.candidates
    assert only.last_resort
    assert (only.retries, only.rotations, len(only.credentials)) == (0, 0, 1)
    assert made.attempts_max == 1
    probing = replace(NOTHING_KNOWN, blocked=blocked, probing=frozenset(table.offers))
    refused: Any = plan(request, table=table, answers=probing)
    assert refused.refusal.status == 503


@given(st.data())
@some
def test_attempts_are_bounded_by_what_each_candidate_allows_and_never_above_eight(data):
    table = data.draw(route_tables())
    made = plan(
        data.draw(handmade.requests(table)), table=table, answers=data.draw(handmade.answers(table))
    )
    each = [1 + one.retries + one.rotations for one in made.candidates]
    assert made.attempts_max == min(sum(each), made.rules.attempts) <= 8
    deadline = made.request.narrowing.deadline_ns
    assert made.deadline_ns == min(made.rules.time_ns, deadline or made.rules.time_ns)


@given(st.data())
@some
def test_a_request_narrows_and_never_widens(data):
    table = data.draw(served_tables())
    free = data.draw(handmade.requests(table, pinned=True, narrowed=False))
    narrow = data.draw(handmade.requests(table, pinned=True))
    request = replace(free, narrowing=narrow.narrowing)
    answers = data.draw(handmade.answers(table, healthy=True))
    wide, made = (
        plan(free, table=table, answers=answers),
        plan(request, table=table, answers=answers),
    )
    own = [one.offer.id for one in wide.candidates if one.offer.model == free.model]
    kept = [one.offer.id for one in made.candidates if one.offer.model == free.model]
    assert kept == [one for one in own if one in kept]
    for candidate in made.candidates:
        assert candidate.offer.provider not in request.narrowing.avoid
        if request.narrowing.only is not None:
            assert candidate.offer.provider in request.narrowing.only


@given(st.data())
@some
def test_what_is_drawn_late_is_what_a_plain_candidate_holds(data):
    table = data.draw(route_tables())
    made = plan(data.draw(handmade.requests(table)), table=table)
    for candidate in made.candidates[:3]:
        names = Candidate.__dataclass_fields__
        plain = Candidate(**{name: getattr(candidate, name) for name in names})
        assert repr(plain).partition("(")[2] == repr(candidate).partition("(")[2]
        assert replace(candidate, retries=7).retries == 7
        if candidate.worst is not None and made.counted and candidate.expected is not None:
            assert candidate.expected <= candidate.worst or made.request.max_output is None


@given(st.sampled_from(("org.id", "key.id", "user.id")), st.text(max_size=5), st.integers(1, 6))
def test_losing_one_credential_moves_only_those_who_started_with_it(fact, who, keys):
    table = handmade.table(
        handmade.service("a", handmade.offer("a", "p")), accounts=[handmade.account("p", keys)]
    )
    request = handmade.request("a", labels={fact: who})
    order = plan(request, table=table).candidates[0].credentials
    assert sorted(order) == [f"p#{at}" for at in range(keys)]
    for lost in order[: keys - 1]:
        cooling = replace(NOTHING_KNOWN, blocked={f"credential:{lost}": 1})
        left = plan(request, table=table, answers=cooling).candidates[0].credentials
        assert left == tuple(one for one in order if one != lost)


def test_rank_keys_of_a_term_are_asked_for_and_prices_are_not():
    services = [handmade.service(n, handmade.offer(n, "p", context=9_000)) for n in "ab"]
    rank = (RankKey("cost"), RankKey("ttft.p90"), RankKey("quality.chat"))
    term = Restrict(ModelTerm("a"), rank=rank)
    table = handmade.table(*services, intents={"i": replace(handmade.intent("i", "ab"), term=term)})
    asked = questions(handmade.request(intent="i", input_bytes=20_000), table)
    assert asked.measures == ("ttft.p90",)
    assert asked.count_tokens
    assert not questions(handmade.request(intent="i", input_bytes=8_000), table).count_tokens
    assert not questions(handmade.request(intent="i", input_bytes=80_000), table).count_tokens
