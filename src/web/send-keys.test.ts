import { expect, test } from "vitest";
import { SendKeys } from "./send-keys.ts";

test("a message that nobody answered is tried again under its key, so that it is asked and paid once", () => {
  const keys = new SendKeys();
  const key = keys.keyOf("hello", "body");
  expect(keys.keyOf("hello", "body")).toBe(key);
  expect(keys.keyOf("hello", "another model's body")).not.toBe(key);
});

test("the same words after an answer are a message of their own", () => {
  const keys = new SendKeys();
  const key = keys.keyOf("go on", "body");
  keys.answered();
  const next = keys.keyOf("go on", "body");
  expect(next).not.toBe(key);
  keys.shown("something else");
  expect(keys.keyOf("go on", "body")).toBe(next);
  keys.shown("go on");
  expect(keys.keyOf("go on", "body")).not.toBe(next);
});
