"""Mails reach a server, a file or the log; what goes wrong is told without a password."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import stat
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from hyperroute.accounts.notices import Mail
from hyperroute.canon.units import SECOND
from hyperroute.gateway.mail import FileSink, LogSink, MailError, SmtpSink, sink_of

MAIL = Mail(
    "k1/2026-11/80/0",
    "the key 'größe' has spent 80 %",
    "Zeile eins\nzwei\n",
    1_700_000_000 * SECOND,
)
TO = "from=gateway@example.org&to=ops@example.org&to=ada@example.org"


class Inbox:
    """Takes every mail, and says so."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.answer = "250 taken"
        self.logins: list[tuple[bytes, bytes]] = []

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802
        self.taken.append(envelope)
        return self.answer

    def authenticate(self, *said: Any) -> AuthResult:
        login = said[-1]
        assert isinstance(login, LoginPassword)
        self.logins.append((login.login, login.password))
        return AuthResult(success=login.password == b"p@ss:word")


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def host(inbox: Inbox) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    server = Controller(
        inbox,
        hostname="127.0.0.1",
        port=port,
        authenticator=inbox.authenticate,
        auth_require_tls=False,
    )
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop()


def sent(url: str) -> None:
    sink = sink_of(url)
    quick = replace(sink, patience_s=2) if isinstance(sink, SmtpSink) else sink
    asyncio.run(quick.send(MAIL))


def test_a_mail_reaches_a_server_whole(inbox: Inbox, host: str) -> None:
    sent(f"smtp://{host}?{TO}&tls=none")
    (envelope,) = inbox.taken
    assert envelope.mail_from == "gateway@example.org"
    assert envelope.rcpt_tos == ["ops@example.org", "ada@example.org"]
    message = message_from_bytes(envelope.content, policy=policy.default)
    assert message["Subject"] == MAIL.subject
    assert message["Date"] == "Tue, 14 Nov 2023 22:13:20 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    body = message.get_content()
    assert body.replace("\r\n", "\n") == MAIL.text
    sent(f"smtp://{host}?{TO}&tls=none")
    again = message_from_bytes(inbox.taken[1].content, policy=policy.default)
    assert again["Message-ID"] == message["Message-ID"]


def test_a_login_is_used(inbox: Inbox, host: str) -> None:
    sent(f"smtp://ada%40x:p%40ss%3Aword@{host}?{TO}&tls=none")
    assert inbox.logins == [(b"ada@x", b"p@ss:word")]
    assert len(inbox.taken) == 1
    with pytest.raises(MailError) as caught:
        sent(f"smtp://ada:hushhush@{host}?{TO}&tls=none")
    assert "hushhush" not in str(caught.value)
    assert len(inbox.taken) == 1


def test_a_server_that_does_not_take_it_is_an_error(inbox: Inbox, host: str) -> None:
    inbox.answer = "452 full"
    with pytest.raises(MailError, match="452"):
        sent(f"smtp://{host}?{TO}&tls=none")
    with pytest.raises(MailError, match=r"127\.0\.0\.1:1"):
        sent(f"smtp://127.0.0.1:1?{TO}&tls=none")


def test_a_server_that_says_nothing_is_not_waited_for_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(MailError, match=r"took too long|[Tt]imed? ?out"):
            sent(f"smtp://127.0.0.1:{port}?{TO}&tls=none")


@pytest.mark.parametrize("more", ["", "&tls=starttls", "&tls=implicit"])
def test_what_was_to_be_encrypted_is_never_sent_in_the_clear(
    inbox: Inbox, host: str, more: str
) -> None:
    with pytest.raises(MailError):
        sent(f"smtp://{host}?{TO}{more}")
    assert inbox.taken == []


def test_a_url_is_read_whole() -> None:
    found = sink_of(f"smtps://mail.example.org?{TO}")
    assert isinstance(found, SmtpSink)
    assert (found.host, found.port, found.tls) == ("mail.example.org", 465, "implicit")
    found = sink_of(f"smtp://u:hushhush@mail.example.org?{TO}")
    assert isinstance(found, SmtpSink)
    assert (found.port, found.tls, found.user) == (587, "starttls", "u")
    assert "hushhush" not in repr(found)
    assert isinstance(sink_of("log:"), LogSink)
    assert sink_of("file:mails.jsonl") == FileSink(Path("mails.jsonl"))
    assert sink_of("file:///srv/mails.jsonl") == FileSink(Path("/srv/mails.jsonl"))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mails.txt", "nothing takes mails for 'mails.txt'"),
        ("smpt://u:hushhush@h", "scheme 'smpt'; did you mean 'smtp'?"),
        ("log:here", "no path"),
        ("file:", "names the file"),
        (f"smtp://?{TO}", "names no mail server"),
        (f"smtp://u:hushhush@h:port?{TO}", "no number"),
        ("smtp://h?to=a@b.c", "from= names the sender"),
        ("smtp://h?from=a@b.c", "to= whom"),
        (f"smtp://h?{TO}&from=x@y.z", "from= names the sender"),
        (f"smtp://h?{TO}&tsl=none", "no parameter 'tsl'; did you mean 'tls'?"),
        (f"smtp://h?{TO}&tls=startls", "did you mean 'starttls'?"),
        (f"smtp://u:hushhush@h?{TO}&tls=none", "not sent in the clear"),
        ("smtp://h?from=ops&to=a@b.c", "'ops' is no mail address"),
        ("smtp://h?from=a@b.c&to=a%0Ab@c.d", "no mail address"),
        ("smtp://h?from=a@b.c&to=", "'' is no mail address"),
    ],
)
def test_a_mistake_is_named_and_no_password_is(url: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are what counts
        sink_of(url)
    assert said in str(caught.value)
    assert "hushhush" not in str(caught.value)


def test_a_file_takes_a_line_each_and_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "mails.jsonl"
    sent(f"file:{path}")
    sent(f"file:{path}")
    first, second = map(json.loads, path.read_text("utf-8").splitlines())
    assert first == second
    assert first["subject"] == MAIL.subject
    assert first["at"] == "2023-11-14T22:13:20Z"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(MailError, match="No such file"):
        sent(f"file:{tmp_path}/none/mails.jsonl")


def test_the_log_says_it_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "hyperroute"):
        sent("log:")
    assert caplog.messages == ["mail: Zeile eins zwei"]


def test_a_mail_server_needs_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hyperroute.gateway.mail.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'hyperroute\[mail\]'"):
        sink_of(f"smtp://h?{TO}")
    assert isinstance(sink_of("log:"), LogSink)
