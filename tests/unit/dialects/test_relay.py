"""Splices: what is edited, and that nothing else is."""

import json

import pytest

from hyperroute.dialects.relay import (
    Edit,
    Remove,
    Set,
    SpliceError,
    find,
    merge_top,
    splice,
    tell_model,
)

BODY = b' { "model" : "a\\"b" ,\n "x":[1, {"y": null,"z":"}"} ,"w"], "e":{} ,"l":[]}\n'


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (Set(("model",), b'"n"'), BODY.replace(b'"a\\"b"', b'"n"')),
        (Set(("new",), b"1"), BODY.replace(b'"l":[]}', b'"l":[],"new":1}')),
        (Set(("e", "k"), b"1"), BODY.replace(b'"e":{}', b'"e":{"k":1}')),
        (Set(("x", 0), b"7"), BODY.replace(b"[1,", b"[7,")),
        (Set(("x", -1), b"7"), BODY.replace(b'"w"', b"7")),
        (Set(("x", 1, "y"), b"7"), BODY.replace(b"null", b"7")),
        (Set(("x", -2, "new"), b"7"), BODY.replace(b'"}"}', b'"}","new":7}')),
        (Remove(("model",)), BODY.replace(b'"model" : "a\\"b" ,\n "x"', b'"x"')),
        (Remove(("l",)), BODY.replace(b' ,"l":[]', b"")),
        (Remove(("e",)), BODY.replace(b', "e":{}', b"")),
        (Remove(("x", 0)), BODY.replace(b'1, {"y"', b'{"y"')),
        (Remove(("x", 1, "z")), BODY.replace(b',"z":"}"', b"")),
        (Remove(("none",)), BODY),
        (Remove(("x", 9)), BODY),
        (Remove(("x", "y")), BODY),
    ],
)
def test_one_edit_leaves_every_other_byte(edit: Set | Remove, expected: bytes) -> None:
    json.loads(expected)
    assert splice(BODY, [edit]) == expected


def test_edits_of_one_object_meet() -> None:
    body = b'{"a":1, "b":{"c":2}, "d":4}'
    edits: list[Edit] = [
        Remove(("a",)),
        Set(("b", "c"), b"3"),
        Set(("b", "n"), b"5"),
        Remove(("d",)),
        Set(("z",), b"6"),
    ]
    assert splice(body, edits) == b'{"b":{"c":3,"n":5},"z":6}'
    assert splice(b'{"a":1}', [Remove(("a",)), Set(("a",), b"2")]) == b'{"a":2}'
    assert splice(b'{"a":1}', [Set(("a",), b"2"), Remove(("a",))]) == b"{}"
    assert splice(b"{ }", [Set(("a",), b"2"), Set(("b",), b"3")]) == b'{"a":2,"b":3 }'
    assert splice(b'{"a":1}', [Set(("n",), b"2"), Remove(("n",))]) == b'{"a":1}'
    assert splice(b'{"a":1}', []) == b'{"a":1}'


def test_a_key_that_occurs_twice_is_edited_twice() -> None:
    body = b'{"model":"a","x":1,"model":"b"}'
    assert splice(body, [Set(("model",), b"0")]) == b'{"model":0,"x":1,"model":0}'
    assert splice(body, [Remove(("model",))]) == b'{"x":1}'


def test_an_escaped_key_is_the_same_key() -> None:
    assert splice(b'{"m\\u006fdel":"a"}', [Set(("model",), b"0")]) == b'{"m\\u006fdel":0}'


def test_strings_hide_their_brackets() -> None:
    body = b'{"a":"}]{[\\"model\\":1","b":{"c":["}",{"d":"\\\\"}]},"model":"x"}'
    assert splice(body, [Set(("model",), b"0")]) == body.replace(b'"x"', b"0")


@pytest.mark.parametrize("depth", [1, 3, 4, 5, 9, 900])
def test_deep_nesting_is_stepped_over(depth: int) -> None:
    body = b'{"a":' + b'[{"k":' * depth + b'"]"' + b"}]" * depth + b',"model":1}'
    assert splice(body, [Set(("model",), b"0")]) == body.replace(b"1}", b"0}")


@pytest.mark.parametrize(
    ("body", "edit"),
    [
        (b"[1]", Set(("a",), b"1")),
        (b'{"a":1}', Set(("a", "b"), b"1")),
        (b'{"a":1}', Set(("b", "c"), b"1")),
        (b'{"a":[]}', Set(("a", 0), b"1")),
        (b'"a"', Set(("a",), b"1")),
        (b"", Set(("a",), b"1")),
        (b"{", Set(("a",), b"1")),
        (b'{"a"', Set(("a",), b"1")),
        (b'{"a":', Set(("a",), b"1")),
        (b'{"a":"', Set(("a",), b"1")),
        (b'{"a":[1', Set(("a",), b"1")),
        (b'{"a":1,', Set(("a",), b"1")),
        (b'{"a":1', Set(("a",), b"1")),
        (b"{a:1}", Set(("a",), b"1")),
    ],
)
def test_a_path_to_nowhere_is_an_error(body: bytes, edit: Set) -> None:
    with pytest.raises(SpliceError):
        splice(body, [edit])


def test_merging_sets_top_members() -> None:
    assert merge_top(b'{"a":1}', {"a": [2], "ü": "ß"}) == '{"a":[2],"ü":"ß"}'.encode()


def test_finding_gives_the_span_of_the_value() -> None:
    place = find(BODY, ("x", 1, "z"))
    assert place is not None
    assert BODY[slice(*place)] == b'"}"'
    assert find(BODY, ("x", 1, "q")) is None
    assert find(BODY, ("model", "q")) is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            b'{"id":"x","model":"up","n":{"model":"in"}}',
            b'{"id":"x","model":"me","n":{"model":"in"}}',
        ),
        (b'{"n":{"model":"in"}, "model" : "up"}', b'{"n":{"model":"in"}, "model" : "me"}'),
        (b'{"n":[{"model":"in"}],"model":"up"}', b'{"n":[{"model":"in"}],"model":"me"}'),
        (
            b'{"t":"\\"model\\":\\"up\\"","model":"up"}',
            b'{"t":"\\"model\\":\\"up\\"","model":"me"}',
        ),
        (
            b'{"response":{"id":"r","model":"up"},"k":1}',
            b'{"response":{"id":"r","model":"me"},"k":1}',
        ),
        (b'{"mod\\u0065l":"up"}', b'{"mod\\u0065l":"me"}'),
        (b'{"model":null}', b'{"model":"me"}'),
        (b'{"id":"x"}', b'{"id":"x"}'),
        (b'data: {"model":"up"}\r\n\r\n', b'data: {"model":"me"}\r\n\r\n'),
        (
            b'event: e\ndata: {"model":"up"}\n\n: model\ndata:{"model":"up"}\n\ndata: [DONE]\n\n',
            b'event: e\ndata: {"model":"me"}\n\n: model\ndata:{"model":"me"}\n\ndata: [DONE]\n\n',
        ),
        (b'data: {"model":\n\n', b'data: {"model":\n\n'),
        (b'{"model":"up"', b'{"model":"me"'),
        (b"<html>model</html>", b"<html>model</html>"),
        (b"", b""),
    ],
)
def test_the_callers_model_name_is_told(body: bytes, expected: bytes) -> None:
    assert tell_model(body, "me", ("model",), ("response", "model")) == expected
