/** What was the whole answer? Gathered from the deltas as the client saw them, for assembling and for the cache. */
import type { CachedAnswer, CachedChoice } from "../cache/ports.ts";
import type { Usage } from "../contracts/usage.ts";
import type { EngineDelta, FinishReason, ToolCallDelta } from "./engine-event.ts";
import { toChatLogprobs, type ChatLogprobs } from "./logprobs.ts";

export interface CollectedChoice {
  content: string | null;
  reasoning: string | null;
  refusal: string | null;
  readonly toolCalls: { id: string; name: string; arguments: string }[];
  logprobs: { content: object[]; refusal: object[] } | null;
  finishReason: FinishReason | null;
}

/** Grows with the answer up to a cap; over it, it keeps nothing more and says so. */
export class AnswerCollector {
  readonly #maxCharacters: number;
  /** An answer over the cap fails, since someone waits for the whole; otherwise it is merely forgotten. */
  readonly mustBeWhole: boolean;
  readonly #choices: CollectedChoice[] = [];
  #characters = 0;

  constructor(maxCharacters: number, mustBeWhole: boolean) {
    this.#maxCharacters = maxCharacters;
    this.mustBeWhole = mustBeWhole;
  }

  get overflowed(): boolean {
    return this.#characters > this.#maxCharacters;
  }

  get choices(): readonly CollectedChoice[] {
    return this.#choices;
  }

  content(choice: number, text: string): void {
    if (!this.#take(text.length)) return;
    const collected = this.#choice(choice);
    collected.content = (collected.content ?? "") + text;
  }

  delta(delta: EngineDelta): void {
    if (delta.content !== undefined && delta.content !== "") this.content(delta.index, delta.content);
    const choice = this.#choice(delta.index);
    if (delta.reasoning !== undefined && this.#take(delta.reasoning.length))
      choice.reasoning = (choice.reasoning ?? "") + delta.reasoning;
    if (delta.refusal !== undefined && this.#take(delta.refusal.length))
      choice.refusal = (choice.refusal ?? "") + delta.refusal;
    for (const call of delta.toolCalls ?? []) this.#toolCall(choice, call);
    const logprobs = toChatLogprobs(delta.logprobs);
    if (logprobs !== null) this.#logprobs(choice, logprobs);
  }

  finish(choice: number, reason: FinishReason): void {
    this.#choice(choice).finishReason = reason;
  }

  /** For the cache; `null` where it is not complete, or holds what a `CachedAnswer` can't (log probabilities, a refusal). */
  toCached(model: string, createdMs: number, usage: Usage): CachedAnswer | null {
    if (this.overflowed || this.#choices.length === 0) return null;
    const choices: CachedChoice[] = [];
    for (const { content, reasoning, refusal, toolCalls, logprobs, finishReason } of this.#choices) {
      if (finishReason === null || refusal !== null || logprobs !== null) return null;
      choices.push({ content, reasoning, toolCalls, finishReason });
    }
    return { model, createdMs, choices, usage };
  }

  #choice(index: number): CollectedChoice {
    for (let at = this.#choices.length; at <= index; at++)
      this.#choices.push({
        content: null,
        reasoning: null,
        refusal: null,
        toolCalls: [],
        logprobs: null,
        finishReason: null,
      });
    const choice = this.#choices[index];
    if (choice === undefined) throw new RangeError("a choice's index is a whole number");
    return choice;
  }

  #take(characters: number): boolean {
    this.#characters += characters;
    return !this.overflowed;
  }

  #toolCall(choice: CollectedChoice, call: ToolCallDelta): void {
    if (!this.#take((call.function.arguments?.length ?? 0) + (call.function.name?.length ?? 0) + 32)) return;
    while (choice.toolCalls.length <= call.index) choice.toolCalls.push({ id: "", name: "", arguments: "" });
    const known = choice.toolCalls[call.index];
    if (known === undefined) throw new RangeError("a call's index is a whole number");
    if (call.id !== undefined) known.id = call.id;
    known.name += call.function.name ?? "";
    known.arguments += call.function.arguments ?? "";
  }

  #logprobs(choice: CollectedChoice, logprobs: ChatLogprobs): void {
    choice.logprobs ??= { content: [], refusal: [] };
    const count = (logprobs.content?.length ?? 0) + (logprobs.refusal?.length ?? 0);
    if (!this.#take(count * 64)) return;
    choice.logprobs.content.push(...(logprobs.content ?? []));
    choice.logprobs.refusal.push(...(logprobs.refusal ?? []));
  }
}
