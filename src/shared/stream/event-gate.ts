/**
 * Does the turn's budget cover the engine's next event? Counts the tokens of each event, asks for more ahead of need, and holds the one
 * event that must wait until an extension is decided.
 */
import type { AnswerBudget } from "./answer-options.ts";
import { UsageMeter } from "./usage-meter.ts";

/** Room asked for ahead of an event: one event brings more tokens than this only from an engine that drafts ahead. */
const eventTokens = 8;

/** The budget has no room for an event's tokens: they are not counted. */
const noRoom = -1;
/** It may have, once the extension that was just asked for is decided. */
export const noRoomYet = -2;

interface GateOptions {
  /** As estimated; used where the engine never says. */
  readonly promptTokens: number;
  readonly budget?: AnswerBudget;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export class EventGate {
  readonly meter: UsageMeter;
  readonly #budget: AnswerBudget | undefined;
  readonly #now: () => number;
  #firstTokenAtMs: number | undefined;
  #held: { readonly data: string; readonly tokens: number } | null = null;

  constructor({ promptTokens, budget, now = Date.now }: GateOptions) {
    this.meter = new UsageMeter(promptTokens);
    this.#budget = budget;
    this.#now = now;
  }

  /** Milliseconds since 1970; undefined: none came yet. */
  get firstTokenAtMs(): number | undefined {
    return this.#firstTokenAtMs;
  }

  get mustWait(): boolean {
    const budget = this.#budget;
    return (
      budget !== undefined &&
      budget.pending !== null &&
      budget.ask(this.meter.completionTokens + Math.max(eventTokens, this.#held?.tokens ?? 0)) === "wait"
    );
  }

  /** What the pass waits for; null: nothing. */
  get pending(): Promise<void> | null {
    return this.mustWait ? (this.#budget?.pending ?? null) : null;
  }

  /** Whether so many tokens at once were asked for ahead of any event. */
  isUsual(tokens: number): boolean {
    return tokens <= eventTokens;
  }

  /** An event with more tokens than are covered waits before any of it is counted or sent. */
  holds(data: string, tokens: number): boolean {
    return !this.isUsual(tokens) && this.holdsTogether(data, tokens);
  }

  /** The same for an event of several choices, however few its tokens: once one choice was sent, the others can't wait. */
  holdsTogether(data: string, tokens: number): boolean {
    if (this.#budget?.ask(this.meter.completionTokens + tokens) !== "wait") return false;
    this.hold(data, tokens);
    return true;
  }

  hold(data: string, tokens: number): void {
    this.#held = { data, tokens };
  }

  get isHolding(): boolean {
    return this.#held !== null;
  }

  /** The event that waited. */
  takeHeld(): string | undefined {
    const held = this.#held;
    this.#held = null;
    return held?.data;
  }

  /** The engine's own count of the prompt, which was reserved by an estimate. */
  promptCounted(tokens: number): void {
    this.#budget?.promptCounted(tokens);
  }

  /**
   * Counts an event's tokens, and returns them; less than 0 where there are too many, `noRoomYet` or for good.
   * @param said the event's `usage.completion_tokens`; -1: it has none
   */
  count(choice: number, said: number, carriesToken: boolean, isReasoning: boolean): number {
    const tokens = this.meter.added(choice, said, carriesToken);
    if (tokens > 0 && this.#budget !== undefined) {
      const verdict = this.#budget.ask(this.meter.completionTokens + tokens);
      if (verdict !== "go-on") return verdict === "wait" ? noRoomYet : noRoom;
    }
    this.meter.add(choice, tokens, isReasoning, said !== -1);
    if (carriesToken && this.#firstTokenAtMs === undefined) this.#firstTokenAtMs = this.#now();
    return tokens;
  }
}
