/** Valid bodies of the routes beside `POST /v1/chat/completions`, in their variety. */
import * as fc from "fast-check";
import type { CallTargets } from "./arbitrary-call.ts";

export type Body = fc.Arbitrary<Record<string, unknown>>;

export const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 });
const word = fc.stringMatching(/^[a-zA-Z0-9_-]{1,16}$/);
export const metadata = fc.dictionary(word, text, { maxKeys: 4, noNullPrototype: true });
export const attributes = fc.dictionary(word, fc.oneof(text, fc.integer(), fc.boolean()), {
  maxKeys: 4,
  noNullPrototype: true,
});

const comparison = fc.record({
  type: fc.constantFrom("eq", "ne", "gt", "gte", "lt", "lte"),
  key: word,
  value: fc.oneof(text, fc.integer()),
});
const filter = fc.oneof(
  comparison,
  fc.record({
    type: fc.constantFrom("and", "or"),
    filters: fc.array(comparison, { minLength: 1, maxLength: 3 }),
  }),
);
const ranking = fc.record(
  { ranker: fc.constantFrom("none", "auto"), score_threshold: fc.double({ min: 0, max: 1, noNaN: true }) },
  { requiredKeys: [] },
);
export const search = fc.record(
  {
    query: fc.oneof(word, fc.array(word, { minLength: 1, maxLength: 3 })),
    filters: filter,
    max_num_results: fc.integer({ min: 1, max: 50 }),
    ranking_options: ranking,
    rewrite_query: fc.boolean(),
  },
  { requiredKeys: ["query"] },
);

export function retrieval(store: string): Body {
  return fc.record(
    {
      vector_store_ids: fc.constant([store]),
      max_num_results: fc.integer({ min: 1, max: 50 }),
      filters: filter,
      ranking_options: ranking,
    },
    { requiredKeys: ["vector_store_ids"] },
  );
}

/** Many conversations: of one, few turns may wait for another. */
const conversationName = fc.stringMatching(/^chat-[a-z]{2}$/);

export function groundedChat({ models }: CallTargets, wanted: Body): Body {
  return fc
    .record({
      model: fc.constantFrom(...models),
      content: text,
      retrieval: fc.oneof(fc.constant(false), wanted),
      stream: fc.boolean(),
      store: fc.boolean(),
      metadata,
      conversation: fc.option(conversationName, { nil: undefined, freq: 2 }),
    })
    .map(({ content, conversation: id, ...rest }) => ({
      ...rest,
      ...(id === undefined ? {} : { conversation_id: id }),
      max_tokens: 8,
      messages: [{ role: "user", content }],
    }));
}

const part = text.map((value) => ({ type: "input_text", text: value }));
const message = fc.record({
  type: fc.constant("message"),
  role: fc.constant("user"),
  content: fc.oneof(text, fc.array(part, { minLength: 1, maxLength: 2 })),
});
const calls = fc.stringMatching(/^call_[a-z0-9]{12}$/).map((id) => [
  { type: "function_call", call_id: id, name: "look_up", arguments: '{"q":1}' },
  { type: "function_call_output", call_id: id, output: "found" },
]);

export function items(least: number): fc.Arbitrary<readonly unknown[]> {
  return fc
    .array(fc.oneof({ weight: 3, arbitrary: message.map((one) => [one]) }, calls), {
      minLength: least,
      maxLength: 3,
    })
    .map((some) => some.flat());
}

const functionTool = word.map((name) => ({
  type: "function",
  name,
  description: "A tool.",
  parameters: { type: "object", properties: {} },
}));

function tools(wanted: Body): fc.Arbitrary<readonly unknown[]> {
  return fc
    .tuple(
      fc.uniqueArray(functionTool, { maxLength: 2, selector: ({ name }) => name }),
      fc.option(wanted, { nil: undefined }),
    )
    .map(([functions, files]) => [
      ...functions,
      ...(files === undefined ? [] : [{ type: "file_search", ...files }]),
    ]);
}

