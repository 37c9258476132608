import { expect, test } from "vitest";
import { isFarFromEnd } from "./to-latest.tsx";

test.each([
  [false, 1000, 600, 400, false],
  [false, 1000, 400, 400, false],
  [false, 1000, 399, 400, true],
  [false, 300, 0, 400, false],
  // A whole answer has come in at once.
  [true, 5000, 0, 400, false],
])(
  "whoever stays at the end (%s), of %i px, scrolled to %i, %i seen at once: whether the end is far is %s",
  (stays, scrollHeight, scrollTop, clientHeight, isFar) => {
    expect(isFarFromEnd(stays, { scrollHeight, scrollTop, clientHeight })).toBe(isFar);
  },
);
