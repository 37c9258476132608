/**
 * What a guard or a screen found, and what becomes of it. Every detector, whether a pattern, a classifier or a model,
 * reports in this form. Spans hold positions, never the text: they may be logged.
 */
export const spanKinds = ["payment-card", "iban", "email", "api-key", "token", "private-key"] as const;
export type SpanKind = (typeof spanKinds)[number];

/** In rising order: `block` outweighs `mask` outweighs `flag`. */
export const safetyActions = ["off", "flag", "mask", "block"] as const;
export type SafetyAction = (typeof safetyActions)[number];

export interface Span {
  /** UTF-16 units from the beginning of the text as it came in, `end` exclusive. */
  readonly start: number;
  readonly end: number;
  /** Which detector said so, e.g. `pattern:card-luhn`. */
  readonly source: string;
  readonly kind: SpanKind;
  readonly action: Exclude<SafetyAction, "off">;
}

/** The strongest action among spans; `off` where there is none. */
export function strongestAction(spans: readonly Span[]): SafetyAction {
  let strongest = 0;
  for (const span of spans) strongest = Math.max(strongest, safetyActions.indexOf(span.action));
  return safetyActions[strongest] ?? "off";
}
