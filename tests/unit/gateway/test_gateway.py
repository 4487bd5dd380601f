"""The function from request to response, both colours, in a World."""

from __future__ import annotations

import json

import pytest
from tests.unit.gateway.asking import ASKED, CHAT, CLAUDE, GOOGLE, streaming

from hyperroute.testing.replies import refusal, streamed, whole
from hyperroute.testing.script import SECOND, Script


@pytest.mark.parametrize("dialect", ASKED)
def test_a_whole_answer_is_the_providers_own_bytes(door, dialect):
    path, body, url = ASKED[dialect]
    script = whole(dialect)
    door.world.serve(url, script)
    answer = door.post(path, body)
    assert answer.status == 200
    assert answer.json == json.loads(script.body)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"] == answer.headers["request-id"]
    assert answer.headers["x-hyperroute-attempts"] == "1"
    assert answer.headers["cache-control"] == "no-store"


def test_the_names_of_requests_are_in_the_order_of_their_arrival(door):
    door.world.serve("https://one.test", whole("openai.chat"))
    names = []
    for _ in range(3):
        names.append(door.post("/v1/chat/completions", CHAT).headers["x-request-id"])
        door.world.sleep(1_000)
    assert names == sorted(set(names))
    assert all(name.startswith("req_") and len(name) == len(names[0]) for name in names)


@pytest.mark.parametrize("dialect", ASKED)
def test_a_streamed_answer_ends_as_its_dialect_ends(door, dialect):
    path, body = streaming(dialect)
    door.world.serve(ASKED[dialect][2], streamed(dialect))
    answer = door.post(path, body)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"
    last = {
        "openai.chat": b"data: [DONE]\n\n",
        "openai.responses": b"response.completed",
        "anthropic.messages": b"event: message_stop",
        "gemini.generate": b'"finishReason":"STOP"',
    }[dialect]
    assert last in answer.body
    assert [visit.ended for visit in door.visits] == ["streamed"]


@pytest.mark.parametrize("dialect", ASKED)
def test_an_error_before_the_stream_keeps_its_status(door, dialect):
    path, body = streaming(dialect)
    for host in (
        "https://one.test",
        "https://two.test",
        "https://claude.test",
        "https://google.test",
    ):
        door.world.serve(host, Script(status=401, chunks=(b'{"error":{"message":"sk-canary"}}',)))
    answer = door.post(path, body)
    assert answer.status == (500 if dialect == "gemini.generate" else 502)
    assert answer.headers["content-type"] == "application/json"
    assert "canary" not in answer.body.decode()
    assert answer.headers["x-should-retry"] == "false"
    assert door.visits[0].record is not None
    assert door.visits[0].record.outcome == "exhausted"


def test_overload_is_529_on_messages_and_503_elsewhere(door):
    busy = refusal("openai.chat", 503, kind="overloaded", message="busy")
    door.world.serve("https://one.test", busy)
    door.world.serve("https://two.test", busy)
    assert door.post("/v1/chat/completions", CHAT).status == 503
    told = door.post("/v1/messages", {**CLAUDE, "model": "gpt"})
    assert told.status == 529
    assert told.json["error"]["type"] == "overloaded_error"


def test_a_gemini_stream_without_sse_is_one_array(door):
    door.world.serve("https://google.test", streamed("gemini.generate"))
    answer = door.post("/v1beta/models/flash:streamGenerateContent", GOOGLE)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json[-1]["candidates"][0]["finishReason"] == "STOP"


def test_a_broken_array_stays_an_array(door):
    script = streamed("gemini.generate")
    cut = Script(headers=script.headers, chunks=script.chunks[:1], end="cut")
    door.world.serve("https://google.test", cut)
    answer = door.post("/v1beta/models/flash:streamGenerateContent", GOOGLE)
    assert answer.status == 200
    assert "error" in answer.json[-1]
    assert [visit.ended for visit in door.visits] == ["broken"]


