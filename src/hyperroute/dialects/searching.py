"""When a web search is needed, and when it is only offered.

Agents send the tool with every request (clients.md, 16), and that must not exclude every model that
cannot search. It is needed where the request chooses it or has no other tool; else it is dropped, as
a loss, for a target that is known not to search.
"""

from __future__ import annotations

from collections.abc import Sequence

from hyperroute.dialects.base import Profile

WORD = "web_search"
WHY = "the target does not search the web, and the tool is optional"


def is_search(kind: object) -> bool:
    """Say whether a tool's type is a web search, of any version."""
    return isinstance(kind, str) and kind.startswith(WORD)


def needed(kinds: Sequence[object], chosen: Sequence[object] = ()) -> bool:
    """Say whether a request cannot be served without searching.

    Args:
        kinds: The types of all its tools.
        chosen: The types of those that its tool choice names.
    """
    found = [is_search(kind) for kind in kinds]
    return any(found) and (all(found) or (bool(chosen) and all(map(is_search, chosen))))


def searches(profile: Profile) -> bool:
    """Say whether a target may be sent the tool; nothing is assumed of one that says nothing."""
    return not profile.does or WORD in profile.does
