import { expect, test } from "vitest";
import { sipHash, sipKeyOf } from "./siphash.ts";

/** The reference's key: bytes 0 to 15. */
const key = [0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c] as const;

// Aumasson and Bernstein, "SipHash: a fast short-input PRF", appendix A, and the reference's vectors.h.
test.each([
  [0, "726fdb47dd0e0e31"],
  [1, "74f839c593dc67fd"],
  [7, "ab0200f58b01d137"],
  [8, "93f5f5799a932462"],
  [15, "a129ca6149be45e5"],
  [16, "3f2acc7f57c29bdb"],
])("the published vector of %i bytes", (length, expected) => {
  const bytes = Uint8Array.from({ length }, (_, at) => at);
  const [high, low] = sipHash(key, bytes);
  expect(high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0")).toBe(expected);
});

test("two secrets give two keys, each of four different words", () => {
  expect(sipKeyOf("a")).not.toEqual(sipKeyOf("b"));
  expect(new Set(sipKeyOf("a")).size).toBe(4);
});
