/** Bytes ▸ what are they really? ▸ text, or the reason why there is none. A name and a media type are its sender's word; the bytes decide. */
import { err, ok, type Result } from "../contracts/result.ts";
import type { FileReason } from "../retrieval/decode-text.ts";
import type { ExtractedText } from "../retrieval/extract-text.ts";
import { documentForm, holdsUtf16 } from "./document-form.ts";
import { docxText } from "./docx-text.ts";
import { OfficePackage } from "./office-package.ts";
import { pptxText } from "./pptx-text.ts";
import { reasonOf, Unreadable } from "./unreadable.ts";
import { xlsxText } from "./xlsx-text.ts";
import { type Inflate, ZipArchive } from "./zip-archive.ts";

/** What the mount reads with. */
export interface DocumentParts extends Inflate {
  /** @throws Unreadable */
  pdf(bytes: Uint8Array): Promise<ExtractedText>;
}

/** Throws if something other than the document fails. */
export async function readDocument(
  bytes: Uint8Array,
  parts: DocumentParts,
): Promise<Result<ExtractedText, FileReason>> {
  try {
    return ok(await textOf(bytes, parts));
  } catch (error) {
    if (error instanceof Unreadable) return err(reasonOf(error.fault));
    throw error;
  }
}

async function textOf(bytes: Uint8Array, parts: DocumentParts): Promise<ExtractedText> {
  switch (documentForm(bytes)) {
    case "pdf":
      return parts.pdf(bytes);
    case "zip":
      return officeText(new OfficePackage(new ZipArchive(bytes, parts)));
    case "ole":
      // Office puts a document that has a password into the old container, in a stream of this name (MS-OFFCRYPTO, 2.3.4).
      throw new Unreadable(holdsUtf16(bytes, "EncryptedPackage") ? "encrypted" : "old-office");
    case null:
      throw new Unreadable("foreign");
  }
}

function officeText(office: OfficePackage): ExtractedText {
  const { kind, part } = office.main();
  switch (kind) {
    case "document":
      return docxText(office, part);
    case "presentation":
      return pptxText(office, part);
    case "workbook":
      return xlsxText(office, part);
  }
}
