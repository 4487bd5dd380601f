"""Error bodies of OpenAI and of the servers that nearly speak like it; and ours."""

import json
from typing import Any

import pytest

from hyperroute.canon.failure import FailureClass
from hyperroute.canon.wire import HttpHead
from hyperroute.dialects.base import ClientError
from hyperroute.dialects.openai_errors import emit_error, parse_error


def parsed(body: Any, status: int = 400, **headers: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = HttpHead(status, tuple((k.replace("_", "-"), v) for k, v in headers.items()))
    return parse_error(head, data)


def test_openais_own_shape() -> None:
    report = parsed(
        {"error": {"message": "m", "type": "insufficient_quota", "param": "p", "code": "c"}},
        429,
        retry_after_ms="20",
        x_should_retry="false",
    )
    assert (report.status, report.message, report.type) == (429, "m", "insufficient_quota")
    assert (report.param, report.code, report.json) == ("p", "c", True)
    assert (report.hint_ns, report.pushback) == (20_000_000, True)


@pytest.mark.parametrize(
    ("body", "code", "kind", "message", "shaped"),
    [
        ({"error": "bare"}, None, None, "bare", True),
        ({"error": {"code": 429, "status": "X", "message": "g"}}, "429", "X", "g", True),
        (
            [{"error": {"code": 400, "status": "INVALID_ARGUMENT"}}],
            "400",
            "INVALID_ARGUMENT",
            "",
            True,
        ),
        ({"object": "error", "message": "v", "type": "T", "code": 404}, "404", "T", "v", True),
        ({"message": "no route"}, None, None, "no route", False),
        ({"detail": "Not Found"}, None, None, "Not Found", False),
        ({"detail": [{"loc": ["body"]}]}, None, None, '[{"loc":["body"]}]', False),
        ({"error": {"message": {"nested": 1}, "code": True}}, None, None, '{"nested":1}', True),
        ({"error": None}, None, None, '{"error":null}', False),
        ("text", None, None, "text", False),
        (b"<html>502</html>", None, None, "<html>502</html>", False),
        (b"\xff\xfe", None, None, "\ufffd\ufffd", False),
        (b"", None, None, "", False),
    ],
)
def test_other_shapes(body: Any, code: Any, kind: Any, message: str, shaped: bool) -> None:
    report = parsed(body)
    assert (report.code, report.type, report.message) == (code, kind, message)
    assert report.json is shaped


def test_an_aggregators_status_inside_a_200_counts() -> None:
    assert parsed({"error": {"code": 429, "message": "m"}}, 200).status == 429
    assert parsed({"error": {"code": "503", "message": "m"}}, 200).status == 503
    assert parsed({"error": {"code": 7, "message": "m"}}, 200).status == 200
    assert parsed({"error": {"code": 429, "message": "m"}}, 500).status == 500


def test_further_members_are_kept_flat() -> None:
    azure = {
        "error": {"code": "content_filter", "innererror": {"code": "ResponsibleAIPolicyViolation"}}
    }
    assert parsed(azure).details["innererror.code"] == "ResponsibleAIPolicyViolation"
    open_router = {"error": {"message": "m", "metadata": {"provider_name": "x", "raw": {"a": 1}}}}
    assert dict(parsed(open_router).details) == {"metadata.provider_name": "x"}
    google = {
        "error": {
            "details": [
                {"reason": "RATE_LIMIT_EXCEEDED", "domain": "googleapis.com"},
                {"retryDelay": "34.5s"},
                "odd",
            ]
        }
    }
    report = parsed(google)
    assert report.details["reason"] == "RATE_LIMIT_EXCEEDED"
    assert report.hint_ns == 34_500_000_000


def test_a_giant_message_is_cut() -> None:
    assert len(parsed({"error": {"message": "x" * 100_000}}).message) == 2_000
    assert len(parsed(b"x" * 100_000).message) == 2_000


@pytest.mark.parametrize(
    ("kind", "kind_word", "code"),
    [
        (FailureClass.BAD_REQUEST, "invalid_request_error", None),
        (FailureClass.CONTEXT_LENGTH, "invalid_request_error", "context_length_exceeded"),
        (FailureClass.CONTENT_POLICY, "invalid_request_error", "content_filter"),
        (FailureClass.UNKNOWN_MODEL, "invalid_request_error", "model_not_found"),
        (FailureClass.OVERLOADED, "overloaded_error", "server_is_overloaded"),
        (FailureClass.DEADLINE, "timeout_error", "timeout"),
        (FailureClass.SERVER_ERROR, "server_error", None),
        ("unauthorized", "authentication_error", "invalid_api_key"),
        ("insufficient_credits", "insufficient_credits", "insufficient_credits"),
        ("conflict", "conflict_error", None),
        ("a word of later", "server_error", None),
    ],
)
def test_our_errors_have_all_four_keys(kind: str, kind_word: str, code: str | None) -> None:
    body = json.loads(emit_error(ClientError(status=400, kind=kind, message="m", param="p")))
    assert body == {"error": {"message": "m", "type": kind_word, "param": "p", "code": code}}


def test_further_members_stand_inside_and_at_the_top() -> None:
    error = ClientError(
        status=400,
        kind="unknown_model",
        message="m",
        code="mine",
        request_id="req_1",
        extra={"available_models": ["a"]},
    )
    body = json.loads(emit_error(error))
    assert body["available_models"] == body["error"]["available_models"] == ["a"]
    assert (body["error"]["code"], body["request_id"]) == ("mine", "req_1")
