"""What each vendor's client makes of an answer that is none: its class, its words, its patience."""

from __future__ import annotations

from contextlib import closing

import anthropic
import openai
import pytest
from google.genai import errors as google
from tests.e2e.clients.standing import CANARY, MODELS
from tests.e2e.clients.talks import TALKS, Chat, Gemini, Messages, Responses

from hyperroute.testing.replies import DIALECTS, HELLO, refusal

SECRETS = (CANARY, "sk-", "127.0.0.1", "CANARY")
TOO_LONG = "prompt is too long: 210000 tokens > 200000 maximum"
C, A, G = openai, anthropic, google
KINDS = {
    "openai.chat": ("invalid_request_error", "rate_limit_exceeded", "server_error"),
    "openai.responses": ("invalid_request_error", "rate_limit_exceeded", "server_error"),
    "anthropic.messages": ("invalid_request_error", "rate_limit_error", "api_error"),
    "gemini.generate": ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "INTERNAL"),
}
"""How a vendor calls what a caller did wrong, did too often, and what is the vendor's own."""
TOLD = (
    # of the provider: status, of which kind, its words; to the clients: classes, statuses
    (400, 0, "messages: too few", C.BadRequestError, A.BadRequestError, G.ClientError, (400,) * 3),
    (400, 0, TOO_LONG, C.BadRequestError, A.BadRequestError, G.ClientError, (400,) * 3),
    (401, 0, "bad key", C.InternalServerError, A.InternalServerError, G.ServerError, (502, 502, 500)),
    (404, 0, "no model", C.InternalServerError, A.InternalServerError, G.ServerError, (502, 502, 500)),
    (429, 1, "slow down", C.RateLimitError, A.RateLimitError, G.ClientError, (429,) * 3),
    (500, 2, "oh no", C.InternalServerError, A.InternalServerError, G.ServerError, (502, 502, 500)),
    (503, 2, "busy", C.InternalServerError, A.OverloadedError, G.ServerError, (503, 529, 503)),
    (529, 2, "busy", C.InternalServerError, A.OverloadedError, G.ServerError, (503, 529, 503)),
)  # fmt: skip
OWN = {400}
"""What is the caller's own fault is explained to it in the provider's words."""


def status_of(error: BaseException) -> int:
    assert isinstance(error, openai.APIStatusError | anthropic.APIStatusError | google.APIError)
    code = error.code if isinstance(error, google.APIError) else error.status_code
    assert isinstance(code, int)
    return code


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_status_is_the_class_that_the_client_has_for_it(
    server, upstream, router, dialect, stream
):
    for status, kind, words, chat, messages, gemini, statuses in TOLD:
        wanted = {"anthropic.messages": messages, "gemini.generate": gemini}.get(dialect, chat)
        nth = {"anthropic.messages": 1, "gemini.generate": 2}.get(dialect, 0)
        told = refusal(dialect, status, kind=KINDS[dialect][kind], message=words)
        with server.standing(upstream, router) as place:
            place.answers(dialect, told)
            talk = TALKS[dialect](place.url, MODELS[dialect])
            with closing(talk), pytest.raises(wanted) as raised:
                talk.ask(stream=stream)
            assert status_of(raised.value) == statuses[nth], words
            assert (words in str(raised.value)) == (status in OWN), words
            assert not [secret for secret in SECRETS if secret in str(raised.value)]
            identity = place.over()[0].request_id
            told_id = getattr(raised.value, "request_id", None) or str(raised.value.args)
            assert identity in told_id


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_bad_key_and_an_unknown_model_are_told_apart(place, dialect):
    with closing(TALKS[dialect](place.url, "at-chatt")) as talk:
        with pytest.raises(
            (openai.BadRequestError, anthropic.BadRequestError, G.ClientError)
        ) as bad:
            talk.ask(stream=False)
        assert status_of(bad.value) == 400
        assert "at-chat" in str(bad.value.args)
    with closing(TALKS[dialect](place.url, MODELS[dialect], key="ck_" + "1" * 64)) as talk:
        refused = (openai.AuthenticationError, anthropic.AuthenticationError, G.ClientError)
        with pytest.raises(refused) as unknown:
            talk.ask(stream=True)
        assert status_of(unknown.value) == 401
    assert place.asked == []


@pytest.mark.parametrize("talking", [Chat, Responses, Messages])
def test_a_client_waits_as_long_as_the_provider_asks_and_then_is_served(place, talking):
    kind = KINDS[talking.dialect][1]
    limited = refusal(talking.dialect, 429, kind=kind, headers=(("retry-after", "1"),))
    place.answers(talking.dialect, limited, HELLO)
    with closing(talking(place.url, MODELS[talking.dialect], patience=1)) as talk:
        assert talk.ask(stream=False).text == "".join(HELLO.text)
    first, second = place.over(2)
    assert (first.status, second.status) == (429, 200)
    assert second.began_at - first.began_at >= 1_000_000_000


@pytest.mark.parametrize("talking", [Chat, Responses, Messages])
def test_a_client_does_not_repeat_what_cannot_help(place, talking):
    """Our credential is refused: no status says so, ``x-should-retry`` does."""
    told = refusal(talking.dialect, 401, kind=KINDS[talking.dialect][0])
    place.answers(talking.dialect, told)
    talk = talking(place.url, MODELS[talking.dialect], patience=3)
    with closing(talk), pytest.raises((openai.APIStatusError, anthropic.APIStatusError)):
        talk.ask(stream=False)
    assert len(place.over()) == 1


def test_a_boundless_wait_is_bounded_on_its_way(place):
    told = refusal("openai.chat", 429, kind="requests", headers=(("retry-after", "4294967"),))
    place.answers("openai.chat", told)
    talk = Chat(place.url, MODELS["openai.chat"])
    with closing(talk), pytest.raises(openai.RateLimitError) as raised:
        talk.ask(stream=False)
    assert int(raised.value.response.headers["retry-after"]) <= 60


def test_gemini_s_client_is_told_how_long_to_wait_in_its_own_words(place):
    info = (("retry-after", "7"),)
    place.answers(
        "gemini.generate", refusal("gemini.generate", 429, kind="RESOURCE_EXHAUSTED", headers=info)
    )
    talk = Gemini(place.url, MODELS["gemini.generate"])
    with closing(talk), pytest.raises(google.ClientError) as raised:
        talk.ask(stream=False)
    assert "RetryInfo" in str(raised.value.details)
