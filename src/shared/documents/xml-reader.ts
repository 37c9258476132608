/**
 * What does an XML part say? Tags and text in their order, no tree: memory is that of one tag and of the names that are open. As much of
 * XML 1.0 as Office writes: no document type, so that no entity but the five and numbers exists, and none can grow.
 */
import { decodeEntities } from "../retrieval/html-text.ts";
import { documentBounds } from "./document-bounds.ts";
import { Unreadable } from "./unreadable.ts";

/** Names without their prefix: which one means which namespace is the writer's choice. */
export interface XmlSink {
  /** @param attributes as they stand in the tag: `attributeOf` */
  open(name: string, attributes: string): void;
  close(name: string): void;
  text(text: string): void;
}

const pieceBytes = 65_536;
/** An entity is no longer than that. */
const longestEntity = 12;

/** @throws Unreadable where it is no XML, or another's than Office's */
export function readXml(bytes: Uint8Array, sink: XmlSink): void {
  const decoder = new TextDecoder(encodingOf(bytes), { fatal: true, ignoreBOM: false });
  const reader = new XmlReader(sink);
  for (let at = 0; at < bytes.byteLength; at += pieceBytes)
    reader.push(decoded(decoder, bytes.subarray(at, at + pieceBytes)));
  reader.push(decoded(decoder));
  reader.end();
}

/** Whatever its declaration says, which is in that encoding already: XML's other ones Office does not write. */
function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
}

function decoded(decoder: TextDecoder, piece?: Uint8Array): string {
  try {
    return piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true });
  } catch {
    throw new Unreadable("broken");
  }
}

class XmlReader {
  readonly #sink: XmlSink;
  readonly #open: string[] = [];
  #rest = "";

  constructor(sink: XmlSink) {
    this.#sink = sink;
  }

  push(piece: string): void {
    const xml = this.#rest + piece;
    let at = 0;
    for (;;) {
      const tag = xml.indexOf("<", at);
      if (tag === -1) {
        this.#rest = this.#leaveEntity(xml.slice(at));
        return;
      }
      if (tag > at) this.#text(xml.slice(at, tag));
      const end = this.#markup(xml, tag);
      if (end === -1) {
        this.#rest = xml.slice(tag);
        if (this.#rest.length > documentBounds.xmlTag) throw new Unreadable("broken");
        return;
      }
      at = end;
    }
  }

  end(): void {
    if (this.#rest.trim() !== "" || this.#open.length > 0) throw new Unreadable("broken");
  }

  /** Says what is whole of a text that may go on in the next piece. */
  #leaveEntity(text: string): string {
    const begin = text.lastIndexOf("&");
    const isCut = begin !== -1 && text.length - begin < longestEntity && !text.includes(";", begin);
    const whole = isCut ? text.slice(0, begin) : text;
    if (whole !== "") this.#text(whole);
    return isCut ? text.slice(begin) : "";
  }

  #text(text: string): void {
    if (this.#open.length > 0) this.#sink.text(decodeEntities(text));
    else if (text.replace("\ufeff", "").trim() !== "") throw new Unreadable("broken");
  }

  /** Behind the tag, comment or section that begins at `at`; -1: its end is not here yet. */
  #markup(xml: string, at: number): number {
    const next = xml[at + 1];
    if (next === undefined) return -1;
    if (next === "?") return behind(xml, "?>", at + 2);
    if (next === "!") return this.#declaration(xml, at);
    const end = tagEnd(xml, at + 1);
    if (end === -1) return -1;
    if (next === "/") this.#close(localName(xml.slice(at + 2, end - 1).trim()));
    else this.#element(xml.slice(at + 1, end - 1));
    return end;
  }

  #declaration(xml: string, at: number): number {
    const section = "<![CDATA[";
    if (xml.startsWith("<!--", at)) return behind(xml, "-->", at + 4);
    if (xml.startsWith(section, at)) {
      const end = behind(xml, "]]>", at + section.length);
      if (end !== -1 && this.#open.length > 0) this.#sink.text(xml.slice(at + section.length, end - 3));
      return end;
    }
    // Cut within the mark itself; anything else is a document type.
    if (
      xml.length - at < section.length &&
      (section.startsWith(xml.slice(at)) || "<!--".startsWith(xml.slice(at)))
    )
      return -1;
    throw new Unreadable("broken");
  }

  #element(tag: string): void {
    const isEmpty = tag.endsWith("/");
    const blank = tag.search(/[\s/]/);
    const name = localName(blank === -1 ? tag : tag.slice(0, blank));
    if (name === "") throw new Unreadable("broken");
    this.#open.push(name);
    if (this.#open.length > documentBounds.xmlDepth) throw new Unreadable("broken");
    this.#sink.open(name, blank === -1 ? "" : tag.slice(blank));
    if (isEmpty) this.#close(name);
  }

  #close(name: string): void {
    if (this.#open.pop() !== name) throw new Unreadable("broken");
    this.#sink.close(name);
  }
}

function behind(xml: string, mark: string, from: number): number {
  const at = xml.indexOf(mark, from);
  return at === -1 ? -1 : at + mark.length;
}

/** Behind the `>` that stands in no quotes. */
function tagEnd(xml: string, from: number): number {
  let quote = 0;
  for (let at = from; at < xml.length; at += 1) {
    const code = xml.charCodeAt(at);
    if (quote !== 0) {
      if (code === quote) quote = 0;
    } else if (code === 0x3e) return at + 1;
    else if (code === 0x22 || code === 0x27) quote = code;
  }
  return -1;
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

/** `null`: the tag has none of that local name. */
export function attributeOf(attributes: string, name: string): string | null {
  return found(attributes, patternOf(name, "(?:[\\w.-]+:)?"));
}

/** One with a prefix alone: of `id="256" r:id="rId2"` the second. */
export function prefixedAttributeOf(attributes: string, name: string): string | null {
  return found(attributes, patternOf(name, "[\\w.-]+:"));
}

function found(attributes: string, pattern: RegExp): string | null {
  const match = pattern.exec(attributes);
  return match === null ? null : decodeEntities(match[1] ?? match[2] ?? "");
}

/** The readers ask for a dozen names. */
const patterns = new Map<string, RegExp>();

function patternOf(name: string, prefix: string): RegExp {
  const key = prefix + name;
  const known = patterns.get(key);
  if (known !== undefined) return known;
  const made = new RegExp(`\\s${prefix}${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`);
  patterns.set(key, made);
  return made;
}
