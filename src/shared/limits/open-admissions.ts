import type { LimitSet } from "./defaults.ts";
import type { BucketStanding, Unit } from "./bucket-protocol.ts";
import { RecentMap } from "./recent-map.ts";

/** Beside one request. */
export interface OpenAmounts {
  readonly tokens: number;
  readonly microdollars: number;
}

/**
 * How many may be let in unasked? For a tenant whose policy is open while a bucket can't be reached: so many for each
 * isolate and minute; and of one bucket in all, until it answers again, no more than it had left when it last answered, or
 * where this isolate never heard of it, than its smallest limits allow. Nothing refills meanwhile, since it is unknown what other
 * isolates admit.
 */
export class OpenAdmissions {
  readonly #minutes = new RecentMap<{ minute: number; count: number }>(1_000);

  /** Counts one in, or says no. `lane`: what was let in under the bucket since it last answered; added to. */
  admit(
    tenant: string,
    maxRequests: number,
    lane: UnansweredAdmissions,
    wanted: OpenAmounts,
    limits: LimitSet,
    now: number,
  ): boolean {
    const minute = Math.floor(now / 60_000);
    const known = this.#minutes.get(tenant);
    const count = known?.minute === minute ? known.count : 0;
    if (count >= maxRequests || !lane.add(wanted, limits)) return false;
    this.#minutes.set(tenant, { minute, count: count + 1 });
    return true;
  }
}

/** What was let in under one bucket since it last answered. */
export class UnansweredAdmissions {
  #standing: BucketStanding | null = null;
  #requests = 0;
  #tokens = 0;
  #microdollars = 0;

  /** The bucket has answered: what was let in is on its way to it as a debt. */
  answered(standing: BucketStanding): void {
    this.#standing = standing;
    this.#requests = 0;
    this.#tokens = 0;
    this.#microdollars = 0;
  }

  add({ tokens, microdollars }: OpenAmounts, { rules }: LimitSet): boolean {
    const standing = this.#standing;
    const requests = this.#requests + 1;
    if (requests > (standing?.requests?.remaining ?? smallest(rules, "requests"))) return false;
    if (requests > smallest(rules, "slots")) return false;
    if (this.#tokens + tokens > (standing?.tokens?.remaining ?? smallest(rules, "tokens"))) return false;
    if (this.#microdollars + microdollars > smallest(rules, "microdollars")) return false;
    this.#requests = requests;
    this.#tokens += tokens;
    this.#microdollars += microdollars;
    return true;
  }
}

function smallest(rules: LimitSet["rules"], unit: Unit): number {
  let least = Infinity;
  for (const rule of rules) if (rule.unit === unit) least = Math.min(least, rule.capacity);
  return least;
}
