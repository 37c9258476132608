/**
 * How does one vLLM server behave under load? Continuous batching in steps: every step gives each running answer one token and
 * computes a chunk of the prompts that wait, first come first served; a request begins when a slot and key-value cache for all
 * of it are there, less what the prefix cache holds. Nothing is preempted, since the whole answer's cache is set aside at once.
 */
import type { EventQueue } from "./event-queue.ts";
import { PrefixCache } from "./prefix-cache.ts";
import { blockTokens, type SimulatedRequest } from "./traces.ts";

/** An 8B model on one 80 GB GPU, roughly, with a key-value cache of 8 bits (64 KB a token). */
export interface ReplicaSpeed {
  readonly slots: number;
  /** Prompt tokens computed in a second when nothing else runs. */
  readonly prefillTokensPerSecond: number;
  /** `--max-num-batched-tokens`. */
  readonly chunkTokens: number;
  /** A step without prompt tokens: so much, and so much for each running answer. */
  readonly stepMs: number;
  readonly stepMsPerAnswer: number;
  /** Key-value cache in blocks of 16 tokens. */
  readonly cacheBlocks: number;
}

export const usualSpeed: ReplicaSpeed = {
  slots: 64,
  prefillTokensPerSecond: 16_000,
  chunkTokens: 2048,
  stepMs: 8,
  stepMsPerAnswer: 0.05,
  cacheBlocks: 54_000,
};

export interface Job {
  readonly request: SimulatedRequest;
  readonly onFirstToken: (nowMs: number) => void;
  readonly onEnd: (nowMs: number) => void;
}

interface Running {
  readonly job: Job;
  readonly matched: number;
  /** Blocks set aside that are not the prompt's own. */
  readonly answerBlocks: number;
  promptLeft: number;
  answerLeft: number;
}

export class ReplicaModel {
  readonly speed: ReplicaSpeed;
  readonly #events: EventQueue;
  readonly #cache: PrefixCache;
  #waiting: Job[] = [];
  #computing: Running[] = [];
  #answering: Running[] = [];
  #phase: { readonly startMs: number; readonly stepMs: number; steps: number } | null = null;
  #version = 0;
  promptTokens = 0;
  hitTokens = 0;
  served = 0;

  constructor(events: EventQueue, speed: ReplicaSpeed, blockIds: number) {
    this.#events = events;
    this.speed = speed;
    this.#cache = new PrefixCache(speed.cacheBlocks, blockIds);
  }

  get #running(): number {
    return this.#computing.length + this.#answering.length;
  }

  /** Prompt tokens that are still to be computed, which can't be seen from outside. Only for reference policies. */
  get queuedTokens(): number {
    let tokens = 0;
    for (const { promptLeft } of this.#computing) tokens += promptLeft;
    for (const { request } of this.#waiting) tokens += request.promptTokens;
    return tokens;
  }

  get cacheUsage(): number {
    return this.#cache.used / this.#cache.capacity;
  }

  /** Tokens of this prompt's beginning that it holds. */
  held(request: SimulatedRequest): number {
    return this.#cache.match(request.blocks) * blockTokens;
  }

  arrive(job: Job, nowMs: number): void {
    this.#waiting.push(job);
    const phase = this.#phase;
    if (phase === null) this.#plan(nowMs);
    else if (phase.steps > 1) {
      // The step that runs now goes on to its end; then the newcomer is looked at.
      phase.steps = Math.min(phase.steps, Math.max(1, Math.ceil((nowMs - phase.startMs) / phase.stepMs)));
      this.#wakeAt(phase.startMs + phase.steps * phase.stepMs);
    }
  }

  #wakeAt(atMs: number): void {
    const version = (this.#version += 1);
    this.#events.at(atMs, (nowMs) => {
      if (version === this.#version) this.#endPhase(nowMs);
    });
  }

  #plan(nowMs: number): void {
    this.#admit();
    const { speed } = this;
    const answering = this.#answering.length;
    if (this.#computing.length === 0 && answering === 0) {
      this.#phase = null;
      return;
    }
    const decodeMs = speed.stepMs + speed.stepMsPerAnswer * answering;
    let chunk = 0;
    let budget = Math.max(1, speed.chunkTokens - answering);
    for (const running of this.#computing) {
      const tokens = Math.min(budget, running.promptLeft);
      running.promptLeft -= tokens;
      budget -= tokens;
      chunk += tokens;
      if (budget === 0) break;
    }
    const steps = chunk > 0 ? 1 : Math.min(...this.#answering.map((running) => running.answerLeft));
    const stepMs = decodeMs + (1000 * chunk) / speed.prefillTokensPerSecond;
    this.#phase = { startMs: nowMs, stepMs, steps };
    this.#wakeAt(nowMs + steps * stepMs);
  }

  #admit(): void {
    let taken = 0;
    for (const job of this.#waiting) {
      if (this.#running >= this.speed.slots) break;
      const { request } = job;
      // The last token is always computed: it gives the first of the answer.
      const most = request.blocks.length - (request.promptTokens % blockTokens === 0 ? 1 : 0);
      const matched = Math.min(this.#cache.match(request.blocks), most);
      const needed = Math.ceil((request.promptTokens + request.answerTokens) / blockTokens) - matched;
      if (!this.#cache.fits(request.blocks, matched, needed)) break;
      this.#cache.begin(request.blocks, matched, needed);
      taken += 1;
      this.promptTokens += request.promptTokens;
      this.hitTokens += matched * blockTokens;
      this.#computing.push({
        job,
        matched,
        answerBlocks: needed - (request.blocks.length - matched),
        promptLeft: Math.max(1, request.promptTokens - matched * blockTokens),
        answerLeft: request.answerTokens,
      });
    }
    if (taken > 0) this.#waiting = this.#waiting.slice(taken);
  }

  #endPhase(nowMs: number): void {
    const phase = this.#phase;
    if (phase === null) return;
    const ended: Running[] = [];
    for (const running of this.#answering) {
      running.answerLeft -= phase.steps;
      if (running.answerLeft <= 0) ended.push(running);
    }
    const began = this.#computing.filter((running) => running.promptLeft === 0);
    if (began.length > 0) {
      this.#computing = this.#computing.filter((running) => running.promptLeft > 0);
      for (const running of began) {
        this.#cache.computed(running.job.request.blocks, running.matched);
        running.answerLeft -= 1;
        running.job.onFirstToken(nowMs);
        if (running.answerLeft <= 0) ended.push(running);
        else this.#answering.push(running);
      }
    }
    if (ended.length > 0) {
      this.#answering = this.#answering.filter((running) => running.answerLeft > 0);
      for (const running of ended) {
        this.#cache.end(running.job.request.blocks, running.answerBlocks);
        this.served += 1;
        running.job.onEnd(nowMs);
      }
    }
    this.#plan(nowMs);
  }
}
