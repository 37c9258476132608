/**
 * A recognised span that may continue without limit: a key, a private key, a number in JSON. Its rest is dropped or passed on as it arrives,
 * never held back.
 */
import type { KeyRule } from "./detectors/keys.ts";
import { PrivateKeyEnd } from "./detectors/private-key.ts";
import type { Span, SpanKind } from "./span.ts";

export interface OpenSpan {
  readonly start: number;
  readonly kind: SpanKind;
  readonly source: string;
  readonly action: Span["action"];
  /** Which characters continue it. */
  readonly tail: Pick<KeyRule, "inAlphabet"> | PrivateKeyEnd;
}

/** What may continue the recognised span; `null`: nothing. @param rule of the key, if it is one @param isBare outside JSON strings */
export function tailOf(kind: SpanKind, rule: KeyRule, isBare: boolean): OpenSpan["tail"] | null {
  if (kind === "private-key") return new PrivateKeyEnd();
  if (kind === "api-key" || kind === "token") return rule;
  return isBare ? restOfNumber : null;
}

/** A fraction and an exponent: no JSON number begins with them. */
const restOfNumber: OpenSpan["tail"] = {
  inAlphabet: (code) => (code >= 0x30 && code <= 0x39) || ".eE+-".includes(String.fromCharCode(code)),
};

export function readTail(tail: OpenSpan["tail"], text: string, from: number, length: number): number {
  if (tail instanceof PrivateKeyEnd) return tail.read(text, from, length);
  let index = from;
  while (index < length && tail.inAlphabet(text.charCodeAt(index))) index += 1;
  return index;
}

export function isClosed(tail: OpenSpan["tail"]): boolean {
  return tail instanceof PrivateKeyEnd && tail.closed;
}
