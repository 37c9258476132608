import { expect, test } from "vitest";
import { makeZip, utf8 } from "../../../test/workers/make-archive.ts";
import {
  inlineRows,
  makeDocx,
  makeOffice,
  makePptx,
  makeXlsx,
  relationships,
  shape,
  word,
} from "../../../test/workers/make-documents.ts";
import { inflate } from "../../../workers/document-reader/inflate.ts";
import type { ExtractedText } from "../retrieval/extract-text.ts";
import { documentBounds } from "./document-bounds.ts";
import { readDocument } from "./read-document.ts";

async function read(bytes: Uint8Array): Promise<ExtractedText | string> {
  const result = await readDocument(bytes, {
    ...inflate,
    pdf: () => Promise.reject(new Error("there is no PDF among them")),
  });
  return result.ok ? result.value : `${result.error.code}: ${result.error.message}`;
}

async function textOf(bytes: Uint8Array): Promise<string> {
  const result = await read(bytes);
  return typeof result === "string" ? result : result.text;
}

const styles = `<w:styles>
  <w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
  <w:style w:styleId="Titel"><w:name w:val="Title"/></w:style>
  <w:style w:styleId="Own"><w:basedOn w:val="Between"/></w:style>
  <w:style w:styleId="Between"><w:basedOn w:val="Level3"/></w:style>
  <w:style w:styleId="Level3"><w:pPr><w:outlineLvl w:val="2"/></w:pPr></w:style>
  <w:style w:styleId="Bullet"><w:name w:val="List Bullet"/><w:pPr><w:numPr><w:numId w:val="3"/></w:numPr></w:pPr></w:style>
  <w:style w:styleId="Circle"><w:basedOn w:val="Circle"/></w:style>
</w:styles>`;

test("a Word document is its paragraphs, under headings as its styles say", async () => {
  const body =
    word("Handbook", "Titel") +
    word("Loans &amp; returns", "berschrift1") +
    word("Seven books may be borrowed.") +
    word("Deeper", "Own") +
    word("Round", "Circle") +
    word("One", "Bullet") +
    word("Two", "Bullet") +
    '<w:p><w:pPr><w:pStyle w:val="Bullet"/><w:numPr><w:numId w:val="0"/></w:numPr></w:pPr><w:r><w:t>Three</w:t></w:r></w:p>';
  const docx = makeDocx(body, [
    { name: "word/_rels/document.xml.rels", content: relationships({ r1: ["styles", "styles.xml"] }) },
    { name: "word/styles.xml", content: styles },
  ]);
  expect(await read(docx)).toEqual({
    kind: "markdown",
    text: "# Handbook\n\n# Loans & returns\n\nSeven books may be borrowed.\n\n### Deeper\n\nRound\n\n- One\n- Two\n\nThree",
  });
});

test("lists, tables, breaks and text boxes are lines; what was deleted or moved away is not said", async () => {
  const item = '<w:p><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>Item</w:t></w:r></w:p>';
  const cell = (text: string): string => `<w:tc><w:tcPr/>${word(text)}${word("more")}</w:tc>`;
  const body = `${item}${item}<w:p><w:pPr><w:tabs><w:tab/></w:tabs><w:rPr><w:t>no</w:t></w:rPr>
    <w:pPrChange><w:pPr><w:pStyle w:val="x"/></w:pPr></w:pPrChange></w:pPr>
    <w:r><w:t>One</w:t><w:tab/><w:t>two</w:t><w:br/><w:t>three</w:t><w:noBreakHyphen/><w:t>four</w:t></w:r>
    <w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom>
    <w:r><w:instrText>PAGE</w:instrText></w:r>
    <mc:AlternateContent><mc:Choice><w:txbxContent>${word("In a box")}</w:txbxContent></mc:Choice>
    <mc:Fallback>${word("In a box")}</mc:Fallback></mc:AlternateContent></w:p>
    <w:tbl><w:tr>${cell("Name")}${cell("Born")}</w:tr><w:tr>${cell("Ada")}${cell("1815")}</w:tr></w:tbl>${word("End")}`;
  expect(await textOf(makeDocx(body))).toBe(
    "- Item\n- Item\n\nOne two\nthree-four\n\nIn a box\n\nName more | Born more\nAda more | 1815 more\n\nEnd",
  );
});

