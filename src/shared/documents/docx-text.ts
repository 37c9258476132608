/**
 * What does a Word document say? Its body, notes and comments' anchors aside: paragraphs, headings by their styles, list items, rows of
 * tables. ECMA-376 part 1, 17. What was deleted or moved away under change tracking is not said, nor are fields' instructions, hidden
 * text, and readings above Chinese and Japanese characters, which would stand between them.
 */
import type { ExtractedText } from "../retrieval/extract-text.ts";
import { DocumentText } from "./document-text.ts";
import type { OfficePackage } from "./office-package.ts";
import { attributeOf, type XmlSink } from "./xml-reader.ts";

/** What a paragraph's style makes of it. */
interface Style {
  /** Of the outline, 0 being the outermost; 9: body text. */
  readonly level: number;
  /** Of a list. */
  readonly isItem: boolean;
}
type Styles = ReadonlyMap<string, Style>;

const body: Style = { level: 9, isItem: false };

/** Markdown has no more. */
const deepestHeading = 6;

export function docxText(office: OfficePackage, part: string): ExtractedText {
  const relationships = [...office.relationships(part).values()];
  const partOf = (wanted: string): string | null =>
    relationships.find(({ type, part: each }) => type === wanted && office.has(each))?.part ?? null;
  const styles = partOf("styles");
  const known: Styles = styles === null ? new Map() : stylesOf(office, styles);
  const text = new DocumentText("markdown");
  office.read(part, new WordSink(text, known));
  for (const kind of ["footnotes", "endnotes"]) {
    const notes = partOf(kind);
    if (notes === null) continue;
    text.endParagraph();
    office.read(notes, new WordSink(text, known));
  }
  return text.end();
}

/**
 * `Title` and `Heading 1` to `9` by the names that every language's Word gives them inside; any style with an outline level or numbering of
 * its own, or of the one that it is based on.
 */
function stylesOf(office: OfficePackage, part: string): Styles {
  const own = new Map<string, Partial<Style>>();
  const basedOn = new Map<string, string>();
  let id: string | null = null;
  office.read(part, {
    open(name, attributes) {
      if (name === "style") {
        id = attributeOf(attributes, "styleId") ?? "";
        own.set(id, {});
      }
      if (id === null) return;
      const value = attributeOf(attributes, "val") ?? "";
      if (name === "basedOn") basedOn.set(id, value);
      else own.set(id, { ...own.get(id), ...styled(name, value) });
    },
    close(name) {
      if (name === "style") id = null;
    },
    text: () => undefined,
  });
  return new Map([...own.keys()].map((style) => [style, resolved(style, own, basedOn)] as const));
}

function styled(name: string, value: string): Partial<Style> {
  if (name === "outlineLvl") return { level: levelOf(value) };
  if (name === "numId") return { isItem: value !== "0" };
  const level = name === "name" ? /^heading ([1-9])$/i.exec(value)?.[1] : undefined;
  if (level !== undefined) return { level: Number(level) - 1 };
  return name === "name" && /^title$/i.test(value) ? { level: 0 } : {};
}

/** Styles that are based on each other in a circle end here, too. */
const longestLineage = 16;

function resolved(
  style: string,
  own: ReadonlyMap<string, Partial<Style>>,
  basedOn: ReadonlyMap<string, string>,
): Style {
  let found: Partial<Style> = {};
  let at: string | undefined = style;
  for (let steps = 0; at !== undefined && steps < longestLineage; steps += 1) {
    found = { ...own.get(at), ...found };
    at = basedOn.get(at);
  }
  return { ...body, ...found };
}

/** A property that is there is on, unless it says otherwise. */
function isOn(attributes: string): boolean {
  return !/^(?:0|false|off)$/.test(attributeOf(attributes, "val") ?? "");
}

/** 9 is body text. */
function levelOf(value: string): number {
  return /^[0-8]$/.test(value) ? Number(value) : 9;
}

/** What stands in them is said elsewhere, or not at all. */
const unseen: ReadonlySet<string> = new Set([
  "Fallback",
  "moveFrom",
  "del",
  "rt",
  "pPrChange",
  "rPr",
  "sectPr",
  "tblPr",
  "trPr",
  "tcPr",
]);

