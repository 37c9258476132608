/**
 * One run of a chat turn inside a Generation object: the stages of open-turn.ts, then the engine's stream into the journal. It
 * settles, appends and caches nothing itself: what is to be done goes out with the end, as effects, once.
 */
import type { ChargeId, RequestId } from "../../contracts/ids.ts";
import type { Refusal } from "../../contracts/refusal.ts";
import { ok } from "../../contracts/result.ts";
import { citingPass } from "../../grounding/citing-encoder.ts";
import { type Ground, groundingTold, writeGrounding } from "../../grounding/ground.ts";
import { freeOfCharge } from "../../limits/cost.ts";
import { rateLimitHeaders } from "../../limits/limit-headers.ts";
import { modelRecord } from "../../routing/fleet-index.ts";
import { createAnswerGuard } from "../../safety/answer-guard.ts";
import { AnswerCollector } from "../../stream/answer-collector.ts";
import { AnswerPass } from "../../stream/answer-pass.ts";
import { relayStream } from "../../stream/relay.ts";
import type { StreamEnd } from "../../stream/stream-failure.ts";
import { serverTiming, type RequestRecord, type Stage } from "../../telemetry/request-record.ts";
import { engineTimes, learn, originOutcome, turnUse } from "../ending.ts";
import { AnsweringEngine } from "../answering-engine.ts";
import { openTurn, type LiveTurn } from "../open-turn.ts";
import type { Recalled, TurnDeps } from "../ports.ts";
import { mayReadRoute, routeHeader, routeHeaderValue } from "../route-told.ts";
import { summary } from "../screen-request.ts";
import { TokenBudget } from "../token-budget.ts";
import { journalEvents, maxGatheredCharacters } from "./gathered.ts";
import { goneEngine, settledAtEnd, writeNote, type BegunAnswer } from "./chat-resume.ts";
import type { TurnEnd, TurnIo, TurnOutcome } from "./ports.ts";
import {
  endEffects,
  formOf,
  refused,
  statusAtEnd,
  type ChatTurnRequest,
  type EnteredConversation,
} from "./chat-turn-end.ts";
import { journalAnswer } from "./journal-answer.ts";
import { runRecord } from "./run-record.ts";
import type { TurnForm } from "./turn-form.ts";
import { factsOf } from "../turn-facts.ts";
import { sealEnd, wantsReceipts, type SealDeps } from "./seal-end.ts";
import { revivePrincipal } from "./turn-request.ts";

export interface ChatRunDeps extends SealDeps {
  /** What the stages need; resolved at the start of each run. `null`: the configuration can't be read. */
  turnDeps(): Promise<TurnDeps | null>;
  /**
   * The conversation's latest messages, and where in it the turn stands then.
   *
   * @param behind of a turn that goes on: where it stood when it began
   */
  recall(
    request: ChatTurnRequest,
    behind: string | null,
  ): Promise<{ readonly recalled: Recalled; readonly entered: EnteredConversation | null }>;
  /** Has a model judge what was said, where the tenant wants that; returns at once. */
  judge?(turn: LiveTurn, said: string): void;
  /** Finds passages for the turn; `null`: it wants none. */
  ground(request: ChatTurnRequest): Ground | null;
  /** Takes the turn's record when it has ended. */
  record(record: RequestRecord): void;
  readonly now: () => number;
}

export const noFleet: Refusal = {
  kind: "dependency-unavailable",
  component: "configuration",
  retryAfterMs: 1000,
  detail: "no fleet",
};

export class ChatRun {
  readonly #request: ChatTurnRequest;
  readonly #form: TurnForm;
  readonly #deps: ChatRunDeps;
  readonly #io: TurnIo;
  readonly #signal: AbortSignal;
  readonly #stages: Partial<Record<Stage, number>> = {};
  readonly #onRecall: (entered: EnteredConversation | null) => void;
  /** What an earlier run delivered. */
  readonly #begun: BegunAnswer | null;
  #markedMs: number;
  #entered: EnteredConversation | null = null;

