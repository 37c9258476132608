import { describe, expect, test } from "vitest";
import { correlate, randomHex } from "./correlation.ts";

const random = (bytes: number) => "ab".repeat(bytes);
const none = { requestId: null, correlationId: null, traceparent: null };

describe("request ids", () => {
  test.each([
    ["a visible ASCII id is kept", "order-42/7", "order-42/7"],
    ["128 characters are kept", "x".repeat(128), "x".repeat(128)],
    ["129 characters are replaced", "x".repeat(129), `req_${"ab".repeat(16)}`],
    ["a space is replaced", "a b", `req_${"ab".repeat(16)}`],
    ["a line break is replaced", "a\nb", `req_${"ab".repeat(16)}`],
    ["text beyond ASCII is replaced", "é", `req_${"ab".repeat(16)}`],
    ["an empty one is replaced", "", `req_${"ab".repeat(16)}`],
  ])("%s", (_, requestId, expected) => {
    expect(correlate({ ...none, requestId }, random).requestId).toBe(expected);
  });

  test("x-correlation-id stands in where x-request-id is absent", () => {
    expect(correlate({ ...none, correlationId: "corr" }, random).requestId).toBe("corr");
  });
});

describe("traceparent", () => {
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";

  test("the caller's trace and flags go on under a span of ours", () => {
    expect(correlate({ ...none, traceparent: `00-${trace}-00f067aa0ba902b7-01` }, random).traceparent).toBe(
      `00-${trace}-${"ab".repeat(8)}-01`,
    );
  });

  test.each([
    ["a later version", `01-${trace}-00f067aa0ba902b7-01`, "01"],
    ["a later version with more behind it", `cc-${trace}-00f067aa0ba902b7-01-what-the-future-holds`, "01"],
    ["a later version's other flags", `cc-${trace}-00f067aa0ba902b7-fe`, "00"],
    ["flags that nobody has defined", `00-${trace}-00f067aa0ba902b7-fd`, "01"],
    ["the flag of level 2", `00-${trace}-00f067aa0ba902b7-03`, "03"],
  ])("%s: the trace goes on in version 00, with the flags that it knows", (_, traceparent, flags) => {
    expect(correlate({ ...none, traceparent }, random).traceparent).toBe(
      `00-${trace}-${"ab".repeat(8)}-${flags}`,
    );
  });

  test.each([
    ["upper case", `00-${trace.toUpperCase()}-00f067aa0ba902b7-01`],
    ["version ff, which is none", `ff-${trace}-00f067aa0ba902b7-01`],
    ["version 00 with more behind it", `00-${trace}-00f067aa0ba902b7-01-more`],
    ["a later version that goes on without a dash", `01-${trace}-00f067aa0ba902b7-01more`],
    ["a trace of zeros", `00-${"0".repeat(32)}-00f067aa0ba902b7-01`],
    ["a span of zeros", `00-${trace}-${"0".repeat(16)}-01`],
    ["something else", "hello"],
  ])("%s starts a trace of ours", (_, traceparent) => {
    expect(correlate({ ...none, traceparent }, random).traceId).toBe("ab".repeat(16));
  });
});

test("random ids are of the asked length and differ", () => {
  const ids = new Set(Array.from({ length: 1000 }, () => randomHex(16)));
  expect(ids.size).toBe(1000);
  expect([...ids].every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
});
