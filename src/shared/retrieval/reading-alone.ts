import type { DocumentReader } from "./ports.ts";

/** Nobody else is to be read beside it: so it is known over which document a reader dies. */
export function readingAlone(documents: DocumentReader | null): DocumentReader | null {
  return documents === null ? null : { read: (body, bytes) => documents.read(body, bytes, true) };
}
