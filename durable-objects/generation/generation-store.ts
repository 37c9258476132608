import type { StartTurn } from "../../src/shared/contracts/generation.ts";
import type { Progress } from "../../src/shared/turn/durable/progress.ts";
import type { JournalRow } from "../../src/shared/turn/durable/journal.ts";
import type { ListedTurn, TurnOutcome } from "../../src/shared/turn/durable/ports.ts";
import type { OutboxState } from "../../src/shared/turn/durable/turn-state.ts";
import { JournalSegments } from "./journal-segments.ts";
import { LongText } from "./long-text.ts";
import { keepsRequest, listedAtEnd, listedTurn, owedAgain } from "./listed-value.ts";
import { OwedEffects } from "./owed-effects.ts";
import { TurnContent } from "./turn-content.ts";
import {
  addedSince,
  claimedValue,
  endedValue,
  type OutboxAttempt,
  type OutboxEntry,
  type Turn,
  type TurnValue,
} from "./turn-value.ts";

/**
 * A turn on disk (docs/storage.md): one value for the turn with its end, its bill and its outbox, and its journal's segments. On SQLite's
 * key-value interface: one object holds one turn, and creating tables would write billed rows before the first token.
 *
 * Every change here is one put of one value: one row, applied whole or not at all. The value is made by `claim`: an object that was only asked
 * about holds nothing.
 */
const key = "turn";

/** Terminal events are few and share the value; more text than this gets segments of its own. */
const maxLastUnits = 90_000;

