import { expect, test } from "vitest";
import { chatFieldRules } from "../../wire/chat-fields.ts";
import { judge } from "./engine-error.ts";
import { vllmFields } from "./body-fields.ts";
import { engineAdapter } from "./engine.ts";
import { rejectedField } from "./rejected-field.ts";
import { engineDefaults, engineKindSchema, type EngineFeatures, type EngineKind } from "./engine-kind.ts";

function bodyFor(
  kind: EngineKind,
  body: Record<string, unknown>,
  features: Partial<EngineFeatures> = {},
  path: "/v1/chat/completions" | "/v1/completions" = "/v1/chat/completions",
) {
  const adapt = engineAdapter(kind).bodyFor;
  if (adapt === null) throw new Error(`${kind} takes bodies as they are`);
  return adapt(path, body, { ...engineDefaults[kind], ...features });
}

const composed = {
  model: "M",
  messages: [],
  temperature: 0.5,
  top_k: -1,
  min_p: 0.1,
  bad_words: ["x"],
  max_tokens: 9,
  stream: true,
  stream_options: { include_usage: true, continuous_usage_stats: true },
  cache_salt: "s",
};

test("every field that is passed and vLLM's own is on the list of what others lack", () => {
  const own = Object.entries(chatFieldRules).filter(
    ([, { origin, effect }]) => origin === "vLLM" && effect !== "none",
  );
  for (const [field] of own) expect(vllmFields).toContain(field);
});

test("vLLM gets bodies as they are composed, for it is composed in its words", () => {
  expect(engineAdapter("vllm").bodyFor).toBeNull();
});

test("a plain OpenAI server gets OpenAI's fields alone", () => {
  expect(bodyFor("openai", composed)).toEqual({
    ok: true,
    value: {
      model: "M",
      messages: [],
      temperature: 0.5,
      max_tokens: 9,
      stream: true,
      stream_options: { include_usage: true },
    },
  });
});

test("an OpenAI server that knows more gets more, as its record says", () => {
  const tolerant = bodyFor("openai", composed, { sampling_fields: true, stream_usage: false });
  expect(tolerant).toMatchObject({ ok: true, value: { top_k: -1, min_p: 0.1 } });
  expect(Object.keys(tolerant.ok ? tolerant.value : {})).not.toContain("stream_options");
  expect(Object.keys(tolerant.ok ? tolerant.value : {})).not.toContain("cache_salt");
  expect(bodyFor("openai", composed, { max_completion_tokens: true })).toMatchObject({
    value: { max_completion_tokens: 9 },
  });
});

test("a plain OpenAI server gets messages in OpenAI's form: what was thought before an answer stays here", () => {
  const messages = [
    { role: "user", content: "Hi" },
    { role: "assistant", content: "Hello", reasoning: "Greet.", reasoning_content: "Greet." },
  ];
  const plain = bodyFor("openai", { ...composed, messages });
  expect(plain.ok && plain.value["messages"]).toEqual([
    { role: "user", content: "Hi" },
    { role: "assistant", content: "Hello" },
  ]);
  const tolerant = bodyFor("openai", { ...composed, messages }, { sampling_fields: true });
  expect(tolerant).toMatchObject({ value: { messages } });
});

test("the only tokens that may be said are a condition, which is refused where it has no word, never left out", () => {
  for (const kind of ["openai", "tensorrt-llm"] as const)
    expect(bodyFor(kind, { ...composed, allowed_token_ids: [1] })).toEqual({
      ok: false,
      error: "allowed_token_ids",
    });
  expect(bodyFor("openai", { ...composed, allowed_token_ids: [1] }, { sampling_fields: true }).ok).toBe(true);
});

test("a server that knows one choice alone is asked for no more", () => {
  const many = { ...composed, n: 2 };
  expect(bodyFor("openai", many, { choices: false })).toEqual({ ok: false, error: "n over 1" });
  expect(bodyFor("openai", { ...composed, n: 1 }, { choices: false }).ok).toBe(true);
  expect(bodyFor("openai", many)).toMatchObject({ value: { n: 2 } });
  expect(bodyFor("tensorrt-llm", many)).toMatchObject({ value: { n: 2 } });
  expect(rejectedField("openai knows no n over 1", new Set(["messages", "n"]))).toBe("n");
});

