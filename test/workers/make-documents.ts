/** Office files and PDFs for tests, as small as their formats allow. What real programs write is in test/data/documents. */
import { joined, makeZip, utf8, type Entry } from "./make-archive.ts";

const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const packages = "http://schemas.openxmlformats.org/package/2006";
const types = "application/vnd.openxmlformats-officedocument";

export function relationships(
  all: Readonly<Record<string, readonly [type: string, target: string]>>,
): string {
  const each = Object.entries(all).map(
    ([id, [type, target]]) => `<Relationship Id="${id}" Type="${office}/${type}" Target="${target}"/>`,
  );
  return `<Relationships xmlns="${packages}/relationships">${each.join("")}</Relationships>`;
}

/** A package around its main part. */
export function makeOffice(
  part: string,
  contentType: string,
  more: readonly Entry[],
): Uint8Array<ArrayBuffer> {
  return makeZip([
    {
      name: "[Content_Types].xml",
      content: `<?xml version="1.0"?><Types><Override PartName="/${part}" ContentType="${contentType}"/></Types>`,
    },
    { name: "_rels/.rels", content: relationships({ rId1: ["officeDocument", part] }) },
    ...more,
  ]);
}

/** @param body XML within `w:body` */
export function makeDocx(body: string, more: readonly Entry[] = []): Uint8Array<ArrayBuffer> {
  return makeOffice("word/document.xml", `${types}.wordprocessingml.document.main+xml`, [
    { name: "word/document.xml", content: `<w:document><w:body>${body}</w:body></w:document>` },
    ...more,
  ]);
}

export function word(text: string, style?: string): string {
  const properties = style === undefined ? "" : `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>`;
  return `<w:p>${properties}<w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`;
}

export interface Slide {
  /** XML within `p:spTree`. */
  readonly shapes: string;
  readonly notes?: string;
}

export function makePptx(slides: readonly Slide[], more: readonly Entry[] = []): Uint8Array<ArrayBuffer> {
  const entries: Entry[] = [
    {
      name: "ppt/presentation.xml",
      content: `<p:presentation><p:sldIdLst>${slides
        .map((_, at) => `<p:sldId id="${256 + at}" r:id="rId${at}"/>`)
        .join("")}</p:sldIdLst></p:presentation>`,
    },
    {
      name: "ppt/_rels/presentation.xml.rels",
      content: relationships(
        Object.fromEntries(slides.map((_, at) => [`rId${at}`, ["slide", `slides/slide${at}.xml`]] as const)),
      ),
    },
  ];
  for (const [at, { shapes, notes }] of slides.entries()) {
    entries.push({
      name: `ppt/slides/slide${at}.xml`,
      content: `<p:sld><p:spTree>${shapes}</p:spTree></p:sld>`,
    });
    if (notes === undefined) continue;
    entries.push(
      {
        name: `ppt/slides/_rels/slide${at}.xml.rels`,
        content: relationships({ rId1: ["notesSlide", `../notesSlides/notes${at}.xml`] }),
      },
      { name: `ppt/notesSlides/notes${at}.xml`, content: `<p:notes>${notes}</p:notes>` },
    );
  }
  return makeOffice("ppt/presentation.xml", `${types}.presentationml.presentation.main+xml`, [
    ...entries,
    ...more,
  ]);
}

export function shape(text: string, placeholder?: string): string {
  const kind =
    placeholder === undefined ? "" : `<p:nvSpPr><p:nvPr><p:ph type="${placeholder}"/></p:nvPr></p:nvSpPr>`;
  const paragraphs = text.split("\n").map((one) => `<a:p><a:r><a:t>${one}</a:t></a:r></a:p>`);
  return `<p:sp>${kind}<p:txBody>${paragraphs.join("")}</p:txBody></p:sp>`;
}

export interface Sheet {
  readonly name: string;
  /** XML within `sheetData`. */
  readonly rows: string;
}

