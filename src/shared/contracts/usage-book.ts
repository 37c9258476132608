/**
 * Messages to a UsageBook object: what did a tenant's orgs use, day by day and model by model? One object a tenant. The orgs'
 * buckets are the truth; each tells its days until it is acknowledged (docs/limits.md, "Usage of a whole tenant").
 */
import type { ModelUse } from "../limits/bucket-protocol.ts";
import type { Jurisdiction } from "./owner.ts";

export const usageBookVersion = 1;

/** One day of one org so far, whole. */
export interface DayUse {
  /** `2026-11-30`, in the tenant's time zone. */
  readonly date: string;
  readonly uses: readonly ModelUse[];
}

/** An org's use. Idempotent, in any order: the largest report of each count stands. */
export interface BookUsage {
  readonly v: typeof usageBookVersion;
  readonly tenant: string;
  readonly org: string;
  readonly days: readonly DayUse[];
}
export type BookUsageOutcome = { readonly result: "booked" } | UsageBookFailure;

/** The dimensions of totals, in this order. */
export const usageGroups = ["date", "org", "model"] as const;
export type UsageGroup = (typeof usageGroups)[number];

export interface ReadUsage {
  readonly v: typeof usageBookVersion;
  readonly tenant: string;
  /** From this date on. */
  readonly from: string;
  /** Up to this date, which is not part of it. */
  readonly until: string;
  /** `null`: all. */
  readonly org: string | null;
  /** `null`: all. */
  readonly model: string | null;
  /** In the order of `usageGroups`. Empty: one total. */
  readonly groups: readonly UsageGroup[];
  /** What the last line of the page before was of, a text for each group; `null`: the first page. */
  readonly after: readonly string[] | null;
  /** 1 to 1,000. */
  readonly limit: number;
}
export type ReadUsageOutcome =
  | {
      readonly result: "ok";
      readonly lines: readonly UsageLine[];
      readonly hasMore: boolean;
      /** Of the whole range, not of the page. */
      readonly total: UsageTotal;
    }
  | UsageBookFailure;

export interface UsageTotal {
  readonly requests: number;
  readonly tokens: number;
  readonly microdollars: number;
}

/** A group that was not asked for is `null`. */
export interface UsageLine extends UsageTotal, Readonly<Record<UsageGroup, string | null>> {}

export type UsageBookFailure =
  /** Another tenant's: only possible by a mistake of ours. */
  { readonly result: "unknown" } | { readonly result: "version-unsupported"; readonly supported: number };

/** Which object a tenant's book is. */
export interface BookPlace {
  readonly tenant: string;
  readonly jurisdiction: Jurisdiction;
}

/** A tenant's id holds no `/`. */
export function usageBookName({ tenant }: BookPlace): string {
  return `${tenant}/usage`;
}
