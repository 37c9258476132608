import { expect, test } from "vitest";
import { makeZip, utf8 } from "../../../test/workers/make-archive.ts";
import {
  makeDocx,
  makeOffice,
  makePptx,
  makeXlsx,
  relationships,
  shape,
  word,
} from "../../../test/workers/make-documents.ts";
import { documentBounds } from "./document-bounds.ts";
import { read, textOf } from "../../../test/node/office-text-fixture.ts";

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
