import { describe, expect, test } from "vitest";
import { faultClasses } from "../telemetry/metrics/error-class.ts";
import { withPromptField, type LimitRefusal, type Refusal } from "../contracts/refusal.ts";
import { formatDuration } from "./durations.ts";
import { toWireError } from "./errors.ts";
import { introduction } from "./openapi-introduction.ts";
import { lateErrorEvent, lateResponseErrorEvent } from "./wire-error.ts";

const rate: LimitRefusal = {
  scope: "user",
  limit: "tokens_per_minute",
  unit: "tokens",
  class: "rate",
  capacity: 20_000,
  remaining: 512.7,
  retryAfterMs: 1500,
  resetMs: 58_200,
  largestMaxTokens: 480,
};

/** One refusal of every kind: a new kind without a row does not compile. */
const everyRefusal: { readonly [Kind in Refusal["kind"]]: Extract<Refusal, { kind: Kind }> } = {
  "credential-missing": { kind: "credential-missing" },
  "credential-invalid": { kind: "credential-invalid", credential: "token", detail: "SECRET expired" },
  "scope-missing": { kind: "scope-missing", scope: "platform:metrics" },
  "signature-invalid": { kind: "signature-invalid", detail: "SECRET nonce was used" },
  blocked: { kind: "blocked", rule: "SECRET 942-union-select query" },
  "address-limited": { kind: "address-limited", retryAfterMs: 12_000 },
  "url-too-long": { kind: "url-too-long", maxCharacters: 8192 },
  "url-invalid": { kind: "url-invalid", detail: "a dot segment in the path" },
  "headers-too-large": { kind: "headers-too-large", maxCharacters: 32_768, maxHeaders: 128 },
  "route-unknown": { kind: "route-unknown" },
  "method-not-allowed": { kind: "method-not-allowed", allow: ["GET", "POST"] },
  "media-type-unsupported": { kind: "media-type-unsupported" },
  "body-too-large": { kind: "body-too-large", maxBytes: 1024 },
  "json-invalid": { kind: "json-invalid" },
  "value-invalid": { kind: "value-invalid", param: "n", message: "'n' must be at least 1." },
  "parameter-unknown": { kind: "parameter-unknown", param: "foo" },
  "parameter-unsupported": {
    kind: "parameter-unsupported",
    param: "audio",
    message: "'audio' is not supported.",
  },
  "model-unknown": { kind: "model-unknown", model: "gpt-9" },
  "object-unknown": { kind: "object-unknown" },
  "context-too-long": { kind: "context-too-long", windowTokens: 100, promptTokens: 90, answerTokens: 20 },
  limited: { kind: "limited", limit: rate },
  "idempotency-reused": { kind: "idempotency-reused" },
  conflict: { kind: "conflict", message: "This turn has ended." },
  "not-stored": { kind: "not-stored" },
  "content-refused": { kind: "content-refused", categories: ["violence"] },
  "origin-rejected": { kind: "origin-rejected", status: 422, detail: "SECRET pydantic trace" },
  "origin-unavailable": { kind: "origin-unavailable", retryAfterMs: 2000, detail: "SECRET 10.0.0.7 refused" },
  overloaded: { kind: "overloaded", retryAfterMs: 500 },
  "deadline-exceeded": { kind: "deadline-exceeded" },
  "dependency-unavailable": {
    kind: "dependency-unavailable",
    component: "bucket",
    retryAfterMs: 45_000,
    detail: "SECRET stack",
  },
  "client-gone": { kind: "client-gone" },
  internal: { kind: "internal", detail: "SECRET TypeError" },
};

const statusAndCode: Readonly<Record<Refusal["kind"], readonly [number, string]>> = {
  "credential-missing": [401, "invalid_api_key"],
  "credential-invalid": [401, "invalid_token"],
  "scope-missing": [403, "insufficient_scope"],
  "signature-invalid": [401, "invalid_signature"],
  blocked: [403, "request_blocked"],
  "address-limited": [429, "rate_limit_exceeded"],
  "url-too-long": [414, "url_too_long"],
  "url-invalid": [400, "invalid_url"],
  "headers-too-large": [431, "headers_too_large"],
  "route-unknown": [404, "unknown_url"],
  "method-not-allowed": [405, "method_not_allowed"],
  "media-type-unsupported": [415, "unsupported_media_type"],
  "body-too-large": [413, "request_too_large"],
  "json-invalid": [400, "invalid_json"],
  "value-invalid": [400, "invalid_value"],
  "parameter-unknown": [400, "unknown_parameter"],
  "parameter-unsupported": [400, "unsupported_parameter"],
  "model-unknown": [404, "model_not_found"],
  "object-unknown": [404, "not_found"],
  "context-too-long": [400, "context_length_exceeded"],
  limited: [429, "rate_limit_exceeded"],
  "idempotency-reused": [422, "idempotency_key_reused"],
  conflict: [409, "conflict"],
  "not-stored": [504, "no_stored_answer"],
  "content-refused": [400, "content_policy_violation"],
  "origin-rejected": [400, "request_rejected"],
  "origin-unavailable": [503, "service_unavailable"],
  overloaded: [503, "overloaded"],
  "deadline-exceeded": [504, "deadline_exceeded"],
  "dependency-unavailable": [503, "service_unavailable"],
  "client-gone": [408, "request_cancelled"],
  internal: [500, "internal_error"],
};

