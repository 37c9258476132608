import type { DocumentReader } from "./ports.ts";

/** The same reader with one document at a time, so that a crash can be traced to its document. */
export function readingAlone(documents: DocumentReader | null): DocumentReader | null {
  return documents === null ? null : { read: (body, bytes) => documents.read(body, bytes, true) };
}
