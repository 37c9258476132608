/**
 * The second half of a direct turn: from the engine's first byte to the client's last, and the settlement at the end.
 *
 *   relay (stream) | assemble (engine streamed, client waits) | rewrite (neither streams) ▸ settle ▸ learn ▸ store
 *
 * `end` below runs exactly once a turn, whoever ends it, and is the only place that settles.
 */
import type { LeaveSignal } from "../contracts/leave-signal.ts";
import { isStorable } from "../cache/cache-policy.ts";
import type { CachedAnswer } from "../cache/ports.ts";
import { maxEntryCharacters } from "../cache/answer-cache.ts";
import type { Background } from "../contracts/background.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { citationsIn, withCitations } from "../grounding/citations.ts";
import { citingPass } from "../grounding/citing-encoder.ts";
import { modelRecord } from "../routing/fleet/fleet-index.ts";
import { wholeText } from "../routing/whole-text.ts";
import { createAnswerGuard, type AnswerGuard } from "../safety/answer-guard.ts";
import { AnswerCollector } from "../stream/answer-collector.ts";
import type { AnswerTotals } from "../stream/answer-options.ts";
import { AnswerPass } from "../stream/answer-pass.ts";
import { assembleAnswer } from "../stream/assemble-answer.ts";
import type { RelayOptions } from "../stream/relay-loop.ts";
import { relayInto } from "../stream/relay.ts";
import { replayStream, replayWhole } from "../stream/replay-answer.ts";
import { rewriteAnswer } from "../stream/rewrite-answer.ts";
import { isBrokenOff, type StreamEnd } from "../stream/stream-failure.ts";
import type { Price } from "../stream/wire-usage.ts";
import { AnsweringEngine, type EngineStory } from "./answering-engine.ts";
import type { CachedTurn, LiveTurn } from "./open-turn.ts";
import type { TurnDeps } from "./ports.ts";
import { engineTimes, learn, originOutcome, turnUse } from "./ending.ts";
import { summary } from "./screen-request.ts";
import { TokenBudget } from "./token-budget.ts";

export type DirectBody =
  | { readonly kind: "stream"; readonly body: ReadableStream<Uint8Array> | string }
  | { readonly kind: "json"; readonly body: string };

/** How a turn ended, for its record. */
export interface TurnEnding {
  readonly end: StreamEnd;
  readonly totals: AnswerTotals;
  /** What the guard found in the answer, for the log: `email:2 card:1`. */
  readonly guarded: string | null;
  /** The answer's text, if the tenant has it judged by a guard model; else `null`. */
  readonly said: string | null;
  /** The engine that gave the answer's end. */
  readonly engine: EngineStory;
}

export interface DirectOptions {
  readonly background: Background;
  /** Told once, after the settlement. */
  readonly onEnd: (ending: TurnEnding) => void;
}

const keepAliveMs = 15_000;
/** A whole answer that was assembled here: some two million tokens' worth would not fit an isolate, this does. */
const maxAssembledCharacters = 8_000_000;

export function answerFromCache(turn: CachedTurn): DirectBody {
  const { asked, responseId: id, createdMs } = turn;
  const replay = { id, createdMs, price: free };
  if (!asked.stream) return { kind: "json", body: replayWhole(turn.cached, asked.shape, replay) };
  const { format, includeUsage } = asked;
  return { kind: "stream", body: replayStream(turn.cached, format, { ...replay, includeUsage }) };
}

/** A hit costs no tokens. */
const free: Price = { input: 0, output: 0 };

export async function answerDirect(
  turn: LiveTurn,
  deps: TurnDeps,
  options: DirectOptions,
  signal: LeaveSignal,
): Promise<Result<DirectBody, Refusal>> {
  const direct = new DirectAnswer(turn, deps, options, signal);
  if (turn.asked.stream) return ok(direct.relay());
  return turn.originStreams ? direct.assemble() : direct.rewrite();
}

class DirectAnswer {
  readonly #turn: LiveTurn;
  readonly #deps: TurnDeps;
  readonly #options: DirectOptions;
  readonly #signal: LeaveSignal;
  readonly #pass: ReturnType<typeof passOptions>;
  /** Undefined if the tenant's policies look for nothing. */
  readonly #guard: AnswerGuard | undefined;
  readonly #engine: AnsweringEngine;

  constructor(turn: LiveTurn, deps: TurnDeps, options: DirectOptions, signal: LeaveSignal) {
    this.#turn = turn;
    this.#deps = deps;
    this.#options = options;
    this.#signal = signal;
    this.#guard = createAnswerGuard(turn.tenant.safety, turn.asked);
    this.#pass = passOptions(turn, deps, this.#guard);
    this.#engine = new AnsweringEngine(turn, deps, signal);
  }

  relay(): DirectBody {
    const { answer, asked, cache } = this.#turn;
    const collect = cache.storeKey === null ? undefined : new AnswerCollector(maxEntryCharacters, false);
    const pass = new AnswerPass({
      ...this.#pass,
      ...this.#engine.continuer,
      format: asked.format,
      includeUsage: asked.includeUsage,
      ...(collect === undefined ? {} : { collect }),
      ...citingPass(this.#turn.grounding, null, asked),
    });
    // The stream is registered until it has settled: workerd drops what belongs to a request whose client reset it.
    const settled = Promise.withResolvers<void>();
    this.#options.background.run("stream", settled.promise);
    const body = relayInto(this.#deps.pipe(), answer.body, pass, {
      ...this.#times(),
      gatherMs: this.#turn.tenant.requests.gather_ms,
      keepAliveMs,
      onEnd: (end) => {
        this.#end(end, pass.totals(), collect);
        settled.resolve();
      },
    });
    return { kind: "stream", body };
  }

