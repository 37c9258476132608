import { hyphen, isAsciiLetter, isDigit, more, none } from "./outcome.ts";

/**
 * Does this `@` belong to an e-mail address, and where does the address end? The domain: labels of letters, digits and inner
 * dashes (letters of any script, as mail clients show them), the last of two letters or more (RFC 1035, RFC 5890).
 * Quoted local parts and address literals are ignored: they occur in code far more often than in mail.
 */

/** RFC 5321, 4.5.3.1.1. If a run of local characters is longer, its last 64 count. */
export const mostLocalCharacters = 64;
const mostDomainCharacters = 255;
const dot = 0x2e;

/** Where the local part that ends before `at` begins, at `runStart` or later; `at` if there is none. */
export function localStart(text: string, runStart: number, at: number): number {
  let start = Math.max(runStart, at - mostLocalCharacters);
  while (start < at && !isLocalEdge(text.charCodeAt(start))) start += 1;
  // By the standard no address has a dot before the `@`, but a reader still knows whose it is.
  return start;
}

function isLocalEdge(code: number): boolean {
  return isDigit(code) || isAsciiLetter(code) || code === 0x5f || code >= 0x80;
}

export function matchDomain(text: string, at: number, length: number, final: boolean): number {
  let labelStart = at + 1;
  let labels = 0;
  let found = none;
  let onlyLetters = true;
  for (let index = at + 1; ; index += 1) {
    if (index >= length && !final) return more;
    const code = index < length ? text.charCodeAt(index) : 0;
    const within = index - at <= mostDomainCharacters;
    if (within && isDomainLetter(code)) continue;
    if (within && (isDigit(code) || code === hyphen || code === 0x5f)) {
      onlyLetters = false;
      continue;
    }
    // The label ends here.
    const size = index - labelStart;
    if (size === 0 || size > 63) return found;
    if (
      text.charCodeAt(labelStart) === 0x5f ||
      text.charCodeAt(labelStart) === hyphen ||
      text.charCodeAt(index - 1) === hyphen
    )
      return found;
    labels += 1;
    const isTop = onlyLetters || text.startsWith("xn--", labelStart);
    if (labels > 1 && size >= 2 && isTop) found = index;
    if (code !== dot || !within) return found;
    labelStart = index + 1;
    onlyLetters = true;
  }
}

/** ASCII letters and the letters of other scripts; not the punctuation and wide forms in between. */
function isDomainLetter(code: number): boolean {
  if (code < 0x80) return isAsciiLetter(code);
  if (code < 0xc0 || code === 0xd7 || code === 0xf7) return false;
  if (code >= 0x2000 && code <= 0x2bff) return false;
  if (code >= 0x3000 && code <= 0x303f) return false;
  return code < 0xd800;
}
