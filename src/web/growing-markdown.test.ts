import * as fc from "fast-check";
import { Lexer } from "marked";
import { expect, test } from "vitest";
import { GrowingMarkdown } from "./growing-markdown.ts";
import { markdownOptions } from "./markdown-math.ts";

const isShown = ({ type }: { readonly type: string }): boolean => type !== "space" && type !== "def";
const whole = (text: string) => Lexer.lex(text, markdownOptions).filter(isShown);

/** Beginnings, continuations and ends of blocks, and text whose meaning depends on what follows. */
const pieces = [
  "word",
  "two words",
  "مرحبا",
  "🙂",
  "https://example.com/a_b",
  "&amp;",
  "$a*b*c$",
  "*",
  "**",
  "_",
  "~~",
  "\\",
  "`",
  "- a",
  "- [x] b",
  "* ",
  "-",
  "1",
  "1. d",
  "1. ",
  "2) e",
  "  more",
  "    code",
  "\tcode",
  " ",
  "# h",
  "===",
  "---",
  "--",
  "***",
  "> q",
  ">",
  "> - r",
  "```",
  "```js",
  "~~~",
  "$$",
  "\\[",
  "\\]",
  "$$\nx",
  "| a | b |",
  "| - | - |",
  "| 1 | 2 |",
  "|",
  "<div>",
  "</div>",
  "<b>",
  "<pre>",
  "</pre>",
  "<!--",
  "-->",
  "<?",
  "?>",
  "see [x]",
  "[x]: /u",
  '[y]: /v "t',
  "[z]: <w> 'u",
  "[x]: /s (t",
  "[z]:",
  "/z",
  "[",
  "]",
  ")",
  't"',
  '"',
  "'",
  "[y] [z]",
];
/** Separators, since blank lines decide whether a block is finished. */
const between = fc.constantFrom("\n\n", "\n\n", "\n\n", "\n", "\n", "", "\n \t\n", "\r\n\r\n", " ", ". ");
const parts = fc
  .array(
    fc.tuple(
      fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...pieces) }, fc.string({ maxLength: 3 })),
      between,
    ),
    {
      maxLength: 16,
      size: "max",
    },
  )
  .map((all) => all.flat());

test("whatever is written, in whatever pieces it comes, its blocks are those of the whole text", () => {
  fc.assert(
    fc.property(parts, fc.integer({ min: 1, max: 3 }), (all, step) => {
      const reader = new GrowingMarkdown();
      let text = "";
      for (const [at, part] of all.entries()) {
        text += part;
        if (at % step === 0) expect(reader.read(text)).toEqual(whole(text));
      }
      expect(reader.read(text)).toEqual(whole(text));
    }),
    { numRuns: 3000 },
  );
});

test("word by word, too, with lists, fences, tables and references that are defined at the end", () => {
  const text = [
    "# Title\n\nSee [x] and [y][x], not [z].",
    "- one\n- two\n\n  still two\n\n- three\n\n1. other",
    "```js\nconst a = 1;\n\n- no list\n```",
    "| a | b |\n| --- | --- |\n| 1 | [x] |",
    "> quote\nlazy\n\n> another",
    "Heading\n===",
    "1. one\n\n1. two\n\n- three\n\n-- no list",
    '[z]: /late "title\n\nthat goes\n\non to here"\n\n[x]: /first "title"\n[x]: /second',
    "The end.",
  ].join("\n\n");
  const reader = new GrowingMarkdown();
  for (let end = 0; end <= text.length; end += 1)
    expect(reader.read(text.slice(0, end))).toEqual(whole(text.slice(0, end)));
});

test("what is finished is not read again: its blocks stay the same objects while the answer grows", () => {
  const reader = new GrowingMarkdown();
  const paragraphs = Array.from({ length: 200 }, (_, at) => `Paragraph **${at}** with [a link](/l).`);
  let before: readonly unknown[] = [];
  for (let count = 1; count <= paragraphs.length; count += 1) {
    const now = reader.read(paragraphs.slice(0, count).join("\n\n"));
    expect(now.length).toBe(count);
    const kept = before.slice(0, -2);
    expect(now.slice(0, kept.length).every((block, at) => block === kept[at])).toBe(true);
    before = now;
  }
});

