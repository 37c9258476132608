import { describe, expect, test } from "vitest";
import { JsonCode, MarkdownCode, type TextCode } from "./text-code.ts";

/** The text without what is held to be code. */
function outside(code: TextCode, text: string): string {
  return text
    .split("")
    .filter((unit) => !code.holds(unit.charCodeAt(0)))
    .join("");
}

describe("Markdown", () => {
  test.each([
    ["a `b` c", "a  c"],
    ["a ``b`c`` d", "a  d"],
    ["a ` b\nc", "a \nc"],
    ["```js\nb\n```\nc", "\nc"],
    ["```js\nb\n``` c", " c"],
    ["```\nb ``` b\n```\nc", "\nc"],
    ["````\n```\nb\n```\n````\nc", "\nc"],
    ["```\nb\n```js\nb\n```\nc", "\nc"],
    ["~~~\n`b\n```\n~~~\nc", "\nc"],
    ["~~~ a`b\nb\n~~~~\nc", "\nc"],
    ["```\nb\n~~~\nb\n```\nc", "\nc"],
    ["- ```js\n  b\n  ```\nc", "- \nc"],
    ["> ```\n> b\n> ```\nc", "> \nc"],
    ["```\r\nb\r\n```\r\nc", "\r\nc"],
    ["use ``` here\nc", "use \nc"],
    ["``` b ``` c", " c"],
    ["~~a~~ b", "a~~ b"],
    ["```never closed\nb", ""],
  ])("%j leaves %j", (text, left) => {
    expect(outside(new MarkdownCode(), text)).toBe(left);
  });
});

test("of JSON what stands in strings is text, and nothing else", () => {
  const text = '{"a": [1, 2], "b\\"[3]": "so \\\\", "c": ["x [4]"]} "';
  expect(outside(new JsonCode(), text)).toBe('ab\\"[3]so \\\\cx [4]');
});
