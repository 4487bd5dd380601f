import asyncio
import gzip
import socket
import ssl
import zlib
from collections.abc import Iterator
from typing import Any

import aiohttp
import httpx
import pyreqwest.exceptions
import pytest
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.http_exceptions import HttpProcessingError

from hyperroute.canon.wire import HttpHead, HttpRequest
from hyperroute.runtime import http_aiohttp, http_httpx, http_pyreqwest
from hyperroute.runtime.clock import AsyncSystemClock, SystemClock
from hyperroute.runtime.http_body import (
    DECODED_RATIO_MAX,
    PIECE_BYTES,
    RATIO_FREE_BYTES,
    WHOLE_BYTES_MAX,
    Body,
    Decoder,
    decoder_for,
    outgoing_headers,
    streams,
)
from hyperroute.runtime.ports import TransportError

JSON = ("content-type", "application/json")


def descendants(kind: type) -> Iterator[type]:
    children: list[type] = kind.__subclasses__()
    for child in children:
        yield child
        yield from descendants(child)


def chained(error: Exception, *causes: BaseException) -> Exception:
    link: BaseException = error
    for cause in causes:
        link.__cause__ = cause
        link = cause
    return error


@pytest.mark.parametrize("kind", [*descendants(httpx.TransportError)])
def test_every_transport_error_of_httpx_has_a_row(kind):
    assert kind.__name__ in http_httpx.FAULTS
    for headed in (False, True):
        assert http_httpx.fault_of(kind("?"), headed=headed) is not None


@pytest.mark.parametrize("kind", [*descendants(pyreqwest.exceptions.RequestError)])
def test_every_request_error_of_pyreqwest_has_a_row(kind):
    if kind in {pyreqwest.exceptions.StatusError, pyreqwest.exceptions.JSONDecodeError}:
        return  # features that we do not use; their parents have rows
    assert kind.__name__ in http_pyreqwest.FAULTS
    error = kind("?", {"causes": None})
    for headed in (False, True):
        assert http_pyreqwest.fault_of(error, headed=headed)


@pytest.mark.parametrize("kind", [*descendants(aiohttp.ClientError)])
def test_every_client_error_of_aiohttp_has_a_row(kind):
    row = next((parent for parent in kind.__mro__ if parent in http_aiohttp.FAULTS), None)
    assert row is not None
    for headed in (False, True):
        assert http_aiohttp.fault_of(kind.__new__(kind), headed=headed) is not None


def connector_error(kind: type[aiohttp.ClientConnectorError], cause: OSError) -> Exception:
    key: Any = ConnectionKey("h", 443, is_ssl=True, ssl=True, proxy=None, proxy_auth=None,
                             proxy_headers_hash=None)  # fmt: skip
    return kind(key, cause)


CONNECTOR = aiohttp.ClientConnectorError


@pytest.mark.parametrize(
    ("error", "headed", "fault"),
    [
        (connector_error(aiohttp.ClientConnectorDNSError, OSError(-2, "?")), False, "dns"),
        (connector_error(aiohttp.ClientConnectorSSLError, ssl.SSLError(1, "?")), False, "tls"),
        (connector_error(CONNECTOR, socket.gaierror(-2, "?")), False, "dns"),
        (connector_error(CONNECTOR, ConnectionRefusedError(111, "?")), False, "connect"),
        (connector_error(CONNECTOR, ConnectionResetError(104, "?")), False, "tls"),
        (connector_error(CONNECTOR, TimeoutError(110, "?")), False, "connect_timeout"),
        (connector_error(aiohttp.ClientProxyConnectionError, OSError(111, "?")), False, "connect"),
        (aiohttp.ConnectionTimeoutError("?"), False, "connect_timeout"),
        (aiohttp.SocketTimeoutError("?"), False, "first_byte"),
        (aiohttp.SocketTimeoutError("?"), True, "idle"),
        (aiohttp.ServerDisconnectedError(), False, "reset"),
        (aiohttp.ClientOSError(104, "?"), False, "reset"),
        (chained(aiohttp.ClientPayloadError("not completed: ValueError(1)"), ValueError(1)),
         True, "cut"),
        (chained(aiohttp.ClientPayloadError("not completed: ValueError(1). OSError(104)"),
                 ValueError(1)), True, "reset"),
        (HttpProcessingError(code=400, message="?"), False, "protocol"),
        (ValueError("ours"), False, None),
    ],
)  # fmt: skip
def test_faults_of_aiohttp(error, headed, fault):
    assert http_aiohttp.fault_of(error, headed=headed) == fault


