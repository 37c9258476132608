import {
  decideEntry,
  type EnteringTurn,
  type RunningTurn,
  stillRunning,
} from "../../src/shared/turn/durable/turn-order.ts";

/**
 * Who may write to this conversation now? Lets turns in one at a time, in the order in which they came, and tells whoever
 * watches.
 *
 * Who runs is on disk, since a turn outlives this object's memory; who waits is not: a waiting turn is a pending call,
 * and makes it again where the object was lost. The write is not waited for, so that it costs no time before the first
 * word: should a crash undo it, two turns may run at once, each appended whole.
 */
export type Entered =
  | { readonly kind: "entered" }
  | { readonly kind: "busy"; readonly why: "running" | "full" | "late"; readonly running: RunningTurn };

interface Waiter {
  readonly turn: EnteringTurn;
  readonly entered: Promise<Entered>;
  readonly settle: (entered: Entered) => void;
}

export class TurnGate {
  readonly #context: DurableObjectState;
  readonly #waiting: Waiter[] = [];
  readonly #watching = new Set<() => void>();
  /** The latest that were saved, oldest first, each with the change that its end was. */
  readonly #ended: { readonly turn: RunningTurn; readonly change: number }[] = [];
  /** Counted on from a time, so that no other memory's numbers are taken for this one's. */
  #changes = Date.now();
  /** What changed up to here is not known: before this memory, or longer ago than is remembered. */
  #knownSince = this.#changes;
  /** The latest that were over. */
  readonly #released = new Set<string>();
  #known: readonly RunningTurn[] | null = null;

  constructor(context: DurableObjectState) {
    this.#context = context;
  }

  running(nowMs: number): readonly RunningTurn[] {
    this.#known ??= this.#context.storage.kv.get<readonly RunningTurn[]>(key) ?? [];
    return stillRunning(this.#known, [], nowMs);
  }

  /** Resolves when the turn may begin, or is turned away. */
  async enter(turn: EnteringTurn, nowMs: number): Promise<Entered> {
    if (turn.gone.length > 0) this.#keep(stillRunning(this.running(nowMs), turn.gone, nowMs), nowMs);
    // The same turn again, whose first call may have nobody left who hears its answer: it keeps its place, and has no second.
    const known = this.#waiting.find((waiter) => waiter.turn.turnId === turn.turnId);
    if (known !== undefined) return known.entered;
    // Its end has overtaken it: nobody would release it again.
    if (this.#released.has(turn.turnId)) return { kind: "entered" };
    const entry = decideEntry(turn, this.running(nowMs), this.#waiting.length);
    if (entry.kind === "busy") return entry;
    if (entry.kind === "enter") {
      this.#begin(turn, nowMs);
      return { kind: "entered" };
    }
    const { promise, resolve } = Promise.withResolvers<Entered>();
    const timer = setTimeout(() => this.#giveUp(turn.turnId), turn.waitMs);
    this.#waiting.push({
      turn,
      entered: promise,
      settle: (entered) => {
        clearTimeout(timer);
        resolve(entered);
      },
    });
    this.#next(nowMs);
    return promise;
  }

  /**
   * The turn has ended, or never began. The next one begins. Whether it ran, as far as anybody knows.
   *
   * @param isSaved one that left nothing is told to nobody who did not see it run: its client has its words back
   */
  release(turnId: string, nowMs: number, isSaved: boolean): boolean {
    this.#released.add(turnId);
    const [oldest] = this.#released;
    if (oldest !== undefined && this.#released.size > mostReleased) this.#released.delete(oldest);
    const at = this.#waiting.findIndex(({ turn }) => turn.turnId === turnId);
    // Nobody listens to it any more: its own object has ended it.
    if (at !== -1) this.#waiting.splice(at, 1)[0]?.settle({ kind: "entered" });
    const running = this.running(nowMs);
    const turn = running.find((each) => each.turnId === turnId);
    if (turn !== undefined && isSaved) this.#noteEnd(turn);
    this.#keep(
      running.filter((each) => each !== turn),
      nowMs,
    );
    return turn !== undefined;
  }

  /** The conversation is gone. Nobody runs in it any more; those that wait go on, and find it gone. */
  clear(nowMs: number): void {
    for (const { settle } of this.#waiting.splice(0)) settle({ kind: "entered" });
    this.#keep([], nowMs);
  }

  /** Resolves when a turn has begun or ended, or after `timeoutMs`. */
  changed(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#watching.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      this.#watching.add(wake);
    });
  }

  /** Another number whenever a turn was saved, or something else changed what is listed. */
  get changes(): number {
    return this.#changes;
  }

  /** What a watcher that saw the change `seen` last has missed. */
  since(seen: number): { readonly ended: readonly RunningTurn[]; readonly more: boolean } {
    const isKnown = seen >= this.#knownSince && seen <= this.#changes;
    if (!isKnown) return { ended: [], more: true };
    const ended = this.#ended.filter(({ change }) => change > seen).map(({ turn }) => turn);
    return { ended, more: this.#changes - seen > ended.length };
  }

  /** Something that is no turn changed what is listed. */
  changedItems(): void {
    this.#changes += 1;
    this.ring();
  }

  /** Wakes whoever watches. */
  ring(): void {
    for (const wake of this.#watching) wake();
  }

  #begin(turn: EnteringTurn, nowMs: number): void {
    const { turnId, responseId, input } = turn;
    const others = this.running(nowMs).filter((each) => each.turnId !== turnId);
    this.#keep(
      [...others, { turnId, responseId, beganMs: nowMs, leaseMs: nowMs + turn.runMs, input }],
      nowMs,
    );
  }

  #keep(running: readonly RunningTurn[], nowMs: number): void {
    const had = (this.#known ?? []).length;
    this.#known = running;
    const { storage } = this.#context;
    if (running.length > 0) this.#context.waitUntil(storage.put(key, running, { allowUnconfirmed: true }));
    else if (had > 0) this.#context.waitUntil(storage.delete(key, { allowUnconfirmed: true }));
    this.ring();
    this.#next(nowMs);
  }

  #noteEnd(turn: RunningTurn): void {
    this.#changes += 1;
    this.#ended.push({ turn, change: this.#changes });
    if (this.#ended.length <= mostEnded) return;
    this.#knownSince = this.#ended.shift()?.change ?? this.#changes;
  }

  #next(nowMs: number): void {
    if (this.running(nowMs).length > 0) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#begin(next.turn, nowMs);
    next.settle({ kind: "entered" });
  }

  #giveUp(turnId: string): void {
    const at = this.#waiting.findIndex(({ turn }) => turn.turnId === turnId);
    const [waiter] = at === -1 ? [] : this.#waiting.splice(at, 1);
    if (waiter === undefined) return;
    const [running] = this.running(Date.now());
    if (running !== undefined) waiter.settle({ kind: "busy", why: "late", running });
    else {
      this.#begin(waiter.turn, Date.now());
      waiter.settle({ kind: "entered" });
    }
  }
}

const key = "running";
/** Between two questions of a watcher lie milliseconds; with what was asked, each may hold 64 KB. */
const mostEnded = 8;
/** A call is overtaken by seconds, in which few turns end. */
const mostReleased = 32;
