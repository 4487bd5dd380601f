"""What is refused before, and while, a body is read."""

from __future__ import annotations

import pytest

from hyperroute.gateway.intake import BODY_BYTES_MAX, unreadable


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "application/json",
        "Application/JSON; charset=UTF-8",
        "application/vnd.api+json",
        "application/x-www-form-urlencoded",
    ],
)
def test_json_is_read_however_it_is_announced(kind):
    headers = () if kind is None else (("content-type", kind),)
    assert unreadable(headers) is None


@pytest.mark.parametrize(
    ("name", "value", "status", "word"),
    [
        ("content-type", "text/plain", 415, "text/plain"),
        ("content-type", "multipart/form-data; boundary=x", 415, "multipart/form-data"),
        ("content-type", "application/json; charset=utf-16", 415, "utf-16"),
        ("content-encoding", "gzip", 415, "gzip"),
        ("content-encoding", "gzip, br", 415, "gzip, br"),
        ("content-length", str(BODY_BYTES_MAX + 1), 413, str(BODY_BYTES_MAX)),
        ("content-length", "-1", 400, "content-length"),
        ("content-length", "1e3", 400, "content-length"),
        ("content-length", "9" * 5_000, 400, "content-length"),
        ("content-length", "\u0661", 400, "content-length"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_headers(name, value, status, word):
    error = unreadable(((name, value),))
    assert error is not None
    assert error.status == status
    assert word in error.message


def test_a_body_at_the_limit_is_read():
    assert unreadable((("content-length", str(BODY_BYTES_MAX)),)) is None