test("another text than the one before is read from its beginning", () => {
  const reader = new GrowingMarkdown();
  reader.read("one\n\ntwo\n\nthree\n");
  expect(reader.read("other\n\ntext")).toEqual(whole("other\n\ntext"));
  expect(reader.read("")).toEqual([]);
});

test("an <a> that is never closed makes no plain text of the addresses in later blocks", () => {
  const blocks = new GrowingMarkdown().read("<a b>\n\nsee https://example.com now");
  expect(JSON.stringify(blocks)).toContain('"type":"link"');
});

test.each([
  ["the product $a*b*c$ is", "a*b*c", false],
  ["so \\(x_1 * y_2\\) is", "x_1 * y_2", false],
  ["then \\[ a_1 = b_1 \\] holds", "a_1 = b_1", true],
  ["Text:\n$$\na\n+ b\n= c\n$$\nand on", "a\n+ b\n= c", true],
  ["\\[\na\n- b\n\\]", "a\n- b", true],
])("a formula is kept as it was written: %j", (text, formula, display) => {
  const found: unknown[] = [];
  JSON.stringify(new GrowingMarkdown().read(text), (_, value: unknown) => {
    if (typeof value === "object" && value !== null && "type" in value && value.type === "math")
      found.push(value);
    return value;
  });
  expect(found).toEqual([expect.objectContaining({ text: formula, display })]);
});

test.each(["$5 and $7", "from $5-$7 a month", "`$x$`", "$HOME/$USER", "a $ b $ c", "$$", "\\[ left open"])(
  "no formula is seen in %j",
  (text) => {
    expect(JSON.stringify(new GrowingMarkdown().read(text))).not.toContain('"math"');
  },
);

test.each([
  ["lists in lists, on one line", "- ".repeat(10_000)],
  [
    "lists in lists, line by line",
    Array.from({ length: 1000 }, (_, at) => `${"  ".repeat(at)}- x`).join("\n"),
  ],
  [
    "ten thousand items, a hundred deep",
    Array.from({ length: 10_000 }, (_, at) => `${" ".repeat(Math.min(2 * at, 200))}- x`).join("\n"),
  ],
  ["quotes in quotes", ">".repeat(10_000)],
])("%s are not read: it would take the page for seconds", (_, text) => {
  expect(() => new GrowingMarkdown().read(text)).toThrow("nested too deep");
});

test.each([
  ["a line of a million letters", "a".repeat(1_000_000)],
  [
    "what looks like a list and is a rule",
    `${"-".repeat(5000)}\n${"*".repeat(5000)}\n\n${"word ".repeat(10_000)}`,
  ],
  [
    "a list of five thousand items, six deep",
    Array.from({ length: 5000 }, (_, at) => `${"  ".repeat(at % 6)}- item`).join("\n"),
  ],
  ["brackets that nobody closes", "[".repeat(50_000)],
  ["links that nobody closes", "[a](".repeat(20_000)],
  ["emphasis that nobody closes", "*a **b _c ~~d ".repeat(5000)],
  ["HTML that nobody closes", "<a ".repeat(20_000)],
  ["code that nobody closes", Array.from({ length: 500 }, (_, at) => `${"`".repeat(at + 1)}a`).join(" ")],
  ["a table of five thousand columns", `${"|a".repeat(5000)}|\n${"|-".repeat(5000)}|\n${"|x".repeat(5000)}|`],
  ["addresses and formulas that are none", "a@http://www.$".repeat(5000)],
])("%s is read, and all of it is there", (_, text) => {
  const blocks = new GrowingMarkdown().read(text);
  expect(blocks.length).toBeGreaterThan(0);
  expect(
    blocks
      .map(({ raw }) => raw)
      .join("")
      .replaceAll(/\s/g, ""),
  ).toBe(text.replaceAll(/\s/g, ""));
});