  constructor(
    request: ChatTurnRequest,
    deps: ChatRunDeps,
    io: TurnIo,
    signal: AbortSignal,
    onRecall: (entered: EnteredConversation | null) => void,
    begun: BegunAnswer | null = null,
  ) {
    this.#begun = begun;
    this.#onRecall = onRecall;
    this.#request = request;
    this.#form = formOf(request, deps.now);
    this.#deps = deps;
    this.#io = io;
    this.#signal = signal;
    this.#markedMs = deps.now();
  }

  /** @param earlyTold readers have what is said before the turn begins */
  async run(earlyTold = false): Promise<TurnOutcome> {
    if (this.#begun === null) {
      const early = this.#form.early();
      if (!earlyTold) this.#say(early, true);
    }
    const turnDeps = await this.#deps.turnDeps();
    if (turnDeps === null) return this.#refused(noFleet);
    const request = this.#request;
    const begun = this.#begun;
    const opened = await openTurn(
      {
        principal: revivePrincipal(request.principal),
        tenant: request.tenant,
        asked: this.#form.asked,
        recall: () => this.#recall(),
        ground: this.#ground(),
        responseId: request.responseId,
        chargeId: request.turnId as ChargeId,
        requestId: request.requestId as RequestId,
        traceparent: request.traceparent,
        place: request.place,
        // A durable turn's answer is its own: cached ones would have no engine's events to journal.
        cacheControl: "no-store",
        createdMs: request.createdMs,
        mark: (stage) => this.#mark(stage),
      },
      begun === null
        ? turnDeps
        : {
            ...turnDeps,
            admission: settledAtEnd(turnDeps.admission),
            origin: goneEngine(turnDeps.origin, begun.note),
          },
      this.#signal,
    );
    if (!opened.ok) return this.#refused(opened.error);
    if (opened.value.kind === "cached")
      return this.#refused({ kind: "internal", detail: "a durable turn came from the cache" });
    return this.#pump(opened.value, turnDeps);
  }

