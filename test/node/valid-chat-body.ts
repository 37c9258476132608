/** Chat bodies that the schema takes, in all their variety. */
import * as fc from "fast-check";

export interface ValidBodyOptions {
  /** Names that the fleet knows. */
  readonly models: readonly string[];
  /** Largest `max_tokens`: what is generated has to be waited for. */
  readonly maxTokens?: number;
  /** Images and sounds, which only some models take. */
  readonly media?: boolean;
}

const text = fc.string({ unit: "grapheme", maxLength: 60 });
const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,16}$/);

/** A body that the schema takes, with every rule between its fields kept. */
export function validChatBody(options: ValidBodyOptions): fc.Arbitrary<Record<string, unknown>> {
  const maxTokens = options.maxTokens ?? 16;
  return fc
    .record({
      model: fc.constantFrom(...options.models),
      messages: messages(options.media ?? false),
      fields: optionalFields(maxTokens),
      stream: streaming,
      tools: tooling,
      length: fc.constantFrom("max_tokens", "max_completion_tokens"),
      tokens: fc.integer({ min: 1, max: maxTokens }),
    })
    .map(({ model, messages, fields, stream, tools, length, tokens }) => ({
      model,
      messages,
      // Always some length, so that no answer runs to the end of the window.
      [length]: tokens,
      ...fields,
      ...stream,
      ...tools,
      ...(typeof fields.min_tokens === "number" && { min_tokens: Math.min(fields.min_tokens, tokens) }),
      ...(fields.logprobs !== true && { top_logprobs: undefined }),
    }));
}

const tokenId = fc.integer({ min: 0, max: 30_000 });

function optionalFields(maxTokens: number) {
  return fc.record(
    {
      temperature: fc.double({ min: 0, max: 2, noNaN: true }),
      top_p: fc.double({ min: 0, max: 1, noNaN: true }),
      frequency_penalty: fc.double({ min: -2, max: 2, noNaN: true }),
      presence_penalty: fc.double({ min: -2, max: 2, noNaN: true }),
      seed: fc.maxSafeInteger(),
      stop: fc.oneof(
        fc.string({ minLength: 1, maxLength: 8 }),
        fc.array(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 4 }),
      ),
      logit_bias: fc.dictionary(tokenId.map(String), fc.integer({ min: -100, max: 100 }), {
        maxKeys: 4,
        noNullPrototype: true,
      }),
      logprobs: fc.boolean(),
      top_logprobs: fc.integer({ min: 0, max: 20 }),
      n: fc.constantFrom(1, 1, 1, 2, 3),
      reasoning_effort: fc.constantFrom("none", "minimal", "low", "medium", "high", "xhigh", "max"),
      response_format: fc.oneof(
        fc.constant({ type: "text" }),
        fc.constant({ type: "json_object" }),
        fc.record({ type: fc.constant("json_schema"), json_schema: fc.record({ name, schema }) }),
      ),
      metadata: fc.dictionary(name, text, { maxKeys: 4, noNullPrototype: true }),
      modalities: fc.constant(["text"]),
      prediction: fc.record({ type: fc.constant("content"), content: text }),
      prompt_cache_key: text,
      prompt_cache_retention: fc.constantFrom("in_memory", "24h"),
      prompt_cache_options: fc.constant({}),
      safety_identifier: fc.string({ maxLength: 64 }),
      service_tier: fc.constantFrom("auto", "default", "flex", "priority"),
      user: text,
      verbosity: fc.constantFrom("low", "medium", "high"),
      top_k: fc.integer({ min: -1, max: 100 }),
      min_p: fc.double({ min: 0, max: 1, noNaN: true }),
      repetition_penalty: fc.double({ min: 0.01, max: 2, noNaN: true }),
      min_tokens: fc.integer({ min: 0, max: maxTokens }),
      stop_token_ids: fc.array(tokenId, { maxLength: 4 }),
      bad_words: fc.array(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 3 }),
      include_stop_str_in_output: fc.boolean(),
      skip_special_tokens: fc.boolean(),
      // OpenAI's clients send null for what was not set.
      audio: fc.constant(null),
      functions: fc.constant(null),
    },
    { requiredKeys: [] },
  );
}

const schema = fc.constantFrom<Record<string, unknown>>(
  {
    type: "object",
    properties: { answer: { type: "string" } },
    required: ["answer"],
    additionalProperties: false,
  },
  { type: "object", properties: { n: { type: "integer" }, ok: { type: "boolean" } } },
  { type: "object" },
);

const streaming = fc.oneof(
  fc.constant({}),
  fc.constant({ stream: false }),
  fc.constant({ stream: true }),
  fc.constant({ stream: true, stream_options: { include_usage: true } }),
  fc.constant({ stream: true, stream_format: "text" }),
);

const tooling = fc
  .record({
    tools: fc.uniqueArray(name, { maxLength: 3 }).map((names) =>
      names.map((one) => ({
        type: "function",
        function: { name: one, description: "A tool.", parameters: { type: "object", properties: {} } },
      })),
    ),
    how: fc.constantFrom("unsaid", "none", "auto", "required", "named", "allowed"),
    offered: fc.integer({ min: 0, max: 2 }),
  })
  .map(({ tools, how, offered }) => {
    const [first] = tools;
    if (offered > 0 || first === undefined) return {};
    const named = { type: "function", function: { name: first.function.name } };
    if (how === "unsaid") return { tools };
    if (how === "named") return { tools, tool_choice: named };
    if (how === "allowed")
      return {
        tools,
        tool_choice: { type: "allowed_tools", allowed_tools: { mode: "auto", tools: [named] } },
      };
    return { tools, tool_choice: how, parallel_tool_calls: true };
  });

const textParts = fc.array(
  text.map((value) => ({ type: "text", text: value })),
  { minLength: 1, maxLength: 3 },
);
const tinyPng =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const mediaParts = fc.constant([
  { type: "text", text: "What is this?" },
  { type: "image_url", image_url: { url: tinyPng, detail: "low" } },
]);
const content = fc.oneof({ weight: 4, arbitrary: text }, { weight: 1, arbitrary: textParts });

function messages(media: boolean): fc.Arbitrary<readonly unknown[]> {
  const instructions = fc.record({ role: fc.constantFrom("system", "developer"), content });
  const user = fc.record({
    role: fc.constant("user"),
    content: media
      ? fc.oneof({ weight: 5, arbitrary: content }, { weight: 1, arbitrary: mediaParts })
      : content,
  });
  const assistant = fc.record({ role: fc.constant("assistant"), content, refusal: fc.constant(null) });
  const toolTurn = fc.uniqueArray(name, { minLength: 1, maxLength: 2 }).map((ids) => [
    {
      role: "assistant",
      content: null,
      tool_calls: ids.map((id) => ({
        id,
        type: "function",
        function: { name: "look_up", arguments: '{"q":1}' },
      })),
    },
    ...ids.map((id) => ({ role: "tool", tool_call_id: id, content: "found" })),
  ]);
  const exchange = fc.tuple(
    user,
    fc.oneof({ weight: 3, arbitrary: assistant.map((one) => [one]) }, toolTurn),
  );
  return fc
    .tuple(fc.option(instructions, { nil: undefined }), fc.array(exchange, { maxLength: 3 }), user)
    .map(([first, exchanges, last]) => [
      ...(first === undefined ? [] : [first]),
      ...exchanges.flatMap(([asked, answered]) => [asked, ...answered]),
      last,
    ]);
}