def test_the_bare_gemini_path_takes_both_bodies(door):
    door.world.serve("https://google.test", whole("gemini.generate"))
    native = door.post("/v1/gemini", {"model": "flash", **GOOGLE})
    assert "candidates" in native.json
    chat = door.post("/v1/gemini", {**CHAT, "model": "flash"})
    assert chat.json["object"] == "chat.completion"
    neither = door.post("/v1/gemini", {"model": "flash"})
    assert neither.status == 400
    assert "neither contents nor messages" in neither.json["error"]["message"]


def test_an_unknown_model_is_told_what_there_is(door):
    answer = door.post("/v1/chat/completions", {**CHAT, "model": "gptt"})
    assert answer.status == 400
    assert answer.json["available_models"] == ["flash", "gpt", "nokey"]
    assert answer.json["error"]["code"] == "model_not_found"
    assert "Did you mean 'gpt'" in answer.json["error"]["message"]
    assert answer.headers["x-should-retry"] == "false"


def test_a_model_of_another_endpoint_is_told_its_path(door):
    answer = door.post("/v1/chat/completions", {**CHAT, "model": "sonnet"})
    assert answer.status == 400
    assert answer.json["error"]["code"] == "wrong_endpoint"
    assert "/v1/messages" in answer.json["error"]["message"]


def test_a_missing_credential_says_so_and_names_what_works(door):
    answer = door.post("/v1/chat/completions", {**CHAT, "model": "nokey"})
    assert answer.status == 503
    assert answer.json["available_models"] == ["flash"]
    assert b"BARE" not in answer.body  # whose name is the operator's affair
    assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/v1/chat/completions", b"", None),
        ("/v1/chat/completions", b"[]", None),
        ("/v1/chat/completions", b'{"model":', None),
        ("/v1/chat/completions", {"model": 7}, "/model"),
        ("/v1/messages", {"model": "sonnet", "stream": "yes"}, "/stream"),
        (
            "/v1/responses",
            {"model": "gpt", "input": "x", "hyperroute": {"falback": 1}},
            "/hyperroute",
        ),
        ("/v1beta/models/flash:generateContent", {"generationConfig": []}, "/generationConfig"),
    ],
)
def test_a_malformed_body_is_400_in_the_callers_dialect(door, path, body, pointer):
    answer = door.post(path, body)
    assert answer.status == 400
    told = answer.json["error"]
    if path.startswith("/v1beta"):
        assert told["status"] == "INVALID_ARGUMENT"
    else:
        assert told["type"] == "invalid_request_error"
    assert pointer is None or pointer in told["message"]
    assert not door.world.sent


def test_a_wrong_method_is_405_and_names_the_right_one(door):
    answer = door.get("/v1/messages")
    assert answer.status == 405
    assert answer.headers["allow"] == "POST"


def test_an_unknown_path_is_404_in_the_words_of_the_headers(door):
    assert door.get("/v1/nope").json["error"]["type"] == "not_found_error"
    claude = door.get("/v1/nope", ("anthropic-version", "2023-06-01"))
    assert claude.json["type"] == "error"
    google = door.get("/v1beta/nope", ("x-goog-api-key", "ck_x"))
    assert google.json["error"]["status"] == "NOT_FOUND"


def test_models_are_listed_in_the_shape_the_headers_ask_for(door):
    openai = door.get("/v1/models").json
    assert [entry["id"] for entry in openai["data"]] == ["flash", "gpt", "nokey", "sonnet"]
    claude = door.get("/v1/models", ("anthropic-version", "2023-06-01")).json
    assert [entry["id"] for entry in claude["data"]] == ["gpt", "sonnet"]
    assert (claude["first_id"], claude["last_id"]) == ("gpt", "sonnet")
    google = door.get("/v1beta/models").json
    assert [entry["name"] for entry in google["models"]] == ["models/flash", "models/gpt"]
    assert door.get("/v1/models/gpt").json["id"] == "gpt"
    assert door.get("/v1beta/models/flash").json["name"] == "models/flash"
    assert door.get("/v1/models/none").status == 404


