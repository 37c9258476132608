/** The reader inside workerd, which has no `eval`: what it makes of PDFs, what it refuses, and what it says to the edge. */
import { deflateRawSync } from "node:zlib";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { joined, utf8 } from "../../test/workers/make-archive.ts";
import {
  makeDocx,
  makePdf,
  makePdfOfStream,
  pdfLines,
  relationships,
  word,
} from "../../test/workers/make-documents.ts";
import {
  documentAloneHeader,
  documentBytesHeader,
  documentReaderHeader,
  documentReaderUrl,
} from "../../src/shared/contracts/document-reading.ts";
import { documentBounds } from "../../src/shared/documents/document-bounds.ts";
import { loadReaderFirst, answer, read } from "./reader-fixture.ts";

loadReaderFirst();

test("a PDF is its pages: lines of a paragraph together, words that a line cuts whole again", async () => {
  const pdf = makePdf([
    [
      { text: "Opening hours", size: 20, x: 72, y: 740 },
      { text: "The reading room is open from nine (9) to", size: 12, x: 72, y: 700 },
      { text: "five, and for infor-", size: 12, x: 72, y: 686 },
      { text: "mation until six.", size: 12, x: 72, y: 672 },
    ],
    [],
    pdfLines("Seven books may be borrowed.", "", "", "Maps never leave."),
  ]);
  const first =
    "Opening hours\n\nThe reading room is open from nine (9) to five, and for information until six.\n\n";
  expect(await read(pdf)).toEqual({
    result: "text",
    kind: "plain",
    text: `${first}Seven books may be borrowed.\n\nMaps never leave.`,
    page_starts: [0, first.length, first.length],
  });
});

test("an Office file is read by the same door", async () => {
  expect(await read(makeDocx(word("In Word")))).toEqual({
    result: "text",
    kind: "markdown",
    text: "In Word",
  });
});

test("parts of any length are unpacked here as elsewhere, and no further than they say", async () => {
  for (const letters of [20_000, 40_800, 65_000, 100_000, 1_000_000, 7_000_000])
    expect(await read(makeDocx(word("a".repeat(letters))))).toMatchObject({ text: "a".repeat(letters) });
  const lying = makeDocx("", [
    { name: "word/_rels/document.xml.rels", content: relationships({ r1: ["styles", "styles.xml"] }) },
    { name: "word/styles.xml", content: new Uint8Array(50_000_000), lies: { bytes: 100 } },
  ]);
  expect((await read(lying))["message"]).toContain("damaged");
});

test("a page that unpacks to more than there is room for is refused before PDF.js is", async () => {
  const blanks = deflateRawSync(new Uint8Array(documentBounds.pdfStreamBytes + 1_000_000).fill(0x20));
  const stream = `2 0 obj\n<< /Filter /FlateDecode /Length ${blanks.byteLength + 2} >>\nstream\n`;
  const bomb = joined([
    utf8(`%PDF-1.4\n${stream}`),
    Uint8Array.of(0x78, 0x9c),
    blanks,
    utf8("\nendstream\nendobj\n"),
  ]);
  expect((await read(bomb))["message"]).toContain("too large once it is unpacked");
});

const blanksOverBound = documentBounds.pdfStreamBytes + 1_000_000;

function hex(bytes: Uint8Array): string {
  return `${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}>`;
}

function deflatedBlanks(): string {
  const packed = deflateRawSync(new Uint8Array(blanksOverBound).fill(0x20));
  return hex(joined([Uint8Array.of(0x78, 0x9c), packed]));
}

/** Each code stands for one blank more than the one before, until the table is full and is begun anew (PDF 1.7, 7.4.4). */
function lzwBlanks(): string {
  const clear = 256;
  const bits: string[] = [];
  let blanks = 0;
  while (blanks < blanksOverBound) {
    bits.push(clear.toString(2).padStart(bits.length === 0 ? 9 : 12, "0"));
    for (let code = 257; code < 4_000; code += 1) {
      // A code longer as early as one before it would have to be.
      const width = Math.max(9, Math.min(12, (code + 1).toString(2).length));
      bits.push((code === 257 ? 0x20 : code).toString(2).padStart(width, "0"));
      blanks += code - 256;
    }
  }
  const all = bits.join("");
  return hex(
    Uint8Array.from({ length: Math.floor(all.length / 8) }, (_, at) =>
      Number.parseInt(all.slice(at * 8, at * 8 + 8), 2),
    ),
  );
}

