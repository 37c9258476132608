import { DurableObject } from "cloudflare:workers";
import {
  type BookUsage,
  type BookUsageOutcome,
  type ReadUsage,
  type ReadUsageOutcome,
  type UsageBookFailure,
  usageBookVersion,
} from "../../src/shared/contracts/usage-book.ts";
import { UsageStore } from "./usage-store.ts";

/** A year and a month, so that a month can be held against the same of last year. */
const keptDays = 400;
/** Above that the oldest days go. A tenant of 10,000 orgs that use three models each every day has 12 million in `keptDays`. */
const mostRows = 20_000_000;

const sweepEveryMs = 86_400_000;

/**
 * What a tenant's orgs used, day by day. It decides nothing: the orgs' buckets report to it until they are acknowledged; a late or repeated
 * message changes nothing. `GET /admin/usage` reads it.
 */
export class UsageBook extends DurableObject {
  readonly #store: UsageStore;

  constructor(context: DurableObjectState, env: Cloudflare.Env) {
    super(context, env);
    this.#store = new UsageStore(context.storage);
  }

  async book(message: BookUsage): Promise<BookUsageOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    this.#store.book(message);
    if ((await this.ctx.storage.getAlarm()) === null)
      await this.ctx.storage.setAlarm(Date.now() + sweepEveryMs);
    return { result: "booked" };
  }

  read(message: ReadUsage): ReadUsageOutcome {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    const limit = Math.min(Math.max(Math.trunc(message.limit), 1), 1_000);
    const lines = this.#store.lines(message, limit + 1);
    return {
      result: "ok",
      lines: lines.slice(0, limit),
      hasMore: lines.length > limit,
      total: this.#store.total(message),
    };
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    const first = new Date(now - keptDays * 86_400_000).toISOString().slice(0, 10);
    if (this.#store.sweep(first, mostRows)) await this.ctx.storage.setAlarm(now + sweepEveryMs);
    // Messages that come meanwhile wait, and then find an unused object.
    else await this.ctx.blockConcurrencyWhile(() => this.#store.erase());
  }

  #failure({ v, tenant }: { readonly v: number; readonly tenant: string }): UsageBookFailure | null {
    if (v !== usageBookVersion) return { result: "version-unsupported", supported: usageBookVersion };
    const known = this.#store.tenant();
    return known === null || known === tenant ? null : { result: "unknown" };
  }
}
