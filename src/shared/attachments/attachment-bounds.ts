/** What may the files inside one request cost? Beside the bounds of the request itself (wire/request-limits.ts) and of each document (documents/document-bounds.ts). */
export const attachmentBounds = {
  /** UTF-16 units of the text of all of them: some half a million tokens. It is held, screened and kept with the turn. */
  characters: 2_000_000,
  /** Bytes of all of them together: text files are read in the public Worker itself. */
  bytes: 32 * 1_048_576,
  /** The time for reading all of them; their sender waits for it. */
  readMs: 30_000,
} as const;
