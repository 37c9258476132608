/**
 * From an engine's first byte to the end of a durable turn: one round, or several where its model calls the service's own tools. All of
 * them are one answer: one id, one journal, one reservation, one bill, one end.
 */
import type { RequestId } from "../../contracts/ids.ts";
import type { Refusal } from "../../contracts/refusal.ts";
import type { Result } from "../../contracts/result.ts";
import { groundingTold, type Grounding } from "../../grounding/ground.ts";
import { rateLimitHeaders } from "../../limits/limit-headers.ts";
import { modelRecord } from "../../routing/fleet/fleet-index.ts";
import type { AnswerCollector } from "../../stream/answer-collector.ts";
import { isBrokenOff } from "../../stream/stream-failure.ts";
import { serverTiming, type Stage } from "../../telemetry/request-record.ts";
import { shownResult } from "../../tools/shown-result.ts";
import type { Asked } from "../asked.ts";
import { turnUse } from "../ending.ts";
import { summaryOfBoth } from "../screen-request.ts";
import { openRound, type LiveTurn } from "../open-turn.ts";
import type { TurnDeps } from "../ports.ts";
import { mayReadRoute, routeHeader, routeHeaderValue } from "../route-told.ts";
import { turnFactsOf } from "../turn-facts.ts";
import type { AnswerPast } from "./answer-items.ts";
import type { BegunAnswer } from "./chat-resume.ts";
import { relayRound, type EndedRound } from "./chat-round.ts";
import { asOneAnswer } from "./chat-rounds.ts";
import type { ChatRunDeps } from "./chat-run.ts";
import {
  endEffects,
  isLostWhenBroken,
  noAnswer,
  statusAtEnd,
  type ChatTurnRequest,
} from "./chat-turn-end.ts";
import { answerMessages, journalEvents } from "./gathered.ts";
import type { KeptNote } from "./kept-note.ts";
import type { TurnIo, TurnOutcome } from "./ports.ts";
import { minus, noUsage, shownRounds } from "./round-history.ts";
import { behindRounds } from "./round-reservation.ts";
import { runRecord } from "./run-record.ts";
import { sealEnd, wantsReceipts } from "./seal-end.ts";
import type { EnteredConversation } from "./run-note.ts";
import type { ToolRounds } from "./tool-rounds.ts";
import type { TurnForm } from "./turn-form.ts";

export interface AnswerOptions {
  readonly request: ChatTurnRequest;
  readonly form: TurnForm;
  readonly deps: Pick<ChatRunDeps, "record" | "now" | "judge" | "archives" | "signReceipt">;
  readonly turnDeps: TurnDeps;
  readonly io: TurnIo;
  readonly signal: AbortSignal;
  readonly stages: Readonly<Partial<Record<Stage, number>>>;
  readonly mark: (stage: Stage) => void;
  /** The request to the model in the present round. */
  readonly asked: () => Asked;
  readonly entered: EnteredConversation | null;
  /** What an earlier run wrote of this round. */
  readonly begun: BegunAnswer | null;
  /** Readers have the beginning of the answer. */
  readonly isBegun: boolean;
  /** `null`: the turn has no server tools. */
  readonly tools: ToolRounds | null;
  readonly note: KeptNote;
  /** Passages found for the turn, by this run or an earlier one; `null`: it is not grounded. */
  readonly grounding: Grounding | null;
}

export class AnswerRounds {
  readonly #options: AnswerOptions;
  /** What the guard found in all rounds. */
  #guarded: string | null = null;

  constructor(options: AnswerOptions) {
    this.#options = options;
  }

  async run(opened: LiveTurn): Promise<TurnOutcome> {
    const { form, io, signal, stages, tools, begun, grounding, note } = this.#options;
    io.open({
      "server-timing": serverTiming(stages, told(grounding)),
      ...rateLimitHeaders(opened.reservation.standing),
      ...(mayReadRoute(opened.principal) ? { [routeHeader]: routeHeaderValue(opened) } : {}),
    });
    if (tools !== null) tools.passages = grounding?.passages.length ?? 0;
    if (!this.#options.isBegun) {
      if (grounding !== null) note.keepGrounding(grounding);
      for (const event of journalEvents(form.begin(opened.candidate.model, grounding))) io.emit(event);
    }
    this.#noteWho(opened);
    let collected = begun?.collected ?? noAnswer();
    const first = await this.#round(
      tools === null ? opened : { ...opened, reservation: this.#left(opened, tools) },
      collected,
      begun,
    );
    if (tools === null) return this.#concluded(opened, first, collected);
    let turn = opened;
    const { createdSeconds } = first;
    for (let round = first; ; round = { ...round, createdSeconds }) {
      if (!round.calledUs || form.rounds === null) {
        tools.withoutOurs(collected);
        return this.#concluded(turn, round, collected);
      }
      for (const event of round.terminal) io.emit(event);
      await tools.answer(collected, round.used, form.rounds.closing(), signal);
      collected = noAnswer();
      const { ending } = tools;
      if (ending !== null) {
        const { last } = form.rounds.concluded(round.totals.usage, round.record.price, ending);
        collected.finish(0, ending);
        const totals = { ...round.totals, finishReasons: [ending] };
        return this.#concluded(turn, { ...round, totals, terminal: journalEvents(last) }, collected);
      }
      const next = await this.#next(turn, opened, tools);
      if (!next.ok) return this.#concluded(turn, this.#brokenOff(next.error, round), collected);
      turn = next.value;
      this.#noteWho(turn);
      round = await this.#round(turn, collected, null);
    }
  }