test.each<readonly [string, () => Uint8Array<ArrayBuffer>]>([
  [
    "deflate within another filter",
    () => makePdfOfStream("/Filter [/ASCIIHexDecode /FlateDecode]", deflatedBlanks()),
  ],
  [
    "a filter that stands elsewhere",
    () => makePdfOfStream("/Filter [/ASCIIHexDecode 4 0 R]", deflatedBlanks(), ["/FlateDecode"]),
  ],
  ["LZW", () => makePdfOfStream("/Filter [/AHx /LZW]", lzwBlanks())],
  [
    "run lengths",
    () => makePdfOfStream("/Filter [/AHx /RL]", `${"8120".repeat(Math.ceil(blanksOverBound / 128))}>`),
  ],
])("a page that unpacks to more by %s is refused, and the next one is read", async (_, make) => {
  const bomb = make();
  expect(bomb.byteLength).toBeLessThan(1_200_000);
  expect((await read(bomb))["message"]).toContain("too large once it is unpacked");
  expect(await read(makePdf([pdfLines("text")]))).toMatchObject({ text: "text" });
});

test("headings are those of the outline, on the pages where it says that they stand", async () => {
  const pdf = makePdf(
    [pdfLines("Opening hours", "From nine to five.", "Loans"), pdfLines("Loans", "Seven books.")],
    {
      catalog: "/Outlines 8 0 R /Dests << /there [6 0 R /Fit] >>",
      objects: [
        "<< /Type /Outlines /First 9 0 R /Last 11 0 R /Count 3 >>",
        "<< /Title (Opening hours) /Parent 8 0 R /Next 11 0 R /Dest [4 0 R /Fit] /First 10 0 R /Last 10 0 R /Count 1 >>",
        "<< /Title (Loans) /Parent 9 0 R /Dest /there >>",
        "<< /Title (Round and round) /Parent 8 0 R /Next 9 0 R /A << /S /URI /URI (https://x.example/) >> >>",
      ],
    },
  );
  const first = "# Opening hours\n\nFrom nine to five. Loans\n\n";
  expect(await read(pdf)).toEqual({
    result: "text",
    kind: "markdown",
    text: `${first}## Loans\n\nSeven books.`,
    page_starts: [0, first.length],
  });
});

test("what was filled into a form stands behind the page's text", async () => {
  const box = "/Type /Annot /Subtype /Widget /FT /Tx /Rect [72 600 300 620]";
  const pdf = makePdf([pdfLines("Application")], {
    catalog: "/AcroForm << /Fields [6 0 R 7 0 R] >>",
    lastPage: "/Annots [6 0 R 7 0 R 8 0 R]",
    objects: [
      `<< ${box} /T (form[0].name[0]) /TU (Full name) /V (Ada Lovelace) >>`,
      `<< ${box} /T (pin) /Ff 8192 /V (1234) >>`,
      "<< /Type /Annot /Subtype /Text /Rect [0 0 20 20] /Contents (a comment) >>",
    ],
  });
  expect(await read(pdf)).toMatchObject({ text: "Application\n\nFull name: Ada Lovelace" });
});

test("what takes minutes without unpacking is refused, or done without", async () => {
  const map = "1 beginbfrange <000000> <FFFFFF> <0041> endbfrange";
  const mapped = makePdfOfStream("", "BT ET", [
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 5 0 R >>",
    `<< /Length ${map.length} >>\nstream\n${map}\nendstream`,
  ]);
  expect((await read(mapped))["message"]).toContain("too large once it is unpacked");
  const noted = makePdf([pdfLines("text")], {
    lastPage: `/Annots [${"6 0 R ".repeat(documentBounds.pdfReferences + 1)}]`,
    objects: ["<< /Type /Annot /Subtype /FreeText /Rect [0 0 20 20] /Contents (over it) >>"],
  });
  expect(await read(noted)).toMatchObject({ text: "text" });
});

test("the answer's headers come before the document is read, and its time is its own", async () => {
  const response = await answer(makePdf([pdfLines("text")]), { [documentAloneHeader]: "1" });
  expect(response.headers.get(documentReaderHeader)).toBe("1");
  expect(await response.json()).toMatchObject({ text: "text" });
});

test("a body that is not as long as said, too long, or none, is no document, and neither is another route", async () => {
  const pdf = makePdf([pdfLines("text")]);
  const said = (bytes: number) => ({ [documentBytesHeader]: String(bytes) });
  expect((await answer(pdf, said(pdf.byteLength + 1))).status).toBe(500);
  expect((await answer(pdf, said(pdf.byteLength - 1))).status).toBe(500);
  expect((await answer(pdf, said(documentBounds.bytes + 1))).status).toBe(413);
  expect((await answer(pdf, { [documentBytesHeader]: "many" })).status).toBe(400);
  const reader = env.DOCUMENT_READER;
  for (const url of ["https://document-reader/v2/read", documentReaderUrl]) {
    const response = await reader?.fetch(url);
    expect([response?.status, response?.headers.get(documentReaderHeader)]).toEqual([404, "1"]);
  }
});
