"""Tags on other vendors' opaque state."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.content import Sealed
from hyperroute.dialects.sealing import belongs, opened, tagged


def test_a_vendor_s_own_seal_travels_bare():
    assert tagged(Sealed("signature", "x", "google"), own="google") == "x"
    assert tagged(Sealed("signature", "x"), own="google") == "x"


def test_another_vendor_s_seal_wears_its_name():
    assert tagged(Sealed("signature", "x", "google"), own="anthropic") == "hr1.google..x"
    assert tagged(Sealed("signature", "x", "google", "eu"), own="google") == "hr1.google.eu.x"


@given(
    kind=st.sampled_from(["signature", "encrypted", "redacted"]),
    payload=st.text(),
    vendor=st.text(min_size=1),
    group=st.text(),
)
def test_what_is_tagged_opens_to_the_same(kind, payload, vendor, group):
    sealed = Sealed(kind, payload, vendor, group)
    if kind == "signature" and payload.startswith(("redacted:", "encrypted:")):
        return
    assert opened(tagged(sealed, own=""), "signature") == sealed


@pytest.mark.parametrize("text", ["", "hr1.", "hr1.a.b", "hr2.a.b.c", "EqQB+/="])
def test_what_wears_no_whole_tag_is_untagged(text):
    assert opened(text, "redacted") == Sealed("redacted", text)


@pytest.mark.parametrize(
    ("sealed", "source", "vendor", "group", "goes"),
    [
        (Sealed("signature", "x", "google"), "openai.chat", "google", "eu", True),
        (Sealed("signature", "x", "google", "eu"), "openai.chat", "google", "eu", True),
        (Sealed("signature", "x", "google", "us"), "openai.chat", "google", "eu", False),
        (Sealed("signature", "x", "google"), "openai.chat", "anthropic", "", False),
        (Sealed("signature", "x"), "anthropic.messages", "anthropic", "", True),
        (Sealed("signature", "x"), "anthropic.messages", "google", "", False),
        (Sealed("signature", "x"), "a.stranger", "", "", False),
    ],
)
def test_a_seal_goes_back_only_to_who_made_it(sealed, source, vendor, group, goes):
    assert belongs(sealed, source=source, vendor=vendor, group=group) is goes