test("hidden text is not said, nor what stands above a character to be read by; a row of empty cells is no line", async () => {
  const run = (text: string, properties = ""): string =>
    `<w:r><w:rPr>${properties}</w:rPr><w:t xml:space="preserve">${text}</w:t></w:r>`;
  const ruby = (base: string, reading: string): string =>
    `<w:r><w:ruby><w:rt>${run(reading)}</w:rt><w:rubyBase>${run(base)}</w:rubyBase></w:ruby></w:r>`;
  const body = `<w:p><w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr>${run("Seen ")}${run("hidden ", "<w:vanish/>")}${run("shown ", '<w:vanish w:val="0"/>')}${run(
    "changed ",
    "<w:rPrChange><w:rPr><w:vanish/></w:rPr></w:rPrChange>",
  )}${ruby("東", "とう")}${ruby("京", "きょう")}</w:p>
    <w:tbl><w:tr><w:tc><w:p/></w:tc><w:tc><w:p/></w:tc></w:tr></w:tbl>`;
  expect(await textOf(makeDocx(body))).toBe("Seen shown changed 東京");
});

test("notes stand behind the body", async () => {
  const docx = makeDocx(word("Body"), [
    {
      name: "word/_rels/document.xml.rels",
      content: relationships({ r1: ["footnotes", "/word/footnotes.xml"] }),
    },
    {
      name: "word/footnotes.xml",
      content: `<w:footnotes><w:footnote>${word("A note")}</w:footnote></w:footnotes>`,
    },
  ]);
  expect(await textOf(docx)).toBe("Body\n\nA note");
});

test("a presentation is its slides, each a page, in the order of the show, with notes", async () => {
  const slides = [
    {
      shapes: `${shape("Plan\nfor 2027", "ctrTitle")}${shape("First\nSecond", "body")}${shape("7", "sldNum")}`,
    },
    {
      shapes: `<p:graphicFrame><a:tbl><a:tr><a:tc><a:p><a:r><a:t>Q1</a:t></a:r></a:p></a:tc><a:tc><a:p><a:r><a:t>12</a:t></a:r></a:p></a:tc></a:tr></a:tbl></p:graphicFrame>
        <p:sp><p:txBody><a:p><a:fld type="slidenum"><a:t>2</a:t></a:fld><a:r><a:t>One</a:t></a:r><a:br/><a:r><a:t>two</a:t></a:r></a:p></p:txBody></p:sp>`,
      notes: shape("Say it slowly", "body"),
    },
  ];
  const result = await read(makePptx(slides));
  expect(result).toEqual({
    kind: "markdown",
    text: "# Plan for 2027\n\nFirst\nSecond\n\nQ1 | 12\n\nOne\ntwo\n\nSay it slowly",
    pageStarts: [0, "# Plan for 2027\n\nFirst\nSecond\n\n".length],
  });
});

test("what a slide's diagram says stands behind its text", async () => {
  const pptx = makePptx(
    [{ shapes: shape("Plan", "title") }],
    [
      {
        name: "ppt/slides/_rels/slide0.xml.rels",
        content: relationships({ r1: ["diagramData", "../diagrams/data1.xml"] }),
      },
      {
        name: "ppt/diagrams/data1.xml",
        content:
          "<dgm:dataModel><dgm:ptLst><dgm:pt><dgm:t><a:p><a:r><a:t>Design</a:t></a:r></a:p></dgm:t></dgm:pt><dgm:pt><dgm:t><a:p><a:r><a:t>Build</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:ptLst></dgm:dataModel>",
      },
    ],
  );
  expect(await textOf(pptx)).toBe("# Plan\n\nDesign\nBuild");
});

