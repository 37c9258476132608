import type { StartTurn } from "../../src/shared/contracts/generation.ts";
import { dueWork } from "../../src/shared/turn/durable/turn-state.ts";
import type { GenerationParts } from "./generation-parts.ts";
import type { GenerationStore } from "./generation-store.ts";
import { Outbox } from "./outbox.ts";
import type { TurnAlarm } from "./turn-alarm.ts";
import type { ContentParts } from "./turn-content.ts";
import type { TurnJournal } from "./turn-journal.ts";

/** What is left to do for a turn that has ended: its effects are delivered, its journal is pruned, and last of all it is erased. */
export class EndedTurn {
  readonly #context: DurableObjectState;
  readonly #store: GenerationStore;
  readonly #journal: TurnJournal;
  readonly #alarm: TurnAlarm;
  #outbox: Outbox | null = null;

  constructor(context: DurableObjectState, store: GenerationStore, journal: TurnJournal, alarm: TurnAlarm) {
    this.#context = context;
    this.#store = store;
    this.#journal = journal;
    this.#alarm = alarm;
  }

  /**
   * Delivers what an earlier life of the object still owed when it was killed: a caller who looks at the turn need not wait for the alarm to see
   * that it is paid.
   */
  recover(parts: () => GenerationParts): void {
    const { turn } = this.#store;
    if (turn === null || this.#outbox !== null) return;
    if (dueWork(turn, this.#store.outboxState(), Date.now()).deliver)
      this.#context.waitUntil(this.tend(parts()));
  }

  /** Does whatever is due, then sets the alarm for the next. */
  async tend(parts: GenerationParts): Promise<void> {
    this.#outbox ??= new Outbox(this.#store, parts.deliver, parts.report);
    await this.#outbox.deliverDue();
    if (this.#store.content.isUsed) await this.#sweep(parts);
    const { turn } = this.#store;
    if (turn === null || turn.status === "running") return;
    const nowMs = Date.now();
    const due = dueWork(turn, this.#store.outboxState(), nowMs);
    if (due.erase) {
      this.#journal.erased();
      this.#alarm.clear();
      await this.erase();
      return;
    }
    if (due.prune) {
      this.#store.prune();
      this.#journal.clear();
    }
    this.#alarm.setFor(this.#store.turn ?? turn, this.#store.outboxState(), nowMs);
    if (parts.content !== null) await this.#move(parts, parts.content);
  }

  /** Erases content in the bucket that is no longer needed: all of it once the turn's time is over. */
  async #sweep({ content, report }: GenerationParts): Promise<void> {
    const { turn } = this.#store;
    if (turn === null || turn.status === "running") return;
    const owed = { pending: this.#store.owedEffects, nextDueMs: null };
    try {
      await this.#store.content.sweep(content?.bucket ?? null, dueWork(turn, owed, Date.now()).erase);
    } catch (error) {
      report("content-not-erased", { turnId: turn.turnId, detail: String(error) });
    }
  }

  /** Moves long-lived texts to the bucket, where storage is cheap. If the bucket does not take them, the alarm tries again. */
  async #move({ report }: GenerationParts, content: ContentParts): Promise<void> {
    try {
      await this.#store.content.move(content);
    } catch (error) {
      report("content-not-moved", { turnId: this.#store.turn?.turnId ?? "", detail: String(error) });
    }
    const { turn } = this.#store;
    if (turn !== null) this.#alarm.setFor(turn, this.#store.outboxState(), Date.now());
  }

  /** Other metadata (JSON) for a listed turn; the list is told in the background. `null`: there is none, or its answer is gone. */
  update(parts: GenerationParts, metadata: string): string | null {
    const response = this.#store.response();
    const changed =
      response === null || this.#store.listed() === null
        ? null
        : (parts.runner.withMetadata?.(response, metadata) ?? null);
    if (changed === null) return null;
    this.#store.changeResponse(changed, Date.now());
    this.#tellList(parts);
    return changed;
  }

  /**
   * Keeps the turn until the next object of its claim is over: an empty object would take the claim again, and the same request would be
   * answered twice.
   */
  outlive(parts: GenerationParts, { replayMs, deadlineMs }: StartTurn["policy"]): void {
    const nowMs = Date.now();
    this.#store.keepUntil(nowMs + replayMs + deadlineMs + outliveMarginMs, nowMs);
    this.#tellList(parts);
  }

  /** Whatever its list is owed, in the background. */
  #tellList(parts: GenerationParts): void {
    if (this.#store.owedEffects === 0) return;
    this.#alarm.remind();
    this.#context.waitUntil(this.tend(parts));
  }

  /** Erases all content, and tells the list. */
  async forget(parts: GenerationParts): Promise<void> {
    this.#store.forget(Date.now());
    this.#journal.clear();
    if (this.#store.listed() !== null || this.#store.content.isUsed) this.#alarm.remind();
    await this.tend(parts);
  }

  /** Calls that come meanwhile wait, and then find an unused object. */
  async erase(): Promise<void> {
    await this.#context.blockConcurrencyWhile(() => this.#store.erase());
  }
}

/** For clock differences, and for the time between the answer `expired` and the next object's claim. */
const outliveMarginMs = 3_600_000;
