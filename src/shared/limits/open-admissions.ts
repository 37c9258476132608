import { RecentMap } from "./recent-map.ts";

/**
 * How many may be let in unasked? For a tenant whose policy is open while a bucket can't be reached: so many for each
 * isolate and minute, and never more than the bucket had left when it last answered.
 */
export class OpenAdmissions {
  readonly #minutes = new RecentMap<{ minute: number; count: number }>(1_000);

  /** Counts one in, or says no. `lastRemaining`: requests left when the bucket last answered; `null`: it never did. */
  admit(tenant: string, maxRequests: number, lastRemaining: number | null, now: number): boolean {
    const minute = Math.floor(now / 60_000);
    const most = Math.min(maxRequests, lastRemaining ?? maxRequests);
    const known = this.#minutes.get(tenant);
    const count = known?.minute === minute ? known.count : 0;
    if (count >= most) return false;
    this.#minutes.set(tenant, { minute, count: count + 1 });
    return true;
  }
}
