"""Media told by its own bytes (reliability.md, 6: base64 and images)."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.media import (
    IMAGE_BYTES_MAX,
    MEDIA_BYTES_MAX,
    SIDE_MAX,
    base64_bytes,
    fault,
    plain,
    size_of,
    sniffed,
)


def png(width: int = 2, height: int = 3) -> bytes:
    return (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + width.to_bytes(4) + height.to_bytes(4) + b"\x08\6\0\0\0"
    )


def gif(width: int = 2, height: int = 3) -> bytes:
    return b"GIF89a" + width.to_bytes(2, "little") + height.to_bytes(2, "little") + b"\xf7\0\0"


def jpeg(
    width: int = 2, height: int = 3, before: bytes = b"\xff\xe0\0\4ab\xff\xff\xdb\0\3x"
) -> bytes:
    size = height.to_bytes(2) + width.to_bytes(2)
    return b"\xff\xd8" + before + b"\xff\xc2\0\x11\x08" + size + b"\3" + bytes(9)


def webp(form: bytes, tail: bytes) -> bytes:
    return b"RIFF\0\0\0\0WEBP" + form + b"\0\0\0\0" + tail + bytes(8)


IMAGES = {
    "image/png": png(),
    "image/gif": gif(),
    "image/jpeg": jpeg(),
    "image/webp": webp(b"VP8X", bytes(4) + (1).to_bytes(3, "little") + (2).to_bytes(3, "little")),
}


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        *((data, mime) for mime, data in IMAGES.items()),
        (b"%PDF-1.7", "application/pdf"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"RIFF\0\0\0\0AVI ", None),
        (b"ID3\4", "audio/mpeg"),
        (b"\0\0\0\x18ftypmp42", "video/mp4"),
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (b"\0\0\0\x18ftypM4A ", "audio/mp4"),
        (b"\x1a\x45\xdf\xa3", "video/webm"),
        (b"<!doctype html>", None),
        (b'{"AccessKeyId":', None),
        (b"<svg xmlns=", None),
        (b" \x89PNG\r\n\x1a\n", None),
        (b"", None),
    ],
)
def test_the_first_bytes_tell_the_type(data: bytes, mime: str | None) -> None:
    assert sniffed(data) == mime


@pytest.mark.parametrize("mime", IMAGES)
def test_the_header_tells_the_size(mime: str) -> None:
    assert size_of(IMAGES[mime]) == (2, 3)


def test_the_other_two_kinds_of_webp_tell_it_too() -> None:
    lossless = webp(b"VP8L", b"\x2f" + (1 | 2 << 14).to_bytes(4, "little"))
    assert size_of(lossless) == (2, 3)
    lossy = webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a\2\0\3\0")
    assert size_of(lossy) == (2, 3)
    assert size_of(webp(b"ODD ", bytes(10))) is None


@pytest.mark.parametrize(
    "data",
    [b"", png()[:20], gif()[:9], jpeg()[:6], b"\xff\xd8\xff" + b"\xe0\0\2" * 5, jpeg(before=b"")[:6],
     b"\xff\xd8\xff\xda\0\2data", b"\xff\xd8" + b"\xff\xe0\0\2" * 5_000 + jpeg()[2:]],
)  # fmt: skip
def test_a_size_that_is_not_there_is_unknown(data: bytes) -> None:
    assert size_of(data) is None


@given(st.binary(max_size=60) | st.tuples(st.sampled_from(list(IMAGES.values())), st.integers(0, 40),
       st.binary(max_size=4)).map(lambda it: it[0][: it[1]] + it[2] + it[0][it[1] :]))  # fmt: skip
def test_any_bytes_are_looked_at_without_a_fault_of_ours(data: bytes) -> None:
    size = size_of(data)
    assert size is None or min(size) >= 0
    assert fault(data, kind="image", claim=None) is None or size is not None


@pytest.mark.parametrize(
    ("data", "claim", "told"),
    [
        (png(), "image/png", None),
        (png(), "IMAGE/X-PNG; a=b", None),
        (jpeg(), "image/jpg", None),
        (png(), None, None),
        (png(), "application/octet-stream", None),
        (b"what is this", "image/png", None),
        (png(), "binary/octet-stream", None),
        (b"\0\0\0\x18ftypisom", "audio/mp4", None),
        (b"\0\0\0\x18ftypmif1", "image/avif", None),
        (b"\x1a\x45\xdf\xa3", "audio/webm;codecs=opus", None),
        (b"\0\0\0\x18ftypisom", "image/heic", "is video/mp4"),
        (b"OggS", "video/webm", "is audio/ogg"),
        (png(), "image/jpeg", "is image/png, and not image/jpeg as it claims"),
        (b"%PDF-1.7", "image/png", "is application/pdf"),
        (png(SIDE_MAX, 6_000), "image/png", None),
        (png(SIDE_MAX + 1, 1), "image/png", "16385 by 1 pixels"),
        (png(16_000, 16_000), "image/png", "16000 by 16000"),
        (jpeg(65_535, 65_535), "image/jpeg", "65535 by 65535"),
        (b"0" * (IMAGE_BYTES_MAX + 1), "image/png", "bytes"),
    ],
)
def test_media_is_what_it_claims_and_not_too_much(data, claim, told) -> None:
    wrong = fault(data, kind="image", claim=claim)
    assert wrong is told if told is None else told in (wrong or "")


def test_a_document_may_be_larger_than_an_image() -> None:
    data = b"%PDF-" + bytes(IMAGE_BYTES_MAX)
    assert fault(data, kind="image", claim=None) is not None
    assert fault(data, kind="file", claim="application/pdf") is None
    assert fault(data + bytes(MEDIA_BYTES_MAX), kind="file", claim=None) is not None


@given(st.binary(max_size=20))
def test_base64_is_read_in_its_one_form(data: bytes) -> None:
    text = base64.b64encode(data).decode()
    assert base64_bytes(text) == data
    assert base64_bytes(text + "\n") is None
    assert base64_bytes(" " + text) is None
    assert not text.endswith("=") or base64_bytes(text.rstrip("=")) is None


@pytest.mark.parametrize(
    "text", ["a", "ab", "abc", "a===", "ab==cd==", "a-_=", "äbc=", "a b=", "===="]
)
def test_no_other_form_of_base64_is_read(text: str) -> None:
    assert base64_bytes(text) is None


def test_a_media_type_has_one_spelling() -> None:
    assert plain(" Image/JPG ; q=1") == "image/jpeg"
    assert plain(None) == ""
