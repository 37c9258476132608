/** Office files as real programs write them (test/data/documents), read whole. The PDF among them is read in workerd: test/e2e/client-documents.test.ts. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { root } from "../../dev/local-secrets.ts";
import { readDocument } from "../../src/shared/documents/read-document.ts";
import { inflate } from "../../workers/document-reader/inflate.ts";

async function read(name: string) {
  const result = await readDocument(readFileSync(`${root}test/data/documents/${name}`), {
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
