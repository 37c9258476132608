/**
 * Writes an answer in which some tool calls are for the server to execute: those are not shown to the client, and a round that ends with
 * them does not end the answer. Everything else is left to the encoder that it wraps.
 */
import type { AnswerEncoder } from "./answer-encoder.ts";
import type { EngineDelta, FinishReason, ToolCallDelta } from "./engine-event.ts";

export class RoundEncoder implements AnswerEncoder {
  readonly #inner: AnswerEncoder;
  readonly #isOurs: (name: string) => boolean;
  /** Calls of ours, by the engine's index of them. */
  readonly #ours = new Set<number>();
  /** The client's calls: the engine's index of each, and the index that is sent. */
  readonly #shown = new Map<number, number>();
  #isCut = false;

  constructor(inner: AnswerEncoder, isOurs: (name: string) => boolean) {
    this.#inner = inner;
    this.#isOurs = isOurs;
  }

  /** The answer ended with calls of ours, whole: they are to be made. */
  get calledUs(): boolean {
    return this.#ours.size > 0 && !this.#isCut;
  }

  begin(createdSeconds: number): void {
    this.#inner.begin(createdSeconds);
  }

  content(choice: number, literal: string): string {
    return this.#inner.content(choice, literal);
  }

  frame(): ReturnType<AnswerEncoder["frame"]> {
    return this.#inner.frame();
  }

  delta(delta: EngineDelta): string {
    const { toolCalls, ...rest } = delta;
    if (toolCalls === undefined) return this.#inner.delta(delta);
    const theirs = toolCalls
      .filter((call) => !this.#takes(call))
      .map((call) => ({ ...call, index: this.#shownIndex(call.index) }));
    return this.#inner.delta(theirs.length === 0 ? rest : { ...rest, toolCalls: theirs });
  }

  /** Open items stay open until the calls are written: both are in one row of the journal, or neither is. */
  finish(choice: number, reason: FinishReason): string {
    // Where a cut-off answer would have ended its call is unknown.
    this.#isCut = reason === "length" || reason === "content_filter";
    return this.calledUs ? "" : this.#inner.finish(choice, reason);
  }

  end(usage: Parameters<AnswerEncoder["end"]>[0], reason: FinishReason): string {
    return this.calledUs ? "" : this.#inner.end(usage, reason);
  }

  failure(error: Parameters<AnswerEncoder["failure"]>[0]): string {
    return this.#inner.failure(error);
  }

  /** Clients count what they see. */
  #shownIndex(index: number): number {
    const shown = this.#shown.get(index) ?? this.#shown.size;
    this.#shown.set(index, shown);
    return shown;
  }

  #takes({ index, function: { name } }: ToolCallDelta): boolean {
    if (name !== undefined && this.#isOurs(name)) this.#ours.add(index);
    return this.#ours.has(index);
  }
}
