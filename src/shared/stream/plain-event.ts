/**
 * The fastest path of a stream: an event that differs from a learned one in its text and its counts alone is recognised in
 * its bytes, without a string being made of it. event-template.ts learns and proves; this file only compares.
 */
import { mostCountDigits } from "./wire-usage.ts";

export interface PlainEvent {
  /** Where the text begins and ends in the bytes; it holds ASCII that JSON does not escape. */
  readonly from: number;
  readonly to: number;
  /** Where the event itself ends. */
  readonly end: number;
  /** Its `usage.completion_tokens`; -1 where it has none. */
  readonly completionTokens: number;
}

/** The bytes around a text in the client's event; quotes included. */
export interface EventFrame {
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
}

export function frameOf(head: string, tail: string): EventFrame {
  const utf8 = new TextEncoder();
  return { head: utf8.encode(head), tail: utf8.encode(tail) };
}

/** The text of an event that matched. One by one: a call that takes all of its few characters at once costs three times as much. */
export function textOf(bytes: Uint8Array, { from, to }: PlainEvent): string {
  let text = "";
  for (let at = from; at < to; at++) text += String.fromCharCode(bytes[at] ?? 0);
  return text;
}

const quote = 0x22;
const backslash = 0x5c;

/** Whether a byte, or a unit of UTF-16, is ASCII that JSON writes as it is. */
export function isPlain(code: number): boolean {
  return code >= 0x20 && code <= 0x7e && code !== quote && code !== backslash;
}

/** A longer text is no token. */
const maxTextBytes = 1024;

/** A run of digits between two literals may be any number; what else differs does not match. */
export class PlainEventBytes {
  readonly #head: Uint8Array;
  /** What follows the text: literals, with a number between each two of them. */
  readonly #tail: readonly Uint8Array[];
  /** Which of those numbers is `completion_tokens`; -1: none. */
  readonly #counted: number;

  /** @param head up to the text. @param tail from the quote that ends the text to the end of the event, blank line included. */
  constructor(head: string, tail: string) {
    const utf8 = new TextEncoder();
    // The head holds the time and the id, which are the same in all events of an answer: no number in it is free.
    this.#head = utf8.encode(head);
    const usage = tail.indexOf('"usage":{');
    const fixed = usage === -1 ? tail : tail.slice(0, usage);
    const parts = usage === -1 ? [] : tail.slice(usage).split(/\d+/);
    this.#tail = [fixed + (parts[0] ?? ""), ...parts.slice(1)].map((part) => utf8.encode(part));
    this.#counted = parts.findIndex((part) => part.endsWith('"completion_tokens":'));
  }

  /** `null`: what begins at `start` is not a whole event of this kind. */
  match(bytes: Uint8Array, start: number): PlainEvent | null {
    const from = behind(this.#head, bytes, start);
    if (from === -1) return null;
    let at = from;
    let byte = bytes[at] ?? 0;
    while (byte !== quote) {
      if (at - from > maxTextBytes || !isPlain(byte)) return null;
      byte = bytes[++at] ?? 0;
    }
    const to = at;
    let completionTokens = -1;
    const parts = this.#tail.length;
    for (let part = 0; part < parts; part++) {
      if (part > 0) {
        const digits = at;
        let value = 0;
        for (byte = bytes[at] ?? 0; byte >= 0x30 && byte <= 0x39; byte = bytes[++at] ?? 0)
          value = value * 10 + byte - 0x30;
        if (at === digits || at - digits > mostCountDigits) return null;
        if (part - 1 === this.#counted) completionTokens = value;
      }
      const literal = this.#tail[part];
      at = literal === undefined ? -1 : behind(literal, bytes, at);
      if (at === -1) return null;
    }
    return { from, to, end: at, completionTokens };
  }
}

/**
 * Where `literal` ends in the bytes; -1 where another one stands at `start`. Its length is asked for once: code that is not fully optimised,
 * and much of it is not behind each full collection (docs/decisions/0043-what-a-read-leaves-behind.md), makes a call of it.
 */
function behind(literal: Uint8Array, bytes: Uint8Array, start: number): number {
  const { length } = literal;
  if (bytes.length - start < length) return -1;
  for (let at = 0; at < length; at++) if (bytes[start + at] !== literal[at]) return -1;
  return start + length;
}
