/**
 * A finding of a guard or a screen, and the action taken. Every detector, whether a pattern, a classifier or a model,
 * reports in this form. Spans hold positions, never the text: they may be logged.
 */
export const spanKinds = ["payment-card", "iban", "email", "api-key", "token", "private-key"] as const;
export type SpanKind = (typeof spanKinds)[number];

/** In rising order: `block` outweighs `mask` outweighs `flag`. */
export const safetyActions = ["off", "flag", "mask", "block"] as const;
export type SafetyAction = (typeof safetyActions)[number];

export interface Span {
  /** UTF-16 units from the beginning of the original text, `end` exclusive. */
  readonly start: number;
  readonly end: number;
  /** The detector that found it, e.g. `pattern:card-luhn`. */
  readonly source: string;
  readonly kind: SpanKind;
  readonly action: Exclude<SafetyAction, "off">;
}

/** The strongest action among spans; `off` if there are none. */
export function strongestAction(spans: readonly Span[]): SafetyAction {
  let strongest = 0;
  for (const span of spans) strongest = Math.max(strongest, safetyActions.indexOf(span.action));
  return safetyActions[strongest] ?? "off";
}
