"""Features of requests, each written out in the words of every dialect that has them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hyperroute.testing.matrix_asking import (
    A_IMAGE,
    HI,
    IMAGE,
    LOOSE,
    MARK,
    PDF,
    SCHEMA,
    A,
    C,
    Document,
    G,
    R,
    chat,
    chat_part,
    chat_tools,
    chat_turn,
    content,
    form,
    function,
    gemini,
    gemini_part,
    gemini_tools,
    gemini_turn,
    messages,
    messages_part,
    messages_tools,
    messages_turn,
    model,
    responses,
    responses_part,
    responses_tools,
    responses_turn,
    user,
)

REQUESTS: Final[Mapping[str, Mapping[str, Document]]] = MappingProxyType(
    {
        "text": {C: chat(), R: responses(), A: messages(), G: gemini()},
        "a stream": {
            C: chat(stream=True), R: responses(stream=True), A: messages(stream=True),
            G: gemini(stream=True),
        },
        "instructions": {
            C: chat({"role": "system", "content": "Be brief."}, HI),
            R: responses(instructions="Be brief."),
            A: messages(system="Be brief."),
            G: gemini(systemInstruction={"parts": [{"text": "Be brief."}]}),
        },
        "instructions in mid conversation": {
            C: chat(HI, {"role": "assistant", "content": "Ho"}, {"role": "developer", "content": "Be kind."}, HI),
            R: responses(HI, {"role": "assistant", "content": "Ho"}, {"role": "developer", "content": "Be kind."}, HI),
            A: messages(HI, {"role": "assistant", "content": "Ho"}, {"role": "system", "content": "Be kind."}, HI),
        },
        "a name on a message": {C: chat({**HI, "name": "ann"})},
        "a phase of an answer": {R: responses(HI, {"role": "assistant", "phase": "commentary", "content": "Ho"}, HI)},
        "an answer to be continued": {
            C: chat(HI, {"role": "assistant", "content": "Ho"}),
            R: responses(HI, {"role": "assistant", "content": "Ho"}),
            A: messages(HI, {"role": "assistant", "content": "Ho"}),
            G: gemini(user({"text": "Hi"}), model({"text": "Ho"})),
        },
        "an image as data": {
            C: chat_part({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{IMAGE}"}}),
            R: responses_part({"type": "input_image", "image_url": f"data:image/png;base64,{IMAGE}", "detail": "auto"}),
            A: messages_part(A_IMAGE),
            G: gemini_part({"inlineData": {"mimeType": "image/png", "data": IMAGE}}),
        },
        "an image by URL": {
            C: chat_part({"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}),
            R: responses_part({"type": "input_image", "image_url": "https://example.org/a.png", "detail": "auto"}),
            A: messages_part({"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}),
        },
        "an image by a vendor's file id": {
            R: responses_part({"type": "input_image", "file_id": "file_1", "detail": "auto"}),
            A: messages_part({"type": "image", "source": {"type": "file", "file_id": "file_1"}}),
            G: gemini_part({"fileData": {"mimeType": "image/png", "fileUri": "https://generativelanguage.googleapis.com/v1beta/files/1"}}),
        },
        "the detail of an image": {
            C: chat_part({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{IMAGE}", "detail": "low"}}),
            R: responses_part({"type": "input_image", "image_url": f"data:image/png;base64,{IMAGE}", "detail": "low"}),
        },
        "a PDF as data": {
            C: chat_part({"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}}),
            R: responses_part({"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}),
            A: messages_part({"type": "document", "title": "a.pdf", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}}),
            G: gemini_part({"inlineData": {"mimeType": "application/pdf", "data": PDF, "displayName": "a.pdf"}}),
        },
        "a PDF by URL": {
            R: responses_part({"type": "input_file", "file_url": "https://example.org/a.pdf"}),
            A: messages_part({"type": "document", "source": {"type": "url", "url": "https://example.org/a.pdf"}}),
        },
        "a text document": {A: messages_part({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "It rains."}})},
        "a document with context": {A: messages_part({"type": "document", "title": "a.pdf", "context": "old", "citations": {"enabled": True}, "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}})},
        "sound": {
            C: chat_part({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}),
            R: responses_part({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}),
            G: gemini_part({"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}}),
        },
        "a film": {G: gemini_part({"inlineData": {"mimeType": "video/mp4", "data": "AAAA"}})},
        "a tool": {C: chat_tools(), R: responses_tools(), A: messages_tools(), G: gemini_tools()},
        "a tool without parameters": {
            C: chat_tools(function()), R: responses_tools(function(parameters=None)),
            A: messages_tools(function(input_schema={"type": "object"})), G: gemini_tools(function()),
        },
        "a name that does not fit": {
            G: gemini_tools({"name": "shop.find:all", "parametersJsonSchema": SCHEMA}),
        },
        "a strict tool": {
            C: chat_tools(function(parameters=SCHEMA, strict=True)),
            R: responses_tools(function(parameters=SCHEMA, strict=True)),
            A: messages_tools(function(input_schema=SCHEMA, strict=True)),
            G: gemini_tools(calling={"mode": "VALIDATED"}),
        },
        "a strict tool outside the common subset": {
            C: chat_tools(function(parameters=LOOSE, strict=True)),
            R: responses_tools(function(parameters=LOOSE, strict=True)),
            A: messages_tools(function(input_schema=LOOSE, strict=True)),
        },
        "a free-form tool": {
            C: chat(tools=[{"type": "custom", "custom": {"name": "patch", "description": "d"}}]),
            R: responses(tools=[{"type": "custom", "name": "patch", "description": "d"}]),
        },
        "no tool may be called": {
            C: chat_tools(tool_choice="none"), R: responses_tools(tool_choice="none"),
            A: messages_tools(tool_choice={"type": "none"}), G: gemini_tools(calling={"mode": "NONE"}),
        },
        "any tool must be called": {
            C: chat_tools(tool_choice="required"), R: responses_tools(tool_choice="required"),
            A: messages_tools(tool_choice={"type": "any"}), G: gemini_tools(calling={"mode": "ANY"}),
        },
        "one tool must be called": {
            C: chat_tools(tool_choice={"type": "function", "function": {"name": "look"}}),
            R: responses_tools(tool_choice={"type": "function", "name": "look"}),
            A: messages_tools(tool_choice={"type": "tool", "name": "look"}),
            G: gemini_tools(calling={"mode": "ANY", "allowedFunctionNames": ["look"]}),
        },
        "some tools may be called": {
            C: chat_tools(function(parameters=SCHEMA), {"name": "b"}, {"name": "c"}, tool_choice={"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": n}} for n in ("look", "b")]}}),
            R: responses_tools(function(parameters=SCHEMA), {"name": "b", "parameters": None}, {"name": "c", "parameters": None}, tool_choice={"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": n} for n in ("look", "b")]}),
            G: gemini_tools(function(parametersJsonSchema=SCHEMA), {"name": "b"}, {"name": "c"}, calling={"mode": "ANY", "allowedFunctionNames": ["look", "b"]}),
        },
        "one call at a time": {
            C: chat_tools(parallel_tool_calls=False), R: responses_tools(parallel_tool_calls=False),
            A: messages_tools(tool_choice={"type": "auto", "disable_parallel_tool_use": True}),
        },
        "two calls and their results": {C: chat_turn(), R: responses_turn(), A: messages_turn(), G: gemini_turn()},
        "a result that failed": {
            A: messages_turn({"content": "no", "is_error": True}, {"content": "rain"}),
            G: gemini_turn({"response": {"error": "no"}}, {"response": {"output": "rain"}}),
        },
        "an image in a result": {
            R: responses_turn([{"type": "input_image", "image_url": f"data:image/png;base64,{IMAGE}", "detail": "auto"}]),
            A: messages_turn({"content": [A_IMAGE]}, {"content": "rain"}),
            G: gemini_turn({"response": {"output": "see"}, "parts": [{"inlineData": {"mimeType": "image/png", "data": IMAGE}}]}, {"response": {"output": "rain"}}),
        },
        "a call without its result": {
            C: chat(HI, chat_turn()["messages"][1], HI), R: responses(*responses_turn()["input"][:3], HI),
            A: messages(HI, messages_turn()["messages"][1], HI),
            G: gemini(*gemini_turn()["contents"][:2], user({"text": "Hi"})),
        },
        "a result without its call": {
            C: chat(HI, {"role": "tool", "tool_call_id": "x", "content": "sun"}),
            R: responses(HI, {"type": "function_call_output", "call_id": "x", "output": "sun"}),
            A: messages(content({"type": "tool_result", "tool_use_id": "x", "content": "sun"})),
            G: gemini(user({"functionResponse": {"id": "x", "name": "look", "response": {"output": "sun"}}})),
        },
        "effort": {
            C: chat(reasoning_effort="low"), R: responses(reasoning={"effort": "low"}),
            A: messages(output_config={"effort": "low"}),
            G: gemini(config={"thinkingConfig": {"thinkingLevel": "LOW"}}),
        },
        "a budget for thinking": {
            A: messages(thinking={"type": "enabled", "budget_tokens": 2000}),
            G: gemini(config={"thinkingConfig": {"thinkingBudget": 2000}}),
        },
        "no thinking": {
            C: chat(reasoning_effort="none"), R: responses(reasoning={"effort": "none"}),
            A: messages(thinking={"type": "disabled"}), G: gemini(config={"thinkingConfig": {"thinkingBudget": 0}}),
        },
        "thinking that is shown": {
            R: responses(reasoning={"effort": "low", "summary": "auto"}),
            A: messages(thinking={"type": "adaptive", "display": "summarized"}),
            G: gemini(config={"thinkingConfig": {"includeThoughts": True}}),
        },
        "thinking in the history": {
            C: chat(HI, {"role": "assistant", "content": "Ho", "reasoning_content": "hm"}, HI),
            R: responses(HI, {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "c2lnbmVk"}, {"role": "assistant", "content": "Ho"}, HI),
            A: messages_turn(thinking=({"type": "thinking", "thinking": "hm", "signature": "c2lnbmVk"},)),
            G: gemini_turn(sealed="c2lnbmVk"),
        },
        "JSON": {
            C: chat(response_format={"type": "json_object"}), R: responses(text={"format": {"type": "json_object"}}),
            G: gemini(config={"responseMimeType": "application/json"}),
        },
        "JSON of a schema": {
            C: chat(response_format={"type": "json_schema", "json_schema": form(SCHEMA, strict=False)}),
            R: responses(text={"format": {"type": "json_schema", **form(SCHEMA, strict=False)}}),
            A: messages(output_config={"format": {"type": "json_schema", "schema": SCHEMA}}),
            G: gemini(config={"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}),
        },
        "JSON of a strict schema": {
            C: chat(response_format={"type": "json_schema", "json_schema": form(SCHEMA, strict=True)}),
            R: responses(text={"format": {"type": "json_schema", **form(SCHEMA, strict=True)}}),
        },
        "stop sequences": {
            C: chat(stop=["END"]), A: messages(stop_sequences=["END"]), G: gemini(config={"stopSequences": ["END"]}),
        },
        "temperature": {
            C: chat(temperature=0.5), R: responses(temperature=0.5), A: messages(temperature=0.5),
            G: gemini(config={"temperature": 0.5}),
        },
        "a temperature above 1": {
            C: chat(temperature=1.5), R: responses(temperature=1.5), G: gemini(config={"temperature": 1.5}),
        },
        "top_p": {C: chat(top_p=0.5), R: responses(top_p=0.5), A: messages(top_p=0.5), G: gemini(config={"topP": 0.5})},
        "top_k": {A: messages(top_k=5), G: gemini(config={"topK": 5})},
        "a seed": {C: chat(seed=7), G: gemini(config={"seed": 7})},
        "two answers": {C: chat(n=2), G: gemini(config={"candidateCount": 2})},
        "penalties": {
            C: chat(presence_penalty=0.5, frequency_penalty=0.5),
            G: gemini(config={"presencePenalty": 0.5, "frequencyPenalty": 0.5}),
        },
        "biases of single tokens": {C: chat(logit_bias={"50": 1})},
        "probabilities of tokens": {
            C: chat(logprobs=True, top_logprobs=2),
            R: responses(top_logprobs=2, include=["message.output_text.logprobs"]),
            G: gemini(config={"responseLogprobs": True, "logprobs": 2}),
        },
        "verbosity": {C: chat(verbosity="low"), R: responses(text={"verbosity": "low"})},
        "the least answer": {C: chat(max_completion_tokens=5), A: messages(max_tokens=5), G: gemini(config={"maxOutputTokens": 5})},
        "an answer in sound": {
            C: chat(modalities=["text", "audio"], audio={"voice": "alloy", "format": "wav"}),
            G: gemini(config={"responseModalities": ["AUDIO"]}),
        },
        "who asks": {
            C: chat(safety_identifier="u1"), R: responses(safety_identifier="u1"),
            A: messages(metadata={"user_id": "u1"}),
        },
        "metadata": {C: chat(metadata={"a": "b"}), R: responses(metadata={"a": "b"}), G: gemini(labels={"a": "b"})},
        "a service tier": {
            C: chat(service_tier="priority"), R: responses(service_tier="priority"),
            A: messages(service_tier="standard_only"), G: gemini(serviceTier="priority"),
        },
        "a cache breakpoint": {
            C: chat(content({"type": "text", "text": "Hi", "prompt_cache_breakpoint": {"mode": "explicit"}})),
            R: responses(content({"type": "input_text", "text": "Hi", "prompt_cache_breakpoint": {"mode": "explicit"}})),
            A: messages(content({"type": "text", "text": "Hi", **MARK})),
        },
        "a cache breakpoint for an hour": {
            A: messages(content({"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral", "ttl": "1h"}})),
        },
        "a cache breakpoint on a tool": {A: messages_tools(function(input_schema=SCHEMA, **MARK))},
        "a key of the cache": {C: chat(prompt_cache_key="k"), R: responses(prompt_cache_key="k")},
        "a cached context": {G: gemini(cachedContent="cachedContents/1")},
        "an answer to be stored": {C: chat(store=True), R: responses(store=True)},
        "a stored conversation": {R: responses(previous_response_id="resp_1")},
        "web search": {
            C: chat(web_search_options={}), R: responses(tools=[{"type": "web_search"}]),
            A: messages(tools=[{"type": "web_search_20250305", "name": "web_search"}]),
            G: gemini(tools=[{"googleSearch": {}}]),
        },
        "web search as a chat tool": {C: chat(tools=[{"type": "web_search"}], tool_choice={"type": "web_search"})},
        "web search of some domains": {
            R: responses(tools=[{"type": "web_search", "filters": {"allowed_domains": ["a.org"]}, "search_context_size": "high"}]),
            A: messages(tools=[{"type": "web_search_20250305", "name": "web_search", "allowed_domains": ["a.org"], "max_uses": 2}]),
        },
        "web search near a place": {
            C: chat(web_search_options={"user_location": {"type": "approximate", "approximate": {"city": "Oslo"}}}),
            R: responses(tools=[{"type": "web_search", "user_location": {"type": "approximate", "city": "Oslo"}}]),
            A: messages(tools=[{"type": "web_search_20250305", "name": "web_search", "user_location": {"type": "approximate", "city": "Oslo"}}]),
        },
        "code that the provider runs": {
            R: responses(tools=[{"type": "code_interpreter", "container": {"type": "auto"}}]),
            A: messages(tools=[{"type": "code_execution_20250825", "name": "code_execution"}]),
            G: gemini(tools=[{"codeExecution": {}}]),
        },
        "tools that only arrange others": {R: responses_tools() | {"tools": [*responses_tools()["tools"], {"type": "tool_search"}]}},
        "a member that nobody knows": {
            C: chat(strange=1), R: responses(strange=1), A: messages(strange=1), G: gemini(strange=1),
        },
    }
)  # fmt: skip
"""By feature and dialect."""
