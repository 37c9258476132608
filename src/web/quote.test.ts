import * as fc from "fast-check";
import { expect, test } from "vitest";
import { composed, quotable, quoteIn, withTex } from "./quote.ts";

test("a quote stands in front of what is typed, an empty line of it as one", () => {
  expect(composed("One\n\nTwo", "Why?")).toBe("> One\n>\n> Two\n\nWhy?");
  expect(composed("One", "")).toBe("> One\n\n");
});

test("what is selected is quoted without its edges, and cut where it is long", () => {
  expect(quotable("\n  a\r\nb \n")).toBe("a\nb");
  expect(quotable("a".repeat(2000))).toBe("a".repeat(2000));
  expect(quotable("a".repeat(2001))).toBe(`${"a".repeat(2000)}…`);
});

test("a formula is quoted as it was written, each where it stands, and no other 2 is taken for it", () => {
  const formulas = [
    { seen: "2", tex: "$2$" },
    { seen: "x(y)", tex: String.raw`$x\left(y\right)$` },
    { seen: "k=1", tex: "$$k = 1$$" },
    { seen: "not there", tex: "$n$" },
  ];
  expect(withTex("Of 2, \n2\n is \n𝑥\n(\n𝑦\n)\n.\nk\n=\n1\nEnd", formulas)).toBe(
    String.raw`Of 2, $2$ is $x\left(y\right)$.` + "\n$$k = 1$$\nEnd",
  );
  expect(withTex("k\n=\n1", formulas).trim()).toBe("$$k = 1$$");
  expect(withTex("(a\nb", [{ seen: "(a b", tex: "$$" }])).toContain("$$");
});

test("a message without a quote is none, also where > is a word of it", () => {
  for (const text of ["", "Why?", ">>> print(1)", ">=", "a\n> b"]) expect(quoteIn(text)).toBeNull();
});

test("whatever was quoted is found in the message again, and what was typed behind it", () => {
  const line = fc.stringMatching(/^[^\s>][^\n\r]*$/);
  const quote = fc.array(line, { minLength: 1 }).map((lines) => lines.join("\n"));
  fc.assert(
    fc.property(quote, line, (quoted, typed) => {
      expect(quoteIn(composed(quoted, typed))).toEqual({ quote: quoted, rest: typed });
    }),
  );
});
