/**
 * A chat turn inside a Generation object: the stages of open-turn.ts, then the engine's stream into the journal. It settles,
 * appends and caches nothing itself: what is to be done goes out with the end, as effects, once.
 */
import type { ChargeId, RequestId } from "../../contracts/ids.ts";
import type { Refusal } from "../../contracts/refusal.ts";
import type { Usage } from "../../contracts/usage.ts";
import type { EndStatus } from "../../contracts/generation.ts";
import { rateLimitHeaders } from "../../limits/limit-headers.ts";
import { modelRecord } from "../../routing/fleet-index.ts";
import { createAnswerGuard } from "../../safety/answer-guard.ts";
import { AnswerCollector } from "../../stream/answer-collector.ts";
import { createEncoder } from "../../stream/answer-encoder.ts";
import { AnswerPass, type AnswerTotals } from "../../stream/answer-pass.ts";
import { relayStream } from "../../stream/relay.ts";
import { streamFailureError, type StreamEnd } from "../../stream/stream-failure.ts";
import { writeWholeAnswer } from "../../stream/whole-answer.ts";
import { toWireUsage } from "../../stream/wire-usage.ts";
import { serverTiming, type Ending, type RequestRecord, type Stage } from "../../telemetry/request-record.ts";
import type { ChatRequest } from "../../wire/chat-request.ts";
import { billedTokens, chargedUsage, engineTimes, originOutcome } from "../ending.ts";
import { askedChat } from "../asked-chat.ts";
import { openTurn, type LiveTurn } from "../open-turn.ts";
import type { Recalled, TurnDeps } from "../ports.ts";
import { summary } from "../screen-request.ts";
import { TokenBudget } from "../token-budget.ts";
import { itemsOfMessages } from "./conversation-items.ts";
import { assistantMessage, gatherEvents, journalEvents, maxGatheredCharacters, namedIn } from "./gathered.ts";
import type { Effect, Interruption, TurnEnd, TurnIo, TurnOutcome, TurnRefused, TurnRunner } from "./ports.ts";
import { readTurnRequest, revivePrincipal, type TurnRequest } from "./turn-request.ts";

export type ChatTurnRequest = TurnRequest<ChatRequest>;

export interface ChatRunnerDeps {
  /** What the stages need; resolved at the start of each run. `null`: the configuration can't be read. */
  turnDeps(): Promise<TurnDeps | null>;
  /** The conversation's latest messages; says which incarnation of it they are of. */
  recall(request: ChatTurnRequest): Promise<{ readonly recalled: Recalled; readonly incarnation: number }>;
  /** Takes the turn's record when it has ended. */
  record(record: RequestRecord): void;
  readonly now: () => number;
}

export function createChatRunner(deps: ChatRunnerDeps): TurnRunner {
  /** Of the conversation that the run under way has loaded; `null` where the run's memory is gone. */
  let incarnation: number | null = null;
  return {
    async run(text, io, signal) {
      const read = readTurnRequest<ChatRequest>(text);
      if (!read.ok) return refused({ kind: "internal", detail: "a turn of an unknown version" }, []);
      return new ChatRun(read.value, deps, io, signal, (loaded) => {
        incarnation = loaded;
      }).run();
    },
    interrupted: (text, interruption) => interrupted(text, interruption, incarnation),
  };
}

class ChatRun {
  readonly #request: ChatTurnRequest;
  readonly #deps: ChatRunnerDeps;
  readonly #io: TurnIo;
  readonly #signal: AbortSignal;
  readonly #stages: Partial<Record<Stage, number>> = {};
  readonly #onRecall: (incarnation: number) => void;
  #markedMs: number;
  #incarnation: number | null = null;

  constructor(
    request: ChatTurnRequest,
    deps: ChatRunnerDeps,
    io: TurnIo,
    signal: AbortSignal,
    onRecall: (incarnation: number) => void,
  ) {
    this.#onRecall = onRecall;
    this.#request = request;
    this.#deps = deps;
    this.#io = io;
    this.#signal = signal;
    this.#markedMs = deps.now();
  }

  async run(): Promise<TurnOutcome> {
    const turnDeps = await this.#deps.turnDeps();
    if (turnDeps === null)
      return refused(
        {
          kind: "dependency-unavailable",
          component: "configuration",
          retryAfterMs: 1000,
          detail: "no fleet",
        },
        [],
      );
    const request = this.#request;
    const opened = await openTurn(
      {
        principal: revivePrincipal(request.principal),
        tenant: request.tenant,
        asked: askedChat(request.chat),
        recall: request.conversation === null ? null : () => this.#recall(),
        responseId: request.responseId,
        chargeId: request.turnId as ChargeId,
        requestId: request.requestId as RequestId,
        traceparent: request.traceparent,
        place: request.place,
        cacheControl: null,
        createdMs: request.createdMs,
        mark: (stage) => this.#mark(stage),
      },
      turnDeps,
      this.#signal,
    );
    if (!opened.ok) return refused(opened.error, []);
    if (opened.value.kind === "cached")
      return refused({ kind: "internal", detail: "a conversation's turn came from the cache" }, []);
    return this.#pump(opened.value, turnDeps);
  }

