/**
 * How many prompts of one user may a guard model judge at once? As many as the user may have concurrent requests, in each isolate. A prompt
 * is judged before its turn is admitted, and one whose verdict is late is not counted, since that is a fault of ours. Without this bound, a
 * user could overload the guard with a thousand prompts at once, at no cost.
 */
import type { AdmissionFailure } from "../../src/shared/limits/admission-failure.ts";
import type { LimitRule } from "../../src/shared/limits/level.ts";
import { limitsOf } from "../../src/shared/limits/principal-limits.ts";
import type { JudgedCaller } from "./fleet-moderator.ts";

export class JudgedAtOnce {
  readonly #held = new Map<string, number>();

  /** @returns a function to call once when the guard is done with this prompt; or why the guard does not get it */
  enter({ tenant, principal }: Pick<JudgedCaller, "tenant" | "principal">): (() => void) | AdmissionFailure {
    const rule = limitsOf(tenant, "user", principal).rules.find(
      ({ unit, of }) => unit === "slots" && of === undefined,
    );
    const user = `${tenant.id}\n${principal.user}`;
    const held = this.#held.get(user) ?? 0;
    if (rule !== undefined && held >= rule.capacity) return tooMany(rule);
    this.#held.set(user, held + 1);
    return () => {
      const left = (this.#held.get(user) ?? 1) - 1;
      if (left === 0) this.#held.delete(user);
      else this.#held.set(user, left);
    };
  }
}

/** As for slots in a bucket: when one will be free is unknown. */
const againMs = 1_000;

function tooMany({ name, capacity }: LimitRule): AdmissionFailure {
  return {
    kind: "limited",
    limit: {
      scope: "user",
      limit: name,
      unit: "slots",
      class: "rate",
      capacity,
      remaining: 0,
      retryAfterMs: againMs,
      resetMs: againMs,
      largestMaxTokens: 0,
    },
  };
}