  /** Results of tools may not fit the model's window: they are then shortened. */
  async #next(turn: LiveTurn, opened: LiveTurn, tools: ToolRounds): Promise<Result<LiveTurn, Refusal>> {
    const { turnDeps, signal, asked } = this.#options;
    const number = tools.rounds.length + 1;
    for (;;) {
      const next = await openRound(turn, asked(), this.#left(opened, tools), number, turnDeps, signal);
      if (next.ok || next.error.kind !== "context-too-long" || !tools.shorten()) return next;
    }
  }

  async #round(turn: LiveTurn, collected: AnswerCollector, begun: BegunAnswer | null): Promise<EndedRound> {
    const { form, io, signal, tools, turnDeps, request, deps, grounding } = this.#options;
    const deadlineMs = request.tenant.requests.deadline_seconds * 1000;
    const ended = await relayRound(turn, turnDeps, signal, {
      form,
      io,
      collected,
      begun: begun === null ? null : { ...begun, usage: minus(begun.usage, tools?.prior ?? noUsage) },
      tools,
      grounding,
      receipt: wantsReceipts(request.tenant),
      // The deadline is one for all rounds together.
      deadlineMs: tools === null ? deadlineMs : Math.max(1, request.createdMs + deadlineMs - deps.now()),
    });
    this.#guarded = summaryOfBoth(this.#guarded, ended.guarded);
    if (ended.said !== null) deps.judge?.(turn, ended.said);
    return ended;
  }

  /** Everything that the last round builds on. */
  #past(): AnswerPast {
    const { tools, grounding } = this.#options;
    return { rounds: tools?.rounds ?? [], note: tools?.note ?? null, grounding };
  }

  #noteWho(turn: LiveTurn): void {
    const { answer, candidate } = turn;
    const { cluster, replica } = answer;
    const { model } = candidate;
    const { note, entered, tools } = this.#options;
    const { version } = this.#options.turnDeps.fleet;
    note.who = { model, cluster, replica, entered, price: { version, ...this.#priceOf(turn) } };
    if (tools !== null) note.rounds = tools.note;
    note.keep();
  }

  /** The part of the turn's reservation that is left for its next round. */
  #left(turn: LiveTurn, tools: ToolRounds) {
    return behindRounds(turn.reservation, tools.prior, this.#priceOf(turn));
  }

  #priceOf({ answer, candidate }: LiveTurn) {
    const { fleet } = this.#options.turnDeps;
    return (modelRecord(fleet, answer.cluster, candidate.model) ?? candidate.variant.record).price;
  }

  /** No engine answered the next round: what was said so far stands, and is paid. */
  #brokenOff(refusal: Refusal, round: EndedRound): EndedRound {
    const { form } = this.#options;
    // Without the round that ended, which counts among the earlier ones by now.
    form.encoder?.counting(() => round.totals.usage, round.record.price);
    const end = form.refused(refusal);
    return {
      ...round,
      how: "origin-error",
      totals: { ...round.totals, finishReasons: [null], failureDetail: `behind a round: ${refusal.kind}` },
      terminal: journalEvents(end?.last ?? ""),
    };
  }

  async #concluded(turn: LiveTurn, ended: EndedRound, said: AnswerCollector): Promise<TurnOutcome> {
    const { request, tools } = this.#options;
    if (!isBrokenOff(ended.how) || !isLostWhenBroken(request, tools?.rounds ?? []))
      return this.#sealed(turn, ended, said);
    return this.#sealed(turn, { ...ended, totals: { ...ended.totals, usage: noUsage } }, noAnswer());
  }

  async #sealed(turn: LiveTurn, round: EndedRound, collected: AnswerCollector): Promise<TurnOutcome> {
    const { form, request, deps, turnDeps, stages, entered, tools, grounding } = this.#options;
    const { how, totals, said, story, record } = round;
    const guarded = this.#guarded;
    const { candidate } = turn;
    this.#options.mark("stream");
    // The id of the request, not of its last round.
    const asked = { ...turn, requestId: request.requestId as RequestId };
    deps.record(
      runRecord(
        asked,
        how,
        { totals, engine: story, guarded, grounded: told(grounding) },
        stages,
        deps.now(),
      ),
    );
    const status = statusAtEnd(how, request, totals.finishReasons[0]);
    const response = form.final({
      status,
      model: candidate.model,
      createdSeconds: round.createdSeconds,
      collected: asOneAnswer(tools?.rounds ?? [], collected),
      usage: totals.usage,
      price: record.price,
      grounding,
    });
    const ending = { end: how, totals, guarded, said, engine: story };
    const rounds = tools?.rounds ?? [];
    const use = {
      ...turnUse(totals, record.price, candidate.model),
      promptTokens: totals.usage.promptTokens,
    };
    return sealEnd(
      {
        status,
        events: round.terminal,
        response,
        usage: totals.usage,
        basis: totals.basis,
        effects: endEffects(request, entered, collected, status, use, this.#past()),
      },
      request,
      form,
      { ...turnFactsOf(turn, turnDeps.fleet, ending, request.screened ?? null, deps.now()), status },
      answerMessages(
        collected,
        shownRounds(rounds, (text) => shownResult(text, request.tenant.safety)),
      ),
      deps,
    );
  }
}

function told(grounding: Grounding | null) {
  return grounding === null ? undefined : groundingTold(grounding);
}
