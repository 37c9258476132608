import * as fc from "fast-check";
import { expect, test } from "vitest";
import { extractText, type FileToRead } from "./extract-text.ts";
import { decodeEntities, htmlText } from "./html-text.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

function extracted(file: Partial<FileToRead>) {
  const result = extractText({ bytes: utf8("text"), filename: "a.txt", mediaType: "", ...file });
  return result.ok ? result.value : result.error.code;
}

test.each([
  ["notes.txt", "text/plain", "plain"],
  ["README.md", "application/octet-stream", "markdown"],
  ["readme", "text/markdown; charset=utf-8", "markdown"],
  ["page.html", "text/plain", "markdown"],
  ["main.rs", "application/octet-stream", "plain"],
  ["app.ts", "video/mp2t", "unsupported_file"],
  ["app.ts", "application/x-typescript", "plain"],
  ["script.py", "text/x-python", "plain"],
  ["data.json", "application/json", "plain"],
  ["feed", "application/atom+xml", "plain"],
  ["photo", "image/png", "unsupported_file"],
  ["report", "application/pdf", "unsupported_file"],
  ["x.constructor", "", "plain"],
])("%s of type %s is %s", (filename, mediaType, kind) => {
  const result = extracted({ filename, mediaType });
  expect(typeof result === "string" ? result : result.kind).toBe(kind);
});

test.each([
  ["UTF-8 with a mark", [0xef, 0xbb, 0xbf, 0x61, 0xc3, 0xa9], "", "aé"],
  ["UTF-16 of the small end", [0xff, 0xfe, 0x61, 0x00, 0xe9, 0x00], "", "aé"],
  ["UTF-16 of the large end", [0xfe, 0xff, 0x00, 0x61, 0x00, 0xe9], "", "aé"],
  ["Latin-1, as its sender says", [0x61, 0xe9], "text/plain; charset=iso-8859-1", "aé"],
  ["a mark against the sender's word", [0xef, 0xbb, 0xbf, 0x61], "text/plain;charset=utf-16le", "a"],
])("%s is read", (_, bytes, mediaType, text) => {
  expect(extracted({ bytes: Uint8Array.from(bytes), mediaType })).toEqual({ text, kind: "plain" });
});

/** As programs wrote them before UTF-8. */
const latin = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

test.each([
  [
    "a page",
    "a.html",
    '<html><head><META charset="windows-1252"><body>caf\u00e9 \u0093so\u0094',
    "café “so”",
  ],
  [
    "an old page",
    "a.htm",
    "<meta http-equiv=Content-Type content='text/html; charset=ISO-8859-15'><p>5 \u00a4</p>",
    "5 €",
  ],
  ["XML", "a.xml", '<?xml version="1.0" encoding="iso-8859-1"?><a>\u00e9</a>', "é"],
])("%s that names its character set itself is read by it", (_, filename, text, words) => {
  expect(extracted({ bytes: latin(text), filename })).toMatchObject({
    text: expect.stringContaining(words),
  });
});

test("what a sender or a mark says of the character set is believed before the page; a page in UTF-16 that says so is in none", () => {
  const page = '<meta charset="iso-8859-1">é';
  expect(extracted({ bytes: utf8(page), filename: "a.html", mediaType: "text/html; charset=utf-8" })).toEqual(
    {
      text: "é",
      kind: "markdown",
    },
  );
  expect(extracted({ bytes: utf8(`\ufeff${page}`), filename: "a.html" })).toMatchObject({ text: "é" });
  // It could not be read as ASCII then: browsers take it for UTF-8.
  expect(extracted({ bytes: utf8('<meta charset="utf-16">é'), filename: "a.html" })).toMatchObject({
    text: "é",
  });
  expect(extracted({ bytes: utf8('<meta charset="klingon">é'), filename: "a.html" })).toMatchObject({
    text: "é",
  });
  // In text it is only spoken of.
  expect(extracted({ bytes: latin('<meta charset="windows-1252">\u00e9'), filename: "a.txt" })).toBe(
    "invalid_file",
  );
});

