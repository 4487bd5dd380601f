"""Which path asks for what, however a base URL was pasted."""

from __future__ import annotations

import pytest

from hyperroute.gateway.paths import CHAT, GEMINI, MESSAGES, RESPONSES, find, nearest, query_of


@pytest.mark.parametrize("prefix", ["/v1", "/api/v1", "/v1/v1", "", "/v1/", "//v1"])
@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("chat/completions", CHAT),
        ("responses", RESPONSES),
        ("messages", MESSAGES),
        ("messages/", MESSAGES),
        ("messages?beta=true", MESSAGES),
    ],
)
def test_every_prefix_leads_to_the_same_place(prefix, path, dialect):
    place = find(f"{prefix}/{path}")
    assert place is not None
    assert (place.verb, place.dialect, place.stream) == ("answer", dialect, None)


@pytest.mark.parametrize(
    "prefix", ["/v1beta", "/v1", "/api/v1", "/v1/gemini/v1beta", "/api/v1/gemini"]
)
def test_gemini_paths_name_model_and_streaming(prefix):
    whole = find(f"{prefix}/models/gemini-3-flash-preview:generateContent")
    assert whole is not None
    assert (whole.dialect, whole.model, whole.stream) == (GEMINI, "gemini-3-flash-preview", False)
    array = find(f"{prefix}/models/gemini-3-flash-preview:streamGenerateContent")
    assert array is not None
    assert (array.stream, array.array) == (True, True)
    events = find(f"{prefix}/models/gemini-3-flash-preview:streamGenerateContent?key=x&alt=sse")
    assert events is not None
    assert (events.stream, events.array) == (True, False)
    counted = find(f"{prefix}/models/gemini-3-flash-preview:countTokens")
    assert counted is not None
    assert counted.verb == "count"


def test_a_model_may_hold_slashes_colons_and_escapes():
    place = find("/v1/models/acme%2Fbig:latest:generateContent")
    assert place is not None
    assert place.model == "acme/big:latest"
    shown = find("/v1/models/acme/big:latest")
    assert shown is not None
    assert (shown.verb, shown.model) == ("model", "acme/big:latest")


def test_googles_prefix_lists_models_in_googles_shape():
    for url, dialect in (("/v1beta/models", GEMINI), ("/v1/models", CHAT)):
        place = find(url)
        assert place is not None
        assert (place.verb, place.dialect) == ("models", dialect)


@pytest.mark.parametrize("path", ["/", "", "/api/hello", "/v1"])
def test_probes_are_answered_where_clients_probe(path):
    place = find(path)
    assert place is not None
    assert place.verb == "probe"


@pytest.mark.parametrize(
    "path", ["/v1/chat/completion", "/v2/messages", "/v1/messages/batches", "/x"]
)
def test_other_paths_are_nobodys(path):
    assert find(path) is None


def test_a_wrong_path_is_told_the_nearest():
    assert nearest("/v1/chat/completion") == "/v1/chat/completions"
    assert nearest("/v1/qqqqqq") is None


def test_a_query_is_read_by_name():
    assert query_of("/v1/gemini?alt=sse&key=ck_1%2B2&key=other", "key") == "ck_1+2"
    assert query_of("/v1/gemini", "key") is None
