import { expect, test } from "vitest";
import { serverTiming } from "./request-record.ts";

test("Server-Timing has a metric a stage, in the order in which they ran", () => {
  expect(serverTiming({ identify: 0, admit: 1.234, dispatch: 40 })).toBe(
    "identify;dur=0, admit;dur=1.23, dispatch;dur=40",
  );
});

test("what the files had to say stands with the stage that asked them", () => {
  expect(serverTiming({ ground: 200, compose: 1 }, "late found:0")).toBe(
    'ground;dur=200;desc="late found:0", compose;dur=1',
  );
});

test("a request without stages has an empty Server-Timing", () => {
  expect(serverTiming({})).toBe("");
});
