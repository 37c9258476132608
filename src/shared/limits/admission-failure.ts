/** Why was a turn not admitted? Turns a bucket's refusal, or its silence, into the admission port's failure. Pure. */
import type { LimitRefusal, Refusal } from "../contracts/refusal.ts";
import type { LimitScope } from "./bucket-name.ts";
import type { BucketRefusal } from "./bucket-protocol.ts";
import { answerTokensFor, type TokenPrice } from "./cost.ts";
import { limitClass } from "./defaults.ts";
import { askTimeoutMs } from "./desk-options.ts";

export type CredentialRevoked = Extract<Refusal, { kind: "credential-invalid" }>;

export type AdmissionFailure =
  | { readonly kind: "limited"; readonly limit: LimitRefusal }
  /** The user's or the org's bucket says that this credential was revoked. */
  | CredentialRevoked
  /** The bucket could not be asked and the tenant's policy is closed. */
  | {
      readonly kind: "dependency-unavailable";
      readonly component: "bucket";
      readonly retryAfterMs: number;
      readonly detail: string;
    };

/** The wait after a bucket could not be reached, or was overloaded. */
const unreachableRetryMs = 1_000;

/** A refusal before an outage (it is the client's to know), and of two refusals the one that lasts longer. */
export function gravest(failures: readonly AdmissionFailure[]): AdmissionFailure {
  const [first, second] = failures;
  if (first === undefined) throw new Error("Nothing failed");
  if (second === undefined || second.kind !== "limited") return first;
  if (first.kind !== "limited") return second;
  const longer = second.limit.retryAfterMs > first.limit.retryAfterMs ? second : first;
  const largestMaxTokens = Math.min(first.limit.largestMaxTokens, second.limit.largestMaxTokens);
  return { kind: "limited", limit: { ...longer.limit, largestMaxTokens } };
}

export function limited(
  scope: LimitScope,
  refusal: BucketRefusal,
  largestMaxTokens: number,
): Extract<AdmissionFailure, { kind: "limited" }> {
  return {
    kind: "limited",
    limit: {
      scope: refusal.of ?? scope,
      limit: refusal.limit,
      unit: refusal.unit,
      class: limitClass(refusal.windowMs),
      capacity: refusal.capacity,
      remaining: refusal.remaining,
      retryAfterMs: refusal.retryAfterMs,
      resetMs: refusal.resetMs,
      largestMaxTokens,
    },
  };
}

const promptSlackTokens = 32;

/** The largest `max_tokens` with which the refused request would be let in now. */
export function largestMaxTokens(
  refusal: BucketRefusal,
  asked: { readonly promptTokens: number; readonly choices: number; readonly price: TokenPrice },
): number {
  // The prompt is an estimate, and a template and default instructions are added: the number that is told must then be admitted.
  const promptTokens = asked.promptTokens + Math.ceil(asked.promptTokens / 8) + promptSlackTokens;
  const byTokens = refusal.fittingTokens - promptTokens;
  const byCost = answerTokensFor(asked.price, promptTokens, refusal.fittingMicrodollars);
  return Math.max(0, Math.floor(Math.min(byTokens, byCost) / asked.choices));
}

/** The user's own bucket is overloaded: too many requests of one user at once. */
export const tooManyAtOnce: AdmissionFailure = {
  kind: "limited",
  limit: {
    scope: "user",
    limit: "concurrent_admissions",
    unit: "requests",
    class: "rate",
    capacity: 0,
    remaining: 0,
    retryAfterMs: unreachableRetryMs,
    resetMs: unreachableRetryMs,
    largestMaxTokens: 0,
  },
};

export function bucketUnavailable(detail: string): AdmissionFailure {
  return {
    kind: "dependency-unavailable",
    component: "bucket",
    retryAfterMs: Math.max(unreachableRetryMs, askTimeoutMs),
    detail,
  };
}
