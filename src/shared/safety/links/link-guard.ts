/**
 * Which links of an answer lead to hosts that the tenant has not named? Checks destinations of Markdown's links, pictures and definitions, and
 * bare addresses (`https://…`, `www.…`; `//…` after the characters that precede one in HTML attributes and style sheets). Each is judged as soon
 * as its host is known. Under `remove` a destination becomes `#link-removed` and a bare address `[link removed]`. At most the beginning of a link
 * is held back: 512 characters, usually just its host.
 *
 * One pass; the verdict is the same as for the whole text, wherever it is cut. It misses HTML addresses written as character references or with
 * a tab or line end within the scheme, and addresses without scheme or `www.` elsewhere, which nothing loads by itself.
 */
import { more } from "../detectors/outcome.ts";
import { endsDestination, isBlank, judgeDestination, type LinkForm } from "./destination.ts";
import type { LinksPolicy } from "./links-policy.ts";

/** A link to a host that is not allowed. */
export interface LinkSpan {
  /** Range of its destination, in UTF-16 units from the beginning of the text, `end` exclusive. */
  readonly start: number;
  readonly end: number;
  readonly source: "pattern:link";
  readonly kind: "link";
  readonly action: "flag" | "mask";
}

export interface LinkStep {
  readonly release: string;
  readonly spans: readonly LinkSpan[];
}

const removedDestination = "#link-removed";
const removedAddress = "[link removed]";

/** The most blanks before a destination that are held back with what opened it. Further ones are sent while the guard waits for it. */
const mostBlanks = 64;
/** Characters before an address without a scheme in HTML attributes, `srcset`, and style sheets. */
const beforeRelative = "\"'`=(,";

/** A destination that has begun, and how it is written. */
interface Begun {
  readonly from: number;
  readonly form: LinkForm;
  readonly assumed: string;
}

/** A destination that was opened, but only blanks followed: it begins at, or right after, the next character. */
interface Awaited {
  readonly form: "inline" | "definition";
  readonly from: number;
}

/** A destination whose verdict is known, but which has not ended. */
interface Open {
  readonly form: LinkForm;
  readonly isForeign: boolean;
  readonly start: number;
  depth: number;
}

export class LinkGuard {
  readonly #allowed: readonly string[];
  readonly #removes: boolean;
  /** Undecided text, and its place in the whole. */
  #buffer = "";
  #base = 0;
  /** The character before the buffer, and the last one there that is not blank. */
  #before = "";
  #solid = "";
  #open: Open | null = null;
  #awaits: Awaited["form"] | null = null;
  /** The place in the whole up to which a destination was examined without a verdict. */
  #tried = 0;

  constructor({ allow_hosts: allowed, action }: LinksPolicy) {
    this.#allowed = allowed;
    this.#removes = action === "remove";
  }

  /** Characters that are neither sent nor removed yet. */
  get held(): number {
    return this.#removes ? this.#buffer.length : 0;
  }

  push(text: string): LinkStep {
    return this.#step(text, false);
  }

  flush(): LinkStep {
    return this.#step("", true);
  }

