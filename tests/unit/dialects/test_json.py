"""Both JSON readers and writers, under the same rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperroute.dialects import json as ours

READERS = [ours.loads, ours.standard_loads]
WRITERS = [ours.dumps, ours.standard_dumps]

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("loads", READERS)
@pytest.mark.parametrize(
    "text",
    [b"", b"nope", b"NaN", b"Infinity", b"-Infinity", b'{"a":1', b'"\\ud800"', b'"\\udc00\\ud800"',
     b"\xff", b'"\x01"', b"[" * 5_000, b"{}x", b"\xef\xbb\xbf{}"],
)  # fmt: skip
def test_what_is_not_json_is_a_value_error(loads, text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the type is the contract
        loads(text)


@pytest.mark.parametrize("loads", READERS)
def test_the_last_of_duplicate_keys_wins(loads) -> None:
    assert loads(b'{"a":1,"a":2}') == {"a": 2}
    assert loads('"\\ud83d\\ude00"') == "😀"


@pytest.mark.parametrize("dumps", WRITERS)
def test_writing_is_compact_utf8(dumps) -> None:
    assert dumps({"ü": [1, "a\u2028b", None]}) == '{"ü":[1,"a\u2028b",null]}'.encode()
    assert dumps([float("nan"), float("inf"), {"a": float("-inf")}]) == b'[null,null,{"a":null}]'
    assert dumps({"n": 2**70}) == b'{"n":1180591620717411303424}'


@pytest.mark.parametrize("dumps", WRITERS)
@pytest.mark.parametrize("value", ["\ud800", b"x", object(), {"a": {1, "b"}}])
def test_what_json_cannot_hold_is_a_value_error(dumps, value: object) -> None:
    with pytest.raises((ValueError, TypeError)) as raised:
        dumps(value)
    assert isinstance(raised.value, ValueError)


@given(values)
def test_both_pairs_agree(value) -> None:
    assert ours.loads(ours.standard_dumps(value)) == ours.standard_loads(ours.dumps(value)) == value
