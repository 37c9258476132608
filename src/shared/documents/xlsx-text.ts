/**
 * What does a workbook say? Sheet by sheet, in the order of its tabs, under its name as a heading: rows, each cell with its column's name
 * (sheet-rows.ts). ECMA-376 part 1, 18. Of a formula, the result that was saved with it. A sheet is a page. Hidden sheets are not said: a
 * reader who looks an answer up would not find it.
 */
import type { ExtractedText } from "../retrieval/extract-text.ts";
import { documentBounds } from "./document-bounds.ts";
import { cellFormats, type CellFormats } from "./cell-formats.ts";
import { DocumentText } from "./document-text.ts";
import type { OfficePackage } from "./office-package.ts";
import { SheetRows } from "./sheet-rows.ts";
import { Unreadable } from "./unreadable.ts";
import { attributeOf, prefixedAttributeOf, type XmlSink } from "./xml-reader.ts";

export function xlsxText(office: OfficePackage, part: string): ExtractedText {
  const relationships = office.relationships(part);
  const partOf = (wanted: string): string | null =>
    [...relationships.values()].find(({ type, part: each }) => type === wanted && office.has(each))?.part ??
    null;
  const book = new WorkbookSink();
  office.read(part, book);
  const strings = partOf("sharedStrings");
  const styles = partOf("styles");
  const reading = {
    strings: strings === null ? [] : sharedStrings(office, strings),
    formats: cellFormats(office, styles, book.from1904),
  };
  const text = new DocumentText("markdown");
  let isEmpty = true;
  for (const { name, id } of book.sheets) {
    const sheet = relationships.get(id);
    if (sheet === undefined) throw new Unreadable("broken");
    text.beginPage();
    // Not a chart's.
    if (sheet.type !== "worksheet") continue;
    const rows = new SheetRows();
    office.read(sheet.part, new SheetSink(rows, reading));
    if (rows.isEmpty) continue;
    isEmpty = false;
    text.add(name);
    text.endParagraph("# ");
    rows.write(text);
  }
  if (isEmpty) throw new Unreadable("no-text");
  return text.end();
}

class WorkbookSink implements XmlSink {
  readonly sheets: { readonly name: string; readonly id: string }[] = [];
  /** Days are counted from 1904 on, as old Macs did. */
  from1904 = false;

  open(name: string, attributes: string): void {
    if (name === "workbookPr") this.from1904 = /^(?:1|true)$/.test(attributeOf(attributes, "date1904") ?? "");
    const id = name === "sheet" ? prefixedAttributeOf(attributes, "id") : null;
    // `hidden`, or `veryHidden` from all but programs.
    if (id === null || /hidden$/i.test(attributeOf(attributes, "state") ?? "")) return;
    this.sheets.push({ name: attributeOf(attributes, "name") ?? "", id });
  }

  close(): void {}

  text(): void {}
}

/** What a text costs beside its letters. */
const stringUnits = 8;

/** Texts that cells name by their number. They are held against the bound of a text: a workbook may hold many that nobody names. */
function sharedStrings(office: OfficePackage, part: string): readonly string[] {
  const strings: string[] = [];
  let units = 0;
  let said: string[] = [];
  let isText = false;
  let phonetic = 0;
  office.read(part, {
    open(name) {
      if (name === "si") said = [];
      else if (name === "rPh") phonetic += 1;
      else if (name === "t") isText = phonetic === 0;
    },
    close(name) {
      if (name === "si") {
        strings.push(unescaped(said.join("")));
        units += stringUnits;
        if (units > documentBounds.textBytes) throw new Unreadable("too-much-text");
      } else if (name === "rPh") phonetic -= 1;
      else if (name === "t") isText = false;
    },
    text(text) {
      if (!isText) return;
      units += text.length;
      said.push(text);
    },
  });
  return strings;
}

interface Reading {
  readonly strings: readonly string[];
  readonly formats: CellFormats;
}

class SheetSink implements XmlSink {
  readonly #rows: SheetRows;
  readonly #reading: Reading;
  #column = -1;
  #type = "n";
  #format = 0;
  #value = "";
  #isValue = false;
  #phonetic = 0;

  constructor(rows: SheetRows, reading: Reading) {
    this.#rows = rows;
    this.#reading = reading;
  }

  open(name: string, attributes: string): void {
    if (name === "row") {
      this.#rows.beginRow();
      this.#column = -1;
    } else if (name === "c") {
      // A cell without a place stands behind the one before it.
      this.#column = columnOf(attributeOf(attributes, "r")) ?? this.#column + 1;
      this.#type = attributeOf(attributes, "t") ?? "n";
      this.#format = Number(attributeOf(attributes, "s") ?? "0");
      this.#value = "";
    } else if (name === "rPh") this.#phonetic += 1;
    else if (name === "v" || name === "t") this.#isValue = this.#phonetic === 0;
  }

  close(name: string): void {
    if (name === "v" || name === "t") this.#isValue = false;
    else if (name === "rPh") this.#phonetic -= 1;
    else if (name === "c") this.#rows.addCell(this.#column, this.#cellText());
  }

  text(text: string): void {
    if (this.#isValue) this.#value += text;
  }

  #cellText(): string {
    const { strings, formats } = this.#reading;
    switch (this.#type) {
      case "s":
        return strings[Number(this.#value)] ?? "";
      case "b":
        return this.#value === "" ? "" : this.#value === "1" ? "TRUE" : "FALSE";
      case "str":
      case "inlineStr":
        return unescaped(this.#value);
      case "n":
        return formats.written(this.#value, this.#format);
      // An error, an ISO date.
      default:
        return this.#value;
    }
  }
}

/** What XML has no room for stands in a text as `_x000D_` (ST_Xstring, 22.9.2.19): mostly the end of a line. */
function unescaped(text: string): string {
  return text.includes("_x")
    ? text.replaceAll(/_x([\dA-F]{4})_/gi, (_, code: string) =>
        String.fromCharCode(Number.parseInt(code, 16)),
      )
    : text;
}

/** `AB12` is column 27, the first being 0. */
function columnOf(reference: string | null): number | null {
  const letters = /^([A-Z]{1,3})\d/.exec(reference ?? "")?.[1];
  if (letters === undefined) return null;
  let column = 0;
  for (const letter of letters) column = column * 26 + letter.charCodeAt(0) - 0x40;
  return column - 1;
}
