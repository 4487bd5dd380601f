"""What is asked.

``Request`` is what routing reads: small facts taken from the head of the body. The conversation is
decoded on first use, because a request that goes to a provider of its own dialect never needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

from hyperroute.canon.content import CacheMark, Json, Part, Turn
from hyperroute.canon.quick import quick
from hyperroute.canon.wire import Headers

Kind = Literal["chat", "image", "video", "audio", "embed", "gpu"]


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool the model may ask for.

    ``schema`` is the parsed JSON Schema of a function (``None``: absent), ``format`` the grammar of
    a custom tool, ``config`` the vendor's own object of a server tool.
    """

    kind: Literal["function", "custom", "server"] = "function"
    name: str
    description: str | None = None
    schema: Json | None = None
    strict: bool | None = None
    format: Json | None = None
    config: Json | None = None
    dialect: str = ""
    """Of a server tool: whose words ``config`` is in; its ``name`` is ``web_search`` or theirs."""
    cache: CacheMark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolChoice:
    """``named`` has one name, ``allowed`` some (then ``required`` tells any from auto)."""

    mode: Literal["none", "auto", "any", "named", "allowed", "server"]
    names: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSpec:
    """The form of the answer."""

    form: Literal["text", "json_object", "json_schema"] = "text"
    name: str | None = None
    description: str | None = None
    schema: Json | None = None
    strict: bool | None = None
    modalities: tuple[str, ...] | None = None
    verbosity: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How words are drawn; ``None`` is absent."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    n: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: Mapping[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinking:
    """How much the model may think. ``budget``: tokens, ``auto`` or ``off``; ``None`` is absent."""

    effort: str | None = None
    budget: int | Literal["auto", "off"] | None = None
    visible: Literal["none", "summary", "full"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """The canonical content of a chat request (dialects.md, 2)."""

    system: tuple[Part, ...] = ()
    turns: tuple[Turn, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel: bool | None = None
    output: OutputSpec = OutputSpec()
    max_output: int | None = None
    stop: tuple[str, ...] | None = None
    sampling: Sampling = Sampling()
    thinking: Thinking | None = None
    stream_usage: bool | None = None
    user: str | None = None
    metadata: Mapping[str, str] | None = None
    tier: str | None = None
    cache_key: str | None = None
    store: bool | None = None
    previous_id: str | None = None
    extensions: Mapping[str, Mapping[str, Any]] = field(default_factory=_nothing)
    """By dialect: members the canon has no word for; any other dialect reports them lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What a request may not have; it may narrow, never widen (tables.md, Narrowing).

    The caller writes some of it; what is last the gateway adds, and no body can say it.

    Attributes:
        max_cost: Exact decimal text in USD.
        deadline_ns: A duration from the start.
        models: Patterns of the models that the caller's key is open to; ``None``: all.
        account: The provider that keeps what the request refers to, so that no other may be asked.
        again: Our caller's client repeats the request by itself, so that no offer is tried twice.
    """

    fallback: bool = True
    only: tuple[str, ...] | None = None
    avoid: tuple[str, ...] = ()
    max_cost: str | None = None
    deadline_ns: int | None = None
    cache: bool = True
    models: tuple[str, ...] | None = None
    account: str | None = None
    again: bool = False


NO_NARROWING = Narrowing()


@dataclass(frozen=True, slots=True)
class Reference:
    """Something that a provider keeps, and that a request names instead of sending it."""

    pointer: str
    id: str


@quick(frozen=True, kw_only=True)
class Request:
    """One request as routing sees it.

    Attributes:
        model: As the caller wrote it, never yet resolved; ``None`` if only an intent was given.
        intent: The capability bucket; ignored when ``model`` is there.
        dialect: ``openai.chat``, …: whose words ``raw`` is in.
        endpoint: The table's word for the entry: chat, responses, messages, gemini, …; ``""`` where
            there was none, because the caller is in this process and named no dialect.
        raw: The parsed body as it came, our extension object still in it.
        body: The bytes as they came; ``None`` when the caller gave a mapping.
        features: What the model must be able to do (``tools``, ``vision``, …).
        input_bytes: UTF-8 bytes of all text: a sound upper bound of its tokens.
        max_output: Tokens the caller allows, ``None`` if not said.
        parameters: The words of the caller's that a shape may rule, under their SHAPE names.
        refers: What of a provider's own store it builds on.
        labels: Facts the caller told about itself (``org.region``, ``user.id``, …).
        headers: Those of the caller's that its dialect forwards (``anthropic-beta``, …).
        decode: Reads ``raw`` into a conversation; raises ``ClientWireError``.
    """

    kind: Kind = "chat"
    model: str | None = None
    intent: str | None = None
    dialect: str
    endpoint: str
    raw: Mapping[str, Any] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    stream: bool = False
    features: frozenset[str] = frozenset()
    input_bytes: int = 0
    max_output: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=_nothing)
    refers: tuple[Reference, ...] = ()
    labels: Mapping[str, Any] = field(default_factory=_nothing)
    narrowing: Narrowing = NO_NARROWING
    headers: Headers = field(default=(), repr=False)
    decode: Callable[[Mapping[str, Any]], Conversation] = field(repr=False, compare=False)

    def but(self, **changes: Any) -> Request:
        """Return this request with some fields changed; ``dataclasses.replace``, only faster."""
        made = object.__new__(Request)
        made.__dict__.update(self.__dict__)
        made.__dict__.pop("conversation", None)
        made.__dict__.update(changes)
        return made

    @cached_property
    def conversation(self) -> Conversation:
        """The canonical content, decoded on first use."""
        return self.decode(self.raw)
