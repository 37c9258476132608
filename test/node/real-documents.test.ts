/** Office files as real programs write them (test/data/documents), read whole. The PDF among them is read in workerd: test/e2e/client-documents.test.ts. */
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { root } from "../../dev/local-secrets.ts";
import { readDocument } from "../../src/shared/documents/read-document.ts";
import { ZipArchive } from "../../src/shared/documents/zip-archive.ts";
import { inflate } from "../../workers/document-reader/inflate.ts";
import { type Entry, makeZip } from "../workers/make-archive.ts";

const bytesOf = (name: string): Uint8Array => readFileSync(`${root}test/data/documents/${name}`);
const read = async (name: string) => readBytes(bytesOf(name));

async function readBytes(bytes: Uint8Array) {
  const result = await readDocument(bytes, {
    ...inflate,
    pdf: () => Promise.reject(new Error("there is no PDF among them")),
  });
  return result.ok ? result.value : result.error;
}

test("python-docx", async () => {
  expect(await read("handbook.docx")).toEqual({
    kind: "markdown",
    text: "# Handbook\n\n# Rooms and keys\n\nEach room has one keeper, who is asked for its key.\n\nRoom | Who keeps the key\nObservatory | Mrs. Lindqvist\nArchive | Mr. Okafor\n\n- Return it in the evening\n- Never lend it on",
  });
});

test("python-pptx", async () => {
  const first = "# Outlook\n\nWhat comes next year\n\n";
  expect(await read("outlook.pptx")).toEqual({
    kind: "markdown",
    text: `${first}# The reading garden\n\nThe reading garden opens in April, behind the east wing.\n\nMention who paid for the benches.`,
    pageStarts: [0, first.length],
  });
});

test("openpyxl", async () => {
  expect(await read("stock.xlsx")).toEqual({
    kind: "markdown",
    text: "# Instruments\n\nItem: Globe | Arrived: 2025-12-01 | Price: 120.5\nItem: Sextant | Arrived: 2024-03-09 | Price: 80",
    pageStarts: [0],
  });
});

const types = "[Content_Types].xml";
const packageParts = "_rels/.rels";
const parts: Readonly<Record<string, readonly string[]>> = {
  "handbook.docx": [
    types,
    packageParts,
    "word/document.xml",
    "word/_rels/document.xml.rels",
    "word/styles.xml",
  ],
  "outlook.pptx": [
    types,
    packageParts,
    "ppt/presentation.xml",
    "ppt/_rels/presentation.xml.rels",
    ...[1, 2].flatMap((slide) => [`ppt/slides/slide${slide}.xml`, `ppt/slides/_rels/slide${slide}.xml.rels`]),
    "ppt/notesSlides/notesSlide1.xml",
  ],
  "stock.xlsx": [
    types,
    packageParts,
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "xl/worksheets/sheet1.xml",
    "xl/sharedStrings.xml",
    "xl/styles.xml",
  ],
};

function entriesOf(name: string): readonly Entry[] {
  const archive = new ZipArchive(bytesOf(name), inflate);
  return (parts[name] ?? []).flatMap((part) => {
    const bytes = archive.read(part);
    return bytes === null ? [] : [{ name: part, content: new TextDecoder().decode(bytes) }];
  });
}

/** One of its tags in place of another, or before it; or cut off there; or with another letter. */
function changed(xml: string, how: number, at: number, from: number): string {
  const tags = [...xml.matchAll(/<[^>]*>/g)];
  const place = tags[at % tags.length];
  const other = tags[from % tags.length];
  if (place === undefined || other === undefined) return xml;
  const end = place.index + (how === 0 ? 0 : place[0].length);
  if (how === 2) return xml.slice(0, end);
  if (how === 3) return xml.slice(0, end - 1) + String.fromCharCode(from % 128) + xml.slice(end);
  return xml.slice(0, place.index) + other[0] + xml.slice(end);
}

test.each(Object.keys(parts))(
  "whatever is changed within %s, it is text with its pages, or a reason",
  async (name) => {
    const entries = entriesOf(name);
    expect(await readBytes(makeZip(entries))).toEqual(await read(name));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(entries.length - 1),
        fc.array(fc.tuple(fc.nat(3), fc.nat(), fc.nat()), { minLength: 1, maxLength: 3 }),
        async (which, changes) => {
          const hostile = entries.map((entry, at) =>
            at === which
              ? {
                  ...entry,
                  content: changes.reduce((xml, change) => changed(xml, ...change), String(entry.content)),
                }
              : entry,
          );
          const answer = await readBytes(makeZip(hostile));
          if (!("text" in answer)) {
            expect(answer.message).toMatch(/document|file/);
            return;
          }
          const { text, pageStarts = [] } = answer;
          expect(text.trim()).not.toBe("");
          expect(pageStarts.toSorted((one, another) => one - another)).toEqual(pageStarts);
          expect(pageStarts.at(-1) ?? 0).toBeLessThanOrEqual(text.length);
        },
      ),
      { numRuns: 60 },
    );
  },
);