test("a section's mention of a slide is no slide", async () => {
  const pptx = makePptx([{ shapes: shape("Only one") }]);
  const mentioned = makeOffice(
    "ppt/p.xml",
    "application/vnd.openxmlformats-officedocument.presentationml.x+xml",
    [
      {
        name: "ppt/p.xml",
        content:
          '<p><sldIdLst><sldId id="256" r:id="r1"/></sldIdLst><extLst><p14:sldId id="256"/></extLst></p>',
      },
      { name: "ppt/_rels/p.xml.rels", content: relationships({ r1: ["slide", "s.xml"] }) },
      { name: "ppt/s.xml", content: `<p>${shape("Only one")}</p>` },
    ],
  );
  expect(await textOf(mentioned)).toBe(await textOf(pptx));
});

test("a workbook is its sheets, each a page under its name, its rows with their columns' names", async () => {
  const rows = `<row><c r="A1" t="s"><v>0</v></c></row><row r="2"/>
    <row><c r="A3" t="s"><v>1</v></c><c r="B3" t="inlineStr"><is><r><t>Bo</t></r><r><t>rn</t></r><rPh><t>x</t></rPh></is></c><c r="D3" t="str"><f>1</f><v>Paid</v></c></row>
    <row><c r="A4" t="s"><v>2</v></c><c r="B4" s="1"><v>45992</v></c><c r="D4" t="b"><v>1</v></c></row>
    <row><c r="A5"><v>0.30000000000000004</v></c><c r="B5" s="2"><v>45992.75</v></c><c r="C5" t="e"><v>#N/A</v></c><c r="D5" s="3"><v>1.5</v></c></row>`;
  const xlsx = makeXlsx(
    [
      { name: "Staff &amp; more", rows },
      { name: "Empty", rows: "" },
      {
        name: "Numbers",
        rows: inlineRows([
          [1, 2],
          [3, 4],
        ]),
      },
    ],
    ["The staff", "Name", "Ada"],
    ["[$-407]d. mmmm yyyy", "yyyy\\-mm\\-dd hh:mm", "[h]:mm"],
  );
  const first =
    "# Staff & more\n\nThe staff\nName: Ada | Born: 2025-12-01 | Paid: TRUE\nName: 0.3 | Born: 2025-12-01 18:00 | #N/A | Paid: 36:00:00\n\n";
  expect(await read(xlsx)).toEqual({
    kind: "markdown",
    text: `${first}# Numbers\n\n1 | 2\n3 | 4`,
    pageStarts: [0, first.length, first.length],
  });
});

test.each([
  ["0.00", "45992"],
  ["General", "45992"],
  ["0 &quot;days&quot;", "45992"],
  ["#,##0\\ [$€-407]", "45992"],
  ["@", "45992"],
  ["0.0%;[Red]-0.0%", "4599200%"],
  ["0.00\\%", "45992"],
  ["m/d/yy", "2025-12-01"],
  ["mmm", "2025-12-01"],
  ["[Red]dd.mm.yyyy;@", "2025-12-01"],
  ["h:mm AM/PM", "00:00"],
  ["mm:ss", "00:00"],
])("a number of the format %s is written %s", async (format, written) => {
  const rows = '<row><c s="1"><v>45992</v></c></row>';
  expect(await textOf(makeXlsx([{ name: "S", rows }], [], [format]))).toBe(`# S\n\n${written}`);
});

test("a hidden sheet is not said, and is no page; what XML has no room for is no word", async () => {
  const sheet = (name: string, text: string) => ({ name, rows: inlineRows([[text]]) });
  const xlsx = makeXlsx([
    sheet("Shown", "One_x000D_two _x005F_x000D_"),
    sheet('Away" state="hidden', "secret"),
    sheet('Deep" state="veryHidden', "secret"),
    sheet("Last", "three"),
  ]);
  const first = "# Shown\n\nOne two _x000D_\n\n";
  expect(await read(xlsx)).toEqual({
    kind: "markdown",
    text: `${first}# Last\n\nthree`,
    pageStarts: [0, first.length],
  });
});

test.each([
  [27, "45992", "2025-12-01"],
  [58, "45992", "2025-12-01"],
  [33, "0.75", "18:00"],
  [55, "45992.5", "2025-12-01 12:00"],
] as const)(
  "by the format %s of Chinese, Japanese and Korean workbooks %s is %s",
  async (id, value, written) => {
    const rows = `<row><c s="1"><v>${value}</v></c></row>`;
    expect(await textOf(makeXlsx([{ name: "S", rows }], [], [id]))).toBe(`# S\n\n${written}`);
  },
);