test.each([
  ["Latin-1 that nobody named", [0x61, 0xe9, 0x62], "", "invalid_file"],
  ["half a UTF-16 unit", [0xff, 0xfe, 0x61], "", "invalid_file"],
  ["NUL within", [0x61, 0x00, 0x62], "", "invalid_file"],
  ["a character set that is none", [0x61], "text/plain; charset=klingon", "unsupported_file"],
  ["a PDF that calls itself text", [0x25, 0x50, 0x44, 0x46, 0x2d, 0x31], "text/plain", "unsupported_file"],
  ["a DOCX without a type", [0x50, 0x4b, 0x03, 0x04, 0x14], "", "unsupported_file"],
])("%s is refused by a reason", (_, bytes, mediaType, code) => {
  expect(extracted({ bytes: Uint8Array.from(bytes), mediaType })).toBe(code);
});

test("any bytes under any name are text or a reason", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.string(), fc.string(), (bytes, filename, mediaType) => {
      const result = extracted({ bytes, filename, mediaType });
      expect(typeof result === "string" ? result : typeof result.text).toMatch(
        /^(?:string|unsupported_file|invalid_file)$/,
      );
    }),
  );
});

test("a page is its words as Markdown", () => {
  const html = `<html><head><title>Guide &amp; more</title><style>p { color: red }</style></head>
    <body><h2>Set   up</h2><p>Run <b>it</b>&nbsp;now&hellip;</p><script>alert(1)</script>
    <ul><li>One</li><li>Two</li></ul>
    <pre>a  = 1
# no heading</pre>
    <table><tr><th>Name</th><th>Born</th></tr><tr><td>Ada</td><td>1815</td></tr></table><p>End</p></body></html>`;
  expect(extracted({ bytes: utf8(html), filename: "a.html" })).toEqual({
    kind: "markdown",
    text: "# Guide & more\n\n## Set up\n\nRun it now…\n\n- One\n- Two\n\n```\na  = 1\n# no heading\n```\n\nName | Born\nAda | 1815\n\nEnd",
  });
});

test("a page as browsers forgive it: no end tags, drawings, quotes with tags in them, scripts", () => {
  const html = `<!doctype html><!-- not > this --><?xml not this?><H2 class=x title="a > b">Set   up</H2><p>Run<br>é 😀 1 < 2 <p>No end
    <svg viewBox="0 0 1 1"><text>drawn</text></svg><svg/>Seen<script>if (a < b) alert("</p>")</SCRIPT > <textarea><b>kept</b></textarea>
    <ul><li>One<li>Two</ul><img alt='>' src=it's><noscript>no</noscript><table><tr><th>Name<th>Born<tr><td>Ada<td>1815</table>`;
  expect(htmlText(html)).toBe(
    "## Set up\n\nRun\né 😀 1 < 2\n\nNo end Seen <b>kept</b>\n\n- One\n- Two\n\nName | Born\nAda | 1815",
  );
  expect(htmlText("a<style>b")).toBe("ab");
  expect(htmlText("")).toBe("");
  expect(htmlText("<div></div>")).toBe("");
});

test.each([
  "<b>x",
  "<svg/>x",
  "<svg>",
  "<br>x",
  "<",
  "</",
  "<a ",
  '<a b="',
  "&amp;&x",
  "<!-- ",
  "<!",
  "<pre>\n",
  "<script>",
  "<title>",
  "<td>x",
  "<tr><td>x<p>",
])(
  "half a megabyte of %s is read in one pass",
  (unit) => {
    const text = unit.repeat(Math.floor(500_000 / unit.length));
    expect(htmlText(text).length).toBeLessThanOrEqual(2 * text.length);
  },
  // For hangs: milliseconds where nothing else runs; quadratic time would be many minutes.
  60_000,
);

test("entities are read once, and none makes half a character", () => {
  expect(decodeEntities("&lt;b&gt; &amp;lt; &eacute;&#233;&#xE9; &euro; &unknown; &#xD800; &#0; &")).toBe(
    "<b> &lt; ééé € &unknown; \ufffd \ufffd &",
  );
});

test("a table's rows say what their columns are", () => {
  const csv = 'name,born,"said, once"\r\nAda,1815,"ah ""so"""\r\nAlan,,x\n\n';
  expect(extracted({ bytes: utf8(csv), filename: "a.csv" })).toEqual({
    kind: "plain",
    text: 'name: Ada | born: 1815 | said, once: ah "so"\nname: Alan | said, once: x',
  });
  expect(extracted({ bytes: utf8("a\tb\n1\t2"), filename: "a.tsv" })).toMatchObject({
    text: "a: 1 | b: 2",
  });
});

