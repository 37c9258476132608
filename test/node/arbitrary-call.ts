/**
 * Calls of the routes beside `POST /v1/chat/completions`: valid ones in their variety, the same broken in every way, odd
 * queries of lists, and uploads that are no form. For tests that send thousands of them to the running stack.
 */
import * as fc from "fast-check";
import { brokenText, brokenValue } from "./broken-chat-body.ts";

export interface GeneratedCall {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  /** What is sent, as it is; `null`: nothing. */
  readonly text: string | null;
  readonly contentType: string;
  /** Whose credential it needs. */
  readonly as: "user" | "admin" | "platform";
  /** `valid`: it must be carried out, but for what a model can't do. `broken`: it may happen to be valid still. */
  readonly intent: "valid" | "broken";
}

/** What there is to be asked about. */
export interface CallTargets {
  readonly models: readonly string[];
  readonly store: string;
  readonly file: string;
  readonly conversation: string;
  readonly response: string;
  readonly completion: string;
  /** A tenant that may be written. */
  readonly tenant: string;
}

type Body = fc.Arbitrary<Record<string, unknown>>;
interface Route {
  readonly method: "POST" | "PUT";
  readonly path: string;
  readonly body: Body;
  readonly structured: readonly string[];
  readonly as: GeneratedCall["as"];
}

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 });
const word = fc.stringMatching(/^[a-zA-Z0-9_-]{1,16}$/);
const metadata = fc.dictionary(word, text, { maxKeys: 4, noNullPrototype: true });
const attributes = fc.dictionary(word, fc.oneof(text, fc.integer(), fc.boolean()), {
  maxKeys: 4,
  noNullPrototype: true,
});

export function arbitraryCall(targets: CallTargets): fc.Arbitrary<GeneratedCall> {
  const ofBody = fc.oneof(...routesOf(targets).map(callsOf));
  return fc.oneof(
    { weight: 8, arbitrary: ofBody },
    { weight: 3, arbitrary: lists(targets) },
    { weight: 1, arbitrary: uploads },
  );
}

function callsOf({ method, path, body, structured, as }: Route): fc.Arbitrary<GeneratedCall> {
  const rest = { method, path, as, contentType: "application/json" };
  return fc.oneof(
    {
      weight: 5,
      arbitrary: body.map((one) => ({ ...rest, text: JSON.stringify(one), intent: "valid" as const })),
    },
    {
      weight: 5,
      arbitrary: fc
        .oneof(
          {
            weight: 6,
            arbitrary: brokenValue(body, structured).map((value) => JSON.stringify(value)),
          },
          { weight: 2, arbitrary: brokenText(body.map((one) => JSON.stringify(one))) },
          { weight: 1, arbitrary: fc.json() },
        )
        .map((broken) => ({ ...rest, text: broken, intent: "broken" as const })),
    },
  );
}

function routesOf(targets: CallTargets): readonly Route[] {
  const post = (path: string, body: Body, ...structured: string[]): Route => ({
    method: "POST",
    path,
    body,
    structured: structured.length === 0 ? ["metadata"] : structured,
    as: "user",
  });
  const { store, conversation } = targets;
  const wanted = retrieval(store);
  const files = fc.record({ file_id: fc.constant(targets.file), attributes }, { requiredKeys: ["file_id"] });
  return [
    post("/v1/chat/completions", groundedChat(targets, wanted), "retrieval", "retrieval", "messages"),
    post("/v1/responses", response(targets, wanted), "input", "tools", "text"),
    post("/v1/responses", response(targets, wanted), "input", "tools", "tools"),
    post("/v1/responses/input_tokens", counted(targets, wanted), "input", "tools"),
    post("/v1/vector_stores", vectorStore, "chunking_strategy", "expires_after", "metadata"),
    post(`/v1/vector_stores/${store}`, fc.record({ name: text, metadata })),
    post(`/v1/vector_stores/${store}/search`, search, "filters", "filters", "ranking_options"),
    post(`/v1/vector_stores/${store}/files`, files, "attributes"),
    post(`/v1/vector_stores/${store}/files/${targets.file}`, fc.record({ attributes }), "attributes"),
    post(`/v1/vector_stores/${store}/file_batches`, batch(targets.file), "files", "attributes"),
    post("/v1/conversations", fc.record({ metadata, items: items(3) }), "items", "metadata"),
    post(`/v1/conversations/${conversation}/items`, fc.record({ items: items(1) }), "items"),
    post(`/v1/conversations/${conversation}`, fc.record({ metadata, title: fc.constant("A title") })),
    post(`/v1/chat/completions/${targets.completion}`, fc.record({ metadata })),
    post("/v1/moderations", moderation, "input"),
    post("/v1/embeddings", embeddings, "input"),
    post("/v1/completions", completion(targets.models), "prompt"),
    { ...post("/admin/keys", apiKey, "limits"), as: "admin" },
    {
      method: "PUT",
      path: `/admin/tenants/${targets.tenant}`,
      body: tenant(targets.tenant),
      structured: ["issuers", "tools", "tools", "retrieval", "cache", "safety"],
      as: "platform",
    },
  ];
}

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
const search = fc.record(
  {
    query: fc.oneof(word, fc.array(word, { minLength: 1, maxLength: 3 })),
    filters: filter,
    max_num_results: fc.integer({ min: 1, max: 50 }),
    ranking_options: ranking,
    rewrite_query: fc.boolean(),
  },
  { requiredKeys: ["query"] },
);