test("alerts count what is told as a fault of ours, but for a stored answer that nobody has", () => {
  const ours = Object.entries(statusAndCode).filter(
    ([kind, [status]]) => status >= 500 && kind !== "not-stored",
  );
  const afterTheFirstByte = ["origin-error", "stalled", "deadline"];
  expect(new Set<string>(faultClasses)).toEqual(
    new Set([...ours.map(([kind]) => kind), ...afterTheFirstByte]),
  );
});

describe("every refusal", () => {
  for (const refusal of Object.values(everyRefusal)) {
    const [status, code] = statusAndCode[refusal.kind];
    test(`${refusal.kind} is ${status} ${code}, in OpenAI's form, without internal text`, () => {
      const error = toWireError(refusal, { requestId: "req-1", method: "GET", path: "/x" });
      expect(error.status).toBe(status);
      expect(error.body.error.code).toBe(code);
      expect(Object.keys(error.body.error).sort()).toEqual(["code", "message", "param", "type"]);
      expect(error.body.error.message.length).toBeGreaterThanOrEqual(20);
      expect(JSON.stringify(error)).not.toContain("SECRET");
      expect(JSON.stringify(error)).not.toContain("bucket");
      for (const value of Object.values(error.headers)) expect(value).toMatch(/^[\x20-\x7e]+$/);
    });
  }
});

test("the API's description names every code beside its status, and no other", () => {
  const told = [...introduction.matchAll(/^\| (\d[\d, ]*) \| (.*) \|$/gm)].flatMap(
    ([, statuses = "", codes = ""]) => {
      const list = statuses.split(", ").map(Number);
      const names = [...codes.matchAll(/`(\w+)`/g)].map(([, code = ""]) => code);
      return names.map((code, at) => [list.length === 1 ? list[0] : list[at], code] as const);
    },
  );
  const quota = toWireError({ kind: "limited", limit: { ...rate, class: "quota" } });
  const key = toWireError({ kind: "credential-invalid", credential: "key", detail: "x" });
  const others = [quota, key].map(({ status, body }) => [status, body.error.code]);
  const all = [...Object.values(statusAndCode), ...others].map(([status, code]) => `${status} ${code}`);
  expect(told.map(([status, code]) => `${status} ${code}`).sort()).toEqual([...new Set(all)].sort());
});

test("a refusal that comes late in a stream of responses is OpenAI's error event", () => {
  const { body } = toWireError({ kind: "value-invalid", param: "input", message: "'input' is odd." });
  expect(lateResponseErrorEvent(JSON.stringify(body))).toBe(
    'event: error\ndata: {"type":"error","code":"invalid_value","message":"\'input\' is odd.","param":"input","sequence_number":0}\n\n',
  );
});

test("an empty body is called empty, and not searched for a lost comma", () => {
  const said = (refusal: Refusal) => toWireError(refusal).body.error;
  expect(said({ kind: "json-invalid", isEmpty: true })).toMatchObject({
    code: "invalid_json",
    message: "The body is empty. Send a JSON object.",
  });
  expect(said({ kind: "json-invalid" }).message).toContain("commas");
});

describe("a prompt over the window", () => {
  const said = (refusal: Refusal) => {
    const { param, message } = toWireError(refusal).body.error;
    return [param, message.split("). ")[1]];
  };
  test("names the fields of the route that was asked", () => {
    const refusal = everyRefusal["context-too-long"];
    expect(said(refusal)).toEqual(["messages", "Shorten 'messages' or lower 'max_completion_tokens'."]);
    expect(said(withPromptField(refusal, "prompt"))).toEqual([
      "prompt",
      "Shorten 'prompt' or lower 'max_tokens'.",
    ]);
    expect(said(withPromptField(refusal, "input"))).toEqual([
      "input",
      "Shorten 'input' or lower 'max_output_tokens'.",
    ]);
  });
  test("for embeddings does not mention a shorter answer", () => {
    expect(
      said({
        kind: "context-too-long",
        promptField: "input",
        windowTokens: 512,
        promptTokens: 600,
        answerTokens: 0,
      }),
    ).toEqual(["input", "Shorten 'input'."]);
  });
});

