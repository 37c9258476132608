/** Reads the text of a JSON document from a file. */
import { readFileSync } from "node:fs";

/** The message names the file and its fault. */
export class DocumentError extends Error {}

/** Without the byte order mark that some Windows editors add. Throws a DocumentError if it is not JSON. */
export function readDocument(file: string): string {
  try {
    const text = readFileSync(file, "utf8").replace(/^\uFEFF/, "");
    JSON.parse(text);
    return text;
  } catch (error) {
    throw new DocumentError(`${file}: ${error instanceof Error ? error.message : "can't be read"}`);
  }
}
