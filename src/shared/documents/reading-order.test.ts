import { expect, test } from "vitest";
import { inReadingOrder } from "./reading-order.ts";

/** Pieces at their places; capitals are letters that are read from the right. */
function ordered(...pieces: readonly (readonly [str: string, x: number])[]): string {
  return inReadingOrder(
    pieces.map(([str, x]) => ({
      str,
      dir: /[A-Z]/.test(str) ? "rtl" : "ltr",
      transform: [1, 0, 0, 1, x, 0],
    })),
  )
    .map(({ str }) => str)
    .join("");
}

test("a line that is read from the left stays as it was written", () => {
  expect(ordered(["one", 0], [" ", 30], ["two", 40], [" 3", 80])).toBe("one two 3");
  expect(ordered(["two", 40], [" ", 30], ["one", 0])).toBe("two one");
});

test("one that is read from the right begins there, whichever way it was written", () => {
  const pieces = [
    ["THIRD", 0],
    [" ", 50],
    ["SECOND", 60],
    [" ", 120],
    ["FIRST", 130],
  ] as const;
  expect(ordered(...pieces)).toBe("FIRST SECOND THIRD");
  expect(ordered(...pieces.toReversed())).toBe("FIRST SECOND THIRD");
});

test("words that are read from the left keep their order among the others", () => {
  expect(
    ordered(["END", 0], [" ", 30], ["new", 40], [" ", 70], ["york", 80], [" ", 120], ["BEGINNING", 130]),
  ).toBe("BEGINNING new york END");
});

test("words that are read from the right are turned among the others, unless they stand that way already", () => {
  expect(
    ordered(["see", 0], [" ", 30], ["TWO", 40], [" ", 70], ["ONE", 80], [" ", 110], ["in the book", 120]),
  ).toBe("see ONE TWO in the book");
  expect(
    ordered(["see", 0], [" ", 30], ["ONE", 80], [" ", 70], ["TWO", 40], [" ", 110], ["in the book", 120]),
  ).toBe("see ONE TWO in the book");
});
