"""Tool names and ids that do not fit."""

import re

from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.request import Conversation, Request, Tool
from hyperroute.dialects.renaming import called, fitted, fitted_ids
from hyperroute.errors import ClientWireError

names = st.lists(st.text(st.characters(codec="utf-8"), max_size=80), max_size=6)


@given(names=names)
def test_every_name_fits_and_no_two_become_one(names):
    made = fitted(names)
    assert set(made) == set(names)
    assert len(set(made.values())) == len(made)
    assert all(re.fullmatch("[A-Za-z_][A-Za-z0-9_-]{0,63}", short) for short in made.values())


@given(ids=names)
def test_every_id_fits_and_no_two_become_one(ids):
    made = fitted_ids(ids)
    assert len(set(made.values())) == len(set(ids))
    assert all(re.fullmatch("[A-Za-z0-9_-]{1,64}", short) for short in made.values())


def test_what_fits_stays():
    assert fitted(["get_weather", "a-b"]) == {"get_weather": "get_weather", "a-b": "a-b"}
    assert fitted_ids(["call_1", "1"]) == {"call_1": "call_1", "1": "1"}


def request_of(decode) -> Request:
    return Request(dialect="openai.chat", endpoint="chat", raw={}, decode=decode)


@given(names=names)
def test_the_caller_hears_the_names_it_knows(names):
    tools = tuple(Tool(name=name) for name in names)
    request = request_of(lambda _: Conversation(tools=tools))
    for name, short in fitted(names).items():
        assert called(request, short) == name


def test_a_name_that_only_looks_replaced_stays():
    def broken(_):
        raise ClientWireError("no")

    assert called(request_of(broken), "f_0123456789ab") == "f_0123456789ab"
    assert called(request_of(lambda _: Conversation()), "f_0123456789ab") == "f_0123456789ab"
