"""One line of a classifier, as data."""

from __future__ import annotations

from dataclasses import dataclass

from hyperroute.canon.failure import Failure
from hyperroute.dialects.base import ErrorReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a provider shows, and what it means. Whatever is given must hold, all of it.

    Attributes:
        verdict: A ``Failure`` without the particulars of the case.
        code: Any of these codes, letter by letter.
        type: Any of these types (Google: the canonical status word).
        detail: Any of these words inside any further machine-readable member.
        status: Any of these statuses.
        text: Lower-case words inside the message. Never alone: messages quote what users wrote, and
            a prompt about rate limits must not bench a healthy offer. Each has a test.
        bare: Holds only where no status was said: the word (``server_error``) says less than one.
    """

    verdict: Failure
    code: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    detail: tuple[str, ...] = ()
    status: tuple[int, ...] = ()
    text: str = ""
    bare: bool = False

    def __post_init__(self) -> None:
        """Refuse a row that would match too much.

        Raises:
            ValueError: It rests on text alone, on nothing, or its text is not lower case.
        """
        if not (self.code or self.type or self.detail or self.status):
            raise ValueError("a row names a code, a type, a detail or a status")
        if self.text != self.text.lower():
            raise ValueError(f"the text {self.text!r} is compared in lower case")

    def matches(self, report: ErrorReport, status: int | None) -> bool:
        """Say whether the row speaks of this report, whose effective status is given."""
        return (
            (not self.code or report.code in self.code)
            and (not self.type or report.type in self.type)
            and not (self.bare and status is not None)
            and (not self.status or status in self.status)
            and (not self.detail or _inside(self.detail, report))
            and (not self.text or self.text in report.message.lower())
        )


def _inside(words: tuple[str, ...], report: ErrorReport) -> bool:
    return any(word in value for value in report.details.values() for word in words)
