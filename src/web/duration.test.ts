import { expect, test } from "vitest";
import { duration } from "./duration.ts";

test.each([
  [0, "0 s"],
  [59, "59 s"],
  [60, "1 min 0 s"],
  [3599, "59 min 59 s"],
  [3600, "1 h 0 min"],
  [172_799, "47 h 59 min"],
  [172_800, "2 days"],
  [2_600_000, "30 days"],
])("%i seconds are %s", (seconds, words) => {
  expect(duration(seconds)).toBe(words);
});
