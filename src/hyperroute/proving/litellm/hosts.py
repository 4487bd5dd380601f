"""Where a prefix of LiteLLM's leads: our plugin, the host's public address, its usual variable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Host:
    """A host as a table would have it.

    Attributes:
        url: Its public address; empty: the plugin's own, or the caller's to say.
        variable: Where its key usually is; empty: it needs none.
        compatible: It speaks chat completions and nothing else.
        shipped: What the shipped table calls it, for prices.
    """

    plugin: str
    url: str = ""
    variable: str = ""
    compatible: bool = True
    shipped: str = ""
    needs_url: bool = False


HOSTS: Mapping[str, Host] = MappingProxyType(
    {
        "openai": Host("openai", "", "OPENAI_API_KEY", compatible=False, shipped="openai"),
        "anthropic": Host("anthropic", "", "ANTHROPIC_API_KEY", compatible=False, shipped="anthropic"),
        "gemini": Host("gemini", "", "GEMINI_API_KEY", compatible=False, shipped="google"),
        "azure": Host("openai", "", "AZURE_API_KEY", shipped="azure", needs_url=True),
        "deepseek": Host("openai", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", shipped="deepseek"),
        "groq": Host("openai", "https://api.groq.com/openai/v1", "GROQ_API_KEY", shipped="groq"),
        "together_ai": Host("openai", "https://api.together.xyz/v1", "TOGETHERAI_API_KEY", shipped="together"),
        "openrouter": Host("openai", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", shipped="openrouter"),
        "moonshot": Host("openai", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY", shipped="moonshot"),
        "zai": Host("openai", "https://api.z.ai/api/paas/v4", "ZAI_API_KEY", shipped="zhipu"),
        "minimax": Host("openai", "https://api.minimax.io/v1", "MINIMAX_API_KEY", shipped="minimax"),
        "dashscope": Host("openai", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY", shipped="alibaba"),
        "mistral": Host("openai", "https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
        "fireworks_ai": Host("openai", "https://api.fireworks.ai/inference/v1", "FIREWORKS_AI_API_KEY"),
        "xai": Host("openai", "https://api.x.ai/v1", "XAI_API_KEY"),
        "cerebras": Host("openai", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
        "perplexity": Host("openai", "https://api.perplexity.ai", "PERPLEXITYAI_API_KEY"),
        "deepinfra": Host("openai", "https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"),
        "nvidia_nim": Host("openai", "https://integrate.api.nvidia.com/v1", "NVIDIA_NIM_API_KEY"),
        "openai_like": Host("openai", needs_url=True),
        "hosted_vllm": Host("openai", needs_url=True),
        "litellm_proxy": Host("openai", needs_url=True),
        "lm_studio": Host("openai", needs_url=True),
        "llamafile": Host("openai", needs_url=True),
        "ollama": Host("openai", "http://localhost:11434/v1"),
        "ollama_chat": Host("openai", "http://localhost:11434/v1"),
    }
)  # fmt: skip

_BEGINNINGS = (
    ("gpt-", "openai"),
    ("chatgpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("text-embedding-", "openai"),
    ("dall-e", "openai"),
    ("whisper", "openai"),
    ("tts-", "openai"),
    ("claude-", "anthropic"),
)


def split_model(model: str, said: str = "") -> tuple[str, str]:
    """Tell the prefix from what is sent upstream; the prefix is empty where nobody can know it."""
    head, slash, rest = model.partition("/")
    if said:
        return said, rest if slash and head == said else model
    if slash and head in HOSTS:
        return head, rest
    for beginning, host in _BEGINNINGS:
        if model.startswith(beginning):
            return host, model
    return (head, rest) if slash else ("", model)


def kind_of(model: str, mode: str) -> str | None:
    """Say of which kind a model is; ``None``: of none that a table has."""
    kinds = {
        "chat": "chat",
        "responses": "chat",
        "completion": "chat",
        "embedding": "embed",
        "image_generation": "image",
        "audio_transcription": "audio",
        "audio_speech": "audio",
        "video_generation": "video",
    }
    if mode:
        return kinds.get(mode)
    for beginnings, kind in (
        (("text-embedding", "embed"), "embed"),
        (("dall-e", "gpt-image", "imagen", "flux"), "image"),
        (("whisper", "tts-"), "audio"),
    ):
        if model.startswith(beginnings) or model.rpartition("/")[2].startswith(beginnings):
            return kind
    return "chat"
