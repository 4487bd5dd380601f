"""What chains, intents, conditions and policies become."""

from decimal import Decimal

from hyperroute.canon.failure import FailureClass, Reaction
from hyperroute.catalog.condition import FactRef
from hyperroute.routing import table as t
from hyperroute.tables.load import loads

HEAD = """hyperroute: 1
providers: {p: {plugin: simulated}, q: {plugin: simulated}}
models:
  m: {kind: chat, quality: {chat: 80}, context: 128k, tags: [new], offers: [{at: p}, {at: q}]}
  n: {kind: chat, offers: [{at: p}]}
  hidden: {kind: chat, listed: false, quality: {chat: 99}}
  "any/*": {kind: chat, quality: {chat: 99}}
  picture: {kind: image, quality: {chat: 99}}
"""


def load(text):
    return loads(HEAD + text).table


def test_names_become_what_they_are():
    table = load(
        "aliases: {a: m, b: a}\nchains: {c: {first: [m, n@p, i, b, none]}}\n"
        "intents: {i: {kind: chat}, j: {kind: chat, use: c}}\n"
    )

    assert table.chains["c"].term == t.First(
        (
            t.ModelTerm("m"),
            t.OfferTerm("n@p"),
            t.IntentTerm("i"),
            t.ModelTerm("m"),
            t.NoOffers(),
        )
    )
    assert table.intents["j"].term == t.ChainTerm("c")


def test_from_is_resolved_at_load_to_listed_models_of_the_kind():
    table = load('intents: {i: {kind: chat, from: {quality.chat: ">= 65"}}}\n')

    term = table.intents["i"].term

    assert isinstance(term, t.From)
    assert term.models == ("m",), "not what is unlisted, a pattern, another kind, or unknown"


def test_from_in_a_chain_reads_all_kinds():
    table = load("chains: {c: {from: {quality.chat: given}}}\nintents: {i: {kind: chat, use: c}}\n")

    assert table.chains["c"].term.models == ("m", "picture")


def test_restrictions_wrap_a_term():
    table = load(
        "chains: {c: {first: [m], require: {region: eu}, rank: [cost ~10%, sell], take: 2}}\n"
        "intents: {i: {kind: chat, use: c}}\n"
    )
    found = table.chains["c"].term

    assert isinstance(found, t.Restrict)
    assert found.term == t.First((t.ModelTerm("m"),))
    assert found.rank == (t.RankKey("cost", 10), t.RankKey("sell", 0))
    assert found.take == 2
    assert [(line.fact, line.op, line.values) for line in found.require] == [
        ("region", "within", ("eu",))
    ]


def test_shares_are_exact_fractions():
    table = load(
        "chains: {c: {split: {by: org, arms: {m: 99.5%, n: 0.5%}, salt: oct, rest: true}}}\n"
        "intents: {i: {kind: chat, use: c}}\n"
    )
    found = table.chains["c"].term

    assert [(arm.name, arm.share) for arm in found.arms] == [
        ("m", Decimal("0.995")),
        ("n", Decimal("0.005")),
    ]
    assert (found.by, found.salt, found.rest) == ("org", "oct", True)


def lines(condition):
    policy = load(
        f"facts: {{org.seats: {{type: count}}}}\npolicies: {{x: {{require: {condition}}}}}\n"
    ).policies[0]
    return [(line.fact, line.op, line.values) for line in policy.require]


def test_a_bare_value_is_compared_in_its_facts_direction():
    assert lines(
        "{does: [tools, vision], context: 8k, retain: 30d, region: eu, trains: false, "
        "tags: new, model: [m, n], quality.chat: 65}"
    ) == [
        ("context", "at_least", (8000,)),
        ("does", "contains", ("tools", "vision")),
        ("model", "equal", ("m", "n")),
        ("quality.chat", "at_least", (65,)),
        ("region", "within", ("eu",)),
        ("retain", "at_most", (30 * 86_400 * 10**9,)),
        ("tags", "contains", ("new",)),
        ("trains", "equal", (False,)),
    ]


def test_explicit_operators_are_kept():
    assert lines(
        '{context: "> 8k", input: "<=1M", region: not cn, retain: given, vendor: not given, '
        'output: "= 64k", model: "m*", quality.chat: "< 5"}'
    ) == [
        ("context", ">", (8000,)),
        ("input", "<=", (1_000_000,)),
        ("model", "equal", ("m*",)),
        ("output", "=", (64_000,)),
        ("quality.chat", "<", (5,)),
        ("region", "not", ("cn",)),
        ("retain", "given", ()),
        ("vendor", "not given", ()),
    ]


def test_a_value_may_be_another_fact():
    assert lines(
        "{region: org.region, model: key.models, context: req.tokens, tags: req.tags}"
    ) == [
        ("context", "at_least", (FactRef("req.tokens"),)),
        ("model", "equal", (FactRef("key.models"),)),
        ("region", "within", (FactRef("org.region"),)),
        ("tags", "contains", (FactRef("req.tags"),)),
    ]


def test_an_explicit_operator_may_compare_with_another_fact():
    assert lines('{context: "> req.tokens", region: not org.region}') == [
        ("context", ">", (FactRef("req.tokens"),)),
        ("region", "not", (FactRef("org.region"),)),
    ]


def test_equivalents_are_models_or_offers_with_their_classes():
    table = loads(
        "hyperroute: 1\nproviders: {p: {plugin: simulated}}\naliases: {a: n}\n"
        "models:\n  m: {kind: chat, instead: [a, {model: n@p, after: [context_length]}]}\n"
        "  n: {kind: chat, offers: [{at: p}]}\n"
    ).table

    assert table.services["m"].instead == (
        t.Instead(t.ModelTerm("n")),
        t.Instead(t.OfferTerm("n@p"), frozenset({FailureClass.CONTEXT_LENGTH})),
    )


def test_errors_are_classes_and_reactions_with_counts():
    policy = load(
        "policies: {x: {errors: {rate_limited: rotate, server_error: retry 3}}}\n"
    ).policies[0]

    assert policy.errors == {
        FailureClass.RATE_LIMITED: (Reaction.ROTATE, None),
        FailureClass.SERVER_ERROR: (Reaction.RETRY, 3),
    }
    assert all(type(kind) is FailureClass for kind in policy.errors)


def test_patterns_come_with_the_most_fixed_characters_first():
    table = loads(
        'hyperroute: 1\nmodels: {"*": {kind: chat}, "open/*": {kind: chat}, "o*": {kind: chat}, '
        '"closed/*": {kind: chat}}\n'
    ).table

    assert table.patterns == ("closed/*", "open/*", "o*", "*")


def test_two_patterns_of_one_weight_may_stand_where_no_name_fits_both():
    table = loads('hyperroute: 1\nmodels: {"a/*": {kind: chat}, "b/*": {kind: chat}}\n').table

    assert len(table.patterns) == 2
