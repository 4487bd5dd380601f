"""One file that several processes of a host share."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hyperroute.canon.mutation import Charge, Pace, Put, RateKey, RowKey, Shelved
from hyperroute.errors import StoreError
from hyperroute.stores.file import FileStore


def opened(path: Path) -> FileStore:
    return FileStore(path, now=lambda: 0)


def ids(store: FileStore) -> list[str]:
    (rows,) = store.read([Shelved("key")])
    assert isinstance(rows, tuple)
    return [row.key.id for row in rows]


def put(name: str) -> Put:
    return Put(RowKey("key", name), f'{{"name": "{name}"}}', (("prefix", name),), expected=0)


def test_another_reader_sees_what_was_written_and_only_its_owner_may_read_the_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "keys.json"
    writer, reader = opened(path), opened(path)
    assert ids(reader) == []
    assert writer.commit([put("a")]).done
    assert ids(reader) == ["a"]
    assert reader.commit([put("b")]).done
    assert not writer.commit([put("b")]).done
    assert ids(writer) == ids(opened(path)) == ["a", "b"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(one.name for one in tmp_path.iterdir()) == ["keys.json", "keys.json.lock"]


def test_an_old_file_that_is_put_back_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    store = opened(path)
    store.commit([put("a")])
    kept = path.read_bytes()
    store.commit([put("b")])
    path.write_bytes(kept)
    assert ids(store) == ["a"]
    path.unlink()
    assert ids(store) == []


def test_counters_stay_when_the_records_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    store, charge = opened(path), Charge(RateKey("l", "req/s", ()), Pace(1, 1, 1), 1)
    assert store.commit([charge]).done
    assert not path.exists(), "counters are no records"
    opened(path).commit([put("a")])
    assert ids(store) == ["a"]
    assert not store.commit([charge]).done


def test_what_a_crashed_writer_left_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    opened(path).commit([put("a")])
    path.with_name("keys.json.draft").write_bytes(b'{"hyperroute_rec')
    store = opened(path)
    assert ids(store) == ["a"]
    assert store.commit([put("b")]).done
    assert ids(opened(path)) == ["a", "b"]


def test_a_commit_that_cannot_be_written_has_not_happened(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    store = opened(path)
    store.commit([put("a")])
    (tmp_path / "keys.json.draft").mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        store.commit([put("b")])
    assert ids(store) == ["a"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("[]", "does not say"),
        ('{"hyperroute_records": 2}', "does not say"),
        ('{"hyperroute_records": 1, "version": 1}', "is damaged"),
        ('{"hyperroute_records": 1, "version": 1, "key": [{"id": "a"}]}', "is damaged"),
        ('{"hyperroute_records": 1, "version": 1, "key": 7}', "is damaged"),
    ],
)
def test_a_file_that_is_none_of_ours_is_never_read_as_empty_nor_overwritten(
    tmp_path: Path, content: str, said: str
) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)
    store = opened(path)
    with pytest.raises(StoreError, match=said):
        ids(store)
    with pytest.raises(StoreError, match=said):
        store.commit([put("a")])
    assert path.read_text() == content


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        opened(tmp_path / "none" / "keys.json").commit([put("a")])
    with pytest.raises(StoreError, match="cannot be read"):
        ids(opened(tmp_path))


WRITER = """
import sys
from hyperroute.canon.mutation import Put, RowKey
from hyperroute.stores.file import FileStore
store = FileStore(sys.argv[1], now=lambda: 0)
for number in range(15):
    assert store.commit([Put(RowKey("key", sys.argv[2] + str(number)), "{}", expected=0)]).done
"""


def test_writers_of_several_processes_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in "abc"]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    assert len(ids(opened(path))) == 45
