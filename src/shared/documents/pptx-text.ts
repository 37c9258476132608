/**
 * What does a presentation say? Slide by slide, in the order of the show: its title as a heading, its text, rows of its tables, what its
 * diagrams say, and the speaker's notes. ECMA-376 part 1, 19 and 21. A slide is a page.
 */
import type { ExtractedText } from "../retrieval/extract-text.ts";
import { DocumentText } from "./document-text.ts";
import type { OfficePackage } from "./office-package.ts";
import { Unreadable } from "./unreadable.ts";
import { attributeOf, prefixedAttributeOf, type XmlSink } from "./xml-reader.ts";

export function pptxText(office: OfficePackage, part: string): ExtractedText {
  const relationships = office.relationships(part);
  const text = new DocumentText("markdown");
  let isEmpty = true;
  for (const id of slideIds(office, part)) {
    const slide = relationships.get(id)?.part;
    if (slide === undefined) throw new Unreadable("broken");
    text.beginPage();
    const said = new SlideSink(text, false);
    office.read(slide, said);
    text.endParagraph();
    isEmpty &&= !said.saysAnything;
    const beside = [...office.relationships(slide).values()].filter(({ part: each }) => office.has(each));
    // What stands in SmartArt is a part of its own.
    for (const { type, part: each } of beside) {
      if (type !== "diagramData") continue;
      const drawn = new SlideSink(text, true);
      office.read(each, drawn);
      text.endParagraph();
      isEmpty &&= !drawn.saysAnything;
    }
    const notes = beside.find(({ type }) => type === "notesSlide");
    if (notes === undefined) continue;
    const noted = new SlideSink(text, true);
    office.read(notes.part, noted);
    text.endParagraph();
    isEmpty &&= !noted.saysAnything;
  }
  if (isEmpty) throw new Unreadable("no-text");
  return text.end();
}

function slideIds(office: OfficePackage, part: string): readonly string[] {
  const ids: string[] = [];
  office.read(part, {
    open(name, attributes) {
      // One without a relationship is a section's mention of it.
      const id = name === "sldId" ? prefixedAttributeOf(attributes, "id") : null;
      if (id !== null) ids.push(id);
    },
    close: () => undefined,
    text: () => undefined,
  });
  return ids;
}

/** Kinds of placeholders whose text is the same on every slide, or a picture of it. */
const unsaid: ReadonlySet<string> = new Set(["sldNum", "dt", "ftr", "hdr", "sldImg"]);

class SlideSink implements XmlSink {
  saysAnything = false;
  readonly #text: DocumentText;
  readonly #isNotes: boolean;
  /** Elements within one that is not seen, itself included. */
  #unseen = 0;
  #placeholder = "";
  #isText = false;
  /** In a table's cell a paragraph's end is no line's. */
  #isCell = false;
  #cells = 0;

  constructor(text: DocumentText, isNotes: boolean) {
    this.#text = text;
    this.#isNotes = isNotes;
  }

  open(name: string, attributes: string): void {
    if (this.#unseen > 0 || name === "Fallback" || name === "fld") {
      this.#unseen += 1;
      return;
    }
    switch (name) {
      case "sp":
      case "pic":
      case "graphicFrame":
        this.#placeholder = "";
        break;
      case "ph":
        this.#placeholder = attributeOf(attributes, "type") ?? "body";
        break;
      case "t":
        this.#isText = true;
        break;
      case "br":
        if (this.#isCell || this.#isTitle()) this.#text.add(" ");
        else this.#text.endLine();
        break;
      case "tr":
        this.#cells = 0;
        break;
      case "tc":
        if (this.#cells > 0) this.#text.add(" | ");
        this.#cells += 1;
        this.#isCell = true;
        break;
    }
  }

  close(name: string): void {
    if (this.#unseen > 0) {
      this.#unseen -= 1;
      return;
    }
    switch (name) {
      case "t":
        this.#isText = false;
        break;
      case "p":
        if (this.#isCell || this.#isTitle()) this.#text.add(" ");
        else this.#text.endLine();
        break;
      case "tc":
        this.#isCell = false;
        break;
      case "tr":
        this.#text.endLine();
        break;
      case "sp":
        this.#text.endParagraph(this.#isTitle() ? "# " : "");
        this.#placeholder = "";
        break;
      case "graphicFrame":
        this.#text.endParagraph();
        break;
    }
  }

  text(text: string): void {
    if (!this.#isText || this.#unseen > 0 || unsaid.has(this.#placeholder)) return;
    this.saysAnything ||= text.trim() !== "";
    this.#text.add(text);
  }

  #isTitle(): boolean {
    return !this.#isNotes && (this.#placeholder === "title" || this.#placeholder === "ctrTitle");
  }
}
