/** The reader inside workerd, as the edge asks it. */
import { env } from "cloudflare:workers";
import { beforeAll, expect } from "vitest";
import { makePdf, pdfLines } from "../../test/workers/make-documents.ts";
import {
  documentBytesHeader,
  documentReaderHeader,
  documentReaderUrl,
} from "../../src/shared/contracts/document-reading.ts";

export async function answer(
  bytes: Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Response> {
  const reader = env.DOCUMENT_READER;
  if (reader === undefined) throw new Error("the tests bind a reader");
  return reader.fetch(documentReaderUrl, {
    method: "POST",
    headers: { [documentBytesHeader]: String(bytes.byteLength), ...headers },
    body: bytes,
  });
}

export async function read(bytes: Uint8Array<ArrayBuffer>): Promise<Record<string, unknown>> {
  const response = await answer(bytes);
  expect([response.status, response.headers.get(documentReaderHeader)]).toEqual([200, "1"]);
  return response.json();
}

/** The tests' own loader takes its time over the megabytes of PDF.js, once. */
export function loadReaderFirst(): void {
  beforeAll(async () => {
    await read(makePdf([pdfLines("text")]));
  }, 180_000);
}
