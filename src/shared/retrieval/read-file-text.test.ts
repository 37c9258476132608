import { expect, test } from "vitest";
import { ok } from "../contracts/result.ts";
import { documentBounds } from "../documents/document-bounds.ts";
import type { DocumentReader } from "./ports.ts";
import { readFileText, readWhole } from "./read-file-text.ts";

const pdf = "%PDF-1.7 and so on";
const mebibyte = 1_048_576;

function bodyOf(text: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
  });
}

/** Says what it was given. */
const documents: DocumentReader = {
  async read(body, bytes) {
    const text = new TextDecoder().decode(await readWhole(body, bytes));
    return ok({ text: `read: ${text}`, kind: "plain" });
  },
};

async function textOf(filename: string, mediaType: string, content: string, reader: DocumentReader | null) {
  const read = await readFileText({ filename, mediaType, bytes: content.length }, bodyOf(content), reader);
  return read.ok ? read.value.text : `${read.error.code}: ${read.error.message}`;
}

test.each([
  ["by its ending", "a.PDF", "application/octet-stream"],
  ["by its type", "a", "application/pdf; x=y"],
  ["by its bytes, whatever it is called", "a.txt", "text/plain"],
  ["by its bytes, called something that nobody reads", "a", "image/png"],
  ["by its bytes, named as text and called what it is", "a.md", "application/pdf"],
])("a document is known %s", async (_, filename, mediaType) => {
  expect(await textOf(filename, mediaType, pdf, documents)).toBe(`read: ${pdf}`);
});

test.each(["a.md", "a.txt", "a.csv"])("%s is text, though its sender calls it a PDF", async (filename) => {
  expect(await textOf(filename, "application/pdf", "text", documents)).toBe("text");
});

test("text is read here, and other kinds have a reason that names what is read", async () => {
  expect(await textOf("a.txt", "", "text about %PDF-", documents)).toBe("text about %PDF-");
  expect(await textOf("a.docx", "", "", documents)).toBe("read: ");
  expect(await textOf("a.png", "image/png", "x", documents)).toMatch(
    /^unsupported_file: .*PDF, DOCX, PPTX, XLSX/,
  );
});

test("without a reader documents are refused as they were before there was one", async () => {
  const before = "text, Markdown, HTML, JSON, CSV and code can.";
  for (const [filename, type] of [
    ["a.pdf", ""],
    ["a.pdf", "application/pdf"],
  ] as const) {
    const said = await textOf(filename, type, pdf, null);
    expect(said).toMatch(/^unsupported_file: /);
    expect(said).toContain(before);
    expect(said).not.toContain("DOCX, PPTX, XLSX, text");
  }
  const nobody: DocumentReader = { read: () => Promise.resolve(null) };
  expect(await textOf("a.pdf", "", pdf, nobody)).toMatch(/^unsupported_file: .*can't be read here/);
  expect(await textOf("a.txt", "", pdf, nobody)).toMatch(/^unsupported_file: Files of the kind PDF/);
});

test.each([
  ["a document", "a.pdf", documentBounds.bytes, documents],
  ["a document that nobody reads", "a.pdf", 8 * mebibyte, null],
  ["text", "a.txt", 8 * mebibyte, documents],
])("%s over its bound is not opened", async (_, filename, most, reader) => {
  let pulled = 0;
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>(
    { pull: () => void (pulled += 1), cancel: () => void (isCancelled = true) },
    { highWaterMark: 0 },
  );
  const read = await readFileText({ filename, mediaType: "", bytes: most + 1 }, body, reader);
  expect(read).toMatchObject({ ok: false, error: { code: "invalid_file" } });
  expect([pulled, isCancelled]).toEqual([0, true]);
});
