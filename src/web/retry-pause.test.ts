import { expect, test } from "vitest";
import { retryPauseMs } from "./retry-pause.ts";

test("the pauses double up to half a minute, and no two pages make the same", () => {
  expect([1, 2, 3, 4, 7, 60].map((failures) => retryPauseMs(failures, 1))).toEqual([
    500, 1000, 2000, 4000, 30_000, 30_000,
  ]);
  expect(retryPauseMs(60, 0)).toBe(15_000);
});