def test_what_is_no_fault_of_the_transport_passes():
    assert http_httpx.fault_of(ValueError("ours"), headed=False) is None


@pytest.mark.parametrize(
    ("error", "headed", "fault"),
    [
        (chained(httpx.ConnectError("?"), OSError(), socket.gaierror(-2, "?")), False, "dns"),
        (chained(httpx.ConnectError("?"), ssl.SSLCertVerificationError("?")), False, "tls"),
        (chained(httpx.ConnectError("?"), ConnectionRefusedError()), False, "connect"),
        (httpx.ConnectTimeout("?"), False, "connect_timeout"),
        (httpx.PoolTimeout("?"), False, "pool"),
        (httpx.ReadTimeout("?"), False, "first_byte"),
        (httpx.ReadTimeout("?"), True, "idle"),
        (httpx.ReadError("?"), False, "reset"),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), False, "reset"),
        (httpx.RemoteProtocolError("illegal status line"), False, "protocol"),
        (httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
         True, "cut"),
        (httpx.RemoteProtocolError("illegal chunk header"), True, "protocol"),
        (httpx.RemoteProtocolError("<StreamReset stream_id:1, error_code:REFUSED_STREAM>"),
         False, "goaway"),
        (httpx.RemoteProtocolError("<ConnectionTerminated error_code:0>"), False, "reset"),
    ],
)  # fmt: skip
def test_faults_of_httpx(error, headed, fault):
    assert http_httpx.fault_of(error, headed=headed) == fault


def test_exceptions_of_another_library_with_the_same_names_are_understood():
    names = type("ConnectTimeout", (type("TransportError", (Exception,), {}),), {})
    assert http_httpx.fault_of(names("?"), headed=False) == "connect_timeout"


@pytest.mark.parametrize(
    ("causes", "headed", "fault"),
    [
        (("client error (Connect)", "dns error", "failed to lookup address"), False, "dns"),
        (("client error (Connect)", "tcp connect error", "Connection refused"), False, "connect"),
        (("client error (Connect)", "operation timed out"), False, "connect_timeout"),
        (("client error (Connect)", "invalid peer certificate: Expired"), False, "tls"),
        (("client error (Connect)", "tunnel error: unsuccessful"), False, "connect"),
        (("client error (SendRequest)", "connection closed before message completed"), False,
         "reset"),
        (("client error (SendRequest)", "operation was canceled"), False, "unsent"),
        (("http2 error", "stream error received: refused stream before processing"), False,
         "goaway"),
        (("error sending request", "something new"), False, "reset"),
    ],
)  # fmt: skip
def test_faults_of_pyreqwest_are_read_from_their_causes(causes, headed, fault):
    details: Any = {"causes": [{"message": cause} for cause in causes]}
    error = pyreqwest.exceptions.ConnectError("connection error", details)
    assert http_pyreqwest.fault_of(error, headed=headed) == fault


def test_a_hang_up_after_sending_is_never_called_unsent():
    # pyreqwest calls it a ConnectError; resending a video job for it would be charged twice.
    error = pyreqwest.exceptions.ConnectError("connection error", {"causes": None})
    assert http_pyreqwest.fault_of(error, headed=False) == "reset"


