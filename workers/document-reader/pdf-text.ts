/**
 * What does a PDF say? Page by page, by PDF.js in unpdf's build (which has no `eval`). Nothing is drawn, no image decoded, no script of the
 * document run, nothing fetched: fonts and character maps that are not in the file itself are done without.
 */
import { getResolvedPDFJS } from "unpdf";
import { documentBounds } from "../../src/shared/documents/document-bounds.ts";
import { DocumentText } from "../../src/shared/documents/document-text.ts";
import { PdfParagraphs, type PdfPiece } from "../../src/shared/documents/pdf-paragraphs.ts";
import { saidBeside } from "../../src/shared/documents/pdf-fields.ts";
import { PdfMaps } from "../../src/shared/documents/pdf-maps.ts";
import { longestReferences } from "../../src/shared/documents/pdf-references.ts";
import { checkPdfStreams } from "../../src/shared/documents/pdf-streams.ts";
import { Unreadable } from "../../src/shared/documents/unreadable.ts";
import { timedOut, within } from "../../src/shared/isolate/within.ts";
import type { ExtractedText } from "../../src/shared/retrieval/extract-text.ts";
import { inflate } from "./inflate.ts";
import { isOverdrawn, metered } from "./pdf-meter.ts";
import { headingsOf, type Entry, type OutlinedPdf } from "./pdf-outline.ts";

/** What is larger is no character map: the largest have some hundred thousand bytes. */
const mostMapBytes = 1_048_576;
/** Of a map that begins in one portion of a file and ends in the next. */
const longestBlock = 65_536;

/** @param isOver asked between pages and portions of them: time is up, or whoever asked is gone */
export async function pdfText(bytes: Uint8Array, isOver: () => boolean): Promise<ExtractedText> {
  const maps = new PdfMaps();
  const latin = new TextDecoder("latin1");
  let references = longestReferences(bytes);
  // In portions: all of it as a text might be twice as large.
  for (let from = 0; from < bytes.byteLength; from += mostMapBytes)
    maps.read(latin.decode(bytes.subarray(from, from + mostMapBytes + longestBlock)));
  checkPdfStreams(bytes, inflate, (unpacked, areObjects) => {
    if (areObjects) references = Math.max(references, longestReferences(unpacked));
    else if (unpacked.byteLength <= mostMapBytes) maps.read(latin.decode(unpacked));
  });
  const readsBeside = references <= documentBounds.pdfReferences;
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
      return await textOf(await task.promise, readsBeside, isOver);
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
  getOutline(): Promise<readonly Entry[] | null>;
  getPage(number: number): Promise<Page>;
}

interface Page {
  streamTextContent(options: { readonly includeMarkedContent: boolean }): ReadableStream;
  getAnnotations(options: { readonly intent: string }): Promise<readonly unknown[]>;
  cleanup(): unknown;
}

/** Pieces of a page between which others come to their turn, and the clock goes on. */
const portionsAtOnce = 32;

/** @param readsBeside whether what lies over its pages is read */
async function textOf(pdf: Pdf, readsBeside: boolean, isOver: () => boolean): Promise<ExtractedText> {
  if (pdf.numPages > documentBounds.pages) throw new Unreadable("too-many-pages");
  const outline = await inTime(pdf.getOutline());
  const headings = await headingsOf(pdf, outline ?? [], () => goOn(isOver));
  const text = new DocumentText(headings.size === 0 ? "plain" : "markdown");
  const paragraphs = new PdfParagraphs(text);
  let isRead = false;
  let isDamaged = false;
  for (let number = 1; number <= pdf.numPages; number += 1) {
    await scheduler.wait(0);
    text.beginPage();
    try {
      const page = await pdf.getPage(number);
      for await (const piece of piecesOf(page, isOver)) {
        paragraphs.add(piece);
        isRead ||= piece.str.trim() !== "";
      }
      paragraphs.endPage(headings.get(number));
      const beside = readsBeside ? await inTime(page.getAnnotations({ intent: "display" })) : null;
      for (const line of saidBeside(beside ?? [])) {
        isRead = true;
        text.add(line);
        text.endLine();
      }
      page.cleanup();
    } catch (error) {
      if (error instanceof Unreadable) throw error;
      // What was thrown may be the meter's own.
      goOn(isOver);
      isDamaged = true;
      paragraphs.endPage();
      text.add(damagedPage(number, number === pdf.numPages));
    }
    text.endParagraph();
  }
  if (isRead) return text.end();
  // With nothing but damaged pages, or empty ones beside them.
  throw new Unreadable(isDamaged ? "broken" : "no-text");
}

/** Where PDF.js finds no page, it counts none behind it, unless another branch of the document's tree has them. */
function damagedPage(number: number, isLast: boolean): string {
  return isLast
    ? `[Page ${number} is damaged: neither it nor what may stand behind it could be read to its end.]`
    : `[Page ${number} is damaged: it could not be read, or not to its end.]`;
}

async function* piecesOf(page: Page, isOver: () => boolean): AsyncGenerator<PdfPiece> {
  const pieces = page.streamTextContent({ includeMarkedContent: false }).getReader();
  for (let portions = 1; ; portions += 1) {
    if (portions % portionsAtOnce === 0) await scheduler.wait(0);
    goOn(isOver);
    const { done, value } = await pieces.read();
    if (done) return;
    yield* (value as { readonly items: readonly PdfPiece[] }).items;
  }
}

function goOn(isOver: () => boolean): void {
  if (isOver()) throw new Unreadable("too-slow");
  if (isOverdrawn()) throw new Unreadable("too-much-inside");
}

/**
 * `null`: it can't be had, or not in time. What the pages say is worth reading without; and of what it can't tell (an outline five thousand
 * deep) PDF.js says nothing at all, for ever.
 */
async function inTime<Told>(telling: Promise<Told>): Promise<Told | null> {
  const told = await within(
    telling.catch(() => null),
    documentBounds.pdfBesideMs,
  );
  return told === timedOut ? null : told;
}
