/**
 * Where does a link lead? Decided from its beginning, character by character, as early as possible. A verdict never changes with what
 * follows, so that a stream is judged like the whole text.
 */
import { more } from "../detectors/outcome.ts";
import { isAllowedHost } from "./links-policy.ts";

/**
 * How a destination is written, which decides where it ends. `relative`: `//host`, as in HTML attributes and style sheets. XPath, comments
 * and base64 have `//` too, so it counts only if a host follows.
 */
export type LinkForm = "bare" | "relative" | "angle" | "inline" | "definition";

/** `foreign`: to a host that is not allowed. `own`: to an allowed host, or to none. `none`: not an address (only for `relative`). */
export type LinkVerdict = "foreign" | "own" | "none";

/** The longest scheme and host that are needed; anything longer counts as foreign. */
const mostUndecided = 512;

/** Schemes that run or read something where the answer is shown. */
const hostless = new Set(["file", "javascript", "vbscript"]);
const networkSchemes = new Set(["http", "https", "ftp", "ws", "wss", ...hostless]);

/** Does the destination end at this character? @param depth number of open parentheses in it */
export function endsDestination(form: LinkForm, character: string, depth: number): boolean {
  switch (form) {
    case "angle":
      return character === ">" || character === "\n";
    case "inline":
      return isBlank(character) || (character === ")" && depth === 0);
    case "definition":
      return isBlank(character);
    case "bare":
      return isBlank(character) || '<>"`)]}|'.includes(character);
    case "relative":
      return isBlank(character) || "<>\"'`)]}|".includes(character);
  }
}

export function isBlank(character: string): boolean {
  return character <= " " || character === "\u00a0" || character === "\u3000";
}

/** Characters after which a scheme or a host is complete, or known to be missing. */
const deciding = "/?#:";

export interface Seen {
  /** The text is complete. */
  readonly final: boolean;
  /** Up to here an earlier call found that it needs more text. */
  readonly tried: number;
}

/**
 * @param from where the destination begins
 * @param assumed what a browser puts in front of it: `//` for `www.example.com`
 * @returns `more`: it needs more text to decide
 */
export function judgeDestination(
  text: string,
  from: number,
  { form, assumed }: { readonly form: LinkForm; readonly assumed: string },
  allowed: readonly string[],
  { final, tried }: Seen,
): LinkVerdict | typeof more {
  let isEscaped = false;
  let depth = 0;
  for (let at = from; ; at += 1) {
    if (at - from >= mostUndecided) return "foreign";
    const isOver = at >= text.length;
    if (isOver && !final) return more;
    const character = isOver ? "" : text.charAt(at);
    const ends = isOver || endsDestination(form, character, depth);
    if (character === "(") depth += 1;
    if (character === ")") depth -= 1;
    // Markdown undoes both before the link is followed: its meaning is known only at its end.
    if (character === "&" || character === "\\") isEscaped = true;
    if (at < tried || (!ends && (isEscaped || !deciding.includes(text.charAt(at - 1))))) continue;
    const written = assumed + text.slice(from, at);
    const verdict = verdictOf(written, ends, form, allowed);
    if (!isEscaped) {
      if (verdict !== null) return verdict;
      continue;
    }
    // Whether escapes are undone depends on the renderer: Markdown's links undo them, its autolinks and HTML don't.
    const meant = verdictOf(unescaped(written), ends, form, allowed);
    return verdict === "foreign" || meant === null ? "foreign" : meant;
  }
}

/** @param ends whether this is all of it @returns `null`: not known yet */
function verdictOf(
  begun: string,
  ends: boolean,
  form: LinkForm,
  allowed: readonly string[],
): LinkVerdict | null {
  // As browsers read it: they ignore control characters and line ends, and take a backslash for a slash.
  const url = begun.replace(/[\u0000-\u0020]/g, "").replaceAll("\\", "/");
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined && !url.startsWith("//"))
    return !ends && /^(?:\/|[a-z][a-z0-9+.-]*)?$/i.test(url) ? null : "own";
  if (scheme !== undefined && !networkSchemes.has(scheme)) return "own";
  if (scheme !== undefined && hostless.has(scheme)) return "foreign";
  const behind = url.slice(scheme === undefined ? 0 : scheme.length + 1).replace(/^\/+/, "");
  const authority = /^[^/?#]*/.exec(behind)?.[0] ?? "";
  if (!ends && authority.length === behind.length) return null;
  const host = authority
    .slice(authority.lastIndexOf("@") + 1)
    .replace(/:\d*$/, "")
    .toLowerCase();
  if (form === "relative" && !isHost(host)) return "none";
  return host === "" || isAllowedHost(host, allowed) ? "own" : "foreign";
}

/** A name with a dot (in any form that browsers accept), or a number, which they take for an address. */
function isHost(written: string): boolean {
  // In a list of addresses.
  const host = written.replace(/[,;]+$/, "");
  if (!/^[\p{L}\p{M}\p{N}_.%\u3002\uff0e\uff61-]+$/u.test(host)) return false;
  return /[.%\u3002\uff0e\uff61]/.test(host) || /^(?:0x[0-9a-f]+|\d{6,})$/.test(host);
}

const names: Readonly<Record<string, string>> = {
  amp: "&",
  colon: ":",
  sol: "/",
  bsol: "\\",
  period: ".",
  commat: "@",
  quest: "?",
  num: "#",
  Tab: "\t",
  NewLine: "\n",
};

/** Undoes Markdown's backslashes before punctuation, and character references. */
function unescaped(text: string): string {
  return text
    .replace(/\\([!-/:-@[-`{-~])/g, "$1")
    .replace(
      /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{1,8}));/gi,
      (written, hex?: string, decimal?: string, name?: string) => {
        if (name !== undefined) return names[name] ?? written;
        const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
        return point <= 0x10ffff ? String.fromCodePoint(point) : written;
      },
    );
}