def test_counting_says_whether_it_counted_or_estimated(door):
    counted = door.post("/v1/messages/count_tokens", CLAUDE)
    assert counted.status == 200
    assert counted.json["input_tokens"] > 0
    assert counted.headers["x-hyperroute-count"] in {"counted", "estimated"}
    google = door.post("/v1beta/models/flash:countTokens", GOOGLE)
    assert google.json["totalTokens"] > 0
    assert door.post("/v1/messages/count_tokens", {**CLAUDE, "model": "x"}).status == 400
    assert not door.world.sent


def test_probes_and_health_need_nothing(door):
    for path in ("/", "/api/hello", "/healthz", "/readyz"):
        assert door.get(path).status == 200
        assert door.get(path, method="HEAD").status == 200


def test_every_visit_is_told_once_and_without_a_query(door):
    door.world.serve("https://google.test", whole("gemini.generate"))
    door.post("/v1beta/models/flash:generateContent?key=ck_secret", GOOGLE)
    door.post("/v1/chat/completions", b"{")
    assert [(visit.path, visit.status) for visit in door.visits] == [
        ("/v1beta/models/flash:generateContent", 200),
        ("/v1/chat/completions", 400),
    ]
    assert door.visits[0].asked == "flash"


def test_the_older_chat_has_its_own_defaults(door):
    door.world.serve("https://one.test", streamed("openai.chat"))
    answer = door.post("/v1/chat", {"model": "gpt", "messages": CHAT["messages"]})
    assert answer.headers["content-type"].startswith("text/event-stream")
    sent = json.loads(door.world.sent[0].request.body)
    assert (sent["temperature"], sent["max_tokens"]) == (0.8, 4096)


def test_a_stream_tells_what_its_request_lost_and_who_decided(door):
    door.world.serve("https://google.test", streamed("gemini.generate"))
    body = {**CHAT, "model": "flash", "logit_bias": {"1": 1}, "stream": True}
    answer = door.post("/v1/chat/completions", body)
    assert "dropped /logit_bias" in answer.headers["x-hyperroute-losses"]
    assert answer.headers["x-hyperroute-served-by"] == "flash@google"
    record = door.visits[0].record
    assert record is not None
    assert answer.headers["x-hyperroute-decision"] == f"{record.digest[:16]}.{record.seed:x}"


def test_the_header_of_losses_has_an_end(door):
    door.world.serve("https://google.test", whole("gemini.generate"))
    unknown = {f"unknown_member_{number}": 1 for number in range(100)}
    answer = door.post("/v1/chat/completions", {**CHAT, "model": "flash", **unknown})
    assert len(answer.headers["x-hyperroute-losses"]) == 1_000
    record = door.visits[0].record
    assert record is not None
    assert len(record.losses) >= 100


def test_a_providers_wish_to_wait_is_told_up_to_a_minute(door):
    """Some SDKs sleep for as long as they are told (reliability.md, 2.1)."""
    for wished, told in (("7", "7"), ("3600", "60")):
        hint = (("retry-after", wished),)
        busy = refusal("openai.chat", 429, kind="rate_limit_error", headers=hint)
        for host in ("https://one.test", "https://two.test"):
            door.world.serve(host, busy)
        answer = door.post("/v1/chat/completions", CHAT)
        assert (answer.status, answer.headers["retry-after"]) == (429, told)
        door.world.sleep(7 * SECOND)


def test_a_translation_tells_what_it_lost(door):
    door.world.serve("https://google.test", whole("gemini.generate"))
    answer = door.post("/v1/chat/completions", {**CHAT, "model": "flash", "logit_bias": {"1": 1}})
    assert "dropped /logit_bias" in answer.headers["x-hyperroute-losses"]
