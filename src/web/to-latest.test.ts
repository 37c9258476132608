import { expect, test } from "vitest";
import { isFarFromEnd } from "./to-latest.tsx";

test.each([
  [1000, 600, 400, false],
  [1000, 400, 400, false],
  [1000, 399, 400, true],
  [300, 0, 400, false],
])(
  "of %i px, scrolled to %i, %i seen at once: whether the end is far is %s",
  (scrollHeight, scrollTop, clientHeight, isFar) => {
    expect(isFarFromEnd({ scrollHeight, scrollTop, clientHeight })).toBe(isFar);
  },
);
