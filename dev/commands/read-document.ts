/** The text of a JSON document that a command was given by its file's name. */
import { readFileSync } from "node:fs";

/** The message names the file and its fault. */
export class DocumentError extends Error {}

/** Without the byte order mark that some editors of Windows begin a file with. Throws a DocumentError where it is no JSON. */
export function readDocument(file: string): string {
  try {
    const text = readFileSync(file, "utf8").replace(/^\uFEFF/, "");
    JSON.parse(text);
    return text;
  } catch (error) {
    throw new DocumentError(`${file}: ${error instanceof Error ? error.message : "can't be read"}`);
  }
}