class WordSink implements XmlSink {
  readonly #text: DocumentText;
  readonly #styles: Styles;
  /** Elements within one that is not seen, itself included. */
  #unseen = 0;
  #inProperties = false;
  /** A text box stands in a paragraph, and holds paragraphs. */
  readonly #paragraphs: { level: number; isItem: boolean }[] = [];
  /** Items of a list stand close; what follows them does not. */
  #isBehindItem = false;
  #isText = false;
  /** The run is hidden (`w:vanish`): Word neither shows nor prints it. */
  #isHidden = false;
  /** Cells of tables in which this stands, and whether the row has one already. */
  #cells = 0;
  readonly #rows: number[] = [];

  constructor(text: DocumentText, styles: Styles) {
    this.#text = text;
    this.#styles = styles;
  }

  open(name: string, attributes: string): void {
    if (this.#unseen > 0 || unseen.has(name)) {
      // In a run's properties, and not in what they were before a change.
      if (name === "vanish" && this.#unseen === 1) this.#isHidden = isOn(attributes);
      this.#unseen += 1;
      return;
    }
    if (this.#inProperties) {
      this.#property(name, attributes);
      return;
    }
    switch (name) {
      case "p":
        // Of the paragraph around a text box, what was said so far.
        if (this.#paragraphs.length > 0) this.#endOfParagraph();
        this.#paragraphs.push({ ...body });
        break;
      case "pPr":
        this.#inProperties = true;
        break;
      case "r":
        this.#isHidden = false;
        break;
      case "t":
        this.#isText = true;
        break;
      case "tab":
      case "ptab":
        this.#text.add(" ");
        break;
      case "br":
      case "cr":
        // Within a heading or a cell a line's end is a blank: both are one line.
        if (this.#cells > 0 || (this.#paragraphs.at(-1)?.level ?? 9) < 9) this.#text.add(" ");
        else {
          this.#leaveList();
          this.#text.endLine(this.#prefix());
        }
        break;
      case "noBreakHyphen":
        this.#text.add("-");
        break;
      case "tbl":
        if (this.#cells === 0) this.#text.endParagraph();
        break;
      case "tr":
        this.#rows.push(0);
        break;
      case "tc":
        this.#cell();
        break;
    }
  }

  close(name: string): void {
    if (this.#unseen > 0) {
      this.#unseen -= 1;
      return;
    }
    switch (name) {
      case "pPr":
        this.#inProperties = false;
        break;
      case "t":
        this.#isText = false;
        break;
      case "p":
        this.#endOfParagraph();
        this.#paragraphs.pop();
        break;
      case "tc":
        this.#cells -= 1;
        break;
      case "tr":
        this.#rows.pop();
        // A table within a cell is part of that cell's line.
        if (this.#cells === 0) this.#text.endLine();
        else this.#text.add(" ");
        break;
      case "tbl":
        if (this.#cells === 0) this.#text.endParagraph();
        break;
    }
  }

  text(text: string): void {
    if (this.#isText && !this.#isHidden && this.#unseen === 0) this.#text.add(text);
  }

  #cell(): void {
    const row = this.#rows.length - 1;
    const cells = this.#rows[row] ?? 0;
    if (cells > 0) this.#text.add(" | ");
    if (row >= 0) this.#rows[row] = cells + 1;
    this.#cells += 1;
  }

  #property(name: string, attributes: string): void {
    const paragraph = this.#paragraphs.at(-1);
    if (paragraph === undefined) return;
    const value = attributeOf(attributes, "val") ?? "";
    if (name === "pStyle") Object.assign(paragraph, this.#styles.get(value));
    else if (name === "outlineLvl") paragraph.level = levelOf(value);
    // `numId` of 0 takes a style's numbering away.
    else if (name === "numId") paragraph.isItem = value !== "0";
  }

  #endOfParagraph(): void {
    if (this.#cells > 0) {
      this.#text.add(" ");
      return;
    }
    this.#leaveList();
    if (this.#isItem()) this.#text.endLine("- ");
    else this.#text.endParagraph(this.#prefix());
  }

  #leaveList(): void {
    if (this.#isBehindItem && !this.#isItem()) this.#text.separate();
    this.#isBehindItem = this.#isItem();
  }

  #isItem(): boolean {
    const paragraph = this.#paragraphs.at(-1);
    return paragraph?.isItem === true && paragraph.level === 9;
  }

  #prefix(): string {
    const { level = 9, isItem = false } = this.#paragraphs.at(-1) ?? {};
    if (level < 9) return `${"#".repeat(Math.min(level + 1, deepestHeading))} `;
    return isItem ? "- " : "";
  }
}
