import {
  drained,
  endedMs,
  endsBy,
  expiresMs,
  finalized,
  hasEnded,
  type BatchLife,
  type EndedBatch,
} from "../../src/shared/batches/batch-life.ts";
import { requestIdOf } from "../../src/shared/batches/line-name.ts";
import { unexecutedText } from "../../src/shared/batches/result-line.ts";
import { validateInput } from "./batch-input.ts";
import { BatchLines } from "./batch-lines.ts";
import type { BatchParts } from "./batch-parts.ts";
import type { BatchStore } from "./batch-store.ts";

/**
 * Brings a batch to its end, step by step: validate ▸ lines ▸ files ▸ tell its Library ▸ (a month later) forget. Storage says which step is
 * due, every step may be repeated, and the alarm retries what was killed or failed, so a crash at any point loses nothing.
 */
export class BatchWork {
  readonly #context: DurableObjectState;
  readonly #store: BatchStore;
  readonly #parts: () => BatchParts;
  #lines: BatchLines | null = null;
  #under: Promise<void> | null = null;
  #failures = 0;

  constructor(context: DurableObjectState, store: BatchStore, parts: () => BatchParts) {
    this.#context = context;
    this.#store = store;
    this.#parts = parts;
  }

  /** Continues with what is due, in the background. Never throws. */
  async start(): Promise<void> {
    if (this.#store.life() === null) {
      // A day after its end no message to it can be under way.
      if (this.isBuried) await this.#forget();
      return;
    }
    // Should memory be lost from here on, the alarm goes on.
    await this.#context.storage.setAlarm(Date.now() + livenessMs);
    this.#under ??= this.#run().finally(() => {
      this.#under = null;
    });
    this.#context.waitUntil(this.#under);
    this.#lines?.wake();
  }

  /**
   * At a wake: an alarm that the platform gave up, or that a kill came ahead of, is set again. Where lines were under way, whoever wakes it need
   * not wait for the one that is set.
   */
  async wake(): Promise<void> {
    if (this.#store.life() === null) return;
    const isSet = (await this.#context.storage.getAlarm()) !== null;
    if (!isSet || this.#store.begun().length > 0) await this.#context.storage.setAlarm(Date.now());
  }

  async #run(): Promise<void> {
    for (;;) {
      const life = this.#store.life();
      if (life === null) return;
      let pauseMs: number | null;
      try {
        pauseMs = await this.#step(life);
        this.#failures = 0;
      } catch (error) {
        this.#failures += 1;
        pauseMs = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(this.#failures, 10));
        this.#parts().report(`${life.status}: ${String(error)}`);
      }
      if (pauseMs === null) continue;
      if (this.#store.life() !== null) await this.#context.storage.setAlarm(Date.now() + pauseMs);
      return;
    }
  }

  /** @returns when there is more to do, in milliseconds from now; `null`: at once. Rejects where somebody could not be reached */
  async #step(life: BatchLife): Promise<number | null> {
    if (life.deletedMs !== null) return this.#erase(life);
    if (hasEnded(life)) return this.#afterwards(life);
    switch (life.status) {
      case "validating":
        if (Date.now() >= expiresMs(life)) {
          // Of a file that was not looked at to its end, no line is one.
          this.#store.dropLines();
          return this.#drain(endsBy(life, "expired", Date.now()));
        }
        await validateInput(life, this.#store, this.#parts());
        return null;
      case "finalizing":
        return this.#finalize(life);
      default: {
        // Cancelled before its lines were known.
        if (life.total === 0) return this.#finalize(life);
        this.#lines ??= new BatchLines(life, this.#store, this.#parts());
        const pauseMs = await this.#lines.run();
        return pauseMs ?? this.#drain(this.#store.life());
      }
    }
  }

  /** No line is under way, and none begins any more. */
  async #drain(life: BatchLife | null): Promise<number | null> {
    if (life === null || life.deletedMs !== null) return null;
    const now = drained(life, Date.now());
    this.#store.write(now);
    return now.status === "cancelling" ? this.#finalize(now) : null;
  }

  async #finalize(life: BatchLife): Promise<null> {
    const files = { output: this.#store.results("output"), error: this.#errors(life) };
    const ids: { output: string | null; error: string | null } = { output: null, error: null };
    for (const kind of ["output", "error"] as const) {
      const first = files[kind].next();
      if (first.done === true) continue;
      ids[kind] = await this.#parts().keepFile(life, kind, startingWith(first.value, files[kind]));
    }
    const now = this.#store.life();
    // Erased meanwhile: the Library takes its files back by itself.
    if (now === null || now.deletedMs !== null) return null;
    const ended = finalized(now, { outputFileId: ids.output, errorFileId: ids.error }, Date.now());
    this.#store.transaction(() => {
      this.#store.write(ended);
      this.#store.dropLines();
    });
    this.#parts().counted("dropped", this.#neverBegun(ended));
    this.#parts().ended(ended, this.#store.tally());
    return null;
  }

  #neverBegun({ total }: BatchLife): number {
    const { completed, failed } = this.#store.tally();
    return total - completed - failed;
  }

  /** What was answered by an error, and what never began; but not of a batch that was cancelled, whose owner wanted no more. */
  *#errors({ id, ending }: BatchLife): Generator<string> {
    yield* this.#store.results("error");
    if (ending === "expired" || ending === "failed")
      for (const { number, customId } of this.#store.unexecuted())
        yield unexecutedText(requestIdOf(id, number), customId, ending);
  }

  async #afterwards(life: EndedBatch): Promise<number | null> {
    if (!life.told) {
      const parts = this.#parts();
      // Charges that can't be told yet must not keep its owner from another batch: this one has ended.
      const [paid] = await Promise.allSettled([this.#store.charges.tell(life, parts)]);
      await parts.releasePlaces(life);
      await parts.tellOver(life, "ended");
      if (paid.status === "rejected") throw paid.reason;
      const now = this.#store.life();
      if (now !== null) this.#store.write({ ...now, told: true });
      return null;
    }
    const overMs = endedMs(life) + keptMs - Date.now();
    if (overMs > 0) return overMs;
    await this.#parts().tellOver(life, "gone");
    await this.#forget();
    return null;
  }

  /** Turns that may be there end, and go, before the last trace of whose they are. */
  async #erase(life: BatchLife): Promise<null> {
    const begun = this.#store.begun();
    for (let at = 0; at < begun.length; at += forgottenAtOnce)
      await Promise.all(
        begun.slice(at, at + forgottenAtOnce).map((line) => this.#parts().forget(life, line)),
      );
    // They may have been on their way when its owner's Library was erased.
    if (life.status === "finalizing" || life.status === "cancelling")
      for (const kind of ["output", "error"] as const) await this.#parts().dropFile(life, kind);
    this.#store.transaction(() => {
      this.#store.dropLines();
      this.#store.charges.giveBackOpen();
    });
    await this.#store.charges.tell(life, this.#parts());
    await this.#parts().releasePlaces(life);
    if (!hasEnded(life)) this.#parts().counted("dropped", this.#neverBegun(life));
    await this.#forget();
    this.#bury();
    await this.#context.storage.setAlarm(Date.now() + buriedMs);
    return null;
  }

  /** A creation that is still on its way comes too late. */
  #bury(): void {
    this.#context.storage.kv.put(buriedKey, Date.now());
  }

  /** It was to end before it was there. */
  async endUnborn(): Promise<void> {
    this.#bury();
    await this.#context.storage.setAlarm(Date.now() + buriedMs);
  }

  /** It was deleted lately: none of this name will be created. */
  get isBuried(): boolean {
    return this.#context.storage.kv.get(buriedKey) !== undefined;
  }

  async #forget(): Promise<void> {
    this.#store.forgotten();
    this.#lines = null;
    await this.#context.blockConcurrencyWhile(() => this.#context.storage.deleteAll());
  }
}

/** A batch that has ended can be looked at for so long. Its files stay as long as their owner wants. */
const keptMs = 30 * 86_400_000;
/** A deleted one's name is remembered for so long. */
const buriedMs = 86_400_000;
const buriedKey = "buried";
const livenessMs = 30_000;
const firstRetryMs = 500;
const longestRetryMs = 300_000;
const forgottenAtOnce = 6;

function* startingWith<T>(first: T, rest: Iterable<T>): Generator<T> {
  yield first;
  yield* rest;
}
