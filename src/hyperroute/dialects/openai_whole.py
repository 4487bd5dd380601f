"""A whole reply of OpenAI's that is one JSON object, or the error that came in its place."""

from __future__ import annotations

from typing import Any

from hyperroute.dialects import openai_errors
from hyperroute.dialects.base import ErrorInStream
from hyperroute.dialects.json import loads
from hyperroute.dialects.sse import BodyReader
from hyperroute.errors import ProviderWireError


def read_object(body: BodyReader) -> dict[str, Any]:
    """Take the end of a body, and read all of it.

    Raises:
        ProviderWireError: It is not whole (``cut``), or no JSON object.
        ErrorInStream: The whole body was an error object.
    """
    data, _ = body.close()
    if data is None:
        raise ProviderWireError("the body ended before it began", cut=True)
    try:
        value = loads(data)
    except (ValueError, RecursionError):
        cut = not data.rstrip().endswith((b"}", b"]"))
        raise ProviderWireError("the body is not JSON", cut=cut) from None
    if not isinstance(value, dict):
        raise ProviderWireError("the body is not a JSON object")
    if openai_errors.is_error(value):
        raise ErrorInStream(openai_errors.report(value))
    return value


__all__ = ["read_object"]
