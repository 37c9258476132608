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

/** Puts masks over spans of several detectors, which may overlap: what any of them masks is masked. */
export function applyMasks(text: string, spans: readonly Span[]): string {
  let masked = "";
  let at = 0;
  for (const span of spans.filter(({ action }) => action === "mask").sort((a, b) => a.start - b.start)) {
    if (span.start >= at) masked += text.slice(at, span.start) + masks[span.kind];
    at = Math.max(at, span.end);
  }
  return at === 0 ? text : masked + text.slice(at);
}