  #step(added: string, final: boolean): LinkStep {
    const text = this.#buffer + added;
    const spans: LinkSpan[] = [];
    let out = "";
    let copied = 0;
    let at = 0;
    while (at < text.length) {
      if (this.#open !== null) {
        const end = this.#endOf(this.#open, text, at);
        if (this.#open.isForeign && this.#removes) copied = end;
        if (end === text.length && !final) {
          at = end;
          break;
        }
        if (this.#open.isForeign) spans.push(this.#span(this.#open.start, this.#base + end));
        this.#open = null;
        at = end;
        continue;
      }
      const begun = this.#awaits === null ? this.#begins(text, at, final) : awaited(text, at, this.#awaits);
      if (begun === more) break;
      if (begun === null) {
        at += 1;
        continue;
      }
      if (!("assumed" in begun)) {
        this.#awaits = begun.form;
        at = begun.from;
        continue;
      }
      const seen = { final, tried: this.#tried - this.#base };
      const verdict = judgeDestination(text, begun.from, begun, this.#allowed, seen);
      if (verdict === more) {
        this.#tried = this.#base + text.length;
        break;
      }
      this.#awaits = null;
      if (verdict === "none") {
        at += 1;
        continue;
      }
      const isForeign = verdict === "foreign";
      if (isForeign && this.#removes) {
        const isAddress = begun.form === "bare" || begun.form === "relative";
        out += text.slice(copied, begun.from) + (isAddress ? removedAddress : removedDestination);
        copied = begun.from;
      }
      this.#open = { form: begun.form, isForeign, start: this.#base + begun.from, depth: 0 };
      at = begun.from;
    }
    if (final && this.#open !== null) {
      if (this.#open.isForeign) spans.push(this.#span(this.#open.start, this.#base + text.length));
      this.#open = null;
    }
    out += text.slice(copied, at);
    this.#keep(text, at);
    return { release: this.#removes ? out : added, spans };
  }

  #keep(text: string, at: number): void {
    if (at > 0) {
      this.#before = text.charAt(at - 1);
      this.#solid = solidBefore(text, at) ?? this.#solid;
    }
    this.#buffer = text.slice(at);
    this.#base += at;
  }

  #span(start: number, end: number): LinkSpan {
    return { start, end, source: "pattern:link", kind: "link", action: this.#removes ? "mask" : "flag" };
  }

  #endOf(open: Open, text: string, from: number): number {
    let at = from;
    for (; at < text.length; at += 1) {
      const character = text.charAt(at);
      if (endsDestination(open.form, character, open.depth)) break;
      if (character === "(") open.depth += 1;
      if (character === ")") open.depth -= 1;
    }
    return at;
  }

  /** Does a destination begin at, or right after, this place? */
  #begins(text: string, at: number, final: boolean): Begun | Awaited | null | typeof more {
    switch (text.charAt(at)) {
      case "]":
        return behindBracket(text, at, final);
      case "h":
      case "H":
        return asWritten(text, at, final, /^https?:[/\\]/i, ["http:/", "https:/"], "");
      case "w":
      case "W": {
        const before = at === 0 ? this.#before : text.charAt(at - 1);
        // Nothing turns a name within a word into a link.
        return /[a-z0-9@./-]/i.test(before) ? null : asWritten(text, at, final, /^www\./i, ["www."], "//");
      }
      case "/":
      case "\\":
        if (!this.#mayBeRelative(text, at)) return null;
        if (at + 1 === text.length && !final) return more;
        return isSlash(text.charAt(at + 1)) ? { from: at, form: "relative", assumed: "" } : null;
      default:
        return null;
    }
  }

  #mayBeRelative(text: string, at: number): boolean {
    const before = solidBefore(text, at) ?? this.#solid;
    return before !== "" && beforeRelative.includes(before);
  }
}

function isSlash(character: string): boolean {
  return character === "/" || character === "\\";
}

/** The last character before `at` that is not blank; `null`: there is none in this text. */
function solidBefore(text: string, at: number): string | null {
  let before = at - 1;
  while (before >= 0 && isBlank(text.charAt(before))) before -= 1;
  return before < 0 ? null : text.charAt(before);
}

/** `](` and `]:`, and the destination after them. */
function behindBracket(text: string, at: number, final: boolean): Begun | Awaited | null | typeof more {
  const next = text.charAt(at + 1);
  if (next === "") return final ? null : more;
  if (next !== "(" && next !== ":") return null;
  const form = next === "(" ? "inline" : "definition";
  let from = at + 2;
  while (from < text.length && from - at - 2 < mostBlanks && isBlank(text.charAt(from))) from += 1;
  if (from - at - 2 >= mostBlanks) return { from, form };
  if (from >= text.length) return final ? null : more;
  return destinationAt(text, from, form);
}

function destinationAt(text: string, from: number, form: Awaited["form"]): Begun {
  return text.charAt(from) === "<"
    ? { from: from + 1, form: "angle", assumed: "" }
    : { from, form, assumed: "" };
}

/** `null`: another blank. */
function awaited(text: string, at: number, form: Awaited["form"]): Begun | null {
  return isBlank(text.charAt(at)) ? null : destinationAt(text, at, form);
}

/** @param beginnings what the pattern matches begins with one of these, in lower case */
function asWritten(
  text: string,
  at: number,
  final: boolean,
  pattern: RegExp,
  beginnings: readonly string[],
  assumed: string,
): Begun | null | typeof more {
  const head = text.slice(at, at + 7);
  if (pattern.test(head)) return { from: at, form: "bare", assumed };
  const lower = head.toLowerCase();
  if (!final && at + lower.length === text.length && beginnings.some((each) => each.startsWith(lower)))
    return more;
  return null;
}