const effort = fc.constantFrom("none", "minimal", "low", "medium", "high", "xhigh", "max");
const form = fc.constantFrom<Record<string, unknown>>(
  { format: { type: "text" } },
  { format: { type: "json_object" } },
  {
    format: { type: "json_schema", name: "one", schema: { type: "object", properties: {} }, strict: false },
  },
  { verbosity: "low" },
);
const asked = (models: readonly string[], wanted: Body) => ({
  model: fc.constantFrom(...models),
  input: fc.oneof(text, items(1)),
  instructions: text,
  reasoning: fc.record({ effort }, { requiredKeys: [] }),
  text: form,
  tools: tools(wanted),
  truncation: fc.constantFrom("auto", "disabled"),
});

export function response({ models }: CallTargets, wanted: Body): Body {
  return fc.record(
    {
      ...asked(models, wanted),
      max_output_tokens: fc.integer({ min: 1, max: 16 }),
      stream: fc.boolean(),
      store: fc.boolean(),
      metadata,
      max_tool_calls: fc.integer({ min: 1, max: 5 }),
      include: fc.subarray(["file_search_call.results", "reasoning.encrypted_content"]),
      temperature: fc.double({ min: 0, max: 2, noNaN: true }),
      user: text,
    },
    { requiredKeys: ["model", "input", "max_output_tokens"] },
  );
}

export function counted({ models }: CallTargets, wanted: Body): Body {
  return fc.record(asked(models, wanted), { requiredKeys: ["model", "input"] });
}

const chunking = fc.constantFrom<Record<string, unknown>>(
  { type: "auto" },
  { type: "static", static: { max_chunk_size_tokens: 100, chunk_overlap_tokens: 50 } },
);
export const vectorStore = fc.record(
  {
    name: text,
    description: text,
    metadata,
    chunking_strategy: chunking,
    expires_after: fc.record({
      anchor: fc.constant("last_active_at"),
      days: fc.integer({ min: 1, max: 365 }),
    }),
  },
  { requiredKeys: [] },
);

export function batch(file: string): Body {
  return fc.oneof(
    fc.record(
      { file_ids: fc.constant([file]), attributes, chunking_strategy: chunking },
      { requiredKeys: ["file_ids"] },
    ),
    fc.record({ files: fc.record({ file_id: fc.constant(file), attributes }).map((one) => [one]) }),
  );
}

export const moderation = fc.record({
  input: fc.oneof(
    text,
    fc.array(text, { minLength: 1, maxLength: 4 }),
    text.map((value) => [{ type: "text", text: value }]),
  ),
});
export const embeddings = fc.record(
  {
    model: fc.constant("bge-small"),
    input: fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 4 })),
    encoding_format: fc.constantFrom("float", "base64"),
    user: text,
  },
  { requiredKeys: ["model", "input"] },
);

export function completion(models: readonly string[]): Body {
  return fc.record(
    {
      model: fc.constantFrom(...models),
      prompt: text,
      max_tokens: fc.integer({ min: 1, max: 16 }),
      stream: fc.boolean(),
      temperature: fc.double({ min: 0, max: 2, noNaN: true }),
      seed: fc.maxSafeInteger(),
      echo: fc.constant(false),
    },
    { requiredKeys: ["model", "prompt", "max_tokens"] },
  );
}

export const apiKey = fc.record(
  { name: word, user: word, tier: fc.constantFrom("free", "pro", "enterprise") },
  { requiredKeys: ["name"] },
);

export function tenant(id: string): Body {
  const issuer = {
    issuer: `https://${id}.test`,
    audience: "edgewise",
    algorithms: ["HS256"],
    keys: { type: "secret", name: "DEMO_JWT_SECRET" },
  };
  const order = {
    name: "get_order",
    description: "Looks an order up",
    base_url: "https://orders.example",
    path: "/orders/{id}",
    parameters: { type: "object", properties: { id: { type: "string" } }, required: ["id"] },
  };
  return fc.record(
    {
      id: fc.constant(id),
      issuers: fc.constant([issuer]),
      name: text,
      tools: fc.constantFrom({ calculator: true }, { http: [order], chat_completions: true }),
      retrieval: fc.record({ budget_ms: fc.integer({ min: 20, max: 5000 }) }),
      cache: fc.constantFrom({ exact: "off" }, { exact: "all", semantic: { mode: "on" } }),
      safety: fc.constantFrom({ input: { action: "mask" } }, { moderation: { input: "block" } }),
      time_zone: fc.constantFrom("UTC", "Europe/Berlin", "Asia/Kolkata"),
    },
    { requiredKeys: ["id", "issuers"] },
  );
}
