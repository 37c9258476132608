/**
 * What does a PDF say? Page by page, by PDF.js in unpdf's build (which has no `eval`). Nothing is drawn, no image decoded, no script of the
 * document run, nothing fetched: fonts and character maps that are not in the file itself are done without.
 */
import { getResolvedPDFJS } from "unpdf";
import { documentBounds } from "../../src/shared/documents/document-bounds.ts";
import { DocumentText } from "../../src/shared/documents/document-text.ts";
import { PdfParagraphs, type PdfPiece } from "../../src/shared/documents/pdf-paragraphs.ts";
import { checkPdfStreams } from "../../src/shared/documents/pdf-streams.ts";
import { saidBeside } from "../../src/shared/documents/pdf-fields.ts";
import { Unreadable } from "../../src/shared/documents/unreadable.ts";
import type { ExtractedText } from "../../src/shared/retrieval/extract-text.ts";
import { inflate } from "./inflate.ts";
import { isOverdrawn, metered } from "./pdf-meter.ts";
import { headingsOf, type OutlinedPdf } from "./pdf-outline.ts";

/** @param isOver asked between pages and portions of them: time is up, or whoever asked is gone */
export async function pdfText(bytes: Uint8Array, isOver: () => boolean): Promise<ExtractedText> {
  checkPdfStreams(bytes, inflate);
  const { getDocument } = await getResolvedPDFJS();
  return metered(async () => {
    const task = getDocument({
      data: bytes,
      enableXfa: false,
      disableFontFace: true,
      useSystemFonts: true,
      useWorkerFetch: false,
      useWasm: false,
      disableAutoFetch: true,
      isOffscreenCanvasSupported: false,
      isImageDecoderSupported: false,
      // Its warnings name what stands in the document.
      verbosity: 0,
    });
    try {
      return await textOf(await task.promise, isOver);
    } catch (error) {
      if (error instanceof Unreadable) throw error;
      throw new Unreadable(
        error instanceof Error && error.name === "PasswordException" ? "encrypted" : "broken",
      );
    } finally {
      await task.destroy();
    }
  });
}

interface Pdf extends OutlinedPdf {
  readonly numPages: number;
  getPage(number: number): Promise<Page>;
}

interface Page {
  streamTextContent(options: { readonly includeMarkedContent: boolean }): ReadableStream;
  getAnnotations(options: { readonly intent: string }): Promise<readonly unknown[]>;
  cleanup(): unknown;
}

async function textOf(pdf: Pdf, isOver: () => boolean): Promise<ExtractedText> {
  if (pdf.numPages > documentBounds.pages) throw new Unreadable("too-many-pages");
  const headings = await headingsOf(pdf, () => goOn(isOver));
  const text = new DocumentText(headings.size === 0 ? "plain" : "markdown");
  const paragraphs = new PdfParagraphs(text);
  for (let number = 1; number <= pdf.numPages; number += 1) {
    // The clock goes on, and others come to their turn.
    await scheduler.wait(0);
    text.beginPage();
    const page = await pdf.getPage(number);
    const pieces = page.streamTextContent({ includeMarkedContent: false }).getReader();
    for (;;) {
      goOn(isOver);
      const { done, value } = await pieces.read();
      if (done) break;
      for (const piece of (value as { readonly items: readonly PdfPiece[] }).items) paragraphs.add(piece);
    }
    paragraphs.endPage(headings.get(number));
    for (const line of saidBeside(await annotationsOf(page))) {
      text.add(line);
      text.endLine();
    }
    text.endParagraph();
    page.cleanup();
  }
  return text.end();
}

function goOn(isOver: () => boolean): void {
  if (isOver()) throw new Unreadable("too-slow");
  if (isOverdrawn()) throw new Unreadable("too-much-inside");
}

async function annotationsOf(page: Page): Promise<readonly unknown[]> {
  try {
    return await page.getAnnotations({ intent: "display" });
  } catch {
    // What its pages say is worth reading without what somebody has laid over them.
    return [];
  }
}