test("a share is written as it is seen, and not off by a rounding", async () => {
  const rows = '<row><c s="1"><v>0.07</v></c><c s="2"><v>-1.125</v></c></row>';
  expect(await textOf(makeXlsx([{ name: "S", rows }], [], [9, 10]))).toBe("# S\n\n7% | -112.5%");
});

test("names of columns that would swell a sheet over fourfold are left away", async () => {
  const name = "n".repeat(3000);
  const rows = inlineRows([[name, "m"], ...Array.from({ length: 200 }, () => ["a", "b"])]);
  const text = await textOf(makeXlsx([{ name: "S", rows }]));
  expect(text.split("\n").slice(2, 4)).toEqual([`${name} | m`, "a | b"]);
});

test.each<readonly [string, Uint8Array, string]>([
  ["an archive of something else", makeZip([{ name: "a.txt", content: "a" }]), "unsupported_file"],
  [
    "a binary workbook",
    makeOffice("xl/w.bin", "application/vnd.ms-excel.sheet.binary.macroEnabled.main", []),
    "unsupported_file",
  ],
  ["an old document", Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1), "unsupported_file"],
  ["text", utf8("text"), "unsupported_file"],
  ["nothing", new Uint8Array(0), "unsupported_file"],
  ["half an archive", makeDocx(word("text")).slice(0, 200), "invalid_file"],
  ["an empty document", makeDocx(word(" ")), "invalid_file: The document holds no text"],
  [
    "slides without text",
    makePptx([{ shapes: shape("3", "sldNum") }]),
    "invalid_file: The document holds no text",
  ],
  [
    "a workbook without cells",
    makeXlsx([{ name: "S", rows: "" }]),
    "invalid_file: The document holds no text",
  ],
  ["a document without its body", makeOffice("word/d.xml", "x.wordprocessingml.x", []), "invalid_file"],
  ["entities that grow", makeDocx('<!DOCTYPE x [<!ENTITY a "b">]>'), "invalid_file"],
  [
    "more slides than may be",
    makePptx(Array.from({ length: documentBounds.pages + 1 }, () => ({ shapes: shape("x") }))),
    "invalid_file: The document has over 2000 pages",
  ],
])("%s has a reason", async (_, bytes, reason) => {
  expect(await read(bytes)).toContain(reason);
});

test("a protected document is told from an old one", async () => {
  const name = Uint8Array.from(Array.from("EncryptedPackage").flatMap((letter) => [letter.charCodeAt(0), 0]));
  const bytes = new Uint8Array(4096);
  bytes.set([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
  expect(await read(bytes)).toContain("old Office");
  bytes.set(name, 1024);
  expect(await read(bytes)).toBe(
    "invalid_file: The document is protected by a password. Save it without one.",
  );
});

test("text that grows without end stops where the bound is: one endless paragraph, one text in a million cells", async () => {
  const endless = makeDocx(`<w:p><w:r><w:t>${"word ".repeat(2_000_000)}</w:t></w:r></w:p>`);
  expect(endless.byteLength).toBeLessThan(100_000);
  expect(await read(endless)).toContain("MiB of text");
  const rows = `<row>${'<c t="s"><v>0</v></c>'.repeat(1_000_000)}</row>`;
  const shared = makeXlsx([{ name: "S", rows }], ["x".repeat(10_000)]);
  expect(await read(shared)).toContain("MiB of text");
  expect(await read(makeXlsx([{ name: "S", rows: "" }], ["x".repeat(9_000_000)]))).toContain("MiB of text");
});

test("a part that unpacks to more than there is room for is refused before it is", async () => {
  const bomb = makeDocx("", [
    { name: "word/_rels/document.xml.rels", content: relationships({ r1: ["styles", "styles.xml"] }) },
    { name: "word/styles.xml", content: new Uint8Array(documentBounds.zipEntryBytes + 1) },
  ]);
  expect(bomb.byteLength).toBeLessThan(200_000);
  expect(await read(bomb)).toContain("too large once it is unpacked");
});
