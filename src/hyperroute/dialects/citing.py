"""Citations of web pages, from one vendor's words into another's (dialects.md, 3.11).

Chat and Responses count characters, of the whole message and of the part; Gemini counts UTF-8 bytes
of the part; Anthropic counts nothing and quotes. So on the way through a translation every citation
of a web address becomes one neutral form, ``Cited`` as a mapping, whose offsets are characters of
the text part it belongs to. One without a place is zero-width, at the end of its part. Citations of
documents stay as they came: only their own vendor can say them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hyperroute.canon.content import Json

KIND: Final = "url_citation"
"""The ``type`` of the neutral form, which is that of Responses and reads as one there."""

WEB: Final = "web_search_result_location"


@dataclass(frozen=True, slots=True)
class Said:
    """The text that is cited in: a part, how much of the choice's text stands before it, and whose."""

    text: str
    vendor: str
    chars: int = 0
    octets: int = 0


def neutral(citations: Iterable[Json], said: Said) -> tuple[Json, ...]:
    """Read a part's citations, the vendor's own objects, of any vendor."""
    return tuple(found for one in citations for found in _read(one, said))


def _read(citation: Json, said: Said) -> Iterator[Json]:
    for name, read in (
        ("groundingMetadata", _grounding),
        ("citationMetadata", _recited),
    ):
        if isinstance(inner := citation.get(name), Mapping):
            yield from read(inner, said)
            return
    nested = citation.get(KIND)
    found: Json = nested if isinstance(nested, Mapping) else citation
    url = found.get("url")
    kind = citation.get("type")
    if isinstance(url, str) and kind in (KIND, WEB, None):
        shift = said.chars if nested is not None else 0
        quoted = found.get("cited_text")
        yield _cited(
            url,
            found.get("title"),
            said,
            (_less(found.get("start_index"), shift), _less(found.get("end_index"), shift)),
            quote=quoted if isinstance(quoted, str) else None,
        )
    else:
        yield citation


def _less(offset: object, shift: int) -> int | None:
    return offset - shift if isinstance(offset, int) and not isinstance(offset, bool) else None


def _cited(
    url: str,
    title: object,
    said: Said,
    span: tuple[int | None, int | None],
    *,
    quote: str | None = None,
) -> Json:
    text = said.text
    start, end = span
    end = len(text) if end is None else min(max(end, 0), len(text))
    start = end if start is None else min(max(start, 0), end)
    told: dict[str, Any] = {
        "type": KIND,
        "url": url,
        "title": title if isinstance(title, str) else "",
        "start_index": start,
        "end_index": end,
        "start_byte": said.octets + octets(text[:start]),
        "end_byte": said.octets + octets(text[:end]),
        "text": text[start:end],
        "vendor": said.vendor,
    }
    return told if quote is None else told | {"cited_text": quote}


def _grounding(metadata: Json, said: Said) -> Iterator[Json]:
    """Read Google's list of pages, and which stretch of the text rests on which of them."""
    pages: list[tuple[str, object]] = []
    for chunk in _objects(_pick(metadata, "groundingChunks")):
        page = chunk.get("web")
        url = _pick(page, "uri") if isinstance(page, Mapping) else None
        title = page.get("title") if isinstance(page, Mapping) else None
        pages.append((url if isinstance(url, str) else "", title))
    unused = set(range(len(pages)))
    for support in _objects(_pick(metadata, "groundingSupports")):
        segment = support.get("segment")
        span = _span(segment if isinstance(segment, Mapping) else {}, said)
        numbers = _pick(support, "groundingChunkIndices")
        for number in numbers if isinstance(numbers, list) else ():
            if isinstance(number, int) and 0 <= number < len(pages) and pages[number][0]:
                unused.discard(number)
                yield _cited(pages[number][0], pages[number][1], said, span)
    for number in sorted(unused):
        if pages[number][0]:
            yield _cited(pages[number][0], pages[number][1], said, (None, None))


def _recited(metadata: Json, said: Said) -> Iterator[Json]:
    listed = _pick(metadata, "citations") or _pick(metadata, "citationSources")
    for source in _objects(listed):
        if isinstance(url := source.get("uri"), str) and url:
            yield _cited(url, source.get("title"), said, _span(source, said))


def _span(segment: Json, said: Said) -> tuple[int | None, int | None]:
    """Turn bytes into characters; where the quote says otherwise, the quote is believed.

    Google counts within a part, and its readers within the whole text; parts that a stream tells in
    pieces are one part to us. So both are tried.
    """
    quote = segment.get("text")
    whole = said.text.encode("utf-8", "surrogatepass")
    start, end = _pick(segment, "startIndex"), _pick(segment, "endIndex")
    first = start if isinstance(start, int) and not isinstance(start, bool) else 0
    for shift in dict.fromkeys((said.octets, 0)):
        if not isinstance(end, int) or not 0 <= first - shift <= end - shift <= len(whole):
            continue
        told = whole[first - shift : end - shift].decode("utf-8", "ignore")
        if not isinstance(quote, str) or quote == told:
            begins = len(whole[: first - shift].decode("utf-8", "ignore"))
            return begins, begins + len(told)
    if isinstance(quote, str) and quote and (place := said.text.find(quote)) >= 0:
        return place, place + len(quote)
    return None, None


def octets(text: str) -> int:
    """Count the UTF-8 bytes of a text."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def as_grounding(citations: Iterable[Json]) -> dict[str, Any] | None:
    """Write neutral citations as ``groundingMetadata``, counted in the choice's whole text."""
    pages: dict[str, int] = {}
    chunks: list[dict[str, Any]] = []
    supports: list[dict[str, Any]] = []
    for citation in citations:
        page = f"{citation['url']} {citation['title']}"
        if page not in pages:
            pages[page] = len(chunks)
            chunks.append({"web": {"uri": citation["url"], "title": citation["title"]}})
        segment = {
            "startIndex": citation["start_byte"],
            "endIndex": citation["end_byte"],
            "text": citation["text"],
        }
        supports.append({"segment": segment, "groundingChunkIndices": [pages[page]]})
    return {"groundingChunks": chunks, "groundingSupports": supports} if chunks else None


def is_neutral(citation: object) -> bool:
    """Say whether a citation is one that ``neutral`` made."""
    return isinstance(citation, Mapping) and "start_byte" in citation


def _objects(value: object) -> Iterator[Json]:
    for item in value if isinstance(value, list | tuple) else ():
        yield item if isinstance(item, Mapping) else {}


def _pick(obj: Json, name: str) -> Any:
    """Read a member in camelCase or snake_case."""
    value = obj.get(name)
    if value is not None:
        return value
    return obj.get("".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name))