  async #recall(): Promise<Recalled> {
    const { recalled, incarnation } = await this.#deps.recall(this.#request);
    this.#incarnation = incarnation;
    this.#onRecall(incarnation);
    return recalled;
  }

  #mark(stage: Stage): void {
    const now = this.#deps.now();
    this.#stages[stage] = now - this.#markedMs;
    this.#markedMs = now;
  }

  async #pump(turn: LiveTurn, turnDeps: TurnDeps): Promise<TurnOutcome> {
    const { answer, asked, candidate, prompt, reservation } = turn;
    this.#io.open({
      "server-timing": serverTiming(this.#stages),
      ...Object.fromEntries(rateLimitHeaders(reservation.standing)),
    });
    const collected = new AnswerCollector(maxGatheredCharacters, false);
    const record = modelRecord(turnDeps.fleet, answer.cluster, candidate.model) ?? candidate.variant.record;
    const guard = createAnswerGuard(turn.tenant.safety);
    const pass = new AnswerPass({
      engineApi: prompt.path === "/v1/completions" ? "completions" : "chat",
      format: asked.format,
      id: turn.responseId,
      model: candidate.model,
      createdMs: turn.createdMs,
      choices: asked.choices,
      includeUsage: asked.includeUsage,
      promptTokens: prompt.promptTokens,
      price: record.price,
      budget: new TokenBudget(
        reservation,
        prompt.promptTokens,
        prompt.maxTokens * asked.choices,
        turn.tenant.limits.when_exhausted,
      ),
      collect: collected,
      ...(guard === undefined ? {} : { filter: guard }),
    });
    let end: StreamEnd | null = null;
    const stream = relayStream(answer.body, pass, {
      ...engineTimes,
      firstChunk: answer.firstChunk,
      keepAliveMs: Number.POSITIVE_INFINITY,
      deadlineMs: turn.tenant.requests.deadline_seconds * 1000,
      signal: this.#signal,
      onEnd: (how) => {
        end = how;
      },
    });
    const terminal = await this.#journal(stream, pass, () => end !== null);
    const how = end ?? "client-gone";
    const totals = pass.totals();
    answer.report(originOutcome(how));
    if (totals.basis === "exact" && totals.usage.promptTokens > 0)
      turnDeps.calibration.observe(
        turn.principal.tenant,
        candidate.model,
        prompt.estimatedTokens,
        totals.usage.promptTokens,
      );
    this.#mark("stream");
    this.#record(turn, how, totals, summary(guard?.findings ?? []));
    const status = statusOf(how);
    const response =
      status === "failed"
        ? null
        : writeWholeAnswer(
            {
              id: turn.responseId,
              model: candidate.model,
              createdSeconds: pass.createdSeconds,
              choices: collected.choices,
              usage: totals.usage,
              price: record.price,
            },
            "chat",
          );
    return {
      status,
      events: terminal,
      response,
      usage: totals.usage,
      basis: totals.basis,
      effects: endEffects(this.#request, this.#incarnation, totals, collected, status),
    };
  }

  /** Every event into the journal but the last ones, which belong to the end. */
  async #journal(stream: ReadableStream<Uint8Array>, pass: AnswerPass, ended: () => boolean) {
    const reader = stream.getReader();
    const decoder = new TextDecoder();
    let begun = false;
    for (;;) {
      // An aborted stream errors: the object has ended the turn by then, and looks at nothing more.
      const read = await reader.read().catch(() => ({ done: true, value: undefined }) as const);
      if (read.done || read.value === undefined) return [];
      const events = journalEvents(decoder.decode(read.value));
      if (ended()) return events;
      this.#io.progress(pass.totals().usage);
      const urgent = !begun && pass.begun;
      begun = pass.begun;
      for (const event of events) {
        if (this.#io.emit(event, urgent)) continue;
        await reader.cancel("the turn has ended");
        return [];
      }
    }
  }

  #record(turn: LiveTurn, end: StreamEnd, totals: AnswerTotals, guarded: string | null): void {
    const { principal, answer, candidate } = turn;
    this.#deps.record({
      endpoint: "generation",
      method: "POST",
      requestId: turn.requestId,
      traceId: turn.traceparent.slice(3, 35),
      status: 200,
      ending: endingOf(end),
      startedMs: turn.createdMs,
      durationMs: this.#deps.now() - turn.createdMs,
      ...(totals.firstTokenAtMs === undefined
        ? {}
        : { firstTokenMs: totals.firstTokenAtMs - turn.createdMs }),
      tenant: principal.tenant,
      org: principal.org,
      tier: principal.tier,
      model: candidate.model,
      cluster: answer.cluster,
      replica: answer.replica,
      attempts: answer.attempts,
      ...chargedUsage(totals),
      usageBasis: totals.basis,
      ...(guarded === null ? {} : { guarded }),
      ...(totals.failureDetail === undefined ? {} : { errorDetail: totals.failureDetail }),
      stages: this.#stages,
    });
  }
}

