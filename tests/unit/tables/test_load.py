"""Folders: merged by section, whole or refused; what is included, replaced or given twice."""

import pytest

from hyperroute.errors import TableError
from hyperroute.tables import load as module
from hyperroute.tables.load import load, loads
from hyperroute.tables.vocabulary import PluginWords, ProviderWords

P = "hyperroute: 1\nproviders: {p: {plugin: simulated}}\n"


def problems(*args, **kwargs):
    with pytest.raises(TableError) as caught:
        load(*args, **kwargs)
    return [str(problem) for problem in caught.value.problems]


def test_a_folder_is_read_to_the_bottom_and_merged(folder):
    root = folder(
        a=P,
        deep__er__b="hyperroute: 1\nmodels: {m: {kind: chat, offers: [{at: p}]}}\n",
        other="hyperroute: 1\nmodels: {n: {kind: chat}}\n",
    )
    (root / "notes.txt").write_text("not a table")

    loaded = load(root)

    assert list(loaded.table.services) == ["m", "n"]
    assert len(loaded.sources) == 3


def test_one_file_and_several_paths_are_tables_too(folder):
    root = folder(a=P, b="hyperroute: 1\nmodels: {m: {kind: chat, offers: [{at: p}]}}\n")

    both = load([root / "a.yaml", root / "b.yaml", root])

    assert both.table == load(str(root)).table
    assert len(both.sources) == 2, "a file that is named twice is read once"


def test_a_definition_given_twice_names_both_places(folder):
    root = folder(a=P, b="hyperroute: 1\nproviders:\n  p: {plugin: openai}\n")

    assert problems(root) == [
        f"{root}/b.yaml:3:3: 'p' is defined twice; first at {root}/a.yaml:2:13"
    ]


def test_all_problems_of_all_files_come_in_one_report_in_reading_order(folder):
    root = folder(
        a="hyperroute: 1\nmodels: {m: {kind: chats}, n: {kind: chat, contxt: 1}}\n",
        b="hyperroute: 1\naliases: {x: nobody}\nmodles: {}\n",
        c=P,
    )

    assert [line.removeprefix(str(root)) for line in problems(root)] == [
        "/a.yaml:2:20: unknown word 'chats'; did you mean 'chat'?",
        "/a.yaml:2:44: unknown key 'contxt'; did you mean 'context'?",
        "/b.yaml:2:14: unknown name 'nobody'; one of: m, n, x",
        "/b.yaml:3:1: unknown section 'modles'; did you mean 'models'?",
    ]


def test_a_file_that_is_not_yaml_hides_no_other_files_mistakes(folder):
    root = folder(a="hyperroute: 1\nmodels: {\n", b="hyperroute: 2\n")

    assert len(problems(root)) == 2


def test_what_is_not_there_is_told_by_name(tmp_path):
    assert problems(tmp_path) == [f"{tmp_path}:0:0: no *.yaml file below this folder"]
    assert problems(tmp_path / "no.yaml") == [
        f"{tmp_path}/no.yaml:0:0: cannot be read: No such file or directory"
    ]


def test_unused_definitions_are_warnings_and_errors_only_when_strict():
    text = (
        P
        + "prices: {l: {in: 1}}\nshapes: {s: {n: 1}}\nchains: {c: none}\nfacts: {org.x: {type: text}}\n"
    )

    warnings = [str(problem) for problem in loads(text, "t").warnings]

    assert warnings == [
        "t:2:13: warning: unused-name: the provider 'p' is never used",
        "t:3:10: warning: unused-name: the price 'l' is never used",
        "t:4:10: warning: unused-name: the shape 's' is never used",
        "t:5:10: warning: unused-name: the chain 'c' is never used",
        "t:6:9: warning: unused-name: the fact 'org.x' is never used",
    ]
    with pytest.raises(TableError) as caught:
        loads(text, "t", strict=True)
    assert len(caught.value.problems) == 5


# --- include ------------------------------------------------------------------------------------
ACME = PluginWords(
    tables={
        "acme": {
            "t.yaml": "hyperroute: 1\n"
            "providers: {acme: {plugin: acme}}\n"
            "models: {a: {kind: chat, offers: [{at: acme}]}}\n"
            "aliases: {b: a}\n"
            "prices: {l: [{in: 1}]}\n"
            "tests: [{given: {model: a}, expect: {}}]\n"
        },
        "twin": {"t.yaml": "hyperroute: 1\nmodels: {a: {kind: chat}}\n"},
        "deep": {"t.yaml": "hyperroute: 1\ninclude: [plugin:acme]\n"},
    },
    providers={"acme": ProviderWords()},
)