describe("limits", () => {
  test.each([
    [
      { unit: "slots", limit: "concurrent_requests", capacity: 5, remaining: 0 },
      "5 requests at once, 0 left",
    ],
    [
      { unit: "microdollars", limit: "cost_per_month_usd", capacity: 12_500_000, remaining: 1_234 },
      "$12.50, $0.001234 left",
    ],
  ] as const)("%o is said as %s, without x-ratelimit headers", (other, said) => {
    const error = toWireError({ kind: "limited", limit: { ...rate, ...other } });
    expect(error.body.error.message).toContain(`${other.limit} of your user is ${said}`);
    expect(error.body.error.type).toBe("requests");
    expect(Object.keys(error.headers)).toEqual(["retry-after", "retry-after-ms"]);
  });

  test("a rate names scope, limit, reset and the largest max_tokens that fits", () => {
    const error = toWireError({ kind: "limited", limit: rate });
    expect(error.body.error.type).toBe("tokens");
    for (const part of ["user", "tokens_per_minute", "20000 tokens", "512 left", "2s", "59s", "480"])
      expect(error.body.error.message).toContain(part);
    expect(error.headers).toEqual({
      "retry-after": "2",
      "retry-after-ms": "1500",
      "x-ratelimit-limit-tokens": "20000",
      "x-ratelimit-remaining-tokens": "512",
      "x-ratelimit-reset-tokens": "59s",
      "x-ratelimit-window-tokens": "user/tokens_per_minute",
    });
  });
  test("a rate of requests has the type requests", () => {
    const error = toWireError({ kind: "limited", limit: { ...rate, unit: "requests", largestMaxTokens: 0 } });
    expect(error.body.error.type).toBe("requests");
    expect(error.body.error.message).toContain("No max_tokens fits now.");
  });
  test("a used-up quota is never retried by the client's library, however short the wait", () => {
    const error = toWireError({ kind: "limited", limit: { ...rate, class: "quota" } });
    expect([error.body.error.type, error.body.error.code]).toEqual([
      "insufficient_quota",
      "insufficient_quota",
    ]);
    expect(error.headers["x-should-retry"]).toBe("false");
  });
});

describe("waiting", () => {
  test.each([
    [30_000, undefined],
    [30_001, "false"],
  ])("a wait of %d ms sets x-should-retry to %s", (retryAfterMs, expected) => {
    for (const refusal of [
      { kind: "limited", limit: { ...rate, retryAfterMs } },
      { kind: "overloaded", retryAfterMs },
      { kind: "origin-unavailable", retryAfterMs, detail: "" },
      { kind: "dependency-unavailable", component: "x", retryAfterMs, detail: "" },
    ] satisfies Refusal[])
      expect(toWireError(refusal).headers["x-should-retry"]).toBe(expected);
  });
  test("a conflict is never retried by the client's library", () => {
    expect(toWireError(everyRefusal.conflict).headers["x-should-retry"]).toBe("false");
  });
  test("a wait of zero or infinity still makes valid headers", () => {
    expect(toWireError({ kind: "overloaded", retryAfterMs: 0 }).headers).toEqual({
      "retry-after": "1",
      "retry-after-ms": "1",
    });
    expect(toWireError({ kind: "overloaded", retryAfterMs: Infinity }).headers["retry-after"]).toBe("86400");
  });
  test.each([
    [0, "0ms"],
    [250, "250ms"],
    [1000, "1s"],
    [59_001, "1m0s"],
    [360_000, "6m0s"],
    [3_661_000, "1h1m1s"],
  ])("%d ms is written %s", (milliseconds, written) => {
    expect(formatDuration(milliseconds)).toBe(written);
  });
});

test("methods that are allowed are listed in Allow", () => {
  expect(toWireError(everyRefusal["method-not-allowed"]).headers["allow"]).toBe("GET, POST");
});

test("our own faults name the request id, so that they can be reported", () => {
  expect(toWireError(everyRefusal.internal, { requestId: "req-7" }).body.error.message).toContain("req-7");
});

test("a client's own text is cut and cleaned before it is repeated", () => {
  const { message } = toWireError({ kind: "model-unknown", model: `a\r\n\ud800${"b".repeat(500)}` }).body
    .error;
  expect(message.length).toBeLessThan(300);
  expect(message).not.toMatch(/[\r\n]/);
  expect(message.isWellFormed()).toBe(true);
});

test("in a stream the error is one data event, in either format", () => {
  const error = toWireError(everyRefusal.overloaded);
  const json = JSON.stringify(error.body);
  expect(lateErrorEvent(json, false)).toBe(`data: ${json}\n\n`);
  const text = lateErrorEvent(json, true);
  expect(JSON.parse(text.slice("data: ".length))).toEqual({ text: "", done: true, error: error.body.error });
  expect(text.endsWith("\n\n")).toBe(true);
});

test("the error for a request that an engine rejects names the field, if it is known", () => {
  const refusal = { kind: "origin-rejected", status: 400, detail: "SECRET" } as const;
  expect(toWireError(refusal).body.error.param).toBeNull();
  const { error } = toWireError({ ...refusal, param: "response_format" }).body;
  expect(error).toMatchObject({ param: "response_format", code: "request_rejected" });
  expect(error.message).toContain("'response_format'");
});

test("a route of OpenAI's that is not offered is told with what to use in its place", () => {
  const refusal = { kind: "route-unknown", instead: "a video service" } as const;
  const { status, body } = toWireError(refusal, { method: "POST", path: "/v1/videos" });
  expect([status, body.error.code]).toEqual([404, "unknown_url"]);
  expect(body.error.message).toBe(
    "This route is not offered here: POST /v1/videos. Use a video service. GET /docs lists every route.",
  );
});
