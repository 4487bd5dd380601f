"""Headers at our door (reliability.md, 6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperroute.dialects.arrival import (
    HEADER_BYTES_MAX,
    HEADERS_MAX,
    HOP_BY_HOP,
    ONCE,
    OWN_PREFIX,
    READ,
    clean_headers,
)
from hyperroute.dialects.base import ClientError

CODEX = [
    ("Host", "localhost:8787"),
    ("Authorization", "Bearer ck_1"),
    ("Content-Type", "application/json"),
    ("Content-Length", "2"),
    ("Accept", "text/event-stream"),
    ("User-Agent", "codex/0.169 \u00fc"),
    ("X-Hyperroute-Labels", " a=b\t"),
    ("Cookie", "a=b"),
    ("X-Forwarded-For", "10.0.0.1"),
    ("Connection", "keep-alive, X-Odd"),
    ("X-Odd", "1"),
    ("anthropic-beta", "one"),
    ("anthropic-beta", "two"),
]


def clean(*headers: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    found = clean_headers(headers)
    assert not isinstance(found, ClientError), found
    return found


def refused(*headers: tuple[str, str]) -> ClientError:
    found = clean_headers(headers)
    assert isinstance(found, ClientError), found
    return found


def test_only_what_is_read_here_passes_in_its_order_and_trimmed() -> None:
    assert clean(*CODEX) == (
        ("host", "localhost:8787"),
        ("authorization", "Bearer ck_1"),
        ("content-type", "application/json"),
        ("content-length", "2"),
        ("accept", "text/event-stream"),
        ("user-agent", "codex/0.169 \u00fc"),
        ("x-hyperroute-labels", "a=b"),
        ("anthropic-beta", "one"),
        ("anthropic-beta", "two"),
    )
    assert clean() == ()


@pytest.mark.parametrize(
    ("headers", "param"),
    [
        ([("content-length", "5"), ("transfer-encoding", "chunked")], "transfer-encoding"),
        ([("Content-Length", "5"), ("content-length", "5")], "content-length"),
        ([("content-length", "5, 5")], "content-length"),
        ([("content-length", "+5")], "content-length"),
        ([("content-length", "0x5")], "content-length"),
        ([("content-length", "\u00b2")], "content-length"),
        ([("content-length", "")], "content-length"),
        ([("content-length", "9" * 19)], "content-length"),
        ([("transfer-encoding", "gzip, chunked")], "transfer-encoding"),
        ([("transfer-encoding", "chunked"), ("transfer-encoding", "identity")], "transfer-encoding"),
        ([("transfer-encoding", "xchunked")], "transfer-encoding"),
        ([("x-api-key", "a"), ("X-Api-Key", "b")], "x-api-key"),
        ([("authorization", "a"), ("authorization", "a")], "authorization"),
        ([("host", "a"), ("host", "b")], "host"),
        ([("accept", "a\r\n b")], "accept"),
        ([("accept", "a\nx-api-key: b")], "accept"),
        ([("accept", "a\0")], "accept"),
        ([("accept", "a\x7f")], "accept"),
        ([("accept", "\u20ac")], "accept"),
        ([("connection", "close, Authorization")], "authorization"),
        ([("connection", "content-length")], "content-length"),
        ([("content-length ", "5")], None),
        ([(" x", "5")], None),
        ([("x y", "5")], None),
        ([("x:y", "5")], None),
        ([("x\n", "5")], None),
        ([("", "5")], None),
        ([("accept", "x"), ("", "5")], None),
        ([("h\u00f6st", "5")], None),
    ],
)  # fmt: skip
def test_a_header_that_two_parsers_may_read_differently_is_refused(headers, param) -> None:
    error = refused(*headers)
    assert (error.status, error.param) == (400, param)


def test_headers_have_limits_of_number_and_size() -> None:
    assert len(clean(*[("accept", "x")] * HEADERS_MAX)) == HEADERS_MAX
    assert refused(*[("accept", "x")] * (HEADERS_MAX + 1)).status == 431
    assert clean(("accept", "x" * (HEADER_BYTES_MAX - 6)))
    assert refused(("accept", "x" * (HEADER_BYTES_MAX - 5))).status == 431


def test_an_error_never_quotes_a_value() -> None:
    assert "ck_" not in repr(refused(("authorization", "ck_1\n")))


ODD = st.text("aAx- \t\r\n\0:é€", max_size=4)
NAMES = st.sampled_from(sorted(READ | HOP_BY_HOP)) | ODD
VALUES = st.sampled_from(["5", "chunked", "close", "host", "x-api-key, te"]) | ODD


@given(st.lists(st.tuples(NAMES, VALUES), max_size=5))
def test_whatever_comes_what_passes_is_clean(headers) -> None:
    found = clean_headers(headers)
    if isinstance(found, ClientError):
        assert 400 <= found.status < 500
        return
    names = [name for name, _ in found]
    assert all(name in READ or name.startswith(OWN_PREFIX) for name in names)
    assert not set(names) & HOP_BY_HOP
    assert all(names.count(name) == 1 for name in set(names) & ONCE)
    assert not any(set(value) & set("\r\n\0") for _, value in found)
    assert clean_headers(found) == found
