/**
 * A recognised span that may go on without end: a key, a private key. Its rest is dropped or passed on as it arrives, and never held back.
 */
import type { KeyRule } from "./detectors/keys.ts";
import { PrivateKeyEnd } from "./detectors/private-key.ts";
import type { Span, SpanKind } from "./span.ts";

export interface OpenSpan {
  readonly start: number;
  readonly kind: SpanKind;
  readonly source: string;
  readonly action: Span["action"];
  /** What continues it. */
  readonly tail: KeyRule | PrivateKeyEnd;
}

export function readTail(tail: OpenSpan["tail"], text: string, from: number, length: number): number {
  if (tail instanceof PrivateKeyEnd) return tail.read(text, from, length);
  let index = from;
  while (index < length && tail.inAlphabet(text.charCodeAt(index))) index += 1;
  return index;
}

export function isClosed(tail: OpenSpan["tail"]): boolean {
  return tail instanceof PrivateKeyEnd && tail.closed;
}