/** Nobody but a cancel makes the client of a durable turn go away: the object is its client. */
function endingOf(end: StreamEnd): Ending {
  if (end === "done") return "answered";
  return end === "budget-spent" || end === "blocked" || end === "client-gone" ? "stopped" : end;
}

function statusOf(end: StreamEnd): EndStatus {
  switch (end) {
    case "done":
      return "completed";
    case "budget-spent":
    case "blocked":
      return "incomplete";
    case "client-gone":
      return "cancelled";
    case "origin-error":
    case "stalled":
    case "deadline":
      return "failed";
  }
}

function endEffects(
  request: ChatTurnRequest,
  incarnation: number | null,
  totals: AnswerTotals,
  collected: AnswerCollector,
  status: EndStatus,
): readonly Effect[] {
  const effects: Effect[] = [settlement(request, billedTokens(totals), 1)];
  const { conversation } = request;
  const answer = assistantMessage(collected);
  // A turn without an answer leaves no trace: the client will ask again.
  if (conversation === null || incarnation === null || answer === null) return effects;
  effects.push({
    kind: "append",
    jurisdiction: request.tenant.jurisdiction,
    objectName: conversation.objectName,
    owner: { tenant: request.principal.tenant, user: request.principal.user },
    conversationId: conversation.id,
    mustExist: conversation.mustExist,
    incarnation,
    items: [
      ...itemsOfMessages(request.chat.messages),
      ...itemsOfMessages([answer], status === "completed" ? "completed" : "incomplete"),
    ],
  });
  return effects;
}

function settlement(request: ChatTurnRequest, tokens: number, requests: 0 | 1): Effect {
  const { principal, tenant, turnId } = request;
  return {
    kind: "settle",
    chargeId: turnId,
    tenant: principal.tenant,
    org: principal.org,
    user: principal.user,
    tier: principal.tier,
    key: principal.key,
    jurisdiction: tenant.jurisdiction,
    tokens,
    requests,
  };
}

function refused(refusal: Refusal, effects: readonly Effect[]): TurnRefused {
  return { status: "refused", refusal, headers: {}, effects };
}

const noUsage: Usage = { promptTokens: 0, completionTokens: 0, cachedTokens: 0, reasoningTokens: 0 };

/** The end of a turn whose run did not end it, from what its journal shows. */
function interrupted(
  text: string,
  interruption: Interruption,
  incarnation: number | null,
): TurnEnd | TurnRefused {
  const read = readTurnRequest<ChatRequest>(text);
  if (!read.ok) return refused({ kind: "internal", detail: "a turn of an unknown version" }, []);
  const request = read.value;
  if (!interruption.opened) return refused(refusalOf(interruption), [settlement(request, 0, 0)]);
  const asked = askedChat(request.chat);
  const collected = gatherEvents(interruption.events());
  const usage = interruption.usage ?? noUsage;
  const cancelled = interruption.reason === "cancelled";
  const named = namedIn(interruption.events());
  const identity = {
    id: request.responseId,
    model: named?.model ?? request.chat.model,
    createdSeconds: named?.created ?? Math.floor(request.createdMs / 1000),
  };
  const encoder = createEncoder(asked.format, { ...identity, includeUsage: asked.includeUsage });
  // OpenAI's chat has no word for "cancelled": what was said stands, and ends.
  const last = cancelled
    ? encoder.finish(0, "stop") + encoder.end(toWireUsage(usage, undefined), "stop")
    : encoder.failure(streamFailureError(interruption.reason === "deadline" ? "deadline" : "origin-error"));
  const status: EndStatus = cancelled ? "cancelled" : "failed";
  if (cancelled) collected.finish(0, "stop");
  const totals: AnswerTotals = {
    usage,
    basis: interruption.usage === null ? "estimated" : "exact",
    finishReasons: [],
  };
  return {
    status,
    events: journalEvents(last),
    response: cancelled
      ? writeWholeAnswer({ ...identity, choices: collected.choices, usage, price: undefined }, "chat")
      : null,
    usage,
    basis: totals.basis,
    // Without the run's memory nobody knows whether the conversation was deleted since: then nothing is appended.
    effects: endEffects(request, incarnation, totals, collected, status),
  };
}

function refusalOf({ reason }: Interruption): Refusal {
  return reason === "cancelled"
    ? { kind: "conflict", message: "The turn was cancelled before it began to answer." }
    : {
        kind: "origin-unavailable",
        retryAfterMs: 1000,
        detail: `the turn was ${reason} before its first token`,
      };
}
