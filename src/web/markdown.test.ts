import * as fc from "fast-check";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { Markdown } from "./markdown.tsx";
import { SourceList, type Source } from "./sources.tsx";

const html = (text: string, sources: readonly Source[] = []): string =>
  renderToStaticMarkup(createElement(Markdown, { text, sources }));

test("a task has its box once, and not the brackets as well", () => {
  const list = html("- [x] done\n- [ ] open");
  expect(list.match(/<input/g)?.length).toBe(2);
  expect(list).not.toContain("[");
  expect(html("- [ ] a\n\n- [x] b").match(/<input/g)?.length).toBe(2);
});

test("characters that are named are the characters, save in code", () => {
  expect(html("R&amp;D &lt;b&gt; &rarr; `&amp;`")).toContain(
    'R&amp;D &lt;b&gt; → <code dir="auto">&amp;amp;</code>',
  );
});

test("a line break in a table's cell is one; any other HTML is shown as it was written", () => {
  const table = html("| a |\n| --- |\n| one<br>two <i>x</i> |");
  expect(table).toContain("one<br/>two");
  expect(table).toContain("&lt;i&gt;x&lt;/i&gt;");
});

test("a column's side is the one that the table says", () => {
  expect(html("| a | b |\n| --- | ---: |\n| 1 | 2 |")).toContain('<td style="text-align:right">2</td>');
});

test("a formula is shown with all its signs", () => {
  expect(html("so $a*b*c$ and\n\n$$\nx\n+ y\n$$")).toContain("a*b*c</code>");
  expect(html("$$\nx\n+ y\n$$")).toContain("x\n+ y</code>");
});

test("a mark tells its file where the answer's sources are known, and nothing else that stands in brackets does", () => {
  const sources = [
    { index: 1, filename: "<a>.md", text: "Blue" },
    { index: 2, filename: "b.md", text: "Green" },
  ];
  const text = "Blue [1], **both [1, 2]**, not [3], `list[1]`.";
  const cited = html(text, sources);
  expect(cited).toContain('Blue <abbr class="cite" title="&lt;a&gt;.md">[1]</abbr>, ');
  expect(cited).toContain(
    'title="&lt;a&gt;.md, b.md">[1, 2]</abbr></strong>, not [3], <code dir="auto">list[1]',
  );
  expect(html(text)).not.toContain("<abbr");
  const list = renderToStaticMarkup(createElement(SourceList, { sources }));
  expect(list.replaceAll(/<[^>]*>/g, "")).toBe("Sources[1] &lt;a&gt;.mdBlue[2] b.mdGreen");
});

test.each([
  "javascript:alert(1)",
  "java&#115;cript:alert(1)",
  "data:text/html,x",
  "&#106;avascript:alert(1)",
])("a link to %s is none", (href) => {
  expect(html(`[x](${href})`)).not.toContain("<a");
});

test("whatever is written, nothing is loaded, run or styled by it, and no link leads but to the web or a mail", () => {
  const pieces = [
    "javascript:alert(1)",
    "JaVaScRiPt:x",
    "data:text/html,x",
    "data:image/svg+xml,<svg onload=x>",
    "vbscript:x",
    "//elsewhere.example",
    "https://a.example",
    "&#106;avascript:x",
    "\u0001javascript:x",
    "java\tscript:x",
    "file:///etc",
    "[",
    "](",
    ")",
    "![",
    "<",
    ">",
    "<img src=x onerror=y>",
    "<script>",
    "<a href='",
    "'>",
    "<style>",
    "\u202E",
    "\u2066",
    "\n",
    "\n\n",
    " ",
    "- ",
    "> ",
    "| a |\n| - |\n",
    "[r]: ",
    "[r]",
    '"',
    "`",
    "```\n",
    "$",
    "$$",
    "\\",
    "&lt;",
    "www.a.example",
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 30 }), (written) => {
      const shown = html(written.join(""));
      // The icons on the page's own buttons.
      const tags = shown.replaceAll(/<svg class="icon"/g, "<i").match(/<[a-z][^>]*>/g) ?? [];
      for (const tag of tags) {
        expect(tag).not.toMatch(
          /^<(?:img|script|style|iframe|svg|object|link)\b|\s(?:on\w+|src|srcset|id)=/i,
        );
        const [, href] = /\shref="([^"]*)"/.exec(tag) ?? [];
        if (href !== undefined) expect(href).toMatch(/^(?:https?:|mailto:)/i);
      }
    }),
    { numRuns: 1000 },
  );
});
