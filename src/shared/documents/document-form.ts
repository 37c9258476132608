/** Is this a document that has to be taken apart: by its first bytes, or by what its sender calls it? */

export type DocumentForm = "pdf" | "zip" | "ole";

/** Readers of PDF look for the mark in so many bytes; some writers have something before it. */
const pdfMarkWithin = 1_024;
const pdfMark = [0x25, 0x50, 0x44, 0x46, 0x2d];
const zipMark = [0x50, 0x4b, 0x03, 0x04];
const oleMark = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/** `null`: none of them. */
export function documentForm(bytes: Uint8Array): DocumentForm | null {
  if (startsAt(bytes, zipMark, 0)) return "zip";
  if (startsAt(bytes, oleMark, 0)) return "ole";
  for (let at = 0; at < Math.min(bytes.byteLength, pdfMarkWithin); at += 1)
    if (startsAt(bytes, pdfMark, at)) return "pdf";
  return null;
}

/** As `documentForm`, of a file that may be text: one that speaks of PDF's mark is none. */
export function isDocument(bytes: Uint8Array): boolean {
  return [pdfMark, zipMark, oleMark].some((mark) => startsAt(bytes, mark, 0));
}

/** Latin letters alone. */
export function holdsUtf16(bytes: Uint8Array, word: string): boolean {
  const units = Array.from(word).flatMap((letter) => [letter.charCodeAt(0), 0]);
  for (let at = bytes.indexOf(units[0] ?? 0); at !== -1; at = bytes.indexOf(units[0] ?? 0, at + 1))
    if (startsAt(bytes, units, at)) return true;
  return false;
}

function startsAt(bytes: Uint8Array, mark: readonly number[], at: number): boolean {
  return mark.every((byte, index) => bytes[at + index] === byte);
}

const endings = /\.(?:pdf|docx|docm|pptx|pptm|ppsx|xlsx|xlsm)$/i;
const types = new Set([
  "application/pdf",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  "application/vnd.openxmlformats-officedocument.presentationml.slideshow",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  "application/vnd.ms-word.document.macroenabled.12",
  "application/vnd.ms-powerpoint.presentation.macroenabled.12",
  "application/vnd.ms-excel.sheet.macroenabled.12",
]);

/** Before any byte is here. */
export function isCalledDocument(filename: string, mediaType: string): boolean {
  return endings.test(filename) || types.has((mediaType.split(";", 1)[0] ?? "").trim().toLowerCase());
}
