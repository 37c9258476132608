import {
  completionIndexVersion,
  type ListCompletions,
  type ListCompletionsOutcome,
  type TellCompletion,
  type TellCompletionOutcome,
} from "../../src/shared/contracts/completion-index.ts";
import { IndexRoll } from "../storage/index-roll.ts";
import { wrongMessage } from "../storage/owned-message.ts";
import { RolledObject } from "../storage/rolled-object.ts";
import { completionRollParts } from "./completion-roll-parts.ts";
import { CompletionStore } from "./completion-store.ts";

/**
 * One user's stored chat completions. It decides nothing: Generation objects report their state in numbered revisions until they are
 * acknowledged, so a late or repeated message changes nothing. An entry expires with its completion, by the object's own alarm.
 */
export class CompletionIndex extends RolledObject {
  readonly #store: CompletionStore;
  protected override readonly roll: IndexRoll;
  /** Told since the entries were last counted, as far as memory knows. */
  #toldSinceSweep = 0;

  constructor(context: DurableObjectState, env: Cloudflare.Env) {
    super(context, env);
    this.#store = new CompletionStore(context.storage);
    this.roll = new IndexRoll(context, this.#store, completionRollParts(context, env));
  }

  async tell(message: TellCompletion): Promise<TellCompletionOutcome> {
    const failure = wrongMessage(message, completionIndexVersion, this.#store);
    if (failure !== null) return failure;
    if (message.entry !== null) await this.roll.join(message.owner);
    const nowMs = Date.now();
    this.#store.tell(message, nowMs);
    this.#toldSinceSweep += 1;
    if (this.#toldSinceSweep >= sweepAfter) await this.#sweep(nowMs);
    else if ((await this.ctx.storage.getAlarm()) === null)
      await this.ctx.storage.setAlarm(nowMs + latestSweepMs);
    await this.roll.wakeInTime();
    return { result: "told" };
  }

  list(message: ListCompletions): ListCompletionsOutcome {
    const failure = wrongMessage(message, completionIndexVersion, this.#store);
    if (failure !== null) return failure;
    const limit = Math.min(Math.max(Math.trunc(message.limit), 1), 100);
    const page = this.#store.page(message, limit + 1, Date.now());
    if (page === null) return { result: "after-unknown" };
    return { result: "ok", entries: page.slice(0, limit), hasMore: page.length > limit };
  }

  override async alarm(): Promise<void> {
    await this.#sweep(Date.now());
  }

  async #sweep(nowMs: number): Promise<void> {
    this.#toldSinceSweep = 0;
    const nextMs = this.#store.sweep(mostEntries, nowMs);
    if (nextMs === null) this.roll.leaveIfEmpty();
    else {
      const soonestMs = Math.max(nextMs, nowMs + soonestSweepMs);
      await this.ctx.storage.setAlarm(Math.min(soonestMs, nowMs + latestSweepMs));
    }
    // Without entries, and on no roll, the object deletes itself.
    await this.roll.run();
  }
}

/** Above that the oldest leave the list; by their ids they are had on. A narrowed list reads all of a user's entries. */
const mostEntries = 100_000;
/** A sweep reads every entry, so there is time between two. What is over is not listed meanwhile. */
const soonestSweepMs = 3_600_000;
/** Entries are counted this often at least. */
const latestSweepMs = 86_400_000;
/** So that not more than this comes beyond `mostEntries` while the object is awake. */
const sweepAfter = 5_000;
