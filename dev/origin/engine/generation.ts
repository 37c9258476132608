import type { EngineMetrics, FinishedReason } from "./metrics.ts";
import { blockTokens, type PrefixCache } from "./prefix-cache.ts";
import type { Job, Scheduler } from "./scheduler.ts";

/**
 * When does each token of a request come out? After a slot is free and the prefill is done (shorter if the prefix cache has
 * part of the prompt), one token at a fixed interval. An abort ends it at once and frees the slot.
 */
export interface Speed {
  /** The prefill of a prompt without cached blocks. */
  ttftMs: number;
  tokenMs: number;
}

export interface EngineParts {
  readonly scheduler: Scheduler;
  readonly metrics: EngineMetrics;
  readonly speed: Readonly<Speed>;
  readonly cacheOf: (model: string) => PrefixCache;
}

export interface GenerationPlan {
  readonly model: string;
  readonly priority: number;
  /** All prompts of the request, each with the start of its chain of cache blocks. */
  readonly prompts: readonly { readonly ids: readonly number[]; readonly chain: number }[];
  /** Tokens of the longest choice, and of all choices together. */
  readonly steps: number;
  readonly totalTokens: number;
  /** Called for each step; without it only the end is reported. */
  readonly stepwise: boolean;
  readonly finishReason: FinishedReason;
  /** Prompt and answer for the cache, if there is one prompt with one answer. */
  readonly remembered: (() => readonly number[]) | undefined;
  onStart(cachedTokens: number): void;
  /** `step` counts from 0. Returning "hold" stops the clock: a stall. "stop" ends the generation here, as failed. */
  onStep(step: number): "go" | "hold" | "stop";
  onEnd(): void;
}

/** The share of a prefill that even a fully cached prompt costs. */
const leastPrefillShare = 0.1;

export class Generation implements Job {
  readonly model: string;
  readonly priority: number;
  readonly #plan: GenerationPlan;
  readonly #engine: EngineParts;
  readonly #submittedMs = performance.now();
  readonly #promptTokens: number;
  /** Undefined while it waits for a slot. */
  #startedMs: number | undefined;
  #firstTokenMs: number | undefined;
  #nextDueMs = 0;
  #step = 0;
  #over = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(plan: GenerationPlan, engine: EngineParts) {
    this.#plan = plan;
    this.#engine = engine;
    this.model = plan.model;
    this.priority = plan.priority;
    let tokens = 0;
    for (const prompt of plan.prompts) tokens += prompt.ids.length;
    this.#promptTokens = tokens;
  }

  readonly blocks = (): number => Math.ceil((this.#promptTokens + this.generatedTokens) / blockTokens);

  readonly start = (): void => {
    const startedMs = performance.now();
    this.#startedMs = startedMs;
    const cache = this.#engine.cacheOf(this.model);
    let cached = 0;
    for (const prompt of this.#plan.prompts) cached += cache.admit(prompt.ids, prompt.chain);
    const fresh = 1 - cached / Math.max(this.#promptTokens, 1);
    const prefillMs = this.#engine.speed.ttftMs * Math.max(fresh, leastPrefillShare);
    this.#plan.onStart(cached);
    if (this.#plan.stepwise) {
      this.#nextDueMs = startedMs + prefillMs;
      this.#wait();
      return;
    }
    this.#firstTokenMs = startedMs - this.#submittedMs + prefillMs;
    const totalMs = prefillMs + Math.max(this.#plan.steps - 1, 0) * this.#engine.speed.tokenMs;
    if (totalMs < 1) this.#finish(this.#plan.finishReason);
    else this.#timer = setTimeout(() => this.#finish(this.#plan.finishReason), totalMs);
  };

  /** Tokens of one choice made so far; estimated by the clock unless steps are reported. */
  get generatedTokens(): number {
    if (this.#plan.stepwise || this.#startedMs === undefined) return this.#step;
    if (this.#over) return this.#plan.steps;
    const elapsedMs = performance.now() - this.#submittedMs - (this.#firstTokenMs ?? 0);
    if (elapsedMs < 0) return 0;
    return Math.min(
      1 + Math.floor(elapsedMs / Math.max(this.#engine.speed.tokenMs, 0.001)),
      this.#plan.steps,
    );
  }

  /** The client is gone: the plan gets no more calls. */
  abort(): void {
    if (!this.#over) this.#close("abort", this.generatedTokens);
  }

  /** Continues after a "hold". */
  resume(): void {
    if (this.#over) return;
    this.#nextDueMs = performance.now();
    // The held step must still be reported.
    this.#tick();
  }

  readonly #tick = (): void => {
    if (this.#over) return;
    const verdict = this.#plan.onStep(this.#step);
    if (verdict === "hold") return;
    if (verdict === "stop") {
      this.#close("error", this.#step);
      return;
    }
    this.#emit();
  };

  #emit(): void {
    this.#firstTokenMs ??= performance.now() - this.#submittedMs;
    this.#step++;
    if (this.#step >= this.#plan.steps) {
      this.#finish(this.#plan.finishReason);
      return;
    }
    this.#nextDueMs += this.#engine.speed.tokenMs;
    this.#wait();
  }

  /** Due times are absolute, so that late timers do not add up. Even at full speed each token is a separate write. */
  #wait(): void {
    const waitMs = this.#nextDueMs - performance.now();
    if (this.#engine.speed.tokenMs === 0 && waitMs <= 0) setImmediate(this.#tick);
    else this.#timer = setTimeout(this.#tick, Math.max(waitMs, 0));
  }

  #finish(reason: FinishedReason): void {
    this.#close(reason, this.#plan.totalTokens);
    const remembered = this.#plan.remembered?.();
    const prompt = this.#plan.prompts[0];
    if (remembered !== undefined && prompt !== undefined)
      this.#engine.cacheOf(this.model).remember(remembered, prompt.chain);
    this.#plan.onEnd();
  }

  #close(reason: FinishedReason, generatedTokens: number): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#engine.scheduler.release(this);
    const nowMs = performance.now();
    this.#engine.metrics.finish({
      model: this.model,
      reason,
      promptTokens: this.#promptTokens,
      generatedTokens,
      queuedMs: (this.#startedMs ?? nowMs) - this.#submittedMs,
      firstTokenMs: generatedTokens > 0 ? this.#firstTokenMs : undefined,
      totalMs: nowMs - this.#submittedMs,
    });
  }
}
