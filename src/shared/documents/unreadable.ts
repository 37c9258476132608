/**
 * Why can't a document be read? Each reason has a code, and a sentence for the person who uploaded it. No sentence quotes the document.
 */
import type { FileReason } from "../retrieval/decode-text.ts";
import { documentBounds } from "./document-bounds.ts";

export type DocumentFault =
  | "broken"
  | "encrypted"
  | "foreign"
  | "old-office"
  | "no-text"
  | "too-many-pages"
  | "too-much-inside"
  | "too-much-text"
  | "too-slow";

/**
 * Leaves a reader from any depth: XML is read by call-backs, where a returned result would have to be handed through every one of them.
 * Caught in one place (read-document.ts), which returns it.
 */
export class Unreadable extends Error {
  readonly fault: DocumentFault;

  constructor(fault: DocumentFault) {
    super(fault);
    this.fault = fault;
  }
}

const mebibyte = 1_048_576;

export function reasonOf(fault: DocumentFault): FileReason {
  return {
    code: fault === "foreign" || fault === "old-office" ? "unsupported_file" : "invalid_file",
    message: messageOf(fault),
  };
}

function messageOf(fault: DocumentFault): string {
  switch (fault) {
    case "broken":
      return "The document is damaged, or is not what its name says. Open it in the program that it is from, and save it anew.";
    case "encrypted":
      return "The document is protected by a password. Save it without one.";
    case "foreign":
      return "The file is none of PDF, DOCX, PPTX and XLSX, whatever its name says.";
    case "old-office":
      return "The old Office formats (.doc, .ppt, .xls) can't be read. Save the document as DOCX, PPTX, XLSX or PDF.";
    case "no-text":
      return "The document holds no text. Where its pages are pictures, as a scanner makes them, have the text recognised (OCR) first.";
    case "too-many-pages":
      return `The document has over ${documentBounds.pages} pages, slides or sheets, the most that can be read. Split it.`;
    case "too-much-inside":
      return "The document is too large once it is unpacked. Split it.";
    case "too-much-text":
      return `The document holds over ${documentBounds.textBytes / mebibyte} MiB of text, the most that can be read. Split it.`;
    case "too-slow":
      return `Reading the document took over ${documentBounds.readMs / 1000} s. Split it.`;
  }
}