def test_headers_of_ours_are_added_only_where_the_request_has_none():
    request = HttpRequest(method="GET", url="/", headers=(("Accept-Encoding", "gzip"),))
    assert outgoing_headers(request) == [("Accept-Encoding", "gzip"), ("user-agent", "hyperroute")]


def inflate(data: bytes, step: int = 10**9) -> bytes:
    decoder = Decoder()
    out = b""
    for at in range(0, len(data), step):
        for piece in decoder.feed(data[at : at + step]):
            assert len(piece) <= PIECE_BYTES
            out += piece
    decoder.close()
    return out


@pytest.mark.parametrize("step", [1, 7, 10**9])
@pytest.mark.parametrize("packed", [gzip.compress(b"hello", mtime=0), zlib.compress(b"hello"),
                                    gzip.compress(b"hel", mtime=0) + gzip.compress(b"lo", mtime=0)])  # fmt: skip
def test_bodies_are_opened_wherever_they_are_cut(packed, step):
    assert inflate(packed, step) == b"hello"


def test_deflate_without_its_header_is_opened():
    squeeze = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    assert inflate(squeeze.compress(b"hello" * 99) + squeeze.flush()) == b"hello" * 99


def test_a_small_body_may_shrink_as_well_as_it_likes():
    assert len(inflate(gzip.compress(b" " * RATIO_FREE_BYTES, mtime=0))) == RATIO_FREE_BYTES


def test_a_bomb_gives_no_more_than_its_ratio_allows():
    bomb = gzip.compress(b" " * (32 * 1024 * 1024))
    got = 0

    def unpack():
        nonlocal got
        for piece in Decoder().feed(bomb):
            got += len(piece)

    with pytest.raises(TransportError, match="encoding"):
        unpack()
    assert 0 < got <= max(RATIO_FREE_BYTES, DECODED_RATIO_MAX * len(bomb))


@pytest.mark.parametrize("data", [b"plain", gzip.compress(b"hello", mtime=0)[:-3]])
def test_rubbish_and_halves_are_refused(data):
    with pytest.raises(TransportError, match="encoding"):
        inflate(data)


def test_codings():
    assert decoder_for(HttpHead(200)) is None
    assert decoder_for(HttpHead(200, (("content-encoding", "Identity"),))) is None
    assert decoder_for(HttpHead(200, (("content-encoding", "GZIP"),))) is not None
    with pytest.raises(TransportError, match="encoding"):
        decoder_for(HttpHead(200, (("content-encoding", "gzip, br"),)))


def test_a_stream_is_handed_over_as_it_comes_and_a_whole_answer_at_once():
    whole = HttpHead(200, (JSON, ("content-length", "4")))
    assert not streams(whole)
    assert streams(HttpHead(200, (JSON, ("transfer-encoding", "chunked"))))
    assert streams(HttpHead(200, (("content-type", "text/event-stream"),)))
    body = Body(whole)
    body.feed(b"ab")
    assert not body.ready()
    body.feed(b"cd")
    body.end()
    assert (body.ready(), body.take(), body.take()) == (True, b"abcd", b"")
    body = Body(HttpHead(200))
    body.feed(b"ab")
    assert (body.ready(), body.take(), body.ready()) == (True, b"ab", False)


def test_a_large_answer_is_handed_over_in_parts():
    body = Body(HttpHead(200, (JSON, ("content-length", str(9 * WHOLE_BYTES_MAX)))))
    body.feed(b"x" * WHOLE_BYTES_MAX)
    assert body.ready()
    assert len(body.take()) == WHOLE_BYTES_MAX


def test_clocks_agree_and_do_not_wait_for_the_past():
    clock, twin = SystemClock(), AsyncSystemClock()
    began = clock.now()
    clock.sleep(-5)
    clock.sleep(1_000_000)
    asyncio.run(twin.sleep(-5))
    assert began + 1_000_000 <= clock.now() <= twin.now()
    assert abs(clock.unix_ns() - twin.unix_ns()) < 10**9
