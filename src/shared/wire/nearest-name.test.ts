import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nearestName } from "./nearest-name.ts";

const names = [
  "model",
  "messages",
  "max_tokens",
  "max_completion_tokens",
  "temperature",
  "top_p",
  "top_k",
  "n",
];

describe("the name that was meant", () => {
  test.each([
    ["temprature", "temperature"],
    ["temperatrue", "temperature"],
    ["max_token", "max_tokens"],
    ["maxTokens", "max_tokens"],
    ["max-completion-tokens", "max_completion_tokens"],
    ["Model", "model"],
    ["modle", "model"],
    ["message", "messages"],
    ["topp", "top_p"],
    // No name is near, or several are.
    ["m", null],
    ["x", null],
    ["max", null],
    ["colour", null],
    ["", null],
    ["temperature".repeat(9), null],
  ])("%s: %s", (given, meant) => {
    expect(nearestName(given, names)).toBe(meant);
  });

  test("is found whichever letter of a long name is missing", () => {
    const name = "max_completion_tokens";
    fc.assert(
      fc.property(fc.integer({ min: 0, max: name.length - 1 }), (at) => {
        expect(nearestName(name.slice(0, at) + name.slice(at + 1), names)).toBe(name);
      }),
    );
  });

  test("is one of the given names for any input", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (given) => {
        expect([null, ...names]).toContain(nearestName(given, names));
      }),
    );
  });
});
