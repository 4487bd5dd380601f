"""One turn with parallel tool calls through a client of Python, told as JSON.

Run by the interpreter of ``installed.py``: ``turn.py CLIENT URL KEY MODEL``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

QUESTION = "What is the weather in Oslo and in Turin?"
seen: list[Any] = []


def get_weather(city: str, days: int) -> str:
    """Look up the weather in a city."""
    seen.append({"city": city, "days": days})
    return f"rain in {city}"


def langchain(chat: Any) -> str:
    """Run LangChain's loop by hand, streamed."""
    from langchain_core.messages import HumanMessage
    from langchain_core.tools import tool

    weather = tool(get_weather)
    bound = chat.bind_tools([weather])
    history: list[Any] = [HumanMessage(QUESTION)]
    while True:
        came = None
        for chunk in bound.stream(history):
            came = chunk if came is None else came + chunk
        assert came is not None
        history.append(came)
        if not came.tool_calls:
            return str(came.text)
        history.extend(weather.invoke(call) for call in came.tool_calls)


def langchain_openai(url: str, key: str, model: str) -> str:
    from langchain_openai import ChatOpenAI

    return langchain(ChatOpenAI(base_url=f"{url}/v1", api_key=key, model=model))


def langchain_responses(url: str, key: str, model: str) -> str:
    from langchain_openai import ChatOpenAI

    made = ChatOpenAI(base_url=f"{url}/v1", api_key=key, model=model, use_responses_api=True)
    return langchain(made)


def langchain_anthropic(url: str, key: str, model: str) -> str:
    from langchain_anthropic import ChatAnthropic

    return langchain(ChatAnthropic(base_url=url, api_key=key, model=model, max_tokens=1024))


def langchain_gemini(url: str, key: str, model: str) -> str:
    from langchain_google_genai import ChatGoogleGenerativeAI

    return langchain(ChatGoogleGenerativeAI(base_url=url, api_key=key, model=model))


def pydantic_ai(model: Any) -> str:
    """Let pydantic-ai run its own loop."""
    from pydantic_ai import Agent

    return str(Agent(model, tools=[get_weather]).run_sync(QUESTION).output)


def pydantic_ai_openai(url: str, key: str, model: str) -> str:
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    return pydantic_ai(
        OpenAIChatModel(model, provider=OpenAIProvider(base_url=f"{url}/v1", api_key=key))
    )


def pydantic_ai_responses(url: str, key: str, model: str) -> str:
    from pydantic_ai.models.openai import OpenAIResponsesModel
    from pydantic_ai.providers.openai import OpenAIProvider

    return pydantic_ai(
        OpenAIResponsesModel(model, provider=OpenAIProvider(base_url=f"{url}/v1", api_key=key))
    )


def pydantic_ai_anthropic(url: str, key: str, model: str) -> str:
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    return pydantic_ai(AnthropicModel(model, provider=AnthropicProvider(base_url=url, api_key=key)))


def pydantic_ai_gemini(url: str, key: str, model: str) -> str:
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    return pydantic_ai(GoogleModel(model, provider=GoogleProvider(base_url=url, api_key=key)))


def llm(url: str, key: str, model: str) -> str:
    """Simon Willison's ``llm``, with a model of its OpenAI plugin that is declared in a file."""
    import os

    folder = Path(mkdtemp())
    os.environ["LLM_USER_PATH"] = str(folder)
    import llm as command

    declared = f"- model_id: here\n  model_name: {model}\n  api_base: {url}/v1\n  supports_tools: true\n  api_key_name: gateway\n"
    (folder / "extra-openai-models.yaml").write_text(declared, "utf-8")
    model_here = command.get_model("here")
    model_here.key = key
    return str(model_here.chain(QUESTION, tools=[get_weather]).text())


CLIENTS: dict[str, Callable[[str, str, str], str]] = {
    "langchain-openai": langchain_openai,
    "langchain-responses": langchain_responses,
    "langchain-anthropic": langchain_anthropic,
    "langchain-gemini": langchain_gemini,
    "pydantic-ai-openai": pydantic_ai_openai,
    "pydantic-ai-responses": pydantic_ai_responses,
    "pydantic-ai-anthropic": pydantic_ai_anthropic,
    "pydantic-ai-gemini": pydantic_ai_gemini,
    "llm": llm,
}


def instructor(url: str, key: str, model: str) -> dict[str, Any]:
    """Ask for an object, through a tool and through a form."""
    import instructor as patched
    import openai
    from pydantic import BaseModel

    class Trip(BaseModel):
        city: str
        days: int

    client = openai.OpenAI(base_url=f"{url}/v1", api_key=key)
    asked: Any = {"model": model, "messages": [{"role": "user", "content": QUESTION}]}
    found = patched.from_openai(client).chat.completions.create(**asked, response_model=Trip)
    return dict(found.model_dump())


if __name__ == "__main__":
    name, *where = sys.argv[1:]
    if name == "instructor":
        print(json.dumps(instructor(*where)))  # noqa: T201 - a script tells
    else:
        print(json.dumps({"text": CLIENTS[name](*where), "seen": seen}))  # noqa: T201
