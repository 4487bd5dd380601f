"""What the heads of both OpenAI dialects count alike."""

from __future__ import annotations

from collections.abc import Mapping


def text_bytes(value: object) -> int:
    """Count the UTF-8 bytes of all text in a JSON value, without recursion."""
    total = 0
    rest = [value]
    while rest:
        item = rest.pop()
        if isinstance(item, str):
            total += len(item) if item.isascii() else len(item.encode("utf-8", "surrogatepass"))
        elif isinstance(item, Mapping):
            rest.extend(item.keys())
            rest.extend(item.values())
        elif isinstance(item, list | tuple):
            rest.extend(item)
    return total
