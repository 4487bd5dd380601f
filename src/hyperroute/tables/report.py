"""All problems of a folder, each at its place, each told once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hyperroute.errors import Problem, TableError
from hyperroute.tables.source import Path, Source
from hyperroute.tables.vocabulary import nearest
from hyperroute.tables.words import shown

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_QUOTED = re.compile(r"'([^']*)'")

_FOUND: dict[str, str] = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
}


@dataclass(slots=True)
class Report:
    """Collects problems; a set, because one mistake may be met on two ways."""

    strict: bool = False
    problems: set[Problem] = field(default_factory=set)
    gaps: dict[str, set[Path]] = field(default_factory=lambda: defaultdict(set))
    """By file, where something wrong was told and left out."""

    @property
    def failed(self) -> bool:
        """Whether the table must be refused."""
        return any(problem.severity == "error" for problem in self.problems)

    def raise_if_failed(self) -> None:
        """Refuse the table with everything found so far.

        Raises:
            TableError: At least one problem is an error.
        """
        if self.failed:
            raise TableError(tuple(self.problems))

    def follows(self, source: Source, path: Path) -> bool:
        """Say whether a mistake is only that something is not there which was left out.

        That is said of a gap itself, and of what holds it.
        """
        return any(
            gap[: len(path)] == path or path[: len(gap)] == gap
            for gap in self.gaps.get(source.name, ())
        )

    def warnings(self) -> tuple[Problem, ...]:
        """What was found besides errors, in reading order."""
        return tuple(sorted(self.problems))


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a source where a value stands, and where to tell what is wrong with it."""

    report: Report
    source: Source
    path: Path = ()

    def __truediv__(self, part: str | int) -> Spot:
        return Spot(self.report, self.source, (*self.path, part))

    def error(self, message: str, *, key: bool = False) -> None:
        """Tell a mistake; ``key`` points at the key instead of its value."""
        if not self.report.follows(self.source, self.path):
            line, column = self.source.place(self.path, key=key)
            self.report.problems.add(Problem(self.source.name, line, column, message))

    def warn(self, message: str, lint: str) -> None:
        """Tell something that is only a mistake under ``strict``, by the name of its lint."""
        severity = "error" if self.report.strict else "warning"
        self.report.problems.add(self.problem(message, severity, lint))

    def problem(self, message: str, severity: str, lint: str) -> Problem:
        """Give what a lint found here, at the key of the value."""
        line, column = self.source.place(self.path, key=True)
        return Problem(self.source.name, line, column, message, severity, lint)

    def where(self) -> str:
        """Name the place in a message about another one."""
        line, column = self.source.place(self.path, key=True)
        return f"{self.source.name}:{line}:{column}"

    def fault(self, detail: ErrorDetails, keys: Iterable[str]) -> None:
        """Tell one of pydantic's findings in the language's words.

        Its ``loc`` holds no tags of unions: no document has them.
        """
        spot = Spot(self.report, self.source, (*self.path, *detail["loc"]))
        kind = detail["type"]
        if kind == "extra_forbidden":
            word = str(detail["loc"][-1])
            spot.error(f"unknown key {word!r}{nearest(word, keys)}", key=True)
        elif kind == "missing":
            spot.error(f"the key {str(detail['loc'][-1])!r} is missing", key=True)
        else:
            spot.error(_message(kind, detail))


def _message(kind: str, detail: ErrorDetails) -> str:
    found: Any = detail["input"]
    context: dict[str, Any] = detail.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind in {"literal_error", "enum"}:
        words = _QUOTED.findall(str(context["expected"]))
        if len(words) <= 4 or not isinstance(found, str):
            return f"expected {' | '.join(words)}, found {shown(found)}"
        return f"unknown word {shown(found)}{nearest(found, words)}"
    if kind == "too_short":
        return "the list is empty"
    if kind in _FOUND:
        hint = ""
        if found is None:
            hint = "; leave the key out or give it a value"
        elif kind == "string_type" and not isinstance(found, dict | list):
            hint = "; quote it"
        return f"expected {_FOUND[kind]}, found {shown(found)}{hint}"
    return f"{detail['msg']}, found {shown(found)}"
