// One turn with parallel tool calls through a client of Node, whole and streamed; told as JSON.
// node turn.mjs CLIENT URL KEY MODEL

const [client, url, key, model] = process.argv.slice(2);
const QUESTION = "What is the weather in Oslo and in Turin?";
const SCHEMA = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer" } },
  required: ["city", "days"],
  additionalProperties: false,
};
const result = (args) => `rain in ${args.city}`;

async function chat(stream) {
  const { default: OpenAI } = await import("openai");
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
  const messages = [{ role: "user", content: QUESTION }];
  const tools = [{ type: "function", function: { name: "get_weather", parameters: SCHEMA } }];
  const seen = [];
  for (;;) {
    const asked = { model, messages, tools };
    const came = stream
      ? await openai.chat.completions.stream(asked).finalChatCompletion()
      : await openai.chat.completions.create(asked);
    const { message } = came.choices[0];
    messages.push(message);
    if (!message.tool_calls?.length) return { text: message.content, seen };
    for (const call of message.tool_calls) {
      const args = JSON.parse(call.function.arguments);
      seen.push(args);
      messages.push({ role: "tool", tool_call_id: call.id, content: result(args) });
    }
  }
}

async function responses(stream) {
  const { default: OpenAI } = await import("openai");
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
  const input = [{ role: "user", content: QUESTION }];
  const tools = [{ type: "function", name: "get_weather", parameters: SCHEMA, strict: true }];
  const seen = [];
  for (;;) {
    const asked = { model, input, tools, store: false };
    const came = stream
      ? await openai.responses.stream(asked).finalResponse()
      : await openai.responses.create(asked);
    input.push(...came.output);
    const calls = came.output.filter((item) => item.type === "function_call");
    if (!calls.length) return { text: came.output_text, seen };
    for (const call of calls) {
      const args = JSON.parse(call.arguments);
      seen.push(args);
      input.push({ type: "function_call_output", call_id: call.call_id, output: result(args) });
    }
  }
}

async function messages(stream) {
  const { default: Anthropic } = await import("@anthropic-ai/sdk");
  const anthropic = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 });
  const history = [{ role: "user", content: QUESTION }];
  const tools = [{ name: "get_weather", input_schema: SCHEMA }];
  const seen = [];
  for (;;) {
    const asked = { model, max_tokens: 1024, messages: history, tools };
    const came = stream
      ? await anthropic.messages.stream(asked).finalMessage()
      : await anthropic.messages.create(asked);
    history.push({ role: "assistant", content: came.content });
    const calls = came.content.filter((block) => block.type === "tool_use");
    if (!calls.length) return { text: came.content.find((b) => b.type === "text").text, seen };
    const results = calls.map((call) => {
      seen.push(call.input);
      return { type: "tool_result", tool_use_id: call.id, content: result(call.input) };
    });
    history.push({ role: "user", content: results });
  }
}

async function gemini(stream) {
  const { GoogleGenAI } = await import("@google/genai");
  const google = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url } });
  const contents = [{ role: "user", parts: [{ text: QUESTION }] }];
  const declared = { name: "get_weather", parametersJsonSchema: SCHEMA };
  const config = { tools: [{ functionDeclarations: [declared] }] };
  const seen = [];
  for (;;) {
    const asked = { model, contents, config };
    const parts = [];
    if (stream) {
      for await (const chunk of await google.models.generateContentStream(asked))
        parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
    } else {
      parts.push(...(await google.models.generateContent(asked)).candidates[0].content.parts);
    }
    contents.push({ role: "model", parts });
    const calls = parts.filter((part) => part.functionCall).map((part) => part.functionCall);
    const text = parts.filter((part) => !part.thought).map((part) => part.text ?? "").join("");
    if (!calls.length) return { text, seen };
    const results = calls.map((call) => {
      seen.push(call.args);
      const response = { output: result(call.args) };
      return { functionResponse: { id: call.id, name: call.name, response } };
    });
    contents.push({ role: "user", parts: results });
  }
}

async function vercel(kind, stream) {
  const { generateText, streamText, jsonSchema, stepCountIs, tool } = await import("ai");
  const baseURL = `${url}/v1`;
  const made = {
    chat: async () => {
      const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
      return createOpenAICompatible({ name: "gateway", baseURL, apiKey: key })(model);
    },
    responses: async () =>
      (await import("@ai-sdk/openai")).createOpenAI({ baseURL, apiKey: key })(model),
    messages: async () =>
      (await import("@ai-sdk/anthropic")).createAnthropic({ baseURL, apiKey: key })(model),
    gemini: async () =>
      (await import("@ai-sdk/google")).createGoogleGenerativeAI({
        baseURL: `${url}/v1beta`,
        apiKey: key,
      })(model),
  };
  const seen = [];
  const weather = tool({
    description: "The weather in a city.",
    inputSchema: jsonSchema(SCHEMA),
    execute: async (args) => {
      seen.push(args);
      return result(args);
    },
  });
  const asked = {
    model: await made[kind](),
    prompt: QUESTION,
    tools: { get_weather: weather },
    stopWhen: stepCountIs(4),
    // Without it the history is sent as references to what only OpenAI has stored.
    providerOptions: { openai: { store: false } },
    maxRetries: 0,
  };
  const came = stream ? streamText(asked) : await generateText(asked);
  return { text: await came.text, seen };
}

const CLIENTS = { chat, responses, messages, gemini };
for (const kind of Object.keys(CLIENTS).slice()) {
  CLIENTS[`vercel-${kind}`] = (stream) => vercel(kind, stream);
}
const told = { whole: await CLIENTS[client](false), streamed: await CLIENTS[client](true) };
process.stdout.write(JSON.stringify(told));
