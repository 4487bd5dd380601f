"""The pictures of the simulated provider are what their headers say, down to the last checksum."""

from __future__ import annotations

from struct import unpack
from zlib import crc32, decompress

from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.media import fault, size_of
from hyperroute_simulated.pictures import SIDE_MAX, png


def chunks(data: bytes) -> dict[bytes, bytes]:
    found, at = {}, 8
    while at < len(data):
        (size,) = unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        (checksum,) = unpack(">I", data[at + 8 + size : at + 12 + size])
        assert checksum == crc32(kind + body)
        found[kind] = body
        at += 12 + size
    return found


@given(st.binary(max_size=40), st.integers(1, 300), st.integers(1, 300))
def test_every_picture_is_whole_and_of_its_size(seed, width, height):
    data = png(seed, width, height)
    assert size_of(data) == (width, height)
    assert fault(data, kind="image", claim="image/png") is None
    parts = chunks(data)
    assert list(parts) == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    lines = decompress(parts[b"IDAT"])
    assert len(lines) == height * (1 + (width + 7) // 8)
    assert png(seed, width, height) == data


def test_a_picture_is_never_larger_than_it_may_be():
    assert size_of(png(b"", SIDE_MAX + 1, 0)) == (SIDE_MAX, 1)