  async assemble(): Promise<Result<DirectBody, Refusal>> {
    const assembled = await assembleAnswer(
      this.#turn.answer.body,
      {
        ...this.#pass,
        ...this.#engine.continuer,
        shape: this.#turn.asked.shape,
        maxCharacters: maxAssembledCharacters,
      },
      this.#times(),
    );
    const totals = isBrokenOff(assembled.end)
      ? { ...assembled.totals, usage: nothing.usage }
      : assembled.totals;
    this.#end(assembled.end, totals, assembled.collected);
    return assembled.body === null
      ? err(brokenAnswer(assembled.end))
      : ok({ kind: "json", body: this.#cited(assembled.body, assembled.collected) });
  }

  async rewrite(): Promise<Result<DirectBody, Refusal>> {
    const { answer } = this.#turn;
    let text: string;
    try {
      text = await wholeText(answer);
    } catch {
      this.#end(this.#signal.aborted ? "client-gone" : "origin-error", nothing, undefined);
      return err(brokenAnswer(this.#signal.aborted ? "client-gone" : "origin-error"));
    }
    const rewritten = rewriteAnswer(text, { ...this.#pass, shape: this.#turn.asked.shape });
    if (!rewritten.ok) {
      this.#end("origin-error", { ...nothing, failureDetail: rewritten.error }, undefined);
      return err(brokenAnswer("origin-error"));
    }
    this.#end("done", rewritten.value.totals, rewritten.value.collected);
    return ok({ kind: "json", body: this.#cited(rewritten.value.body, rewritten.value.collected) });
  }

  /** A whole answer with its citations, if the model was given sources. */
  #cited(body: string, collected: AnswerCollector): string {
    const { grounding, asked } = this.#turn;
    return grounding === null
      ? body
      : withCitations(
          body,
          citationsIn(collected.choices, grounding.passages, asked.contentIsJson),
          grounding,
        );
  }

  #times(): Omit<RelayOptions, "keepAliveMs" | "gatherMs" | "onEnd"> {
    return {
      firstChunk: this.#turn.answer.firstChunk,
      ...engineTimes,
      deadlineMs: this.#turn.tenant.requests.deadline_seconds * 1000,
      signal: this.#signal,
    };
  }

  #end(end: StreamEnd, totals: AnswerTotals, collected: AnswerCollector | undefined): void {
    const { candidate, reservation, cache } = this.#turn;
    this.#engine.end(originOutcome(end));
    reservation.settle(turnUse(totals, this.#pass.price, candidate.model));
    learn(this.#turn, this.#deps, end, totals);
    if (
      end === "done" &&
      cache.storeKey !== null &&
      collected !== undefined &&
      candidate === this.#turn.plan[0]
    )
      this.#store(cache.storeKey, collected, totals);
    this.#options.onEnd({
      end,
      totals,
      guarded: summary(this.#guard?.findings ?? [], this.#guard?.harm),
      said: this.#guard?.said ?? null,
      engine: this.#engine.story,
    });
  }

  #passedGuard(): boolean {
    const action = this.#guard?.action ?? "off";
    return action === "off" || action === "flag";
  }

  #store(key: string, collected: AnswerCollector, totals: AnswerTotals): void {
    const answer: CachedAnswer | null = collected.toCached(
      this.#turn.candidate.model,
      this.#turn.createdMs,
      totals.usage,
    );
    if (answer === null || !isStorable(answer, this.#passedGuard())) return;
    const { jurisdiction, cache } = this.#turn.tenant;
    const ttlSeconds = cache.ttl_seconds;
    const { semantic } = this.#turn.cache;
    const stored = this.#deps.cache(jurisdiction).store(key, answer, ttlSeconds);
    this.#options.background.run(
      "answer cache",
      semantic === undefined ? stored : stored.then(() => semantic.keep(key, ttlSeconds)),
    );
  }
}

const nothing: AnswerTotals = {
  usage: { promptTokens: 0, completionTokens: 0, cachedTokens: 0, reasoningTokens: 0 },
  basis: "estimated",
  finishReasons: [],
};

function passOptions(turn: LiveTurn, deps: TurnDeps, guard: AnswerGuard | undefined) {
  const { answer, asked, candidate, prompt } = turn;
  const record = modelRecord(deps.fleet, answer.cluster, candidate.model) ?? candidate.variant.record;
  const budget = new TokenBudget(turn.reservation, {
    promptTokens: prompt.promptTokens,
    answerTokens: prompt.maxTokens * asked.choices,
    price: record.price,
    policy: turn.tenant.limits.when_exhausted,
  });
  return {
    engineApi: prompt.path === "/v1/completions" ? "completions" : "chat",
    id: turn.responseId,
    model: candidate.model,
    createdMs: turn.createdMs,
    choices: asked.choices,
    namesTool: asked.namesTool,
    promptTokens: prompt.promptTokens,
    price: record.price,
    budget,
    ...(guard === undefined ? {} : { filter: guard }),
  } as const;
}

/**
 * For a client that waits for the whole answer, a broken one is a refusal, and its library may try again; but not one that took too long,
 * which is paid for.
 */
function brokenAnswer(end: StreamEnd): Refusal {
  if (end === "deadline") return { kind: "deadline-exceeded" };
  return end === "client-gone"
    ? { kind: "client-gone" }
    : { kind: "origin-unavailable", retryAfterMs: 1000, detail: `the answer broke: ${end}` };
}
