/**
 * Where are a page's tags? As much of HTML's tokenizer (https://html.spec.whatwg.org/multipage/parsing.html) as a reader of words
 * needs: tags without their attributes, text, no tree.
 *
 * Why not HTMLRewriter: inside workerd it took 12 s for 50,000 `<br>`, gave up for want of memory on as many tags that never end, and
 * took the script behind `<svg/>` for text. This takes one pass, whatever the page.
 */

/** Calls come in the page's order. */
export interface HtmlSink {
  /** `tag` in small letters. */
  open(tag: string): void;
  /** Only where the page has the end tag. */
  close(tag: string): void;
  /** As the page has it, entities and all. */
  text(text: string): void;
}

/** Elements whose content is not text, up to their end tag, whatever it looks like. */
const unseen: ReadonlySet<string> = new Set(["script", "style", "noscript", "template", "svg", "iframe"]);
/** Elements whose content is only text. */
const textOnly: ReadonlySet<string> = new Set(["title", "textarea"]);

export function readTags(html: string, sink: HtmlSink): void {
  const ends = new EndTags(html);
  let textFrom = 0;
  let at = html.indexOf("<");
  while (at !== -1) {
    const tag = tagAt(html, at);
    if (tag === null) {
      at = html.indexOf("<", at + 1);
      continue;
    }
    if (at > textFrom) sink.text(html.slice(textFrom, at));
    textFrom = tag.end;
    if (tag.kind === "close") sink.close(tag.name);
    else if (tag.kind === "open") {
      const isUnseen = unseen.has(tag.name) && !(tag.name === "svg" && html[tag.end - 2] === "/");
      if (!isUnseen) sink.open(tag.name);
      // One that never ends hides nothing but itself, or a page cut in two would be empty.
      if (isUnseen || textOnly.has(tag.name)) {
        const end = ends.find(tag.name, tag.end);
        if (end !== -1) {
          if (!isUnseen) sink.text(html.slice(tag.end, end));
          textFrom = end;
        }
      }
    }
    at = html.indexOf("<", textFrom);
  }
  if (textFrom < html.length) sink.text(html.slice(textFrom));
}

interface Tag {
  readonly kind: "open" | "close" | "none";
  readonly name: string;
  /** Behind its `>`. */
  readonly end: number;
}

/** `null`: this `<` is a character like any other. */
function tagAt(html: string, at: number): Tag | null {
  const next = html.charCodeAt(at + 1);
  if (next === 0x21 || next === 0x3f) {
    const isComment = html.startsWith("<!--", at);
    const end = html.indexOf(isComment ? "-->" : ">", at + 2);
    return { kind: "none", name: "", end: end === -1 ? html.length : end + (isComment ? 3 : 1) };
  }
  const isClose = next === 0x2f;
  const from = at + (isClose ? 2 : 1);
  let to = from;
  while (to - from < 64 && isNameCharacter(html.charCodeAt(to), to === from)) to += 1;
  if (to === from) return null;
  return {
    kind: isClose ? "close" : "open",
    name: html.slice(from, to).toLowerCase(),
    end: tagEnd(html, to),
  };
}

function isNameCharacter(code: number, isFirst: boolean): boolean {
  const lower = code | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || (!isFirst && ((code >= 0x30 && code <= 0x39) || code === 0x2d));
}

/** Behind the `>`; one within an attribute's quotes is not it. A tag that never ends takes the rest, as a browser has it. */
function tagEnd(html: string, from: number): number {
  let quote = 0;
  let before = 0;
  for (let at = from; at < html.length; at += 1) {
    const code = html.charCodeAt(at);
    if (quote !== 0) {
      if (code === quote) quote = 0;
    } else if (code === 0x3e) return at + 1;
    // A quote opens a value behind its `=` alone.
    else if ((code === 0x22 || code === 0x27) && before === 0x3d) quote = code;
    if (code > 0x20) before = code;
  }
  return html.length;
}

/** Finds an element's end tag; of one that is nowhere it is looked for once, or a page of nothing but beginnings took quadratic time. */
class EndTags {
  readonly #html: string;
  readonly #nowhere = new Set<string>();

  constructor(html: string) {
    this.#html = html;
  }

  find(name: string, from: number): number {
    if (this.#nowhere.has(name)) return -1;
    const pattern = new RegExp(`</${name}(?=[\\s/>])`, "gi");
    pattern.lastIndex = from;
    const found = pattern.exec(this.#html);
    if (found === null) this.#nowhere.add(name);
    return found?.index ?? -1;
  }
}