test("TensorRT-LLM, which refuses unknown fields, gets none, and its own word for all tokens", () => {
  expect(bodyFor("tensorrt-llm", composed)).toEqual({
    ok: true,
    value: {
      model: "M",
      messages: [],
      temperature: 0.5,
      top_k: 0,
      min_p: 0.1,
      max_tokens: 9,
      stream: true,
      stream_options: { include_usage: true, continuous_usage_stats: true },
      cache_salt: "s",
    },
  });
  const plain = bodyFor("tensorrt-llm", { ...composed, prompt: "x" }, {}, "/v1/completions");
  expect(Object.keys(plain.ok ? plain.value : {})).not.toContain("cache_salt");
});

test("TensorRT-LLM gets an effort that it has a word for: another one is a refused request, also of a model that heeds none", () => {
  for (const [asked, sent] of [
    ["minimal", "low"],
    ["xhigh", "high"],
    ["medium", "medium"],
    ["none", "none"],
  ])
    expect(bodyFor("tensorrt-llm", { ...composed, reasoning_effort: asked })).toMatchObject({
      value: { reasoning_effort: sent },
    });
});

test.each([
  [
    "openai",
    { json: { type: "object" } },
    { type: "json_schema", json_schema: { name: "answer", schema: { type: "object" } } },
  ],
  ["openai", { json_object: true }, { type: "json_object" }],
  ["tensorrt-llm", { regex: "a+" }, { type: "regex", regex: "a+" }],
  ["tensorrt-llm", { grammar: "root ::= a" }, { type: "ebnf", ebnf: "root ::= a" }],
  ["tensorrt-llm", { choice: ["a.b", "c"] }, { type: "regex", regex: "(a\\.b)|(c)" }],
] as const)("%s gets %j as its response_format", (kind, structured, expected) => {
  expect(bodyFor(kind, { model: "M", structured_outputs: structured })).toEqual({
    ok: true,
    value: { model: "M", response_format: expected },
  });
});

test("metrics are read under each engine's own names", () => {
  const page =
    'trtllm_num_requests_running{model_name="m"} 3.0\ntrtllm_num_requests_waiting 2\ntrtllm_kv_cache_utilization 0.5\n';
  expect(engineAdapter("tensorrt-llm").readMetrics(page)).toMatchObject({
    running: 3,
    waiting: 2,
    cacheUsage: 0.5,
  });
  expect(engineAdapter("vllm").readMetrics(page)).toMatchObject({
    running: null,
    waiting: null,
    cacheUsage: null,
  });
  expect(engineAdapter("openai").readMetrics(page)).toMatchObject({
    running: null,
    waiting: null,
    cacheUsage: null,
  });
});

test("TensorRT-LLM's words for a prompt that is too long are understood", () => {
  const body = JSON.stringify({
    object: "error",
    message: "The sum of prompt length (72417.0), query length (0) should not exceed max_num_tokens (69632)",
    type: "BadRequestError",
    param: null,
    code: 400,
  });
  expect(judge(400, null, body, 0, "tensorrt-llm")).toEqual({
    kind: "context-too-long",
    windowTokens: 69_632,
    promptTokens: 72_417,
    answerTokens: 0,
  });
});

test("a wrong request is one for every engine's own error body", () => {
  // FastAPI's validation handler of trtllm-serve.
  expect(judge(400, null, '{"error":"1 validation error"}', 0, "tensorrt-llm")).toMatchObject({
    kind: "rejected",
  });
  // OpenAI.
  const openai =
    '{"error":{"message":"Unknown parameter","type":"invalid_request_error","param":"x","code":"unknown"}}';
  expect(judge(400, null, openai, 0, "openai")).toMatchObject({ kind: "rejected" });
  // A wrong key is no fault of the request.
  expect(judge(401, null, '{"error":{"message":"Incorrect API key"}}', 0, "openai")).toMatchObject({
    kind: "failed",
  });
});

test("whether there is something to ask for health and load is each engine's own", () => {
  expect(
    engineKindSchema.options.map((kind) => [
      kind,
      engineAdapter(kind).healthPath,
      engineAdapter(kind).metricsPath,
    ]),
  ).toEqual([
    ["vllm", "/health", "/metrics"],
    ["tensorrt-llm", "/health", "/prometheus/metrics"],
    ["openai", "/v1/models", null],
    ["workers-ai", null, null],
  ]);
});
