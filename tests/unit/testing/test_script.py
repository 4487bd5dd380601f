from dataclasses import replace

import pytest

from hyperroute.canon.wire import HttpHead, HttpRequest
from hyperroute.testing.script import Book, Script

A, B, C = Script(status=201), Script(status=202), Script(status=203)


def ask(book, url):
    return book.choose(HttpRequest(method="POST", url=url)).status


def test_the_longest_prefix_decides():
    book = Book()
    book.serve("https://a/", A)
    book.serve("https://a/v1/chat", B)
    assert ask(book, "https://a/v1/chat/completions") == 202
    assert ask(book, "https://a/v1/messages") == 201


def test_a_sequence_is_played_in_order_and_its_last_script_for_ever():
    book = Book()
    book.serve("/", [A, B])
    assert [ask(book, "/x") for _ in range(4)] == [201, 202, 202, 202]
    book.serve("/", [C])
    assert ask(book, "/x") == 203


def test_a_function_sees_the_request():
    book = Book()
    book.serve("/", lambda request: A if b"one" in request.body else B)
    request = HttpRequest(method="POST", url="/x", body=b"one")
    assert book.choose(request) is A
    assert book.choose(replace(request, body=b"two")) is B


def test_an_address_that_nobody_serves_is_an_error_of_the_test():
    with pytest.raises(LookupError, match="https://b/"):
        ask(Book(), "https://b/")
    with pytest.raises(ValueError, match="nothing to play"):
        Book().serve("/", [])


@pytest.mark.parametrize("size", [0, 1, 4, 5, 9, 20])
def test_cutting_keeps_the_first_bytes_and_their_chunks(size):
    script = Script(chunks=(b"abcd", b"e", b"fghi"), length=9)
    cut = script.cut_at(size)
    assert cut.body == script.body[:size]
    assert cut.end == "cut"
    assert cut.length == 9
    assert all(a.startswith(b) for a, b in zip(script.chunks, cut.chunks, strict=False))


def test_splitting_changes_the_chunks_and_not_the_body():
    script = Script(chunks=(b"abcd", b"e"), waits_ns=(5,), chunk_after_ns=7)
    split = script.split(2)
    assert split.chunks == (b"ab", b"cd", b"e")
    assert (split.wait_ns(0), script.wait_ns(0), script.wait_ns(1)) == (7, 5, 7)


def test_the_head_tells_the_framing():
    assert Script(length=3).head().header("content-length") == "3"
    assert Script().head().header("transfer-encoding") == "chunked"
    assert Script(status=204).head() == HttpHead(204)