export class GenerationStore {
  readonly #storage: DurableObjectStorage;
  readonly #kv: SyncKvStorage;
  readonly #texts: LongText;
  readonly #journal: JournalSegments;
  readonly #owed: OwedEffects;
  /** The texts that lie in the bucket. */
  readonly content: TurnContent;
  /** The value on disk: read once at each wake, written only here. */
  #value: TurnValue | null;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#kv = storage.kv;
    this.#texts = new LongText(this.#kv);
    this.#journal = new JournalSegments(this.#kv);
    this.#owed = new OwedEffects(this.#texts);
    this.content = new TurnContent(storage, this.#texts, {
      isUsed: () => this.#value?.content === true,
      use: () => {
        const value = this.#needValue();
        if (value.content !== true) this.#put({ ...value, content: true });
      },
      turn: () =>
        this.#value === null
          ? null
          : {
              turnId: this.#value.turnId,
              tenant: this.#value.owner.tenant,
              isAtRest: this.#value.pruned && this.owedEffects === 0,
            },
      inTransaction: (work) => this.#transaction(work),
    });
    const stored = this.#kv.get<TurnValue>(key);
    this.#value = stored === undefined ? null : { ...addedSince, ...stored };
    if (this.#value === null) this.#journal.forget();
  }

  get turn(): Turn | null {
    return this.#value;
  }

  claim(message: StartTurn, nowMs: number): Turn {
    return this.#transaction(() => {
      this.#journal.forget();
      return this.#put(claimedValue(message, this.#texts.write("request", message.request), nowMs));
    });
  }

  /** Counts a run that is begun again, before it begins: a crash that follows counts as well. */
  restarted(): Turn {
    const value = this.#needValue();
    return this.#put({ ...value, restarts: value.restarts + 1 });
  }

  /** The request as it came; `null` once pruned. */
  request(): string | null {
    return this.#value === null || this.#value.pruned
      ? null
      : this.#texts.read("request", this.#value.request);
  }

  /** Throws if it lies elsewhere and was not fetched. */
  response(): string | null {
    return this.#value === null ? null : this.#texts.read("response", this.#value.response);
  }

  #hasResponse(): boolean {
    return this.#value !== null && this.#texts.has("response", this.#value.response);
  }

  /** What a listed turn was asked with: as long as its response is kept. `null`: not listed, deleted, or older code dropped it. */
  asked(): string | null {
    return this.#value?.listed === undefined ? null : this.#texts.read("request", this.#value.request);
  }

  listed(): ListedTurn | null {
    return this.#value === null ? null : listedTurn(this.#value, () => this.response());
  }

  /** The usage receipt's claims as JSON. */
  get receipt(): string | null {
    return this.#value?.receipt ?? null;
  }

  appendRows(rows: readonly JournalRow[]): void {
    if (rows.length === 1) this.#journal.append(rows);
    else if (rows.length > 1) this.#transaction(() => this.#journal.append(rows));
  }

  remember(note: string): void {
    this.#journal.remember(note);
  }

  get note(): string | null {
    return this.#journal.note;
  }

  keep(text: string): void {
    this.#journal.keep(text);
  }

  get kept(): string | null {
    return this.#hasJournal() ? this.#journal.kept : null;
  }

  /** The end and everything that it causes, in one row: the last events, the bill, the outbox. */
  end(
    outcome: TurnOutcome,
    headers: Readonly<Record<string, string>>,
    rows: readonly JournalRow[],
    nowMs: number,
  ): Turn {
    const value = this.#needValue();
    return this.#transaction(() => {
      const [last] = rows;
      const inline = rows.length === 1 && last !== undefined && last.payload.length <= maxLastUnits;
      if (!inline) this.#journal.append(rows);
      const { listed, others } = listedAtEnd(outcome.effects, nowMs);
      const response = outcome.status === "refused" ? null : outcome.response;
      return this.#put({
        ...endedValue(value, outcome, headers, nowMs),
        response: response === null ? null : this.#texts.write("response", response),
        ...listed,
        last: inline ? last : null,
        outbox: this.#owed.written(others, nowMs),
      });
    });
  }

  /** Rows from the one that holds event `from`, oldest first, until `maxUnits` of text are reached: one row at least, if any. */
  rowsFrom(from: number, maxUnits: number): JournalRow[] {
    return this.#hasJournal() ? this.#journal.from(from, maxUnits, this.#value?.last ?? null) : [];
  }

  /** The number after the last event that is stored, and what was delivered by then. */
  journalEnd(): { readonly next: number; readonly usage: Progress | null } {
    return this.#hasJournal() ? this.#journal.end(this.#value?.last ?? null) : { next: 0, usage: null };
  }

  /** Includes what the bucket still has to do. */
  outboxState(): OutboxState {
    const owed = this.#owed.state(this.#value);
    const contentMs = this.content.nextMs();
    if (contentMs === null) return owed;
    return { pending: owed.pending + 1, nextDueMs: Math.min(contentMs, owed.nextDueMs ?? contentMs) };
  }

  /** How many effects are not acknowledged yet. */
  get owedEffects(): number {
    return this.#owed.state(this.#value).pending;
  }

  dueEffects(nowMs: number): OutboxEntry[] {
    return this.#owed.due(this.#value, nowMs);
  }

  /** One row, however many effects were tried. */
  settle(attempts: readonly OutboxAttempt[]): void {
    const value = this.#needValue();
    this.#transaction(() => this.#put({ ...value, ...this.#owed.after(value, attempts) }));
  }

  /** Drops the journal and the request; of a listed chat completion the journal alone. */
  prune(): void {
    const value = this.#needValue();
    this.#transaction(() => {
      this.#journal.drop();
      const isKept = keepsRequest(value);
      if (!isKept) this.#dropRequest(value);
      const request = isKept ? value.request : null;
      return this.#put({ ...value, pruned: true, request, last: null });
    });
  }

  /** Replaces a listed turn's response; the list is then owed the change. */
  changeResponse(response: string, nowMs: number): void {
    const value = this.#needValue();
    this.#transaction(() => {
      this.#texts.drop("response");
      return this.#put({
        ...value,
        response: this.#texts.write("response", response),
        ...owedAgain(value, nowMs),
      });
    });
  }

  /** The turn stays at least until then, and its response with it, of which its list is to know. The journal goes when it would have gone. */
  keepUntil(untilMs: number, nowMs: number): void {
    const value = this.#needValue();
    if (value.endedMs === null) return;
    const isLonger = this.#hasResponse() && untilMs - value.endedMs > value.retentionMs;
    this.#put({
      ...value,
      ...(isLonger && owedAgain(value, nowMs)),
      retentionMs: Math.max(value.retentionMs, untilMs - value.endedMs),
      outlivesMs: Math.max(value.outlivesMs ?? 0, untilMs),
    });
  }

  /** The response stays at least until then, unless it was deleted. */
  hold(untilMs: number): void {
    const value = this.#needValue();
    if (value.endedMs === null || !this.#hasResponse()) return;
    this.#put({ ...value, retentionMs: Math.max(value.retentionMs, untilMs - value.endedMs) });
  }

  /** The caller wants the turn gone: no content stays, and the rest goes with the last effect, or with its claim's next use. */
  forget(nowMs: number): void {
    const value = this.#needValue();
    const owed = value.listed === undefined || !this.#hasResponse() ? {} : owedAgain(value, nowMs);
    this.#transaction(() => {
      this.#journal.drop();
      this.#dropRequest(value);
      this.#texts.drop("response");
      const gone = { pruned: true, request: null, last: null, response: null, receipt: null };
      const retentionMs = Math.max(0, (value.outlivesMs ?? 0) - (value.endedMs ?? 0));
      return this.#put({ ...value, ...gone, replayMs: 0, retentionMs, ...owed });
    });
  }

  /** Deletes everything, the alarm as well. Nothing else may run until it is done: a claim in between would be lost. */
  async erase(): Promise<void> {
    this.#value = null;
    this.#journal.forget();
    this.content.wereDeleted();
    await this.#storage.deleteAll();
  }

  #dropRequest({ request }: TurnValue): void {
    if (request === null) this.#texts.drop("request");
  }

  #hasJournal(): boolean {
    return this.#value !== null && !this.#value.pruned;
  }

  #needValue(): TurnValue {
    if (this.#value === null) throw new Error("there is no turn");
    return this.#value;
  }

  #put(value: TurnValue): TurnValue {
    this.#kv.put(key, value);
    this.#value = value;
    return value;
  }

  /** Memory follows storage only where the transaction went through. */
  #transaction<T>(work: () => T): T {
    const before = this.#value;
    try {
      return this.#storage.transactionSync(work);
    } catch (error) {
      this.#value = before;
      this.#journal.reload();
      throw error;
    }
  }
}
