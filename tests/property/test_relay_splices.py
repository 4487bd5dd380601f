"""Law 7 of the house: a splice changes what it names and no other byte."""

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hyperroute.dialects.relay import Edit, Path, Remove, Set, find, only_model, splice, tell_model

keys = st.sampled_from(["a", "b", "model", "ü", 'q"', "\\", "{", "n\n"])
leaves = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(['"]}', "\\"])
)
documents = st.dictionaries(
    keys,
    st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=20,
    ),
    max_size=5,
)


@st.composite
def written(draw: st.DrawFn, value: Any) -> bytes:
    """Any spelling of a value: white space anywhere, escapes or not."""
    space = st.sampled_from(["", "", " ", "\n\t", "\r\n"])

    def write(item: Any) -> str:
        before, after = draw(space), draw(space)
        if isinstance(item, dict):
            inner = ",".join(f"{write(key)}:{write(member)}" for key, member in item.items())
            body = "{" + (inner or draw(space)) + "}"
        elif isinstance(item, list):
            body = "[" + (",".join(map(write, item)) or draw(space)) + "]"
        else:
            body = json.dumps(item, ensure_ascii=draw(st.booleans()))
        return before + body + after

    return write(value).encode()


@st.composite
def edited(draw: st.DrawFn) -> tuple[Any, bytes, Edit, Any]:
    """A document, a spelling of it, an edit at a place that is there or new, and what it must give."""
    document = draw(documents)
    body = draw(written(document))
    expected = copy.deepcopy(document)
    node: Any = expected
    path: Path = ()
    while True:
        there = [*node, "new"] if isinstance(node, dict) else [*range(-len(node), len(node))]
        step = draw(st.sampled_from(there))
        path = (*path, step)
        inner = node.get(step) if isinstance(node, dict) else node[step]
        holds = isinstance(inner, dict) or (isinstance(inner, list) and bool(inner))
        if not holds or draw(st.booleans()):
            break
        node = inner
    if draw(st.booleans()):
        value = draw(documents | leaves)
        node[step] = value
        return document, body, Set(path, draw(written(value)).strip()), expected
    if isinstance(node, dict):
        node.pop(step, None)
    else:
        del node[step]
    return document, body, Remove(path), expected


@given(edited())
def test_an_edit_means_what_it_says(case) -> None:
    _, body, edit, expected = case
    assert json.loads(splice(body, [edit])) == expected
    assert list(json.loads(splice(body, [edit]))) == list(expected)


@given(edited())
def test_no_other_byte_changes(case) -> None:
    """What is before the place and what is behind it comes out as it went in."""
    _, body, edit, _ = case
    place = find(body, edit.path)
    after = splice(body, [edit])
    if place is None:
        if isinstance(edit, Remove):
            assert after == body
        return
    if isinstance(edit, Set):
        assert after == body[: place[0]] + edit.value + body[place[1] :]
    else:
        shared = next(
            (n for n, (x, y) in enumerate(zip(body, after, strict=False)) if x != y), len(after)
        )
        gone = len(body) - len(after)
        assert after == body[:shared] + body[shared + gone :]


@given(documents.flatmap(written), st.text(max_size=5))
def test_the_callers_name_changes_the_model_and_nothing_else(body, name) -> None:
    before = json.loads(body)
    after = json.loads(tell_model(body, name, ("model",)))
    assert after == (before | {"model": name} if "model" in before else before)


@given(st.binary(max_size=40), st.text(max_size=5))
def test_telling_the_model_is_total(body, name) -> None:
    assert isinstance(tell_model(body + b'"model"', name, ("model",), ("response", "model")), bytes)


@given(st.data())
def test_one_look_finds_the_only_model_where_a_scan_finds_it_or_says_nothing(
    data: st.DataObject,
) -> None:
    document = data.draw(documents) | data.draw(st.fixed_dictionaries({"model": leaves}))
    body = data.draw(written(document))
    assert only_model(body) in {None, find(body, ("model",))}


def test_one_look_finds_a_plain_model_and_not_a_second_or_a_nested_one() -> None:
    assert only_model(b'{"n":1, "model" : "a"}') == find(b'{"n":1, "model" : "a"}', ("model",))
    assert only_model(b'{"model":"a","model":"b"}') is None
    assert only_model(b'{"x":{"model":"a"}}') is None
    assert only_model(b'{"model":"a","mod\\u0065l":"b"}') is None
