/** An Office file as it is read here, or why not. */
import { inflate } from "../../workers/document-reader/inflate.ts";
import type { ExtractedText } from "../../src/shared/retrieval/extract-text.ts";
import { readDocument } from "../../src/shared/documents/read-document.ts";

export async function read(bytes: Uint8Array): Promise<ExtractedText | string> {
  const result = await readDocument(bytes, {
    ...inflate,
    pdf: () => Promise.reject(new Error("there is no PDF among them")),
  });
  return result.ok ? result.value : `${result.error.code}: ${result.error.message}`;
}

export async function textOf(bytes: Uint8Array): Promise<string> {
  const result = await read(bytes);
  return typeof result === "string" ? result : result.text;
}
