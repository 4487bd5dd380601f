"""Every exception hyperroute raises on purpose.

* HyperrouteError
  x TableError            a routing table is wrong          (author's mistake, at load time)
  x PluginError           a plugin is wrong or clashes      (installer's mistake, at start-up)
  x WireError             bytes do not follow their dialect
    + ClientWireError     ... sent by our caller            -> answer 4xx in their dialect
      - Untranslatable    ... by hand: holds the error that a client would get
    + ProviderWireError   ... sent by a provider            -> a Failure(malformed_output)
  x RequestError          one request could not be served
    + Refused             the plan holds no candidate       (nothing was called, nothing was spent)
    + Exhausted           every candidate failed            (``attempts`` says how, one by one)
    + Interrupted         the stream broke after delivery began
  x StoreError            what outlives a request is out of reach (exact state fails closed)

Programming errors (``AssertionError``, ``TypeError``) stay outside the tree, so that
``except HyperrouteError`` never hides one.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ClientWireError",
    "Exhausted",
    "HyperrouteError",
    "Interrupted",
    "PluginError",
    "Problem",
    "ProviderWireError",
    "Refused",
    "RequestError",
    "StoreError",
    "TableError",
    "Untranslatable",
    "WireError",
]


class HyperrouteError(Exception):
    """Root of the tree; never raised itself."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with a table. ``line`` and ``column`` start at 1; 0 means the whole file."""

    path: str
    line: int
    column: int
    message: str
    severity: str = "error"
    """``error``, ``warning`` or ``note``; a warning is an error under ``--strict``, a note never is."""
    lint: str = ""
    """The name of the lint that found it, each with a page; empty for what no lint found."""

    def __str__(self) -> str:
        """Write ``file:line:column: message``, the form editors jump to."""
        mark = "" if self.severity == "error" else f"{self.severity}: "
        mark += f"{self.lint}: " if self.lint else ""
        return f"{self.path}:{self.line}:{self.column}: {mark}{self.message}"


class TableError(HyperrouteError):
    """A routing table is wrong; raised at load time only, with every problem of the folder."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Keep the problems in reading order."""
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PluginError(HyperrouteError):
    """A plugin is wrong, or two plugins clash; raised at start-up only."""


class WireError(HyperrouteError):
    """Bytes do not follow the dialect they claim.

    Attributes:
        pointer: JSON pointer of the offending member, ``""`` for the whole document.
    """

    def __init__(self, message: str, *, pointer: str = "") -> None:
        """Remember where."""
        super().__init__(f"{message} at {pointer!r}" if pointer else message)
        self.pointer = pointer


class ClientWireError(WireError):
    """Our caller sent it."""


class Untranslatable(ClientWireError):
    """A document cannot be said in another dialect; what a client would get instead is in it.

    Attributes:
        status: The HTTP status it would come with.
        error: The same as a value, a ``ClientError`` (``dialects.base``).
        dialect: In whose words ``body`` is: the caller's.
        body: The error body as parsed JSON.
        losses: What would have been lost, where that is the reason.
    """

    def __init__(
        self,
        message: str,
        *,
        pointer: str = "",
        status: int,
        error: object,
        dialect: str,
        body: object,
        losses: tuple[object, ...] = (),
    ) -> None:
        """Carry what the client would be told."""
        super().__init__(message)  # which is the client's, and names the place where it matters
        self.pointer = pointer
        self.status = status
        self.error = error
        self.dialect = dialect
        self.body = body
        self.losses = losses


class ProviderWireError(WireError):
    """A provider sent it; never leaves ``runtime``.

    Attributes:
        cut: The body ended before its success terminal: truncated rather than malformed.
    """

    def __init__(self, message: str, *, pointer: str = "", cut: bool = False) -> None:
        """Remember whether it was cut short."""
        super().__init__(message, pointer=pointer)
        self.cut = cut


class RequestError(HyperrouteError):
    """One request could not be served.

    Attributes:
        status: The HTTP status a gateway answers with.
        code: The failure class (``canon.failure``) or refusal code that decided it.
        record: The run's ``Record`` (``routing.record``), ``None`` if nothing began.
        param: The member of the request that is at fault, ``""`` if none is.
        retry_after_s: When trying again may help; ``None`` unknown.
        available: Names that would have been known, where one was not.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str,
        record: object = None,
        param: str = "",
        retry_after_s: int | None = None,
        available: tuple[str, ...] = (),
    ) -> None:
        """Carry data, not only a sentence."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.record = record
        self.param = param
        self.retry_after_s = retry_after_s
        self.available = available


class Refused(RequestError):
    """The plan holds no candidate; nothing was called, nothing was spent."""


class Exhausted(RequestError):
    """Every candidate failed."""


class Interrupted(RequestError):
    """The stream broke after delivery began; what was delivered stands."""


class StoreError(HyperrouteError):
    """A store cannot be read or written; whoever needs it fails closed.

    Attributes:
        unknown: The commit may have happened: read back before doing it again.
        misfit: It cannot keep just this; the store itself is well.
    """

    def __init__(self, message: str, *, unknown: bool = False, misfit: bool = False) -> None:
        """Remember whether it may have happened, and whose fault it is."""
        super().__init__(message)
        self.unknown = unknown
        self.misfit = misfit
