/**
 * Does a tenant exist, and which of its fields may a new configuration not change? KV knows, but other locations see a write a minute
 * later. So the last change through the API is remembered for as long as KV may be stale (src/shared/admin/tenant-claims.ts). Where the two
 * differ the later one counts, as far as their times tell. Pure.
 */
import * as z from "zod";
import { readGoneMark } from "./gone-mark.ts";
import type { TenantConfig } from "./tenant-config.ts";

/** What a tenant keeps for good. */
export interface Lasting {
  /** Part of the id of every object. */
  readonly jurisdiction: TenantConfig["jurisdiction"];
  /** `keys.created_after`, in seconds since 1970. */
  readonly createdAfter: number;
}

/** What a change through the API left, minutes ago. */
export interface LatelyLeft {
  /** By the clock of whoever changed it, in milliseconds since 1970. */
  readonly atMs: number;
  /** `null`: no tenant. */
  readonly lasting: Lasting | null;
}

export interface TenantStanding {
  readonly exists: boolean;
  /** It is not there any more: a tenant by its name is another one. */
  readonly isGone: boolean;
  /** By KV, and by whoever changed it last: two that differ where KV is behind by a whole tenant. Empty: a tenant of which nothing can be read. */
  readonly lasting: readonly Lasting[];
}

const gone: TenantStanding = { exists: false, isGone: true, lasting: [] };

/**
 * @param entry the tenant's own, in KV
 * @param mark that it was deleted, in KV
 */
export function standingOf(
  entry: string | null,
  mark: string | null,
  lately: LatelyLeft | null,
): TenantStanding {
  if (entry === null) {
    if (lately === null || lately.lasting === null)
      return mark === null && lately === null ? { exists: false, isGone: false, lasting: [] } : gone;
    // The command, which leaves no word, deleted it after that.
    if (mark !== null && readGoneMark(mark).goneMs >= lately.atMs) return gone;
    return { exists: true, isGone: false, lasting: [lately.lasting] };
  }
  const own = lastingOf(entry);
  if (lately !== null) {
    // One that the command has made anew since has its time in it.
    const isSince =
      own !== null &&
      own.createdAfter >= Math.floor(lately.atMs / 1000) &&
      own.createdAfter !== lately.lasting?.createdAfter;
    if (isSince) return { exists: true, isGone: false, lasting: [own] };
    if (lately.lasting === null) return gone;
  }
  const known = [own, lately?.lasting ?? null].filter((lasting) => lasting !== null);
  return { exists: true, isGone: false, lasting: known };
}

const lastingSchema = z.lazy(() =>
  z.object({
    jurisdiction: z.enum(["none", "eu"]).default("none"),
    keys: z.object({ created_after: z.number().default(0) }).prefault({}),
  }),
);

/**
 * Of an entry. Read by itself: one that is broken elsewhere, or of a form that this code no longer takes, says it as well. `null`: it says
 * nothing.
 */
export function lastingOf(entry: string): Lasting | null {
  let json: unknown;
  try {
    json = JSON.parse(entry);
  } catch {
    // Nothing of it can be known.
    return null;
  }
  const parsed = lastingSchema.safeParse(json);
  if (!parsed.success) return null;
  const { jurisdiction, keys } = parsed.data;
  return { jurisdiction, createdAfter: keys.created_after };
}
