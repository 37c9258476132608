import type { Span, SpanKind } from "./span.ts";

/** What stands in a masked span's place. No quotes, backslashes or line ends: it may stand inside JSON. */
export const masks: Readonly<Record<SpanKind, string>> = {
  "payment-card": "[card number]",
  iban: "[IBAN]",
  email: "[e-mail address]",
  "api-key": "[API key]",
  token: "[token]",
  "private-key": "[private key]",
};

/**
 * Puts masks over spans of several detectors, which may overlap: what any of them masks is masked.
 * @param isJson it stays JSON: what is masked outside of a string, a number, becomes one
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

/** Where the strings of a JSON text begin and end. */
function quotesOf(text: string): number[] {
  const quotes: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === "\\") at += 1;
    else if (character === '"') quotes.push(at);
  }
  return quotes;
}
