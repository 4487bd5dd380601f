"""Tables and plugins as one value: reads a caller's body, and plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

from hyperroute.canon.request import Request
from hyperroute.canon.units import DAY
from hyperroute.canon.wire import Headers
from hyperroute.catalog.condition import Fact
from hyperroute.dialects import json
from hyperroute.dialects.base import Dialect
from hyperroute.errors import ClientWireError, Problem
from hyperroute.routing.plan import Plan, plan
from hyperroute.routing.questions import Answers
from hyperroute.routing.table import RouteTable

if TYPE_CHECKING:
    from hyperroute.plugins.registry import Registry

Body = Mapping[str, Any] | bytes | str
Paths = str | Path | Sequence[str | Path]

_MARKS: Final = (
    ("contents", "gemini.generate"),
    ("input", "openai.responses"),
    ("messages", "openai.chat"),
)
"""The member that tells a dialect, where nobody says it; Anthropic's looks like OpenAI's chat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """Tables and plugins. A value: no socket, no thread, safe to share.

    Attributes:
        table: What decides.
        registry: Who can be called.
        paths: Where the table was read, ``()`` if it was given as text.
        warnings: What ``strict`` would have refused.
        cache: Where compiled tables are kept, ``None`` if nowhere.
    """

    table: RouteTable
    registry: Registry = field(repr=False)
    paths: tuple[Path, ...] = ()
    warnings: tuple[Problem, ...] = ()
    strict: bool = False
    cache: Path | None = None

    @classmethod
    def load(
        cls,
        path: Paths | None = None,
        *,
        plugins: Sequence[object] = (),
        strict: bool = False,
        registry: Registry | None = None,
        cache: str | Path | None = None,
    ) -> Self:
        """Read tables from files or folders; without a path, the table that is shipped.

        Args:
            path: A folder (every ``*.yaml`` below it), a file, or several of these.
            plugins: Modules or objects with hooks, beside those that are installed.
            strict: Treat warnings as errors.
            registry: Plugins gathered before, in place of gathering them now.
            cache: A folder of this user's own where compiled tables are kept, so that a large one
                starts at once the next time; ``None``: nothing is kept.

        Raises:
            TableError: With every problem of the whole table.
            PluginError: A plugin is broken, or two clash.
        """
        from hyperroute.plugins.registry import discover
        from hyperroute.plugins.words import words_of
        from hyperroute.tables.load import find_shipped, load

        found = registry if registry is not None else discover(*plugins)
        if path is None:
            shipped = find_shipped()
            assert shipped is not None, "the shipped table is part of the package"
            path = shipped
        roots = (path,) if isinstance(path, str | Path) else tuple(path)
        kept = None if cache is None else Path(cache)
        loaded = load(roots, plugins=words_of(found), strict=strict, cache=kept)
        return cls(
            table=loaded.table,
            registry=found,
            paths=tuple(map(Path, roots)),
            warnings=loaded.warnings,
            strict=strict,
            cache=kept,
        )

    @classmethod
    def loads(
        cls,
        text: str,
        *,
        plugins: Sequence[object] = (),
        strict: bool = False,
        registry: Registry | None = None,
    ) -> Self:
        """Read a table from the text of one file; arguments and faults as of ``load``.

        Raises:
            TableError: With every problem of it.
            PluginError: A plugin is broken, or two clash.
        """
        from hyperroute.plugins.registry import discover
        from hyperroute.plugins.words import words_of
        from hyperroute.tables.load import loads

        found = registry if registry is not None else discover(*plugins)
        loaded = loads(text, plugins=words_of(found), strict=strict)
        return cls(table=loaded.table, registry=found, warnings=loaded.warnings, strict=strict)

    def reloaded(self) -> Self:
        """Read the same paths again, with the same plugins.

        Raises:
            TableError: The table is wrong now; this router is as good as it was.
            ValueError: It was not read from any path.
        """
        if not self.paths:
            raise ValueError("a router that was read from a text has no path to read again")
        return type(self).load(
            self.paths, registry=self.registry, strict=self.strict, cache=self.cache
        )

    def dialect(self, name: str) -> Dialect:
        """Return a dialect by its dotted name or the table's word for it.

        Raises:
            ClientWireError: No plugin speaks it.
        """
        registry = self.registry
        found = registry.dialects.get(name) or registry.endpoints.get(name)
        if found is None:
            raise ClientWireError(f"no dialect {name!r}; there are {sorted(registry.dialects)}")
        return found

    def read(
        self,
        body: Body,
        *,
        dialect: str | None = None,
        headers: Headers = (),
        labels: Mapping[str, Fact] | None = None,
        stream: bool | None = None,
    ) -> Request:
        """Read a caller's body as far as routing needs it.

        Args:
            body: As the caller's dialect has it: a mapping, or JSON as bytes or text.
            dialect: ``None``: ``contents`` tells Gemini, ``input`` OpenAI responses, ``messages``
                OpenAI chat. A body for Anthropic says ``anthropic.messages``. A dialect that is
                named is also where the request enters: a model that is not served at that endpoint
                is refused there, while without one any model may be asked.
            headers: The caller's own, of which the dialect keeps what it forwards.
            labels: What is known of the caller (``org.region``, ``user.id``, …).
            stream: Ask for a stream or a whole answer, whatever the body says; ``None``: as it says.

        Raises:
            ClientWireError: It is no JSON object, of no dialect, or a member is of the wrong type.
        """
        raw, data = _parsed(body)
        if stream is not None and bool(raw.get("stream")) != stream:
            kept = {name: value for name, value in raw.items() if name != "stream"}
            raw, data = ({**kept, "stream": True} if stream else kept), None
        request = self.dialect(dialect or _told(raw)).parse_request(raw, body=data, headers=headers)
        if dialect is None:
            request = request.but(endpoint="")
        if labels:
            request = request.but(labels=MappingProxyType({**request.labels, **labels}))
        return request

    def plan(
        self,
        body: Body | Request,
        *,
        dialect: str | None = None,
        answers: Answers | None = None,
        seed: int = 0,
        labels: Mapping[str, Fact] | None = None,
    ) -> Plan:
        """Decide, without doing: equal arguments, equal plan.

        Args:
            body: A body, or a request that was read before.
            dialect: As of ``read``.
            answers: What is known at this instant; ``None``: nothing but today's date, which picks
                the row of a dated price.
            seed: Draws arms that are split by request.
            labels: As of ``read``.

        Raises:
            ClientWireError: As of ``read``.
        """
        if not isinstance(body, Request):
            body = self.read(body, dialect=dialect, labels=labels)
        if answers is None:
            from hyperroute.runtime.clock import SystemClock

            answers = Answers(day=SystemClock().unix_ns() // DAY)
        return plan(body, table=self.table, answers=answers, seed=seed)


def _parsed(body: Body) -> tuple[Mapping[str, Any], bytes | None]:
    if isinstance(body, dict | Mapping):  # the first needs no look at what it inherits from
        return body, None
    data = body.encode() if isinstance(body, str) else body
    try:
        raw = json.loads(data)
    except ValueError as error:
        raise ClientWireError(f"the body is not JSON: {error}") from None
    if not isinstance(raw, dict):
        raise ClientWireError("the body is not a JSON object")
    return raw, data


def _told(raw: Mapping[str, Any]) -> str:
    for member, dialect in _MARKS:
        if member in raw:
            return dialect
    raise ClientWireError("the body tells no dialect: say dialect=…")


__all__ = ["Body", "Paths", "Router"]