def include(text):
    return loads("hyperroute: 1\ninclude: [plugin:acme]\n" + text, "t", plugins=ACME)


def included_problems(text, plugins=ACME):
    with pytest.raises(TableError) as caught:
        loads("hyperroute: 1\n" + text, "t", plugins=plugins)
    return [str(problem) for problem in caught.value.problems]


def test_an_included_table_is_there_without_its_tests_and_its_loose_ends():
    loaded = include("")

    assert "a@acme" in loaded.table.offers
    assert loaded.tests == ()
    assert loaded.warnings == ()
    assert loaded.sources == ("plugin:acme/t.yaml", "t")


def test_a_named_definition_is_replaced_whole_by_one_that_says_so():
    table = include(
        "models: {a: {kind: chat, replace: true, context: 8k}}\n"
        "aliases: {b: {to: a, replace: true, listed: true}}\n"
        "prices: {l: [{in: 2, replace: true}]}\n"
    ).table

    assert table.services["a"].model.offers == ()
    assert table.services["a"].model.context == 8000
    assert table.aliases["b"].listed


def test_a_clash_with_an_included_definition_names_both():
    assert included_problems("include: [plugin:acme]\nmodels: {a: {kind: chat}}\n") == [
        (
            "t:3:10: 'a' is included already, from plugin:acme/t.yaml:3:10; "
            "to replace it, say replace: true"
        )
    ]


def test_two_included_tables_that_clash_are_told_both():
    assert included_problems("include: [plugin:acme, plugin:twin]\n") == [
        "plugin:twin/t.yaml:2:10: 'a' is defined twice; first at plugin:acme/t.yaml:3:10"
    ]


def test_an_include_of_what_nobody_brings_is_told():
    assert included_problems("include: [plugin:acmee]\n") == [
        "t:2:11: no installed plugin 'acmee' brings a table; did you mean 'acme'?"
    ]
    assert included_problems("include: [plugin:acme]\n", plugins=None) == [
        "t:2:11: no installed plugin 'acme' brings a table"
    ]


def test_an_included_table_stands_alone():
    assert included_problems("include: [plugin:deep]\n") == [
        "plugin:deep/t.yaml:2:11: an included table includes no other"
    ]


def test_the_shipped_table_is_found_in_the_checkout():
    shipped = module.find_shipped()

    assert shipped is not None
    assert shipped.name == "routes"


# --- plugins ------------------------------------------------------------------------------------
WORDS = PluginWords(
    providers={
        "acme": ProviderWords(options={"zone": "text", "port": "count", "fast": "flag", "w": "any"})
    },
    does={"dance": ("video",), "hum": ()},
    parameters=frozenset({"sparkle"}),
    meters={"glow": "lumen"},
    rankings=frozenset({"greenness"}),
)


def test_plugins_add_words_of_every_kind():
    table = loads(
        "hyperroute: 1\n"
        "providers: {p: {plugin: acme, options: {zone: a, port: 8, fast: true, w: [1]}}}\n"
        "models: {m: {kind: video, does: [dance, hum], takes: {sparkle: 1..3}, "
        "offers: [{at: p, price: {per: 10 lumen, glow: 5}}]}}\n"
        "intents: {i: {kind: video, rank: [greenness]}}\n",
        plugins=WORDS,
    ).table

    assert table.offers["m@p"].does == {"dance", "hum"}
    assert table.offers["m@p"].price[0].rates["glow"] * 2 == table.scale


@pytest.mark.parametrize(
    ("provider", "said"),
    [
        ("{plugin: acmee}", "2:25: unknown plugin 'acmee'; did you mean 'acme'?"),
        ("{plugin: acme, options: {zon: a}}", "2:41: unknown option 'zon'; did you mean 'zone'?"),
        ("{plugin: acme, options: {port: many}}", "2:47: expected a whole number, found 'many'"),
        ("{plugin: acme, options: {port: true}}", "2:47: expected a whole number, found true"),
        ("{plugin: acme, options: {fast: 1}}", "2:47: expected true or false, found 1"),
    ],
)
def test_plugins_names_and_options_are_checked_when_they_are_known(provider, said):
    text = f"providers: {{p: {provider}}}\nmodels: {{m: {{kind: chat, offers: [{{at: p}}]}}}}\n"

    assert included_problems(text, plugins=WORDS) == [f"t:{said}"]


def test_plugins_names_are_not_checked_when_they_are_unknown():
    assert "p" in loads(P + "models: {m: {kind: chat, offers: [{at: p}]}}\n").table.providers
