"""Where mails go, by a URL: to a mail server, into a file, or into the log.

| URL | where |
|---|---|
| ``log:`` | a warning of the logger ``hyperroute`` |
| ``file:mails.jsonl`` | a line of JSON each, in a file of mode 0600 |
| ``smtp://user:password@host:587?from=…&to=…`` | SMTP with STARTTLS; ``smtps://`` with TLS from the first byte |

``to`` may be repeated. ``tls=none`` speaks in the clear, for a server on this host. A password in a
URL is never part of a message.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from hyperroute.accounts.notices import Mail
from hyperroute.accounts.shown import moment
from hyperroute.canon.units import SECOND
from hyperroute.plugins.secret import Secret
from hyperroute.tables.vocabulary import nearest

Tls = Literal["starttls", "implicit", "none"]

PATIENCE_S: Final = 30
"""For everything that one mail needs of a server."""

_DEFAULTS: Final[Mapping[str, tuple[Tls, int]]] = MappingProxyType(
    {"smtp": ("starttls", 587), "smtps": ("implicit", 465)}
)
_SCHEMES: Final = ("file", "log", *_DEFAULTS)
_PARAMETERS: Final = ("from", "to", "tls")
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_log = logging.getLogger("hyperroute")


class MailError(Exception):
    """A mail was not taken; trying again later may help."""


class Sink(Protocol):
    """Takes mails."""

    async def send(self, mail: Mail) -> None:
        """Hand over a mail. Raises ``MailError``."""
        ...


class LogSink:
    """Says mails in the log."""

    async def send(self, mail: Mail) -> None:
        """Say a mail in one line."""
        _log.warning("mail: %s", " ".join(mail.text.split()))


@dataclass(frozen=True, slots=True)
class FileSink:
    """Appends mails to a file."""

    path: Path

    async def send(self, mail: Mail) -> None:
        """Append a line.

        Raises:
            MailError: The file cannot be written.
        """
        line = json.dumps(
            {"id": mail.id, "at": moment(mail.at), "subject": mail.subject, "text": mail.text},
            ensure_ascii=False,
        )
        await asyncio.to_thread(self._append, line.encode() + b"\n")

    def _append(self, line: bytes) -> None:
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(handle, "ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise MailError(f"{str(self.path)!r} cannot be written: {error.strerror}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSink:
    """Hands mails to a mail server (extra ``mail``)."""

    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    tls: Tls = "starttls"
    user: str = ""
    password: Secret = field(default=Secret(""), repr=False)
    patience_s: float = PATIENCE_S

    async def send(self, mail: Mail) -> None:
        """Hand over a mail, for all recipients.

        Raises:
            MailError: The server cannot be reached, or did not take it.
        """
        import aiosmtplib

        try:
            async with asyncio.timeout(self.patience_s):
                await aiosmtplib.send(
                    self._message(mail),
                    hostname=self.host,
                    port=self.port,
                    username=self.user or None,
                    password=self.password.reveal() if self.user else None,
                    use_tls=self.tls == "implicit",
                    start_tls=self.tls == "starttls",
                    timeout=self.patience_s,
                )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            # What a server answers may repeat what it was told, but never the password.
            said = " ".join(str(error).split())[:200] or "it took too long"
            raise MailError(f"{self.host}:{self.port}: {type(error).__name__}: {said}") from None

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self.sender
        message["To"] = ", ".join(self.to)
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(datetime.fromtimestamp(mail.at // SECOND, UTC))
        # The same at every try, so that a mail that is sent twice is seen to be one.
        message["Message-ID"] = f"<{sha256(mail.id.encode()).hexdigest()[:32]}@hyperroute>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        return message


def sink_of(url: str) -> Sink:
    """Read where mails go.

    Raises:
        ValueError: It is nowhere; the message names what is wrong, and no password.
    """
    scheme, colon, rest = url.partition(":")
    if not colon or scheme not in _SCHEMES:
        told = f"scheme {scheme!r}" if colon else repr(url)
        raise ValueError(f"nothing takes mails for {told}{nearest(scheme, _SCHEMES)}")
    if scheme == "log":
        if rest.strip("/"):
            raise ValueError("the log has no path: log:")
        return LogSink()
    if scheme == "file":
        path = rest.removeprefix("//")
        if not path:
            raise ValueError("file:PATH names the file that mails go to")
        return FileSink(Path(path))
    return _smtp(url, scheme)


def _smtp(url: str, scheme: str) -> SmtpSink:
    if find_spec("aiosmtplib") is None:
        raise ValueError("mail servers need an extra: pip install 'hyperroute[mail]'")
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("the port of the mail server is no number from 1 to 65535") from None
    if not host:
        raise ValueError(f"{scheme}://HOST names no mail server")
    tls, default = _DEFAULTS[scheme]
    said: dict[str, list[str]] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in _PARAMETERS:
            raise ValueError(f"there is no parameter {name!r}{nearest(name, _PARAMETERS)}")
        said.setdefault(name, []).append(value)
    for word in said.get("tls", ()):
        tls = _tls(word)
    senders, to = said.get("from", []), said.get("to", [])
    if len(senders) != 1 or not to:
        raise ValueError("from= names the sender, and to= whom mails go to")
    if parts.password and tls == "none" and host not in _HERE:
        raise ValueError("a password is not sent in the clear: tls=starttls or tls=implicit")
    return SmtpSink(
        host=host,
        port=port or default,
        sender=_address(senders[0]),
        to=tuple([_address(one) for one in to]),
        tls=tls,
        user=unquote(parts.username or ""),
        password=Secret(unquote(parts.password or "")),
    )


def _tls(word: str) -> Tls:
    match word:
        case "starttls" | "implicit" | "none":
            return word
        case _:
            near = nearest(word, ("starttls", "implicit", "none"))
            raise ValueError(f"tls is no {word!r}{near}")


def _address(text: str) -> str:
    try:
        address = Address(addr_spec=text)
    except (ValueError, IndexError, TypeError):
        address = Address()
    if not address.username or not address.domain:
        raise ValueError(f"{text!r} is no mail address such as ops@example.org") from None
    return text


__all__ = ["PATIENCE_S", "FileSink", "LogSink", "MailError", "Sink", "SmtpSink", "sink_of"]