test("a table is parted by what parts most of its first row, or by what it says itself", () => {
  const rows = (csv: string) => {
    const result = extracted({ bytes: utf8(csv), filename: "a.csv" });
    return typeof result === "string" ? result : result.text;
  };
  expect(rows('Name;Preis, netto;Ort\nAda;1,50;"Bonn; Beuel"\n')).toBe(
    "Name: Ada | Preis, netto: 1,50 | Ort: Bonn; Beuel",
  );
  expect(rows("a\tb\n1\t2")).toBe("a: 1 | b: 2");
  expect(rows('"a;b;c",d\n1,2')).toBe("a;b;c: 1 | d: 2");
  expect(rows("sep=|\r\na|b;c\r\n1|2")).toBe("a: 1 | b;c: 2");
  expect(rows("sep=;\nnothing else")).toBe("nothing else");
  expect(rows('"",name,born\n"1",Ada,1815')).toBe("1 | name: Ada | born: 1815");
});

test("what stands behind a field's closing quote is not lost", () => {
  const csv = 'name,said\n"Ada" (1815),"a" "b"\n';
  expect(extracted({ bytes: utf8(csv), filename: "a.csv" })).toMatchObject({
    text: 'name: Ada (1815) | said: a "b"',
  });
});

test("a row of a table is a line, also where its cells hold paragraphs, as Word writes them; a page that is laid out in a table is none", () => {
  const cell = (text: string) => `<td width=120><p class=MsoNormal>${text}<o:p></o:p></p></td>`;
  const table = `<table><thead><tr><th><p>Name</p></th><th><p>Born</p></th></tr></thead>
    <tr>${cell("Ada<br>Lovelace")}${cell("1815")}</tr><tr>${cell("Alan")}${cell("&nbsp;")}${cell("x")}</tr></table><p>End</p>`;
  expect(htmlText(table)).toBe("Name | Born\n\nAda Lovelace | 1815\nAlan | x\n\nEnd");
  const prose = "Words that are many. ".repeat(120).trim();
  expect(htmlText(`<table><tr><td><p>${prose}</p><p>More.</p></td></tr></table>`)).toBe(`${prose}\n\nMore.`);
  expect(htmlText("<table><tr><td><h1>Head</h1><p>One.</p><p>Two.</p></td></tr></table>")).toBe(
    "# Head\n\nOne.\n\nTwo.",
  );
  expect(htmlText("<table><tr><td><p>One.</p><p>Two.</p><td></table>")).toBe("One.\n\nTwo.");
  const nested = `<table><tr><td><p>Intro</p>${table}</td></tr></table>`;
  expect(htmlText(nested)).toBe("Intro\n\nName | Born\n\nAda Lovelace | 1815\nAlan | x\n\nEnd");
  expect(htmlText("<table><tr><td>a<td><pre>b\n c</pre></table>")).toBe("a\n\n```\nb\n c\n```");
});

test("a table without names, of one column, or whose names would swell it, stays as it is", () => {
  const wide = `${"n".repeat(5000)},m\n${"1,1\n".repeat(5000)}`;
  for (const csv of ["1,2\n3,4", "name\nAda\n", "a,\n1,2", wide, "", "a,b"])
    expect(extracted({ bytes: utf8(csv), filename: "a.csv" })).toMatchObject({ text: csv });
});

test("JSON in one line gets line ends behind its commas, none within its strings", () => {
  const value = { list: Array.from({ length: 100 }, (_, at) => ({ at, said: 'a, "quoted" \\' })) };
  const json = JSON.stringify(value);
  const result = extracted({ bytes: utf8(json), filename: "a.json" });
  if (typeof result === "string") throw new Error(result);
  expect(JSON.parse(result.text)).toEqual(value);
  expect(result.text.split("\n").length).toBe(json.split(",").length - 100);
  const pretty = JSON.stringify(value, null, 2);
  expect(extracted({ bytes: utf8(pretty), filename: "a.json" })).toMatchObject({ text: pretty });
});
