import { timedOut, within } from "../../src/shared/isolate/within.ts";
import type { DeliverEffect, Delivery } from "../../src/shared/turn/durable/ports.ts";
import { retryDelayMs } from "../../src/shared/turn/durable/turn-state.ts";
import type { GenerationStore } from "./generation-store.ts";
import type { OutboxAttempt, OutboxEntry } from "./turn-value.ts";

/** The longest that a delivery may take; after that it is repeated. */
const timeoutMs = 30_000;
/** From this attempt on each failure is reported. */
const reportFrom = 5;

export type Report = (event: string, fields: Readonly<Record<string, string | number>>) => void;

/**
 * Delivers what an ended turn owes others: each effect is repeated until it is acknowledged, at growing intervals, without end. A crash
 * between a delivery and its acknowledgement delivers again: receivers are idempotent by the turn id.
 */
export class Outbox {
  readonly #store: GenerationStore;
  readonly #deliver: DeliverEffect;
  readonly #report: Report;
  #under: Promise<void> | null = null;

  constructor(store: GenerationStore, deliver: DeliverEffect, report: Report) {
    this.#store = store;
    this.#deliver = deliver;
    this.#report = report;
  }

  /** Tries everything that is due, side by side; once at a time. Never rejects for a delivery that failed. */
  async deliverDue(): Promise<void> {
    while (this.#under !== null) await this.#under;
    const work = this.#tryDue();
    this.#under = work;
    try {
      await work;
    } finally {
      if (this.#under === work) this.#under = null;
    }
  }

  async #tryDue(): Promise<void> {
    const { turn } = this.#store;
    if (turn === null) return;
    const due = this.#store.dueEffects(Date.now());
    if (due.length === 0) return;
    const attempts = await Promise.all(due.map((entry) => this.#tryOne(turn.turnId, entry)));
    // All attempts share a row. If it is lost with the object, they are all repeated, to idempotent receivers.
    // The object may hold another turn by now, whose effects have the same numbers.
    if (this.#store.turn?.turnId === turn.turnId) this.#store.settle(attempts);
  }

  async #tryOne(turnId: string, entry: OutboxEntry): Promise<OutboxAttempt> {
    const { id, effect } = entry;
    const delivery = await this.#attempt(turnId, entry);
    if (delivery.result === "acknowledged") {
      if (delivery.detail !== undefined)
        this.#report("effect-dropped", { turnId, effect: effect.kind, detail: delivery.detail });
      return { id, retry: null };
    }
    const attempts = entry.attempts + 1;
    if (attempts >= reportFrom)
      this.#report("effect-delayed", { turnId, effect: effect.kind, attempts, detail: delivery.detail });
    const dueMs = Math.ceil(Date.now() + retryDelayMs(attempts, Math.random()));
    const { left } = delivery;
    return { id, retry: { attempts, dueMs }, ...(left === undefined ? {} : { left }) };
  }

  async #attempt(turnId: string, { effect, attempts }: OutboxEntry): Promise<Delivery> {
    try {
      const delivering = this.#deliver(effect, {
        turnId,
        attempt: attempts,
        listed: () => this.#store.listed(),
      });
      const delivery = await within(delivering, timeoutMs);
      return delivery === timedOut ? { result: "retry", detail: "no answer in time" } : delivery;
    } catch (error) {
      return { result: "retry", detail: String(error) };
    }
  }
}