  async #recall(): Promise<Recalled> {
    const began = this.#begun?.note.entered ?? null;
    const { recalled, entered } = await this.#deps.recall(this.#request, began?.behind ?? null);
    // What counts is where the answer began: in which incarnation, and on which branch.
    this.#entered = began ?? entered;
    this.#onRecall(this.#entered);
    return recalled;
  }

  /** What an earlier run found counts, whatever the files say by now: its answer cites it by number. */
  #ground(): Ground | null {
    if (this.#begun === null) return this.#deps.ground(this.#request);
    const { grounding } = this.#begun;
    return grounding === null ? null : () => Promise.resolve(ok(grounding));
  }

  #refused(refusal: Refusal): TurnOutcome {
    if (this.#begun !== null) this.#form.restore(this.#begun.events(), this.#begun.grounding);
    const end = this.#form.refused(refusal);
    if (end === null) return refused(refusal, []);
    return {
      status: "failed",
      events: journalEvents(end.last),
      response: end.response,
      ...this.#owed(),
    };
  }

  /** By a turn that ends as refused: nothing, since what was reserved is given back already, but for what an earlier run delivered. */
  #owed(): Pick<TurnEnd, "usage" | "basis" | "effects"> {
    const begun = this.#begun;
    if (begun === null)
      return {
        usage: { promptTokens: 0, completionTokens: 0, cachedTokens: 0, reasoningTokens: 0 },
        basis: "estimated",
        effects: [],
      };
    const { usage, note, collected } = begun;
    const use = { ...turnUse({ usage }, freeOfCharge, note.model), microdollars: null };
    return {
      usage,
      basis: "exact",
      effects: endEffects(this.#request, note.entered, collected, "failed", {
        ...use,
        promptTokens: usage.promptTokens,
      }),
    };
  }

  /** Events into the journal; `false`: the turn has ended. */
  #say(text: string, urgent: boolean): boolean {
    return journalEvents(text).every((event) => this.#io.emit(event, urgent));
  }

  #mark(stage: Stage): void {
    const now = this.#deps.now();
    this.#stages[stage] = now - this.#markedMs;
    this.#markedMs = now;
  }

  async #pump(turn: LiveTurn, turnDeps: TurnDeps): Promise<TurnOutcome> {
    const { answer, asked, candidate, prompt, reservation } = turn;
    const begun = this.#begun;
    const grounding = begun?.grounding ?? turn.grounding;
    const grounded = grounding === null ? undefined : groundingTold(grounding);
    this.#io.open({
      "server-timing": serverTiming(this.#stages, grounded),
      ...Object.fromEntries(rateLimitHeaders(reservation.standing)),
      ...(mayReadRoute(turn.principal) ? { [routeHeader]: routeHeaderValue(turn) } : {}),
    });
    const { encoder } = this.#form;
    const { cluster, replica } = answer;
    if (begun === null) {
      if (grounding !== null) this.#io.keep(writeGrounding(grounding));
      this.#say(this.#form.begin(candidate.model, grounding), false);
    } else this.#form.restore(begun.events(), grounding);
    this.#io.remember(writeNote({ model: candidate.model, cluster, replica, entered: this.#entered }));
    const collected = begun?.collected ?? new AnswerCollector(maxGatheredCharacters, false);
    const record = modelRecord(turnDeps.fleet, answer.cluster, candidate.model) ?? candidate.variant.record;
    const guard = createAnswerGuard(turn.tenant.safety, asked);
    const engine = new AnsweringEngine(turn, turnDeps, this.#signal, begun?.transcript ?? null);
    const budget = new TokenBudget(reservation, {
      promptTokens: prompt.promptTokens,
      answerTokens: prompt.maxTokens * asked.choices,
      price: record.price,
      policy: turn.tenant.limits.when_exhausted,
    });
    const pass: AnswerPass = new AnswerPass({
      engineApi: prompt.path === "/v1/completions" ? "completions" : "chat",
      format: asked.format,
      id: turn.responseId,
      model: candidate.model,
      createdMs: turn.createdMs,
      choices: asked.choices,
      includeUsage: asked.includeUsage,
      promptTokens: prompt.promptTokens,
      price: record.price,
      budget: encoder?.bounded(budget) ?? budget,
      collect: collected,
      ...engine.continuer,
      ...(encoder !== null
        ? { encoder: encoder.encoder }
        : citingPass(grounding, begun?.collected ?? null, asked)),
      ...(begun === null ? {} : { begun }),
      ...(guard === undefined ? {} : { filter: guard }),
    });
    encoder?.counting(() => pass.totals().usage, record.price);
    let end: StreamEnd | null = null;
    const stream = relayStream(answer.body, pass, {
      ...engineTimes,
      firstChunk: answer.firstChunk,
      keepAliveMs: Number.POSITIVE_INFINITY,
      gatherMs: turn.tenant.requests.gather_ms,
      deadlineMs: turn.tenant.requests.deadline_seconds * 1000,
      signal: this.#signal,
      onEnd: (how) => {
        end = how;
      },
    });
    const terminal = await journalAnswer(stream, pass, this.#io, {
      choices: asked.choices,
      receipt: wantsReceipts(this.#request.tenant),
      ended: () => end !== null,
    });
    const how: StreamEnd = end ?? "client-gone";
    const totals = pass.totals();
    engine.end(originOutcome(how));
    learn(turn, turnDeps, how, totals);
    this.#mark("stream");
    const guarded = summary(guard?.findings ?? [], guard?.harm);
    const said = guard?.said ?? null;
    if (said !== null) this.#deps.judge?.(turn, said);
    const { story } = engine;
    this.#deps.record(
      runRecord(turn, how, { totals, engine: story, guarded, grounded }, this.#stages, this.#deps.now()),
    );
    const status = statusAtEnd(how, this.#request, totals.finishReasons[0]);
    const response = this.#form.final({
      status,
      model: candidate.model,
      createdSeconds: pass.createdSeconds,
      collected,
      usage: totals.usage,
      price: record.price,
      grounding,
    });
    const ending = { end: how, totals, guarded, said, engine: story };
    return sealEnd(
      {
        status,
        events: terminal,
        response,
        usage: totals.usage,
        basis: totals.basis,
        effects: endEffects(this.#request, this.#entered, collected, status, {
          ...turnUse(totals, record.price, candidate.model),
          promptTokens: totals.usage.promptTokens,
        }),
      },
      this.#request,
      this.#form,
      { ...factsOf(turn, turnDeps.fleet, ending, this.#request.screened ?? null, this.#deps.now()), status },
      collected,
      this.#deps,
    );
  }
}
