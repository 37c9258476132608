import { expect, test } from "vitest";
import { correlate } from "./correlation.ts";
import type { RequestRecord } from "./request-record.ts";
import { RequestScope } from "./request-scope.ts";

function open() {
  const clock = { now: 1000 };
  const records: RequestRecord[] = [];
  const scope = new RequestScope({
    endpoint: "/v1/models",
    method: "GET",
    correlation: correlate({ requestId: "r", correlationId: null, traceparent: null }, (bytes) =>
      "ab".repeat(bytes),
    ),
    background: { run: () => undefined },
    clock: () => clock.now,
    emit: (record) => records.push(record),
  });
  return { clock, records, scope };
}

test("stages hold the time since the last mark", () => {
  const { clock, records, scope } = open();
  clock.now = 1003;
  scope.mark("identify");
  clock.now = 1010;
  scope.mark("admit");
  scope.finish();
  expect(records[0]).toMatchObject({ requestId: "r", durationMs: 10, stages: { identify: 3, admit: 7 } });
});

test("the record is handed on once, with the first end", () => {
  const { records, scope } = open();
  scope.finish("client-gone");
  scope.finish("answered");
  expect(records.map((record) => record.ending)).toEqual(["client-gone"]);
});

test("a refusal's detail is for operators and never holds what the client sent", () => {
  const { records, scope } = open();
  scope.refuse({ kind: "value-invalid", param: "messages[0].content", message: "the client's own words" });
  scope.finish();
  expect(JSON.stringify(records)).not.toContain("own words");
  expect(records[0]).toMatchObject({
    ending: "refused",
    errorKind: "value-invalid",
    errorDetail: "messages[0].content",
  });
});
