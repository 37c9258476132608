/** PDFs that can't be read, or not whole: what is said of them, and that the next one is read. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { utf8 } from "../../test/workers/make-archive.ts";
import { makePdf, pdfLines } from "../../test/workers/make-documents.ts";
import { documentBounds } from "../../src/shared/documents/document-bounds.ts";
import { loadReaderFirst, read } from "./reader-fixture.ts";

loadReaderFirst();

/** Two pages, then two more in another branch. The damaged one is no page any more. */
function withDamagedPage(
  damaged: number | null,
  lines = ["The first page.", "The second.", "The third.", "The fourth."],
): Uint8Array<ArrayBuffer> {
  const pdf = new TextDecoder("latin1")
    .decode(
      makePdf(
        lines.map((line) => pdfLines(line)),
        {
          catalog: "/Pages 13 0 R",
          objects: [
            "<< /Type /Pages /Parent 13 0 R /Kids [4 0 R 6 0 R] /Count 2 >>",
            "<< /Type /Pages /Kids [12 0 R 14 0 R] /Count 4 >>",
            "<< /Type /Pages /Parent 13 0 R /Kids [8 0 R 10 0 R] /Count 2 >>",
          ],
        },
      ),
    )
    .replace("/Pages 2 0 R ", "");
  return utf8(
    damaged === null ? pdf : pdf.replace(`${2 + 2 * damaged} 0 obj\n<<`, `${2 + 2 * damaged} 0 obj\n17 <<`),
  );
}

async function readByPages(pdf: Uint8Array<ArrayBuffer>): Promise<readonly string[]> {
  const { text, page_starts: starts } = (await read(pdf)) as { text: string; page_starts: number[] };
  return starts.map((start, at) => text.slice(start, starts[at + 1]).trim());
}

test("of a PDF with a damaged page the others are read, each on its own page, and the text says which is missing", async () => {
  expect(await readByPages(withDamagedPage(null))).toHaveLength(4);
  expect(await readByPages(withDamagedPage(2))).toEqual([
    "The first page.",
    "[Page 2 is damaged: it could not be read, or not to its end.]",
    "The third.",
    "The fourth.",
  ]);
});

test("where nothing behind a damaged page can be found, the text says that as well", async () => {
  expect(await readByPages(withDamagedPage(3))).toEqual([
    "The first page.",
    "The second.",
    "[Page 3 is damaged: neither it nor what may stand behind it could be read to its end.]",
  ]);
  expect((await read(withDamagedPage(3, ["", "", "c", "d"])))["message"]).toContain("damaged");
});

const id = "<0123456789abcdef0123456789abcdef>";
const lock = "00".repeat(32);

test.each<readonly [string, () => Uint8Array<ArrayBuffer>, string]>([
  [
    "a PDF with a password",
    () =>
      makePdf([pdfLines("secret")], {
        trailer: `/ID [${id} ${id}] /Encrypt << /Filter /Standard /V 1 /R 2 /O <${lock}> /U <${lock}> /P -4 >>`,
      }),
    "password",
  ],
  ["a scanned PDF", () => makePdf([[], []]), "no text"],
  ["half a PDF", () => makePdf([pdfLines("text")]).slice(0, 60), "damaged"],
  ["a PDF in name alone", () => utf8("%PDF-1.7\nnothing"), "damaged"],
  [
    "a PDF of more pages than may be",
    () => makePdf(Array.from({ length: documentBounds.pages + 1 }, () => [])),
    "2000 pages",
  ],
])("%s has a reason", async (_, make, words) => {
  const { result, code, message } = await read(make());
  expect([result, code]).toEqual(["refused", "invalid_file"]);
  expect(message).toContain(words);
});

test("whatever is changed in a PDF, it is read or refused, and the next one is read", async () => {
  const pdf = makePdf([pdfLines("One line of text.", "Another line.")]);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(pdf.byteLength - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      async (changes) => {
        const changed = pdf.slice();
        for (const [at, byte] of changes) changed[at] = byte;
        expect(["text", "refused"]).toContain((await read(changed))["result"]);
      },
    ),
    { numRuns: 60 },
  );
  expect(await read(pdf)).toMatchObject({ text: "One line of text. Another line." });
});
