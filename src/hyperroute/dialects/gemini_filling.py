"""What a shape fills in, said in ``generationConfig``, in the spelling that the body uses."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from hyperroute.canon.loss import Loss
from hyperroute.canon.request import Thinking
from hyperroute.dialects.base import Profile
from hyperroute.dialects.filling import Places, fill
from hyperroute.dialects.gemini_settings import write_thinking
from hyperroute.dialects.gemini_spelling import snake
from hyperroute.dialects.losses import Losses
from hyperroute.dialects.relay import Path, find

_CONFIG: Final = "generationConfig"
_THINKING: Final = (_CONFIG, "thinkingConfig")
_ASKED: Final = ("thinkingLevel", "thinkingBudget")
"""The two ways to ask for thinking, of which a request may use one."""

_PLACES: Final[Places] = MappingProxyType(
    {
        "temperature": (_CONFIG, "temperature"),
        "top_p": (_CONFIG, "topP"),
        "top_k": (_CONFIG, "topK"),
        "seed": (_CONFIG, "seed"),
        "n": (_CONFIG, "candidateCount"),
        "presence_penalty": (_CONFIG, "presencePenalty"),
        "frequency_penalty": (_CONFIG, "frequencyPenalty"),
        "logprobs": (_CONFIG, "responseLogprobs"),
        "top_logprobs": (_CONFIG, "logprobs"),
        "stop": (_CONFIG, "stopSequences"),
        "max_output": (_CONFIG, "maxOutputTokens"),
        "service_tier": ("serviceTier",),
        "verbosity": None,
        "thinking": None,
        **{word: (*_THINKING, word) for word in _ASKED},
    }
)


def fill_config(
    body: bytes, parameters: Mapping[str, Any], profile: Profile
) -> tuple[bytes, tuple[Loss, ...]]:
    """Set parameters; an effort becomes a level or a budget, whichever this target takes.

    Raises:
        SpliceError: The body is not a JSON object.
        ValueError: A value is not JSON.
    """
    said = {name: value for name, value in parameters.items() if name != "effort"}
    losses = Losses("")
    if "effort" in parameters:
        said |= dict.fromkeys(_ASKED)
        if (effort := parameters["effort"]) is not None:
            written = write_thinking(Thinking(effort=str(effort)), profile, losses)
            said |= {word: written.get(word) for word in _ASKED}
    places = {
        name: path if path is None else _spelt(body, path)
        for name, path in _PLACES.items()
        if name in said
    }
    body, unsaid = fill(body, said, places)
    return body, (*losses.found, *unsaid)


def _spelt(body: bytes, path: Path) -> Path:
    """Take each step in snake_case where the body has it so; proto JSON reads both."""
    found: Path = ()
    for step in path:
        other = snake(str(step))
        found = (*found, other if find(body, (*found, other)) is not None else step)
    return found
