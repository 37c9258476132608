import type { Span, SpanKind } from "./span.ts";

/** Replaces a masked span. No quotes, backslashes or line ends, since it may be inside JSON. */
export const masks: Readonly<Record<SpanKind, string>> = {
  "payment-card": "[card number]",
  iban: "[IBAN]",
  email: "[e-mail address]",
  "api-key": "[API key]",
  token: "[token]",
  "private-key": "[private key]",
};

/**
 * Masks the spans of several detectors, which may overlap: whatever one of them masks is masked.
 * @param isJson it stays JSON: a masked number outside of strings becomes a string
 */
export function applyMasks(text: string, spans: readonly Span[], isJson = false): string {
  let masked = "";
  let at = 0;
  let inString = false;
  let seen = 0;
  const strings = isJson ? quotesOf(text) : [];
  for (const span of spans.filter(({ action }) => action === "mask").sort((a, b) => a.start - b.start)) {
    if (span.start >= at) {
      for (; (strings[seen] ?? Infinity) < span.start; seen += 1) inString = !inString;
      const mask = masks[span.kind];
      masked += text.slice(at, span.start) + (isJson && !inString ? `"${mask}"` : mask);
    }
    at = Math.max(at, span.end);
  }
  return at === 0 ? text : masked + text.slice(at);
}

/** The places where strings of a JSON text begin and end. */
function quotesOf(text: string): number[] {
  const quotes: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === "\\") at += 1;
    else if (character === '"') quotes.push(at);
  }
  return quotes;
}
