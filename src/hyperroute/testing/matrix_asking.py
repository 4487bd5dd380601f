"""Requests in the words of each dialect, written out by hand, for the features of the matrix."""

from __future__ import annotations

from typing import Any, Final

Document = dict[str, Any]

C: Final = "openai.chat"
R: Final = "openai.responses"
A: Final = "anthropic.messages"
G: Final = "gemini.generate"

IMAGE: Final = "iVBORw0KGgo="
PDF: Final = "JVBERi0x"
SCHEMA: Final = {
    "type": "object",
    "properties": {"at": {"type": "string"}},
    "required": ["at"],
    "additionalProperties": False,
}
LOOSE: Final = {"type": "object", "properties": {"at": {"type": "string", "minLength": 2}}}
HI: Final = {"role": "user", "content": "Hi"}


def chat(*messages: Document, **more: Any) -> Document:
    """Write a chat completions request with a limit, which some dialects demand."""
    told = list(messages) or [HI]
    return {"model": "m", "max_completion_tokens": 4000, "messages": told, **more}


def responses(*items: Document, **more: Any) -> Document:
    """Write a Responses request."""
    told = list(items) or [HI]
    return {"model": "m", "max_output_tokens": 4000, "input": told, **more}


def messages(*turns: Document, **more: Any) -> Document:
    """Write a Messages request."""
    return {"model": "m", "max_tokens": 4000, "messages": list(turns) or [HI], **more}


def gemini(*contents: Document, config: Document | None = None, **more: Any) -> Document:
    """Write a generateContent request; ``config`` adds to ``generationConfig``."""
    told = list(contents) or [user({"text": "Hi"})]
    limit = {"maxOutputTokens": 4000}
    return {"model": "m", "contents": told, "generationConfig": limit | (config or {}), **more}


def user(*parts: Document) -> Document:
    """Write a turn of Gemini's user."""
    return {"role": "user", "parts": list(parts)}


def model(*parts: Document) -> Document:
    """Write a turn of Gemini's model."""
    return {"role": "model", "parts": list(parts)}


def content(*parts: Document, role: str = "user") -> Document:
    """Write a turn of several parts or blocks."""
    return {"role": role, "content": list(parts)}


def function(**more: Any) -> Document:
    """Write what all dialects say alike of a tool."""
    return {"name": "look", "description": "d", **more}


def chat_tools(*tools: Document, **more: Any) -> Document:
    """Offer tools in chat; one, if none is given."""
    told = [{"type": "function", "function": tool} for tool in tools]
    return chat(
        tools=told or [{"type": "function", "function": function(parameters=SCHEMA)}], **more
    )


def responses_tools(*tools: Document, **more: Any) -> Document:
    """Offer tools in Responses; one, if none is given."""
    told = [{"type": "function", "strict": False, **tool} for tool in tools]
    plain = {"type": "function", **function(parameters=SCHEMA, strict=False)}
    return responses(tools=told or [plain], **more)


def messages_tools(*tools: Document, **more: Any) -> Document:
    """Offer tools in Messages; one, if none is given."""
    return messages(tools=list(tools) or [function(input_schema=SCHEMA)], **more)


def gemini_tools(*tools: Document, calling: Document | None = None) -> Document:
    """Offer tools to Gemini; one, if none is given."""
    declared = list(tools) or [function(parametersJsonSchema=SCHEMA)]
    choice = {"toolConfig": {"functionCallingConfig": calling}} if calling else {}
    return gemini(tools=[{"functionDeclarations": declared}], **choice)


# --- an agent's turn: two calls, two results -------------------------------------------------------
def chat_turn(one: Any = "sun", two: Any = "rain") -> Document:
    """Write an agent's turn of two calls and their results."""
    calls = [
        {"id": f"call_{n}", "type": "function", "function": {"name": "look", "arguments": f'{{"at":"{n}"}}'}}
        for n in (1, 2)
    ]  # fmt: skip
    results = [
        {"role": "tool", "tool_call_id": f"call_{n}", "content": said}
        for n, said in ((1, one), (2, two))
    ]
    asked = {"role": "assistant", "content": "A moment.", "tool_calls": calls}
    return chat_tools() | {"messages": [HI, asked, *results]}


def responses_turn(one: Any = "sun", two: Any = "rain") -> Document:
    """Write the same in Responses."""
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A moment.", "annotations": []}]}  # fmt: skip
    calls = [
        {"type": "function_call", "call_id": f"call_{n}", "name": "look", "arguments": f'{{"at":"{n}"}}'}
        for n in (1, 2)
    ]  # fmt: skip
    results = [
        {"type": "function_call_output", "call_id": f"call_{n}", "output": output}
        for n, output in ((1, one), (2, two))
    ]
    return responses_tools() | {"input": [HI, said, *calls, *results]}


def messages_turn(*results: Document, thinking: tuple[Document, ...] = ()) -> Document:
    """Write the same in Messages, its results as they are given."""
    calls = [
        {"type": "tool_use", "id": f"call_{n}", "name": "look", "input": {"at": str(n)}}
        for n in (1, 2)
    ]
    told = [
        {"type": "tool_result", "tool_use_id": f"call_{n}", **said}
        for n, said in enumerate(results or ({"content": "sun"}, {"content": "rain"}), start=1)
    ]
    said = {"type": "text", "text": "A moment."}
    asked = content(*thinking, said, *calls, role="assistant")
    return messages_tools() | {"messages": [HI, asked, content(*told)]}


def gemini_turn(*results: Document, sealed: str | None = None) -> Document:
    """Write the same for Gemini, its first call signed if there is a seal."""
    calls: list[Document] = [
        {"functionCall": {"id": f"call_{n}", "name": "look", "args": {"at": str(n)}}}
        for n in (1, 2)
    ]
    if sealed:
        calls[0]["thoughtSignature"] = sealed
    told = [
        {"functionResponse": {"id": f"call_{n}", "name": "look", **said}}
        for n, said in enumerate(
            results or ({"response": {"output": "sun"}}, {"response": {"output": "rain"}}), start=1
        )
    ]
    return gemini_tools() | {
        "contents": [user({"text": "Hi"}), model({"text": "A moment."}, *calls), user(*told)]
    }


def chat_part(part: Document) -> Document:
    """Put a part behind a greeting."""
    return chat(content({"type": "text", "text": "Hi"}, part))


def responses_part(part: Document) -> Document:
    """Put a part behind a greeting."""
    return responses(content({"type": "input_text", "text": "Hi"}, part))


def messages_part(part: Document) -> Document:
    """Put a block behind a greeting."""
    return messages(content({"type": "text", "text": "Hi"}, part))


def gemini_part(part: Document) -> Document:
    """Put a part behind a greeting."""
    return gemini(user({"text": "Hi"}, part))


def form(schema: Document, *, strict: bool) -> Document:
    """Name a schema."""
    return {"name": "answer", "schema": schema, "strict": strict}


A_IMAGE: Final = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": IMAGE}}  # fmt: skip
MARK: Final = {"cache_control": {"type": "ephemeral"}}
