import { readBucketName } from "../../src/shared/limits/bucket-name.ts";
import type { UsageReport } from "../../src/shared/limits/usage-days.ts";
import { err } from "../../src/shared/contracts/result.ts";
import { timedOut, within } from "../../src/shared/isolate/within.ts";
import { bookUsage } from "../usage-book/usage-book-port.ts";

/** The longest delay before use is in the tenant's book. */
const everyMs = 60_000;
/** A book that does not answer within this is told again later: the same alarm has other duties. */
const timeoutMs = 10_000;

/**
 * Tells its tenant's usage book what an org's bucket counted. A user's bucket tells nothing: a tenant may have a million users,
 * and one book.
 */
export class BookKeeper {
  readonly #env: Pick<Cloudflare.Env, "USAGE_BOOK" | "ENVIRONMENT">;
  readonly #owner: ReturnType<typeof readBucketName>;
  readonly #jurisdiction: "eu" | "none";
  /** Orgs tell their book at times of their own, the same in every minute. */
  readonly #offsetMs: number;

  constructor(id: DurableObjectId, env: Pick<Cloudflare.Env, "USAGE_BOOK" | "ENVIRONMENT">) {
    this.#env = env;
    const name = id.name ?? "";
    this.#owner = readBucketName(name);
    // Locally there is no jurisdiction but the one that `bucketStub` puts before the name.
    this.#jurisdiction = id.jurisdiction === "eu" || name.startsWith("eu:") ? "eu" : "none";
    this.#offsetMs = offsetOf(name);
  }

  get keepsDays(): boolean {
    return this.#owner?.scope === "org";
  }

  /** A fixed beat: a bucket that wakes and sleeps again every few seconds does not put it off each time. */
  nextTellingMs(now: number): number {
    return now + everyMs - ((now - this.#offsetMs) % everyMs);
  }

  /** Never throws. @returns whether the book has it on disk */
  async tell({ days }: UsageReport): Promise<boolean> {
    if (this.#owner === null) return false;
    const { tenant, id: org } = this.#owner;
    const place = { tenant, jurisdiction: this.#jurisdiction };
    const telling = await within(bookUsage(this.#env, place, org, days), timeoutMs);
    const told = telling === timedOut ? err("no answer in time") : telling;
    if (!told.ok)
      // oxlint-disable-next-line no-console -- an object's way to the log.
      console.error(
        JSON.stringify({ level: "error", event: "usage-not-booked", tenant, detail: told.error }),
      );
    return told.ok;
  }
}

function offsetOf(name: string): number {
  let hash = 0;
  for (let at = 0; at < name.length; at += 1) hash = (hash * 31 + name.charCodeAt(at)) % everyMs;
  return hash;
}
