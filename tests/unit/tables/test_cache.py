"""Compiled tables on disk: as we left them, or as if they were not there."""

import json
import os
import subprocess
import sys

import pytest

from hyperroute.errors import TableError
from hyperroute.tables import cache as module
from hyperroute.tables.cache import Cache
from hyperroute.tables.lazy import LazyServices
from hyperroute.tables.load import load
from hyperroute.tables.loaded import Files
from hyperroute.tables.vocabulary import PluginWords, ProviderWords

TEXT = """hyperroute: 1
providers: {p: {plugin: simulated}}
models:
  m: {kind: chat, does: [tools], offers: [{at: p, price: {per: 1M tok, in: 0.5}, adds: {"": [1, {"": 2}], a: [[1.5]]}}]}
  n: {kind: chat, instead: [m], offers: [{at: p, variant: x}]}
policies: {base: {errors: {rate_limited: rotate}, require: {region: org.region}}}
"""


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "kept"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text(TEXT, "utf-8")
    return path


def compiled(kept):
    return next(iter(kept.glob("*.table")))


def is_warm(loaded):
    return isinstance(loaded.table.services, LazyServices)


def test_a_table_comes_back_equal_in_every_part(table, kept):
    cold = load(table, cache=kept)
    warm = load(table, cache=kept)

    assert not is_warm(cold)
    assert is_warm(warm)
    assert warm == cold
    assert dict(warm.table.offers) == dict(cold.table.offers)
    assert warm.table.offers["m@p"] is warm.table.services["m"].model.offers[0]


def test_the_whole_language_comes_back_equal(whole, plugins, kept):
    cold = load(whole, plugins=plugins, cache=kept)
    warm = load(whole, plugins=plugins, cache=kept)

    assert is_warm(warm)
    assert warm == cold
    assert [type(kind) for kind in warm.table.policies[0].errors] == [
        type(kind) for kind in cold.table.policies[0].errors
    ]


def test_a_warm_load_needs_neither_yaml_nor_pydantic(table, kept):
    load(table, cache=kept)
    code = (
        "import sys, pathlib; from hyperroute.tables.load import load;"
        "loaded = load(sys.argv[1], cache=pathlib.Path(sys.argv[2]));"
        "assert loaded.table.offers['m@p'].price;"
        "sys.exit('yaml' in sys.modules or 'pydantic' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code, str(table), str(kept)], check=False)

    assert done.returncode == 0


def test_nothing_stale_is_found(table, kept):
    load(table, cache=kept)
    table.write_text(TEXT.replace("0.5", "0.6"), "utf-8")

    assert not is_warm(load(table, cache=kept))
    assert not is_warm(load(table, cache=kept, strict=True))
    words = PluginWords(providers={"simulated": ProviderWords()})
    assert not is_warm(load(table, cache=kept, plugins=words))


def test_every_tampered_byte_is_noticed(table, kept):
    cold = load(table, cache=kept)
    path = compiled(kept)
    good = path.read_bytes()
    for place in range(0, len(good), 97):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        again = load(table, cache=kept)
        assert not is_warm(again)
        assert again == cold
    path.write_bytes(good[: len(good) // 2])
    assert not is_warm(load(table, cache=kept))
    path.write_bytes(b"")
    assert not is_warm(load(table, cache=kept))


def test_a_table_under_another_tables_name_is_noticed(table, kept):
    load(table, cache=kept)
    first = compiled(kept)
    data = first.read_bytes()
    table.write_text(TEXT.replace("0.5", "0.6"), "utf-8")
    load(table, cache=kept)
    second = next(path for path in kept.glob("*.table") if path != first)
    second.write_bytes(data)

    assert not is_warm(load(table, cache=kept))


def test_without_the_key_of_its_folder_a_table_is_not_believed(table, kept):
    load(table, cache=kept)
    (kept / "key").write_bytes(b"k" * 32)

    assert not is_warm(load(table, cache=kept))


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_files_are_their_owners_alone_and_a_key_that_others_can_read_is_none(table, kept):
    load(table, cache=kept)

    assert {path.stat().st_mode & 0o777 for path in kept.iterdir()} == {0o600}
    assert kept.stat().st_mode & 0o777 == 0o700
    (kept / "key").chmod(0o644)
    assert not is_warm(load(table, cache=kept))


def test_a_folder_that_cannot_be_written_costs_nothing_else(table, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file, not a folder")

    assert load(table, cache=blocked).table == load(table).table


def test_a_broken_table_is_not_kept(table, kept):
    table.write_text("hyperroute: 2\n", "utf-8")
    with pytest.raises(TableError):
        load(table, cache=kept)

    assert not kept.exists()


def test_old_tables_are_removed(table, kept):
    for number in range(module.FILES_MAX + 3):
        table.write_text(TEXT.replace("0.5", f"0.{number + 1}"), "utf-8")
        load(table, cache=kept)

    assert len(list(kept.glob("*.table"))) == module.FILES_MAX
    assert list(kept.glob(".*")) == [], "nothing half-written is left"


def test_the_file_is_text_that_runs_nothing(table, kept):
    load(table, cache=kept)
    payload = compiled(kept).read_bytes()[32:]

    head, rest, index, models = payload.split(b"\n", 3)
    assert len(json.loads(head)) == 5
    assert json.loads(rest)["policies"]
    assert [name for name, _, _ in json.loads(index)] == ["m", "n"]
    assert models.startswith(b'{"":"Service"')


def test_services_are_decoded_when_somebody_asks(table, kept):
    load(table, cache=kept)
    services = load(table, cache=kept).table.services

    assert list(services) == ["m", "n"]
    assert "m" in services
    assert "x" not in services
    with pytest.raises(KeyError):
        services["x"]
    assert services["m"] is services["m"]


def test_other_words_are_another_table(table):
    keys = {
        Cache(table.parent).key(Files(own=own), words, strict=strict)
        for own in ((("a", b"bc"),), (("ab", b"c"),), (("a", b"b"), ("c", b"")))
        for words in (None, PluginWords(), PluginWords(meters={"x": "y"}))
        for strict in (True, False)
    }

    assert len(keys) == 18
