"""Places in a text, counted as each vendor counts them."""

from hyperroute.dialects.citing import Said, as_grounding, is_neutral, neutral

TEXT = "Zürich: 12 °C. Sunny."
URL = "https://example.org/a"


def one(citation, text=TEXT, chars=0, octets=0):
    (found,) = neutral([citation], Said(text, "google", chars, octets))
    return found


def grounded(start, end, quote=None):
    segment = {"startIndex": start, "endIndex": end}
    if quote is not None:
        segment["text"] = quote
    support = {"segment": segment, "groundingChunkIndices": [0]}
    return {"groundingMetadata": {"groundingChunks": [{"web": {"uri": URL, "title": "A"}}], "groundingSupports": [support]}}  # fmt: skip


def span(citation):
    return citation["start_index"], citation["end_index"]


def test_bytes_become_characters():
    found = one(grounded(9, 15, "12 °C"))
    assert span(found) == (8, 13)
    assert found["text"] == "12 °C"
    assert span(one(grounded(9, 15))) == (8, 13)


def test_a_quote_is_believed_where_the_offsets_say_otherwise():
    assert span(one(grounded(0, 3, "Sunny."))) == (15, 21)
    assert span(one(grounded(900, 906, "Sunny."))) == (15, 21)
    assert span(one(grounded(900, 906, "Rain."))) == (21, 21)


def test_offsets_of_the_whole_text_are_those_of_the_part():
    assert span(one(grounded(4 + 9, 4 + 15, "12 °C"), chars=3, octets=4)) == (8, 13)
    nested = {"type": "url_citation", "url_citation": {"url": URL, "start_index": 11, "end_index": 16}}  # fmt: skip
    assert span(one(nested, chars=3)) == (8, 13)
    flat = {"type": "url_citation", "url": URL, "start_index": 8, "end_index": 13}
    assert span(one(flat, chars=3)) == (8, 13)


def test_what_only_quotes_stands_at_the_end():
    quoted = {"type": "web_search_result_location", "url": URL, "title": None, "cited_text": "so", "encrypted_index": "x"}  # fmt: skip
    found = one(quoted)
    assert span(found) == (21, 21)
    assert (found["title"], found["cited_text"]) == ("", "so")


def test_pages_that_nothing_rests_on_are_cited_at_the_end_and_others_not_twice():
    chunks = [{"web": {"uri": URL, "title": "A"}}, {"web": {"uri": URL + "b"}}, {"retrieved_context": {}}]  # fmt: skip
    metadata = {"grounding_chunks": chunks, "grounding_supports": [{"segment": {"end_index": 8}, "grounding_chunk_indices": [0, 7]}]}  # fmt: skip
    found = neutral([{"groundingMetadata": metadata}], Said(TEXT, "google"))
    assert [(one["url"], *span(one)) for one in found] == [(URL, 0, 7), (URL + "b", 21, 21)]


def test_recitations_are_pages_too():
    source = {"startIndex": 0, "endIndex": 7, "uri": URL}
    assert span(one({"citationMetadata": {"citationSources": [source, {"endIndex": 3}]}})) == (0, 6)


def test_a_citation_of_a_document_stays_as_it_is():
    page = {"type": "page_location", "cited_text": "so", "document_index": 0}
    assert one(page) is page
    assert not is_neutral(page)


def test_offsets_out_of_the_text_are_brought_into_it():
    flat = {"type": "url_citation", "url": URL, "start_index": -4, "end_index": 99}
    assert span(one(flat)) == (0, 21)
    assert span(one({**flat, "start_index": 50, "end_index": 3})) == (3, 3)


def test_grounding_counts_bytes_in_the_whole_text_and_names_a_page_once():
    flat = {"type": "url_citation", "url": URL, "start_index": 8, "end_index": 13}
    found = neutral([flat, flat], Said(TEXT, "openai", 3, 4))
    metadata = as_grounding(found)
    assert metadata is not None
    assert metadata["groundingChunks"] == [{"web": {"uri": URL, "title": ""}}]
    assert metadata["groundingSupports"][0]["segment"] == {
        "startIndex": 13,
        "endIndex": 19,
        "text": "12 °C",
    }
    assert len(metadata["groundingSupports"]) == 2
    assert as_grounding([]) is None
