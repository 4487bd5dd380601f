"""What is known of a target, said by hand: names and values into a ``Profile``.

In a table the same things come from the catalogue and from the options of a provider entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final, Literal

from hyperroute.dialects.base import Profile
from hyperroute.dialects.sealing import NATIVE

Form = Literal["text", "number", "words", "yes or no", "yes, no or an object"]


@dataclass(frozen=True, slots=True)
class Known:
    """One thing that may be known of a target."""

    form: Form
    about: str


NAMES: Final[Mapping[str, Known]] = MappingProxyType(
    {
        "vendor": Known("text", "whose sealed state it takes; else that of the dialect's own vendor"),
        "group": Known("text", "the account that made the seals it takes"),
        "does": Known("words", "all that the model can do: `tools`, `vision`, `web_search`, …"),
        "model": Known("text", "its own id for the model; else the name in the document"),
        "model_max_output_tokens": Known("number", "the most tokens of one answer"),
        "anthropic_version": Known("text", "the API version to write for: `2023-06-01`"),
        "thinking_types": Known("words", "ways to ask for thinking: `enabled`, `adaptive`, `level`, …"),
        "prefill": Known("yes or no", "it continues an answer that the caller began"),
        "file_urls": Known("yes or no", "it fetches any web address by itself (Gemini)"),
        "max_tokens": Known("yes or no", "it knows the limit by its old name only (chat)"),
        "top_k": Known("yes or no", "it takes `top_k` (chat)"),
        "reasoning_content": Known("yes or no", "it takes and shows thinking in that member (chat)"),
        "stream_options": Known(
            "yes, no or an object",
            "of a request: it takes `stream_options`; of a stream: the client asked for usage (chat)",
        ),
        "status": Known("number", "of an error: the HTTP status that it came with"),
    }
)  # fmt: skip
"""Every name that is understood, in the order of the reference."""

_FIELDS: Final = frozenset(
    {"vendor", "group", "does", "model", "model_max_output_tokens", "status"}
)


def profile_of(said: Mapping[str, Any], *, dialect: str) -> Profile:
    """Read what is known of a target.

    Args:
        said: By name.
        dialect: Of the vendor whose seals are meant, if ``said`` names none.

    Raises:
        ValueError: A name is unknown, or a value of the wrong form; the message says what is valid.
    """
    for name, value in said.items():
        _check(name, value)
    options = {name: value for name, value in said.items() if name not in _FIELDS}
    if "stream_options" in options:
        options["stream_options"] = asks_usage(said)
    return Profile(
        vendor=said.get("vendor", NATIVE.get(dialect, "")),
        group=said.get("group", ""),
        does=frozenset(said.get("does") or ()),
        model_max_output_tokens=said.get("model_max_output_tokens"),
        options=MappingProxyType(options),
    )


def asks_usage(said: Mapping[str, Any]) -> bool:
    """Say whether ``stream_options`` asks for usage."""
    value = said.get("stream_options")
    return value.get("include_usage") is True if isinstance(value, Mapping) else value is True


def one_of(word: str, valid: Mapping[str, object] | tuple[str, ...]) -> str:
    """Name the valid word that is nearest to a mistake, or all of them."""
    close = get_close_matches(word, list(valid), n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(valid)}"


def _check(name: str, value: Any) -> None:
    known = NAMES.get(name)
    if known is None:
        raise ValueError(f"nothing is known by the name {name!r}; {one_of(name, NAMES)}")
    match known.form:
        case "text":
            good = isinstance(value, str)
        case "number":
            good = isinstance(value, int) and not isinstance(value, bool) and value > 0
        case "words":
            good = isinstance(value, list | tuple | set | frozenset) and all(
                isinstance(word, str) for word in value
            )
        case "yes or no":
            good = isinstance(value, bool)
        case _:
            good = isinstance(value, bool | Mapping)
    if not good:
        raise ValueError(f"{name} must be {_FORMS[known.form]}, not {value!r}")


_FORMS: Final[Mapping[Form, str]] = MappingProxyType(
    {
        "text": "text",
        "number": "a whole number above 0",
        "words": "a list of words",
        "yes or no": "true or false",
        "yes, no or an object": "true, false or an object with include_usage",
    }
)
