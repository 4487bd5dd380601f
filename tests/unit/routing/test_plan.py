"""One decision at a time, by hand."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from hyperroute.canon.failure import FailureClass, Reaction
from hyperroute.catalog.card import Timeouts
from hyperroute.catalog.condition import FactRef
from hyperroute.catalog.price import Sell
from hyperroute.catalog.shape import Parameter, Range, Shape
from hyperroute.routing.plan import plan
from hyperroute.routing.questions import Answers
from hyperroute.routing.table import (
    Arm,
    Cap,
    First,
    Instead,
    Intent,
    ModelTerm,
    OfferTerm,
    Policy,
    RankKey,
    Restrict,
    Retry,
    RouteTable,
    Split,
)
from hyperroute.testing import handmade
from hyperroute.testing.handmade import line, offer, price, service

NEVER = 10**18


def ids(made: Any) -> list[str]:
    return [one.offer.id for one in made.candidates]


def ask(
    table: RouteTable, model: str | None = None, answers: Answers | None = None, **facts: Any
) -> Any:
    return plan(handmade.request(model, **facts), table=table, answers=answers or Answers())


TWO = handmade.table(
    service("a", offer("a", "p", price(3, 15)), offer("a", "q", price(1, 2))),
    service("b", offer("b", "p", price(2, 5))),
    accounts=[handmade.account("p", 3)],
)


def test_declared_order_is_the_fallback_order():
    made = ask(TWO, "a", input_bytes=400, max_output=10)
    assert ids(made) == ["a@p", "a@q"]
    assert [one.expected for one in made.candidates] == [450, 120]
    assert [one.rotations for one in made.candidates] == [1, 0]
    assert made.attempts_max == 5


def test_a_models_own_use_reorders_its_offers():
    served = TWO.services["a"]
    use = Restrict(First((OfferTerm("a@p"), OfferTerm("a@q"))), rank=(RankKey("cost"),))
    table = replace(TWO, services={**TWO.services, "a": replace(served, use=use)})
    assert ids(ask(table, "a")) == ["a@q", "a@p"]


def test_an_equivalent_comes_behind_and_only_if_it_is_no_dearer():
    dear = service("dear", offer("dear", "r", price(9, 20)))
    entries = [Instead(ModelTerm(name)) for name in ("dear", "b")]
    asked = service("a", offer("a", "p", price(3, 15)), instead=entries)
    table = handmade.table(asked, TWO.services["b"], dear)
    made = ask(table, "a", input_bytes=400)
    assert ids(made) == ["a@p", "b@p"]
    assert str(made.rejections[0]).startswith("dear@r: instead needs at most")
    assert ids(ask(table, "a", fallback=False)) == ["a@p"]
    even = service("dear", offer("dear", "r", price(3, 15)))
    assert ids(ask(handmade.table(asked, TWO.services["b"], even), "a"))[1] == "dear@r"
    more = service("dear", offer("dear", "r", price(4, 15)))
    assert ids(ask(handmade.table(asked, TWO.services["b"], more), "a", input_bytes=1)) == [
        "a@p",
        "b@p",
    ]
    cheap = replace(dear, model=replace(dear.model, sell=Sell(price=price(1, 1))))
    assert ids(ask(handmade.table(asked, TWO.services["b"], cheap), "a"))[1] == "dear@r"


def test_an_equivalent_for_long_requests_waits_for_that_failure_or_for_a_request_that_cannot_fit():
    long = frozenset({FailureClass.CONTEXT_LENGTH})
    asked = service(
        "a", offer("a", "p", price(3, 9), context=1_000), instead=[Instead(ModelTerm("b"), long)]
    )
    table = handmade.table(asked, TWO.services["b"])
    made = ask(table, "a", input_bytes=400)
    assert [one.after for one in made.candidates] == [frozenset(), long]
    made = ask(table, "a", input_bytes=40_000)
    assert ids(made) == ["b@p"]
    assert made.candidates[0].after == frozenset()


def test_a_request_too_long_for_everything_is_told_so():
    table = handmade.table(service("a", offer("a", "p", context=1_000)))
    refusal = ask(table, "a", input_bytes=40_000).refusal
    assert (refusal.status, refusal.code) == (400, "context_length")
    assert "10000 tokens" in refusal.message
    assert "at most 1000" in refusal.message


def test_an_unknown_window_matters_to_a_router_and_not_to_a_pin():
    table = handmade.table(
        service("a", offer("a", "p", context=None)), intents={"i": handmade.intent("i", "a")}
    )
    assert ids(ask(table, "a", input_bytes=400_000)) == ["a@p"]
    assert ids(ask(table, intent="i", input_bytes=4_000)) == ["a@p"]
    made = ask(table, intent="i", input_bytes=400_000)
    assert made.refusal.code == "context_length"
    assert made.rejections[0].had == "unknown"


def test_an_unknown_price_ranks_last_and_is_no_price_under_a_cap():
    table = handmade.table(
        service("a", offer("a", "p")),
        service("b", offer("b", "p", price(9, 9))),
        intents={"i": handmade.intent("i", "ab")},
    )
    assert ids(ask(table, intent="i")) == ["b@p", "a@p"]
    assert ids(ask(table, intent="i", max_cost="1")) == ["b@p"]
    capped = replace(table, policies=(Policy(name="base", cap=Cap(cost=Decimal(1))),))
    made = ask(capped, "a")
    assert (made.refusal.status, made.refusal.code) == (400, "over_cap")
    assert made.rejections[0].had == "unknown"


def test_what_the_request_needs_is_required_though_nobody_wrote_it():
    table = handmade.table(
        service("a", offer("a", "p", does=frozenset({"tools"})), offer("a", "q")),
    )
    made = ask(table, "a", features=frozenset({"tools"}))
    assert ids(made) == ["a@p"]
    assert (made.rejections[0].requirement, made.rejections[0].needed) == ("does", "tools")
    assert ask(table, "a", features=frozenset({"vision"})).refusal.status == 400


def test_policies_of_the_caller_restrict_and_say_which():
    policies = (
        Policy(
            name="eu",
            when=(line("org.region", "equal", "eu"),),
            require=(line("region", "within", FactRef("org.region")),),
        ),
        Policy(
            name="scope",
            when=(line("key.models", "given"),),
            require=(line("model", "equal", FactRef("key.models")),),
        ),
    )
    table = handmade.table(
        service("a", offer("a", "p", region="us"), offer("a", "q", region="eu-central")),
        service("x/*", offer("x/*", "p", sends="*")),
        policies=policies,
    )
    assert ids(ask(table, "a")) == ["a@p", "a@q"]
    made = ask(table, "a", labels={"org.region": "eu"})
    assert ids(made) == ["a@q"]
    assert str(made.rejections[0]) == "a@p: region needs within eu, has us (policy eu)"
    made = ask(table, "a", labels={"key.models": ["b"]})
    assert (made.refusal.status, made.refusal.code) == (403, "no_candidate")
    assert ids(ask(table, "x/one", labels={"key.models": ["x/one"]})) == ["x/*@p"]
    assert ids(ask(table, "x/two", labels={"key.models": ["x/one"]})) == []
    known = Answers(facts={"org.region": "eu"})
    assert ids(ask(table, "a", known, labels={"org.region": "us"})) == ["a@q"]


def test_terms_over_one_model_keep_their_own_requirements():
    def only(region: str) -> Intent:
        term = Restrict(ModelTerm("a"), require=(line("region", "within", region),))
        return replace(handmade.intent(region, "a"), term=term)

    table = handmade.table(
        service("a", offer("a", "p", region="us"), offer("a", "q", region="eu")),
        intents={"us": only("us"), "eu": only("eu")},
    )
    assert ids(ask(table, intent="us")) == ["a@p"]
    assert ids(ask(table, intent="eu")) == ["a@q"]


def test_a_wrong_endpoint_names_the_right_one():
    table = handmade.table(service("a", offer("a", "p"), endpoints=frozenset({"messages"})))
    refusal = ask(table, "a").refusal
    assert (refusal.code, refusal.status) == ("wrong_endpoint", 400)
    assert "/v1/messages" in refusal.message
    image = handmade.table(
        service("a", offer("a", "p", kind="image")),
        intents={"i": handmade.intent("i", "a", kind="image")},
    )
    named: Any
    for named in ({"model": "a"}, {"intent": "i"}):
        assert "/v1/images/generations" in ask(image, **named).refusal.message


def test_a_model_closed_to_a_client_answers_403():
    table = handmade.table(service("a", offer("a", "p"), clients=frozenset({"claude-code"})))
    assert ask(table, "a").refusal.status == 403
    assert ids(ask(table, "a", labels={"req.client": "claude-code"})) == ["a@p"]


def test_a_missing_credential_names_the_variable_and_a_model_that_works():
    table = handmade.table(
        service("a", offer("a", "p")), service("b", offer("b", "q")), service("c", offer("c", "p"))
    )
    made = ask(table, "a", Answers(missing={"p#0": "P_KEY"}))
    assert (made.refusal.status, made.refusal.code) == (503, "no_credential")
    assert made.refusal.message == "No credential is set for 'a': it needs P_KEY. 'b' works now."
    assert made.refusal.available == ("b",)
    assert made.rejections[0].needed == "P_KEY"
    assert ask(table, "a", Answers(missing={"p": "P_KEY"})).refusal.code == "no_credential"


def test_a_shape_refuses_a_pin_and_drops_an_offer():
    narrow = Shape(parameters={"n": Parameter(name="n", range=Range(1, 2))})
    wide = Shape(parameters={"n": Parameter(name="n", range=Range(1, 10), default=1)})
    table = handmade.table(
        service(
            "a",
            offer("a", "p", kind="image", takes=narrow),
            offer("a", "q", kind="image"),
            takes=wide,
        ),
        service("b", offer("b", "p", kind="image"), takes=narrow),
        intents={"i": handmade.intent("i", "ab", kind="image")},
    )
    image: dict[str, Any] = {"kind": "image", "endpoint": "images"}
    assert ids(ask(table, "a", parameters={"n": 5}, **image)) == ["a@q"]
    assert ask(table, "a", **image).candidates[0].parameters == {"n": 1}
    refusal = ask(table, "a", parameters={"n": 11}, **image).refusal
    assert (refusal.status, refusal.code, refusal.param) == (400, "invalid_parameter", "n")
    assert "1 to 10" in refusal.message
    assert ids(ask(table, intent="i", parameters={"n": 5}, **image)) == ["a@q"]
    refusal = ask(table, intent="i", parameters={"n": 50}, **image).refusal
    assert (refusal.status, refusal.code, refusal.param) == (400, "invalid_parameter", "n")


def test_caps_on_sizes_refuse_before_any_offer_is_looked_at():
    table = replace(TWO, policies=(Policy(name="base", cap=Cap(input=10, output=5)),))
    assert ask(table, "a", input_bytes=400).refusal.code == "over_cap"
    assert ask(table, "a", max_output=6).refusal.param == "max_tokens"
    made = ask(table, "a", max_output=5)
    assert made.candidates[0].expected == 75
    assert ask(table, "a").candidates[0].worst == 75


def test_bytes_bound_what_is_not_counted():
    made = ask(TWO, "a", input_bytes=400, max_output=10)
    assert made.input_tokens == 100
    assert made.candidates[0].worst == 400 * 3 + 150
    made = ask(TWO, "a", Answers(input_tokens=90), input_bytes=400, max_output=10)
    assert made.counted
    assert (made.candidates[0].expected, made.candidates[0].worst) == (420, 420)
    unbounded = handmade.table(service("a", offer("a", "p", price(1, 1), context=None)))
    assert ask(unbounded, "a").candidates[0].worst is None


def test_health_cools_and_the_rest_goes_on():
    made = ask(TWO, "a", Answers(blocked={"offer:a@p": NEVER}))
    assert ids(made) == ["a@q"]
    assert made.rejections[0].requirement == "health"
    assert ids(ask(TWO, "a", Answers(at=5, blocked={"offer:a@p": 5}))) == ["a@p", "a@q"]
    cooling = {"credential:p#0": NEVER, "credential_model:p#1/a": NEVER}
    made = ask(TWO, "a", Answers(blocked=cooling))
    assert made.candidates[0].credentials == ("p#2",)
    assert ids(ask(TWO, "a", Answers(probing=frozenset({"a@p"})))) == ["a@q"]


def test_the_last_resort_prefers_a_credential_that_is_not_cooling():
    blocked = {f"credential:p#{at}": NEVER for at in range(3)} | {"offer:a@q": NEVER}
    (only,) = ask(TWO, "a", Answers(blocked=blocked)).candidates
    assert (only.offer.id, only.last_resort, only.credentials) == ("a@q", True, ("q#0",))


def test_a_policys_retries_and_timeouts_reach_the_candidate():
    policy = Policy(
        name="base",
        retry=Retry(per_offer=0, rotate=2),
        timeout=Timeouts(idle_ns=7),
        errors={FailureClass.SERVER_ERROR: (Reaction.RETRY, 3)},
    )
    table = replace(TWO, policies=(policy,))
    first = ask(table, "a").candidates[0]
    assert (first.retries, first.rotations) == (3, 2)
    assert (first.timeouts.idle_ns, first.timeouts.connect_ns) == (7, 5 * 10**9)
    slow = replace(
        TWO, providers={**TWO.providers, "p": handmade.account("p", timeout=Timeouts(connect_ns=1))}
    )
    assert ask(slow, "a").candidates[0].timeouts.connect_ns == 1


def test_a_model_without_offers_is_known_but_not_served():
    refusal = ask(handmade.table(service("a"), service("b", offer("b", "p"))), "a").refusal
    assert refusal.code == "model_not_found"
    assert "no provider offers it" in refusal.message
    assert refusal.available == ("b",)


@pytest.mark.parametrize(
    ("narrowing", "expected"),
    [({"only": ("q",)}, ["a@q"]), ({"avoid": ("q",)}, ["a@p"]), ({"only": ("z",)}, [])],
)
def test_a_request_may_choose_among_providers(narrowing, expected):
    assert ids(ask(TWO, "a", **narrowing)) == expected


def test_a_candidate_of_an_account_that_does_not_say_its_keys_has_one():
    unsaid = replace(TWO.providers["q"], keys=None)
    table = replace(TWO, providers={**TWO.providers, "q": unsaid})
    assert ask(table, "a").candidates[1].credentials == ("q#0",)
    bare = replace(TWO, providers={**TWO.providers, "q": handmade.account("q", 0)})
    assert ask(bare, "a").candidates[1].credentials == ("",)


def test_windows_are_exact_though_bit_sets_tell_only_some_apart():
    names = [f"m{at:03}" for at in range(150)]
    table = handmade.table(
        *(
            service(name, offer(name, "p", price(1, 1), context=1_000 + 10 * at))
            for at, name in enumerate(names)
        ),
        intents={
            "all": handmade.intent("all", names, rank=()),
            "some": handmade.intent("some", names, take=100),
        },
    )
    for at in range(0, 150, 7):
        for need in (1_000 + 10 * at, 1_001 + 10 * at):
            fitting = [f"{name}@p" for n, name in enumerate(names) if 1_000 + 10 * n >= need]
            known = Answers(input_tokens=need)
            assert ids(ask(table, intent="all", answers=known)) == fitting
            assert ids(ask(table, intent="some", answers=known)) == fitting[:100]


def test_everything_in_the_last_cell_is_compared_by_the_further_keys():
    names = [f"m{at:03}" for at in range(100)]
    table = handmade.table(
        *(
            service(name, offer(name, "p", price(1_000 + at, 100 - at), quality={"chat": at}))
            for at, name in enumerate(names)
        ),
        intents={
            "cell": handmade.intent(
                "cell", names, rank=(RankKey("cost", 100), RankKey("quality.chat")), take=2
            ),
            "even": handmade.intent("even", names, take=3),
        },
    )
    known = Answers(input_tokens=10)
    assert ids(ask(table, intent="cell", answers=known, max_output=10)) == ["m099@p", "m098@p"]
    assert ids(ask(table, intent="even", answers=known, max_output=10)) == [
        "m000@p",
        "m001@p",
        "m002@p",
    ]


def test_no_equivalent_is_a_last_resort_of_a_caller_who_wants_no_fallback():
    table = handmade.table(
        service("a", offer("a", "p", price(9)), instead=[Instead(ModelTerm("b"))]),
        service("b", offer("b", "q", price(1))),
    )
    closed = Answers(blocked={"provider:p": 2 * 10**9, "provider:q": 10**9})
    pinned = ask(table, "a", closed, fallback=False)
    assert ids(pinned) == ["a@p"]
    assert pinned.candidates[0].last_resort


INSTEAD = handmade.table(
    service("a", offer("a", "p", price(9)), instead=[Instead(ModelTerm("b"))]),
    service("b", offer("b", "q", price(1))),
)


def test_an_equivalent_is_the_last_resort_where_the_model_has_no_credential():
    known = Answers(missing={"p#0": "P_KEY"}, blocked={"offer:b@q": NEVER})
    made = ask(INSTEAD, "a", known)
    assert [(one.offer.id, one.last_resort) for one in made.candidates] == [("b@q", True)]
    assert ids(ask(INSTEAD, "a", known, fallback=False)) == []


@pytest.mark.parametrize(("fallback", "expected"), [(True, "b@q"), (False, "a@p")])
def test_a_warmer_equivalent_is_the_last_resort_only_of_a_caller_who_allows_it(fallback, expected):
    known = Answers(blocked={"credential:p#0": NEVER, "offer:b@q": NEVER})
    assert ids(ask(INSTEAD, "a", known, fallback=fallback)) == [expected]


def test_a_caller_who_wants_no_fallback_is_told_why_an_equivalent_is_not_used():
    made = ask(INSTEAD, "a", fallback=False)
    told = [(one.offer, one.requirement, one.needed, one.by) for one in made.rejections]
    assert told == [("b@q", "fallback", "the model itself", "the request")]


def test_equivalents_for_some_failures_wait_behind_the_others_and_none_comes_twice():
    long = frozenset({FailureClass.SERVER_ERROR})
    table = handmade.table(
        service(
            "a",
            offer("a", "p", price(9)),
            instead=[Instead(ModelTerm("b"), long), Instead(ModelTerm("c"))],
        ),
        service("b", offer("b", "q", price(1))),
        service("c", offer("c", "r", price(1))),
    )
    made = ask(table, "a", Answers(blocked={"offer:a@p": NEVER}))
    assert [(one.offer.id, one.after) for one in made.candidates] == [
        ("c@r", frozenset()),
        ("b@q", long),
    ]


def test_an_equivalent_for_long_requests_waits_while_any_own_offer_has_room():
    long = frozenset({FailureClass.CONTEXT_LENGTH})
    asked = service(
        "a",
        offer("a", "p", price(3, 9), context=1_000),
        offer("a", "q", price(3, 9)),
        instead=[Instead(ModelTerm("b"), long)],
    )
    made = ask(handmade.table(asked, TWO.services["b"]), "a", input_bytes=40_000)
    assert [(one.offer.id, one.after) for one in made.candidates] == [
        ("a@q", frozenset()),
        ("b@p", long),
    ]


def test_a_refusal_tells_of_the_model_and_not_of_an_equivalent_that_came_further():
    table = handmade.table(
        service("a", offer("a", "p", price(9)), instead=[Instead(ModelTerm("b"))]),
        service("b", offer("b", "q", price(1), does=frozenset({"tools"}))),
    )
    closed = Answers(missing={"q#0": "Q_KEY"})
    refusal = ask(table, "a", closed, features=frozenset({"tools"})).refusal
    assert (refusal.status, refusal.code) == (400, "no_candidate")
    assert "does needs tools" in refusal.message


def test_a_model_that_works_now_is_one_of_the_same_kind():
    table = handmade.table(
        service("a", offer("a", "p")),
        service("picture", offer("picture", "q", kind="image")),
        service("b", offer("b", "q")),
    )
    made = ask(table, "a", Answers(missing={"p#0": "P_KEY"}), endpoint="")
    assert made.refusal.available == ("b",)


def test_what_a_term_requires_of_the_caller_holds_for_all_of_it_or_for_nothing():
    european = line("org.region", "equal", "eu")
    inner = First((ModelTerm("a"), ModelTerm("b")))
    intent = replace(handmade.intent("i", "ab"), term=Restrict(inner, require=(european,)))
    table = replace(TWO, intents={"i": intent})
    assert ids(ask(table, intent="i", labels={"org.region": "eu"})) == ["a@p", "a@q", "b@p"]
    refused = ask(table, intent="i", labels={"org.region": "us"})
    assert {one.requirement for one in refused.rejections} == {"org.region"}
    assert len(refused.rejections) == 3
    assert ids(refused) == []


def test_only_the_arm_that_was_drawn_is_used_without_rest():
    arms = (Arm("one", Decimal("0.5"), ModelTerm("a")), Arm("two", Decimal("0.5"), ModelTerm("b")))
    drawn: set[tuple[str, ...]] = set()
    for rest in (False, True):
        split = Split(by="req", arms=arms, salt="s", rest=rest)
        intent = replace(handmade.intent("i", "ab"), term=split)
        table = replace(TWO, intents={"i": intent})
        request = handmade.request(intent="i")
        drawn |= {tuple(ids(plan(request, table=table, seed=seed))) for seed in range(20)}
    assert drawn == {("a@p", "a@q"), ("b@p",), ("a@p", "a@q", "b@p"), ("b@p", "a@p", "a@q")}


@pytest.mark.parametrize("keys", [0, 1, 2, 3])
def test_trouble_elsewhere_changes_no_bound_of_attempts(keys):
    table = handmade.table(
        service("a", offer("a", "p")),
        service("b", offer("b", "q")),
        accounts=[handmade.account("p", keys)],
        policies=(Policy(name="base", retry=Retry(rotate=9, per_offer=0)),),
    )
    elsewhere = Answers(blocked={"offer:b@q": NEVER})
    bound = ask(table, "a").attempts_max
    assert bound == ask(table, "a", elsewhere).attempts_max == max(1, keys)
    cooling = Answers(blocked={"credential:p#0": NEVER})
    if keys > 1:
        assert ask(table, "a", cooling).attempts_max == keys - 1


def test_a_model_open_to_a_client_gives_it_other_reasons():
    table = handmade.table(
        service("a", offer("a", "p"), clients=frozenset({"claude-code"})),
        intents={"i": handmade.intent("i", "a")},
    )
    client = {"req.client": "claude-code"}
    assert ids(ask(table, intent="i", labels=client)) == ["a@p"]
    assert ask(table, intent="i").rejections[0].requirement == "clients"
    dear = ask(table, intent="i", labels=client, max_cost="1")
    assert dear.rejections[0].requirement == "max_cost"


def test_a_policy_that_requires_something_of_the_caller_says_so_and_only_where_it_fails():
    policy = Policy(name="paid", require=(line("org.plan", "equal", "pro"),))
    table = replace(TWO, policies=(policy,))
    made = ask(table, "a", labels={"org.plan": "free"})
    assert (made.refusal.status, made.refusal.code) == (403, "no_candidate")
    assert "org.plan" in made.refusal.message
    assert "policy paid" in made.refusal.message
    dear = ask(table, "a", labels={"org.plan": "pro"}, max_cost="0.000000000001")
    assert {one.requirement for one in dear.rejections} == {"max_cost"}


def test_what_batches_fill_in_counts_as_attempts():
    count = Shape(parameters={"n": Parameter(name="n", range=Range(1, 9), default=4)})
    table = handmade.table(
        service("a", offer("a", "p", kind="image", batch=2), takes=count),
        policies=(Policy(name="base", retry=Retry(per_offer=0)),),
    )
    image: dict[str, Any] = {"kind": "image", "endpoint": "images"}
    assert ask(table, "a", **image).attempts_max == 2
    assert ask(table, "a", parameters={"n": 6}, **image).attempts_max == 3


def test_an_equivalent_for_some_failures_keeps_its_place_behind_an_open_own_offer():
    table = handmade.table(
        service(
            "a",
            offer("a", "p", price(9)),
            instead=[
                Instead(ModelTerm("b"), frozenset({FailureClass.SERVER_ERROR})),
                Instead(ModelTerm("c")),
            ],
        ),
        service("b", offer("b", "q", price(1))),
        service("c", offer("c", "r", price(1))),
    )
    assert ids(ask(table, "a")) == ["a@p", "b@q", "c@r"]


def test_where_only_an_equivalent_for_some_failures_is_open_the_model_is_the_last_resort():
    long = frozenset({FailureClass.CONTEXT_LENGTH})
    asked = service("a", offer("a", "p", price(9)), instead=[Instead(ModelTerm("b"), long)])
    table = handmade.table(asked, service("b", offer("b", "q", price(1))))
    made = ask(table, "a", Answers(blocked={"offer:a@p": NEVER}))
    assert [(one.offer.id, one.last_resort) for one in made.candidates] == [("a@p", True)]


def test_ranking_a_model_keeps_to_the_order_that_it_declares():
    served = TWO.services["a"]
    use = Restrict(First((OfferTerm("a@p"),)))
    ranked = replace(
        handmade.intent("i", "a"), term=Restrict(ModelTerm("a"), rank=(RankKey("cost"),))
    )
    table = replace(
        TWO, services={**TWO.services, "a": replace(served, use=use)}, intents={"i": ranked}
    )
    assert ids(ask(table, intent="i")) == ["a@p"]


def test_within_a_cell_of_prices_the_name_decides():
    table = handmade.table(
        service("a", offer("a", "p", price(1_001))),
        service("b", offer("b", "p", price(1_000))),
        intents={
            "cell": handmade.intent("cell", "ab", rank=(RankKey("cost", 50),)),
            "exact": handmade.intent("exact", "ab"),
        },
    )
    known = Answers(input_tokens=1)
    assert ids(ask(table, intent="cell", answers=known)) == ["a@p", "b@p"]
    assert ids(ask(table, intent="exact", answers=known)) == ["b@p", "a@p"]


def test_a_policy_may_read_how_long_the_input_is():
    short = Policy(name="short", when=(line("req.tokens", "<", 100),), cap=Cap(attempts=1))
    table = replace(TWO, policies=(short,))
    assert ask(table, "a", Answers(input_tokens=99)).attempts_max == 1
    assert ask(table, "a", Answers(input_tokens=100)).attempts_max > 1


def test_a_last_resort_takes_no_credential_that_is_not_set():
    cooling = {f"credential:p#{at}": NEVER for at in range(3)}
    known = Answers(blocked={**cooling, "provider:q": NEVER}, missing={"p#0": "P_KEY"})
    (only,) = ask(TWO, "a", known, only=("p",)).candidates
    assert only.last_resort
    assert only.credentials[0] in {"p#1", "p#2"}


def test_an_offers_own_limits_of_time_count_too():
    own = offer("a", "p", timeout=Timeouts(idle_ns=3))
    assert ask(handmade.table(service("a", own)), "a").candidates[0].timeouts.idle_ns == 3
