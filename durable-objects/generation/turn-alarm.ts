import { livenessMs, nextAlarmMs, type OutboxState } from "../../src/shared/turn/durable/turn-state.ts";
import type { Turn } from "./turn-value.ts";

/** When the object's alarm rings, as far as memory knows. Never set later than needed. */
export class TurnAlarm {
  readonly #context: DurableObjectState;
  #atMs: number | null = null;

  constructor(context: DurableObjectState) {
    this.#context = context;
  }

  get isSet(): boolean {
    return this.#atMs !== null;
  }

  /** It rang, or was deleted. */
  clear(): void {
    this.#atMs = null;
  }

  /** Before there is a turn. */
  async setLiveness(): Promise<void> {
    this.#atMs = Date.now() + livenessMs;
    await this.#context.storage.setAlarm(this.#atMs);
  }

  /** Something is owed now: if this memory is lost before it is delivered, the alarm delivers it. */
  remind(): void {
    const atMs = Date.now() + livenessMs;
    if (this.#atMs !== null && this.#atMs <= atMs) return;
    this.#atMs = atMs;
    this.#context.waitUntil(this.#context.storage.setAlarm(atMs));
  }

  /**
   * Makes sure that the alarm rings in time. One that rings earlier is left alone, since it looks again and setting it
   * costs a row.
   */
  setFor(turn: Turn, outbox: OutboxState, nowMs: number): void {
    const atMs = nextAlarmMs(turn, outbox, nowMs);
    if (this.#atMs !== null && this.#atMs <= atMs) return;
    this.#atMs = atMs;
    this.#context.waitUntil(this.#context.storage.setAlarm(atMs));
  }
}
