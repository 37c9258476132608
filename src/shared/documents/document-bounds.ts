/**
 * What may a document cost? An isolate has 128 MB, in which the document, what is unpacked of it and its text lie at once. Each bound has
 * a hostile document in the tests that meets it.
 */
export const documentBounds = {
  /** Of the file itself. */
  bytes: 32 * 1_048_576,
  /** Of its text as UTF-8: as much as of a file that is text (read-file-text.ts), since cutting and embedding it costs the same. */
  textBytes: 8 * 1_048_576,
  /** Of a PDF, slides of a presentation, sheets of a workbook. */
  pages: 2_000,
  /** For others that are read in the same isolate. */
  waitMs: 60_000,
  /** From then on to the last word. What a clock that stands still does not see (production's between I/O) ends by `limits.cpu_ms`. */
  readMs: 90_000,
  /** Parts of an Office file. */
  zipEntries: 10_000,
  /** One part, unpacked. */
  zipEntryBytes: 48 * 1_048_576,
  /** All parts that are read, unpacked: a part may be named, and so unpacked, more than once. */
  zipBytes: 192 * 1_048_576,
  /** One packed stream of a PDF, unpacked, however it is packed; those packed by deflate all together as `zipBytes`, each once. */
  pdfStreamBytes: 32 * 1_048_576,
  /** All that PDF.js unpacks of one document, in portions of 64 KiB and more: a stream is unpacked by every page that draws it. */
  pdfUnpackedBytes: 2_048 * 1_048_576,
  /** Characters of one range of a PDF's character map: all that two bytes can say. */
  pdfMapRange: 65_536,
  /** Of all its maps. */
  pdfMapCharacters: 64 * 65_536,
  /** Objects that a PDF names in a row; with more, what lies over its pages is not read. */
  pdfReferences: 5_000,
  /** For a PDF's outline, and for what lies over one page. */
  pdfBesideMs: 10_000,
  /** Entries of a PDF's outline. */
  pdfHeadings: 2_000,
  /** Of a PDF. */
  pdfStreams: 50_000,
  xmlDepth: 256,
  /** UTF-16 units of one tag. */
  xmlTag: 1_048_576,
} as const;
