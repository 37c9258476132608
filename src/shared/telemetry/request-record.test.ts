import { expect, test } from "vitest";
import { serverTiming } from "./request-record.ts";

test("Server-Timing has a metric a stage, in the order in which they ran", () => {
  expect(serverTiming({ identify: 0, admit: 1.234, dispatch: 40 })).toBe(
    "identify;dur=0, admit;dur=1.23, dispatch;dur=40",
  );
});

test("no stage, no metric", () => {
  expect(serverTiming({})).toBe("");
});
