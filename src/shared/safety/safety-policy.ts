import * as z from "zod";
import { injectionPolicySchema } from "./injection/injection-policy.ts";
import { linksPolicySchema } from "./links/links-policy.ts";
import { moderationPolicySchema } from "./moderation/moderation-policy.ts";
import { type SafetyAction, safetyActions, type SpanKind, spanKinds } from "./span.ts";

/**
 * What to do about the detectors' findings, before the model (`input`) and in its answer (`output`). By default nothing, which also
 * costs nothing. docs/configuration.md documents each field.
 */
const actionSchema = z.enum(safetyActions);

const directionPolicySchema = z.lazy(() =>
  z.strictObject({
    /** For every kind that `kinds` doesn't name. */
    action: actionSchema.default("off"),
    kinds: z.partialRecord(z.enum(spanKinds), actionSchema).default({}),
  }),
);
export type DirectionPolicy = z.infer<typeof directionPolicySchema>;

export const safetyPolicySchema = z.lazy(() =>
  z.strictObject({
    input: directionPolicySchema.prefault({}),
    output: directionPolicySchema.prefault({}),
    /** For more text than can be searched in 50 ms: let it through and log it, or refuse. */
    when_slow: z.enum(["open", "closed"]).default("closed"),
    /** Attacks on the model's instructions by users and by programs' texts. */
    injection: injectionPolicySchema.prefault({}),
    /** Links and pictures in answers that lead to other hosts. */
    links: linksPolicySchema.prefault({}),
    /** Absent: no moderation. */
    moderation: moderationPolicySchema.optional(),
  }),
);
export type SafetyPolicy = z.infer<typeof safetyPolicySchema>;

/** Bump with every change of what a detector finds. With the tenant's version it is part of the answer cache's key. */
export const safetyRulesVersion = "5";

/** One direction's policy, prepared for the hot path: made once for each configuration, not for each request. */
export interface ResolvedPolicy {
  readonly actions: Readonly<Record<SpanKind, SafetyAction>>;
  /** The detectors look for nothing. */
  readonly isOff: boolean;
  /** Text may have to be held back: some kind is masked or blocked. */
  readonly withholds: boolean;
}

const resolved = new WeakMap<DirectionPolicy, ResolvedPolicy>();

/** Remembered by the policy object, which lives as long as the tenant's configuration in the isolate. */
export function resolvePolicy(policy: DirectionPolicy): ResolvedPolicy {
  const known = resolved.get(policy);
  if (known !== undefined) return known;
  const actionOf = (kind: SpanKind): SafetyAction => policy.kinds[kind] ?? policy.action;
  const actions: Record<SpanKind, SafetyAction> = {
    "payment-card": actionOf("payment-card"),
    iban: actionOf("iban"),
    email: actionOf("email"),
    "api-key": actionOf("api-key"),
    token: actionOf("token"),
    "private-key": actionOf("private-key"),
  };
  const all = Object.values(actions);
  const result: ResolvedPolicy = {
    actions,
    isOff: all.every((action) => action === "off"),
    withholds: all.some((action) => action === "mask" || action === "block"),
  };
  resolved.set(policy, result);
  return result;
}
