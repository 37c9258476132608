/** Which headings stand on which page of a PDF? As its outline tells, which readers show beside it; most that were written by a program have one. */
import { documentBounds } from "../../src/shared/documents/document-bounds.ts";
import type { PdfHeading } from "../../src/shared/documents/pdf-paragraphs.ts";

export interface Entry {
  readonly title: string;
  /** A place, or the name of one; `null`: it leads elsewhere. */
  readonly dest: unknown;
  readonly items: readonly Entry[];
}

/** Nobody reads deeper. */
const deepest = 32;

/** As PDF.js has it. */
export interface OutlinedPdf {
  getDestination(name: string): Promise<readonly unknown[] | null>;
  getPageIndex(page: { readonly num: number; readonly gen: number }): Promise<number>;
}

/**
 * By the number of the page, from 1.
 * @param goOn called between entries; throws an Unreadable where there is no time any more
 */
export async function headingsOf(
  pdf: OutlinedPdf,
  outline: readonly Entry[],
  goOn: () => void,
): Promise<ReadonlyMap<number, readonly PdfHeading[]>> {
  const found = new Map<number, PdfHeading[]>();
  let left: number = documentBounds.pdfHeadings;
  const look = async (entries: readonly Entry[], level: number): Promise<void> => {
    for (const { title, dest, items } of entries) {
      if (left <= 0) return;
      left -= 1;
      goOn();
      const page = await pageOf(pdf, dest);
      if (page !== null) found.set(page, [...(found.get(page) ?? []), { title, level }]);
      if (level < deepest) await look(items, level + 1);
    }
  };
  await look(outline, 1);
  return found;
}

async function pageOf(pdf: OutlinedPdf, dest: unknown): Promise<number | null> {
  try {
    const place = typeof dest === "string" ? await pdf.getDestination(dest) : dest;
    const page: unknown = Array.isArray(place) ? place[0] : null;
    if (typeof page === "number") return page + 1;
    return isReference(page) ? (await pdf.getPageIndex(page)) + 1 : null;
  } catch {
    // It leads nowhere.
    return null;
  }
}

function isReference(value: unknown): value is { readonly num: number; readonly gen: number } {
  return typeof value === "object" && value !== null && "num" in value && "gen" in value;
}
