import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type CodePart, codeWords } from "./code-words.ts";

const textOf = (parts: readonly CodePart[]): string =>
  parts.map((part) => (typeof part === "string" ? part : textOf(part.parts))).join("");

test("words of code are told by what they are, under a language's other names as well", () => {
  expect(codeWords('const a = "b"; // c', "ts")).toEqual([
    { of: "code-keyword", parts: ["const"] },
    " a = ",
    { of: "code-string", parts: ['"b"'] },
    "; ",
    { of: "code-comment", parts: ["// c"] },
  ]);
  expect(codeWords("- a\n+ b", "diff")).toContainEqual({ of: "code-addition", parts: ["+ b"] });
  expect(codeWords("x", "klingon")).toBeNull();
});

test("whatever is written in whatever language, every sign of it is there", () => {
  const pieces = fc.constantFrom(
    "<b>",
    "&amp;",
    '"',
    "'",
    "`",
    "${",
    "}",
    "/*",
    "*/",
    "//",
    "#",
    "\n",
    "<?php",
    "a",
    "😀",
  );
  const code = fc.array(fc.oneof(pieces, fc.string({ maxLength: 4 })), { maxLength: 24 });
  const language = fc.constantFrom(
    "ts",
    "python",
    "html",
    "bash",
    "sql",
    "json",
    "php",
    "markdown",
    "rust",
    "yaml",
    "cpp",
  );
  fc.assert(
    fc.property(code, language, (all, name) => {
      expect(textOf(codeWords(all.join(""), name) ?? [])).toBe(all.join(""));
    }),
  );
});
