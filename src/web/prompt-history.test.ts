import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isAtEdge, recalled } from "./prompt-history.ts";

test("up goes from an empty field to the last message, the one before it, and no further; down comes back to an empty field", () => {
  const asked = ["first", "second"];
  expect(recalled(asked, null, "", "ArrowUp")).toEqual({ at: 1, text: "second" });
  expect(recalled(asked, 1, "second", "ArrowUp")).toEqual({ at: 0, text: "first" });
  expect(recalled(asked, 0, "first", "ArrowUp")).toBeNull();
  expect(recalled(asked, 0, "first", "ArrowDown")).toEqual({ at: 1, text: "second" });
  expect(recalled(asked, 1, "second", "ArrowDown")).toEqual({ at: null, text: "" });
  expect(recalled(asked, null, "", "ArrowDown")).toBeNull();
  expect(recalled([], null, "", "ArrowUp")).toBeNull();
});

test("what somebody is writing is never replaced, whatever he had brought back before", () => {
  const texts = fc.array(fc.string({ minLength: 1 }));
  const places = fc.option(fc.nat(5));
  const keys = fc.constantFrom("ArrowUp", "ArrowDown");
  fc.assert(
    fc.property(texts, places, fc.string({ minLength: 1 }), keys, (asked, at, draft, key) => {
      fc.pre(at === null || asked[at] !== draft);
      expect(recalled(asked, at, draft, key)).toBeNull();
    }),
  );
});

test.each([
  ["one line", 4, "ArrowUp", true],
  ["two\nlines", 6, "ArrowUp", false],
  ["two\nlines", 2, "ArrowUp", true],
  ["two\nlines", 2, "ArrowDown", false],
  ["two\nlines", 9, "ArrowDown", true],
] as const)("in %j at %i, %s leaves the text: %s", (value, at, key, leaves) => {
  expect(isAtEdge({ value, selectionStart: at, selectionEnd: at }, key)).toBe(leaves);
  expect(isAtEdge({ value, selectionStart: 0, selectionEnd: at }, key)).toBe(false);
});
