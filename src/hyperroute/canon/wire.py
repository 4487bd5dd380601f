"""HTTP as values: enough of it for sans-IO code, no more."""

from __future__ import annotations

from dataclasses import field, replace

from hyperroute.canon.quick import quick

Headers = tuple[tuple[str, str], ...]


@quick(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request, wholly in memory. ``url`` is absolute when outbound, a path when inbound.

    Headers hold credentials and the body holds prompts: neither is printed.
    """

    method: str
    url: str
    headers: Headers = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)

    def with_headers(self, *more: tuple[str, str]) -> HttpRequest:
        """Return a copy with more headers."""
        return replace(self, headers=(*self.headers, *more))


@quick(frozen=True, slots=True)
class HttpHead:
    """Status line and headers of a reply whose body is still to come. Names are lower case."""

    status: int
    headers: Headers = ()

    def header(self, name: str) -> str | None:
        """Return the first value of a header, by its lower-case name."""
        for key, value in self.headers:
            if key == name:
                return value
        return None
