import type { DocumentReader } from "./ports.ts";

/** The same reader, which reads nothing else beside a document: so it is known which document a reader dies over. */
export function readingAlone(documents: DocumentReader | null): DocumentReader | null {
  return documents === null ? null : { read: (body, bytes) => documents.read(body, bytes, true) };
}
