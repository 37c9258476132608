import { expect, test } from "vitest";
import { decodeEntities } from "./entities.ts";

test.each([
  ["a&nbsp;&lt;&nbsp;b &amp; c", "a\u00a0<\u00a0b & c"],
  ["&rArr; and &rarr;", "⇒ and →"],
  // Decoded only once: the result is text.
  ["&amp;lt;", "&lt;"],
  ["&constructor; &unknown; &; & R&D;", "&constructor; &unknown; &; & R&D;"],
])("%j is read as %j", (written, meant) => {
  expect(decodeEntities(written)).toBe(meant);
});
