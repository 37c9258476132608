/** Request records for tests: any that the product could make. */
import * as fc from "fast-check";
import { type Ending, type RequestRecord, stageNames } from "../request-record.ts";

export function requestRecord(change: Partial<RequestRecord> = {}): RequestRecord {
  return {
    endpoint: "/v1/chat/completions",
    method: "POST",
    requestId: "req_1",
    traceId: "0af7651916cd43dd8448eb211c80319c",
    status: 200,
    ending: "answered",
    startedMs: 0,
    durationMs: 420,
    firstTokenMs: 35,
    tenant: "acme",
    org: "acme",
    tier: "pro",
    model: "llama-3.1-8b",
    cluster: "us-east",
    replica: "us-east-1",
    attempts: 1,
    promptTokens: 30,
    completionTokens: 100,
    cachedTokens: 0,
    reasoningTokens: 0,
    usageBasis: "exact",
    cache: "miss",
    stages: { identify: 0, validate: 1, admit: 2, lookup: 0, compose: 1, dispatch: 30, stream: 385 },
    ...change,
  };
}

const endings: readonly Ending[] = [
  "answered",
  "refused",
  "client-gone",
  "origin-error",
  "stalled",
  "deadline",
  "stopped",
];
const kinds = ["limited", "origin-unavailable", "json-invalid", "internal", "a-kind-of-tomorrow"] as const;

export const anyRequestRecord: fc.Arbitrary<RequestRecord> = fc
  .record({
    endpoint: fc.constantFrom("/v1/chat/completions", "/v1/models", "/v1/models/{id}", "unknown"),
    status: fc.constantFrom(200, 400, 401, 404, 429, 500, 503),
    ending: fc.constantFrom(...endings),
    durationMs: fc.oneof(fc.integer({ min: -5, max: 200_000 }), fc.double({ min: 0, max: 5, noNaN: true })),
    firstTokenMs: fc.option(fc.nat(130_000), { nil: undefined }),
    model: fc.option(fc.constantFrom("llama-3.1-8b", 'a"quoted\\model', "qwen3"), { nil: undefined }),
    promptTokens: fc.nat(10_000),
    completionTokens: fc.nat(10_000),
    cache: fc.option(fc.constantFrom("hit", "miss", "slow", "bypass"), { nil: undefined }),
    errorKind: fc.option(fc.constantFrom(...kinds), { nil: undefined }),
    stages: fc.dictionary(fc.constantFrom(...stageNames), fc.nat(40_000)),
  })
  .map(({ firstTokenMs, model, cache, errorKind, ...rest }) => {
    const record = requestRecord(rest);
    for (const [key, value] of Object.entries({ firstTokenMs, model, cache, errorKind }))
      if (value === undefined) Reflect.deleteProperty(record, key);
      else Object.assign(record, { [key]: value });
    return record;
  });
