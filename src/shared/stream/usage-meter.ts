/** How many tokens has this answer used so far, and how well is that known? */
import type { Usage, UsageBasis } from "../contracts/usage.ts";
import type { EngineUsage } from "./wire-usage.ts";

/**
 * Counts by the engine's own numbers where it gives them: the final usage, else the usage on each chunk (vLLM's is of
 * that chunk's choice alone, so choices are added up), else one token an event.
 */
export class UsageMeter {
  readonly #promptEstimate: number;
  /** Tokens of each choice. */
  readonly #choices: number[] = [];
  #completion = 0;
  #reasoning = 0;
  #prompt = -1;
  #cached = 0;
  #uncounted = 0;
  #final: EngineUsage | null = null;
  /** Another engine took over: the answer's tokens that it is not asked for, and those that the client had at that point. */
  #moved = false;
  #kept = 0;
  #delivered = 0;

  /** @param promptEstimate used where the engine never says */
  constructor(promptEstimate: number) {
    this.#promptEstimate = promptEstimate;
  }

  /** Tokens of answer counted so far, all choices. */
  get completionTokens(): number {
    return this.#completion;
  }

  /** Tokens that an event adds to a choice. `saidByEngine`: its `usage.completion_tokens`, -1 where it has none. */
  added(choice: number, saidByEngine: number, carriesToken: boolean): number {
    if (saidByEngine === -1) return carriesToken ? 1 : 0;
    return Math.max(0, saidByEngine - (this.#choices[choice] ?? 0));
  }

  /** Books what `added` said. */
  add(choice: number, tokens: number, isReasoning: boolean, exact: boolean): void {
    // What an engine counted before it has said all is no count of the whole.
    if (tokens > 0) this.#final = null;
    if (!exact && tokens > 0) this.#uncounted++;
    while (this.#choices.length <= choice) this.#choices.push(0);
    this.#choices[choice] = (this.#choices[choice] ?? 0) + tokens;
    this.#completion += tokens;
    if (isReasoning) this.#reasoning += tokens;
  }

  prompt(usage: EngineUsage): void {
    if (!this.#moved) {
      this.#prompt = usage.promptTokens;
      this.#cached = usage.cachedTokens;
    } else if (this.#prompt === -1) {
      // To the engine that goes on, the answer so far is prompt; the client pays it as answer.
      this.#prompt = Math.max(0, usage.promptTokens - this.#kept);
    }
  }

  /** What an earlier run of the same answer came to, whose engine is gone. */
  resume({ promptTokens, cachedTokens, completionTokens, reasoningTokens }: Usage): void {
    this.#prompt = promptTokens;
    this.#cached = cachedTokens;
    this.#reasoning = reasoningTokens;
    this.#delivered = completionTokens;
  }

  /** The usage of the whole answer, from the event without choices. */
  final(usage: EngineUsage): void {
    this.#final = this.#moved
      ? {
          promptTokens: this.#prompt,
          cachedTokens: this.#cached,
          completionTokens: Math.max(this.#kept + usage.completionTokens, this.#delivered),
        }
      : usage;
  }

  /**
   * Another engine goes on with the only choice. What it counts is added to `keptTokens`; the client pays what it had,
   * `deliveredTokens`, even if nothing more comes.
   */
  goOn(keptTokens: number, deliveredTokens: number): void {
    this.#moved = true;
    this.#kept = keptTokens;
    this.#delivered = Math.max(this.#delivered, deliveredTokens);
    this.#completion = keptTokens;
    this.#choices.length = 0;
    this.#final = null;
  }

  totals(): { readonly usage: Usage; readonly basis: UsageBasis } {
    const final = this.#final;
    if (final !== null)
      return {
        usage: {
          promptTokens: final.promptTokens,
          completionTokens: final.completionTokens,
          cachedTokens: final.cachedTokens,
          reasoningTokens: final.reasoningTokens ?? Math.min(this.#reasoning, final.completionTokens),
        },
        basis: "exact",
      };
    return {
      usage: {
        promptTokens: this.#prompt === -1 ? this.#promptEstimate : this.#prompt,
        completionTokens: Math.max(this.#completion, this.#delivered),
        cachedTokens: this.#cached,
        reasoningTokens: this.#reasoning,
      },
      basis:
        this.#prompt !== -1 && this.#uncounted === 0
          ? "exact"
          : this.#completion > 0
            ? "counted"
            : "estimated",
    };
  }
}