/** @param strings `sst`'s texts. @param formats codes, or numbers of formats that are not written down; cells name them by `s`, from 1 */
export function makeXlsx(
  sheets: readonly Sheet[],
  strings: readonly string[] = [],
  formats: readonly (string | number)[] = [],
): Uint8Array<ArrayBuffer> {
  const own = formats.map((code, at) =>
    typeof code === "number" ? "" : `<numFmt numFmtId="${200 + at}" formatCode="${code}"/>`,
  );
  const xfs = formats.map((code, at) => `<xf numFmtId="${typeof code === "number" ? code : 200 + at}"/>`);
  return makeOffice("xl/workbook.xml", `${types}.spreadsheetml.sheet.main+xml`, [
    {
      name: "xl/workbook.xml",
      content: `<workbook><sheets>${sheets
        .map(({ name }, at) => `<sheet name="${name}" sheetId="${at + 1}" r:id="s${at}"/>`)
        .join("")}</sheets></workbook>`,
    },
    {
      name: "xl/_rels/workbook.xml.rels",
      content: relationships({
        ...Object.fromEntries(
          sheets.map((_, at) => [`s${at}`, ["worksheet", `worksheets/sheet${at}.xml`]] as const),
        ),
        strings: ["sharedStrings", "sharedStrings.xml"],
        styles: ["styles", "styles.xml"],
      }),
    },
    ...sheets.map(({ rows }, at) => ({
      name: `xl/worksheets/sheet${at}.xml`,
      content: `<worksheet><sheetData>${rows}</sheetData></worksheet>`,
    })),
    {
      name: "xl/sharedStrings.xml",
      content: `<sst>${strings.map((one) => `<si><t>${one}</t></si>`).join("")}</sst>`,
    },
    {
      name: "xl/styles.xml",
      content: `<styleSheet><numFmts>${own.join("")}</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/>${xfs.join("")}</cellXfs></styleSheet>`,
    },
  ]);
}

/** Rows of numbers and of texts within their cells. */
export function inlineRows(rows: readonly (readonly (string | number)[])[]): string {
  return rows
    .map(
      (row) =>
        `<row>${row
          .map((cell) =>
            typeof cell === "number"
              ? `<c><v>${cell}</v></c>`
              : `<c t="inlineStr"><is><t>${cell}</t></is></c>`,
          )
          .join("")}</row>`,
    )
    .join("");
}

export interface PdfLine {
  readonly text: string;
  readonly size: number;
  readonly x: number;
  readonly y: number;
}

/** Lines of 12 points, 14 apart, from the top of a page downwards; an empty one is a gap. */
export function pdfLines(...lines: readonly string[]): readonly PdfLine[] {
  return lines
    .map((text, at) => ({ text, size: 12, x: 72, y: 720 - at * 14 }))
    .filter(({ text }) => text !== "");
}

/**
 * Latin letters alone, in Helvetica, which every reader has.
 * @param more of the trailer's dictionary, of the catalog's, of the last page's; and objects behind those of the pages, which are 4, 6, …
 */
export function makePdf(
  pages: readonly (readonly PdfLine[])[],
  {
    trailer = "",
    catalog = "",
    lastPage = "",
    objects: others = [],
  }: {
    readonly trailer?: string;
    readonly catalog?: string;
    readonly lastPage?: string;
    readonly objects?: readonly string[];
  } = {},
): Uint8Array<ArrayBuffer> {
  const kids = pages.map((_, at) => `${4 + 2 * at} 0 R`);
  const objects = [
    `<< /Type /Catalog /Pages 2 0 R ${catalog} >>`,
    `<< /Type /Pages /Kids [${kids.join(" ")}] /Count ${pages.length} >>`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ...pages.flatMap((lines, at) => {
      const drawn = lines
        .map(
          ({ text, size, x, y }) =>
            `BT /F1 ${size} Tf 1 0 0 1 ${x} ${y} Tm (${text.replaceAll(/[\\()]/g, String.raw`\$&`)}) Tj ET`,
        )
        .join("\n");
      return [
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${5 + 2 * at} 0 R /Resources << /Font << /F1 3 0 R >> >> ${at === pages.length - 1 ? lastPage : ""} >>`,
        `<< /Length ${drawn.length} >>\nstream\n${drawn}\nendstream`,
      ];
    }),
    ...others,
  ];
  return pdfOf(objects, trailer);
}

/** A page that is a stream as it is given, of a file that says nothing wrong about it. @param others objects from 4 on */
export function makePdfOfStream(
  dictionary: string,
  stream: string,
  others: readonly string[] = [],
): Uint8Array<ArrayBuffer> {
  return pdfOf([
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${4 + others.length} 0 R >>`,
    ...others,
    `<< /Length ${stream.length} ${dictionary} >>\nstream\n${stream}\nendstream`,
  ]);
}

/** @param objects in ASCII */
function pdfOf(objects: readonly string[], trailer = ""): Uint8Array<ArrayBuffer> {
  const pieces = [utf8("%PDF-1.4\n")];
  const offsets: number[] = [];
  let at = pieces[0]?.byteLength ?? 0;
  for (const [index, object] of objects.entries()) {
    const piece = utf8(`${index + 1} 0 obj\n${object}\nendobj\n`);
    offsets.push(at);
    at += piece.byteLength;
    pieces.push(piece);
  }
  const rows = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`);
  pieces.push(
    utf8(
      `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows.join("")}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${trailer} >>\nstartxref\n${at}\n%%EOF\n`,
    ),
  );
  return joined(pieces);
}
