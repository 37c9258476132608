/**
 * What does a reader see of an HTML page? Its words as Markdown: headings keep their level, since passages are told by them, code is
 * fenced, rows and list items are lines.
 */
import { type HtmlSink, readTags } from "./html-tags.ts";

const paragraphs = new Set(
  "address article aside blockquote body dd details dialog div dl dt fieldset figcaption figure footer form header hr html main menu nav ol p section summary table tbody tfoot thead ul".split(
    " ",
  ),
);
const tableParts = new Set(["table", "tbody", "tfoot", "thead"]);

export function htmlText(html: string): string {
  const page = new PageText();
  readTags(html, page);
  return page.end();
}

/** A row with more in it is none of a table's: pages, and mails above all, are laid out in tables. */
const longestRow = 1_000;

class PageText implements HtmlSink {
  readonly #lines: string[] = [];
  /** Of the line that grows. */
  #line: string[] = [];
  #isCode = false;
  /** A table's row that is open: where in the lines each of its cells begins. */
  #cells: number[] | null = null;

  open(tag: string): void {
    const level = headingLevel(tag);
    if (level !== 0) {
      this.#endRow();
      this.#paragraph();
      this.#line.push(`${"#".repeat(level)} `);
    } else if (tag === "pre") {
      this.#endRow();
      this.#paragraph();
      this.#lines.push("```");
      this.#isCode = true;
    } else if (tag === "li") {
      this.#endRow();
      this.#endLine();
      this.#line.push("- ");
    } else if (tag === "br") this.#endLine();
    else if (tag === "tr") {
      this.#endRow();
      this.#endLine();
      this.#cells = [];
    } else if (tag === "td" || tag === "th") this.#cell();
    else if (paragraphs.has(tag)) {
      if (tableParts.has(tag)) this.#endRow();
      this.#paragraph();
    }
  }

  close(tag: string): void {
    if (tag === "pre" && this.#isCode) {
      this.#endLine();
      this.#isCode = false;
      this.#lines.push("```", "");
    } else if (tag === "tr") {
      this.#endRow();
      this.#endLine();
    } else if (headingLevel(tag) !== 0 || paragraphs.has(tag)) {
      if (tableParts.has(tag)) this.#endRow();
      this.#paragraph();
    } else if (tag === "li") this.#endLine();
  }

  text(raw: string): void {
    const text = decodeEntities(raw);
    if (!this.#isCode) {
      this.#line.push(text.replace(/[\s\u00a0]+/gu, " "));
      return;
    }
    const [first = "", ...more] = text.split(/\r\n?|\n/);
    this.#line.push(first);
    for (const line of more) {
      this.#endLine();
      this.#line.push(line);
    }
  }

  end(): string {
    this.#endRow();
    this.#endLine();
    if (this.#isCode) this.#lines.push("```");
    return this.#lines.join("\n").trim();
  }

  #cell(): void {
    if (this.#cells === null) {
      if (this.#line.length > 0) this.#line.push(" | ");
      return;
    }
    this.#endLine();
    this.#cells.push(this.#lines.length);
  }

  /** What its cells hold is one line, where that is no page of its own: words of one cell are found together with those beside it. */
  #endRow(): void {
    const cells = this.#cells;
    this.#cells = null;
    const [from] = cells ?? [];
    if (cells === null || from === undefined) return;
    this.#endLine();
    const said = cells
      .map((begin, at) =>
        this.#lines
          .slice(begin, cells[at + 1])
          .filter((line) => line !== "")
          .join(" "),
      )
      .filter((cell) => cell !== "");
    const row = said.join(" | ");
    // One cell alone is as it is: there is nothing beside it.
    if (said.length < 2 || row.length > longestRow) return;
    this.#lines.length = from;
    this.#lines.push(row);
  }

  #endLine(): void {
    const line = this.#line.join("");
    this.#line = [];
    if (this.#isCode) this.#lines.push(line);
    else {
      // Two texts that met with a blank each.
      const words = line.replace(/ {2,}/g, " ").trim();
      if (words !== "" && !/^(?:#+|-)$/.test(words)) this.#lines.push(words);
    }
  }

  #paragraph(): void {
    this.#endLine();
    if (!this.#isCode && this.#lines.length > 0 && this.#lines.at(-1) !== "") this.#lines.push("");
  }
}

/** `h1` to `h6`; a page's title stands above them all. */
function headingLevel(tag: string): number {
  if (tag === "title") return 1;
  return tag.length === 2 && /^h[1-6]$/.test(tag) ? Number(tag[1]) : 0;
}

/** U+00A0 to U+00FF, in order: ISO 8859-1 has the longest list of names that pages use. */
const latinNames =
  "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml".split(
    " ",
  );
const otherNames =
  "quot=0022 amp=0026 apos=0027 lt=003c gt=003e OElig=0152 oelig=0153 Scaron=0160 scaron=0161 Zcaron=017d zcaron=017e fnof=0192 circ=02c6 tilde=02dc alpha=03b1 beta=03b2 gamma=03b3 delta=03b4 epsilon=03b5 lambda=03bb mu=03bc pi=03c0 sigma=03c3 omega=03c9 Delta=0394 Omega=03a9 Sigma=03a3 ensp=2002 emsp=2003 thinsp=2009 zwnj=200c zwj=200d ndash=2013 mdash=2014 lsquo=2018 rsquo=2019 sbquo=201a ldquo=201c rdquo=201d bdquo=201e dagger=2020 bull=2022 hellip=2026 permil=2030 prime=2032 Prime=2033 lsaquo=2039 rsaquo=203a euro=20ac trade=2122 larr=2190 uarr=2191 rarr=2192 darr=2193 harr=2194 rArr=21d2 part=2202 sum=2211 minus=2212 radic=221a infin=221e asymp=2248 ne=2260 equiv=2261 le=2264 ge=2265 hearts=2665 check=2713";
const entities: ReadonlyMap<string, string> = new Map([
  ...latinNames.map((name, at) => [name, String.fromCharCode(0xa0 + at)] as const),
  ...otherNames.split(" ").map((entry) => {
    const [name = "", code = ""] = entry.split("=");
    return [name, String.fromCharCode(Number.parseInt(code, 16))] as const;
  }),
]);

/** Names that are not in the list stay as they are. */
export function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(
    /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([A-Za-z][A-Za-z\d]{1,9}));?/g,
    (whole, decimal: string | undefined, hex: string | undefined, name: string | undefined) => {
      if (name !== undefined) return entities.get(name) ?? whole;
      const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
      const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
      return isCharacter ? String.fromCodePoint(code) : "\ufffd";
    },
  );
}