function retrieval(store: string): Body {
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

function groundedChat({ models }: CallTargets, wanted: Body): Body {
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

function items(least: number): fc.Arbitrary<readonly unknown[]> {
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

function response({ models }: CallTargets, wanted: Body): Body {
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

function counted({ models }: CallTargets, wanted: Body): Body {
  return fc.record(asked(models, wanted), { requiredKeys: ["model", "input"] });
}

const chunking = fc.constantFrom<Record<string, unknown>>(
  { type: "auto" },
  { type: "static", static: { max_chunk_size_tokens: 100, chunk_overlap_tokens: 50 } },
);
const vectorStore = fc.record(
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

function batch(file: string): Body {
  return fc.oneof(
    fc.record(
      { file_ids: fc.constant([file]), attributes, chunking_strategy: chunking },
      { requiredKeys: ["file_ids"] },
    ),
    fc.record({ files: fc.record({ file_id: fc.constant(file), attributes }).map((one) => [one]) }),
  );
}

const moderation = fc.record({
  input: fc.oneof(
    text,
    fc.array(text, { minLength: 1, maxLength: 4 }),
    text.map((value) => [{ type: "text", text: value }]),
  ),
});
const embeddings = fc.record(
  {
    model: fc.constant("bge-small"),
    input: fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 4 })),
    encoding_format: fc.constantFrom("float", "base64"),
    user: text,
  },
  { requiredKeys: ["model", "input"] },
);

function completion(models: readonly string[]): Body {
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

const apiKey = fc.record(
  { name: word, user: word, tier: fc.constantFrom("free", "pro", "enterprise") },
  { requiredKeys: ["name"] },
);

function tenant(id: string): Body {
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

const queryNames = [
  "limit",
  "after",
  "before",
  "order",
  "from",
  "until",
  "group_by",
  "org",
  "model",
  "tenant",
  "user",
] as const;
const moreQueryNames = [
  "tier",
  "metadata[k]",
  "metadata",
  "include[]",
  "purpose",
  "filter",
  "branch",
  "stream",
];
const queryValue = fc.oneof(
  fc.constantFrom("", "0", "1", "-1", "100", "1e9", "asc", "desc", "true", "null", "undefined", "2026-13-01"),
  fc.constantFrom(
    "2026-11-01",
    "2026-12-01",
    "date,org,model",
    "date,,org",
    "demo",
    "W10",
    "%00",
    "completed",
  ),
  fc.string({ unit: "grapheme", maxLength: 20 }),
);

/** What only reads, with queries that belong there and others. */
function lists(targets: CallTargets): fc.Arbitrary<GeneratedCall> {
  const { store, file, conversation, response: answer, completion: chat } = targets;
  const paths: readonly (readonly [string, GeneratedCall["as"]])[] = [
    ["/v1/chat/completions", "user"],
    [`/v1/chat/completions/${chat}`, "user"],
    [`/v1/chat/completions/${chat}/messages`, "user"],
    [`/v1/responses/${answer}`, "user"],
    [`/v1/responses/${answer}/input_items`, "user"],
    ["/v1/conversations", "user"],
    ["/v1/conversation_deletions", "user"],
    [`/v1/conversations/${conversation}/items`, "user"],
    [`/v1/conversations/${conversation}/branches`, "user"],
    ["/v1/files", "user"],
    [`/v1/files/${file}`, "user"],
    ["/v1/vector_stores", "user"],
    [`/v1/vector_stores/${store}/files`, "user"],
    [`/v1/vector_stores/${store}/files/${file}/content`, "user"],
    ["/v1/models", "user"],
    ["/v1/usage", "user"],
    ["/admin/usage", "admin"],
    ["/admin/limits", "admin"],
    ["/admin/keys", "admin"],
    ["/admin/audit", "admin"],
    ["/admin/usage", "platform"],
    ["/admin/tenants", "platform"],
    ["/admin/fleet", "platform"],
  ];
  const query = fc.array(fc.tuple(fc.constantFrom(...queryNames, ...moreQueryNames), queryValue), {
    maxLength: 3,
  });
  return fc.tuple(fc.constantFrom(...paths), query).map(([[path, as], pairs]) => ({
    method: "GET" as const,
    path: pairs.length === 0 ? path : `${path}?${new URLSearchParams(pairs)}`,
    text: null,
    contentType: "",
    as,
    intent: "broken" as const,
  }));
}

const boundary = "a-boundary";

/** Forms of which a part is missing, doubled, cut or none. */
const uploads: fc.Arbitrary<GeneratedCall> = fc
  .record({
    purpose: fc.constantFrom("assistants", "assistants", "user_data", "fine-tune", ""),
    filename: fc.constantFrom("a.txt", "a.md", "a.pdf", "a.docx", "", "../../a.txt", "a\u0000.txt", "ü.txt"),
    content: fc.oneof(text, fc.constantFrom("", "%PDF-1.4\nno", "PK\u0003\u0004", '{"a":1}', "a,b\n1,2")),
    order: fc.constantFrom("usual", "file-first", "no-file", "no-purpose", "two-files"),
    cut: fc.option(fc.nat({ max: 300 }), { nil: undefined, freq: 4 }),
    contentType: fc.constantFrom(
      `multipart/form-data; boundary=${boundary}`,
      `multipart/form-data; boundary="${boundary}"`,
      `multipart/form-data; boundary=${boundary}`,
      "multipart/form-data",
      "multipart/form-data; boundary=other",
      "application/json",
    ),
  })
  .map(({ purpose, filename, content, order, cut, contentType }) => {
    const named = `--${boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n${purpose}\r\n`;
    const file = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${filename}"\r\n\r\n${content}\r\n`;
    const parts = {
      usual: named + file,
      "file-first": file + named,
      "no-file": named,
      "no-purpose": file,
      "two-files": named + file + file,
    }[order];
    return {
      method: "POST" as const,
      path: "/v1/files",
      text: `${parts}--${boundary}--\r\n`.slice(0, cut),
      contentType,
      as: "user" as const,
      intent: "broken" as const,
    };
  });
