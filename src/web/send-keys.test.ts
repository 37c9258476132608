import { expect, test } from "vitest";
import { SendKeys } from "./send-keys.ts";

test("a message that nobody answered is tried again under its key, so that it is asked and paid once", () => {
  const keys = new SendKeys();
  const first = keys.sendingOf("hello", "body", undefined);
  expect(keys.sendingOf("hello", "body", undefined)).toBe(first);
  expect(keys.sendingOf("hello", "another model's body", undefined)).not.toBe(first);
});

test("the same words after an answer are a message of their own", () => {
  const keys = new SendKeys();
  const first = keys.sendingOf("go on", "body", undefined);
  keys.answered();
  const next = keys.sendingOf("go on", "body", undefined);
  expect(next).not.toBe(first);
  keys.shown("something else");
  expect(keys.sendingOf("go on", "body", undefined)).toBe(next);
  keys.shown("go on");
  expect(keys.sendingOf("go on", "body", undefined)).not.toBe(next);
});

test("a message goes where it went at its first try, whatever is on screen since: another body would be another request", () => {
  const keys = new SendKeys();
  const first = keys.sendingOf("hello", "body", "br_1");
  expect(first.behind).toBe("br_1");
  expect(keys.sendingOf("hello", "body", "br_2")).toEqual(first);
  keys.answered();
  expect(keys.sendingOf("hello", "body", "br_2").behind).toBe("br_2");
});
