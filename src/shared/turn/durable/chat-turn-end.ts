/**
 * What is left to do when a durable chat turn has ended, and how does a turn end when its run was interrupted? Pure: from the request and what
 * was delivered.
 */
import type { EndStatus } from "../../contracts/generation.ts";
import type { Refusal } from "../../contracts/refusal.ts";
import { readGrounding } from "../../grounding/ground.ts";
import { freeOfCharge, type TokenPrice } from "../../limits/cost.ts";
import { type TurnUse, unused } from "../../limits/ports.ts";
import { AnswerCollector } from "../../stream/answer-collector.ts";
import type { AnswerTotals } from "../../stream/answer-options.ts";
import type { FinishReason } from "../../stream/engine-event.ts";
import type { StreamEnd } from "../../stream/stream-failure.ts";
import type { ResponseTurn } from "../../responses/stored-response.ts";
import { shownResult } from "../../tools/shown-result.ts";
import type { Ending } from "../../telemetry/request-record.ts";
import type { ChatRequest } from "../../wire/chat-request.ts";
import { turnUse } from "../ending.ts";
import { answerItems, type AnswerPast, withoutPast } from "./answer-items.ts";
import { itemsOfMessages } from "./conversation-items.ts";
import { journalEvents, maxGatheredCharacters } from "./gathered.ts";
import { chatForm } from "./chat-form.ts";
import type { Effect, Interruption, TurnEnd, TurnOutcome, TurnRefused } from "./ports.ts";
import { noUsage, type Round, roundsIn, shownRounds, toldRounds } from "./round-history.ts";
import { releaseOf } from "./release.ts";
import { openResponse, responseForm } from "./response-form.ts";
import { pricedBy, type EnteredConversation } from "./run-note.ts";
import type { TurnForm } from "./turn-form.ts";
import { readTurnRequest, type TurnRequest } from "./turn-request.ts";

export type ChatTurnRequest = TurnRequest<ChatRequest>;
export type ResponseTurnRequest = ChatTurnRequest & { readonly response: ResponseTurn };

/** The endpoint's part of the turn. Made once for each run: a form counts its events. */
export function formOf(request: ChatTurnRequest, now: () => number): TurnForm {
  const { response } = request;
  return response === undefined ? chatForm(request) : responseForm({ ...request, response }, now);
}

/** The client of a durable turn is its object: it only goes away when the turn is cancelled. */
export function endingOf(end: StreamEnd): Ending {
  if (end === "done") return "answered";
  return end === "budget-spent" || end === "blocked" || end === "client-gone" ? "stopped" : end;
}

export function statusOf(end: StreamEnd): EndStatus {
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

/** The status of an answer that the engine ended. One that was cut short is an `incomplete` response, but a completed chat. */
export function finishedStatus(
  { response }: Pick<ChatTurnRequest, "response">,
  finish: FinishReason | null | undefined,
): EndStatus {
  const isCut = finish === "content_filter" || (finish === "length" && response !== undefined);
  return isCut ? "incomplete" : "completed";
}

export function statusAtEnd(
  end: StreamEnd,
  request: Pick<ChatTurnRequest, "response">,
  finish: FinishReason | null | undefined,
): EndStatus {
  return end === "done" ? finishedStatus(request, finish) : statusOf(end);
}

/**
 * A client that waits for a whole chat completion gets nothing of one that breaks off, and its library asks again: what was
 * said is neither kept nor paid, as in a direct turn. A failed response can be fetched by its id, and results of tools stand.
 */
export function isLostWhenBroken(
  { response, chat }: Pick<ChatTurnRequest, "response" | "chat">,
  rounds: readonly Round[],
): boolean {
  return response === undefined && chat.stream !== true && rounds.length === 0;
}

/**
 * @param entered `null`: no conversation was loaded, or which one is no longer known
 * @param past earlier rounds, results of tools and passages, before what is `collected`
 */
export function endEffects(
  request: ChatTurnRequest,
  entered: EnteredConversation | null,
  collected: AnswerCollector,
  status: EndStatus,
  use: SettledUse,
  past: AnswerPast = withoutPast,
): readonly Effect[] {
  const effects: Effect[] = [settlement(request, use)];
  const { conversation } = request;
  if (conversation === null || entered === null) return effects;
  const rounds = shownRounds(past.rounds, (text) => shownResult(text, request.tenant.safety));
  const itemStatus = status === "completed" ? "completed" : "incomplete";
  const answer = answerItems(request, collected, { ...past, rounds }, itemStatus);
  // A turn without an answer leaves no trace: the client will ask again. What it was asked is kept by its own id.
  if (answer.length === 0) return [...effects, releaseOf(request, conversation, entered.incarnation, true)];
  effects.push({
    kind: "append",
    jurisdiction: request.tenant.jurisdiction,
    objectName: conversation.objectName,
    owner: { tenant: request.principal.tenant, user: request.principal.user },
    conversationId: conversation.id,
    mustExist: conversation.mustExist,
    responseId: request.responseId,
    askedMs: request.createdMs,
    incarnation: entered.incarnation,
    behind: request.chat.parent_item_id ?? entered.behind,
    ...choresOf(request),
    items: [...itemsOfMessages(request.chat.messages), ...answer],
  });
  return effects;
}

/** Only if the tenant wants a title or summaries: it stores the principal once more in the outbox. */
function choresOf({ tenant, principal, chat }: ChatTurnRequest) {
  // Turns that older code claimed do not have it.
  const { title_model: title = null, summary_model: summary = null } =
    (tenant as Partial<typeof tenant>).conversations ?? {};
  return title === null && summary === null ? {} : { chores: { principal, model: chat.model } };
}

/** A turn's use in the form of its `settle` effect; `microdollars` is null if the price is no longer known. */
export type SettledUse = Omit<TurnUse, "microdollars"> & {
  readonly promptTokens: number;
  readonly microdollars: number | null;
};

/** @param price `null`: not known any more */
export function pricedUse(
  totals: Pick<AnswerTotals, "usage">,
  price: TokenPrice | null,
  model: string,
): SettledUse {
  const use = turnUse(totals, price ?? freeOfCharge, model);
  const { promptTokens } = totals.usage;
  return { ...use, promptTokens, microdollars: price === null ? null : use.microdollars };
}

function settlement(request: ChatTurnRequest, use: SettledUse): Effect {
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
    ...use,
  };
}

export function refused(refusal: Refusal, effects: readonly Effect[]): TurnRefused {
  return { status: "refused", refusal, headers: {}, effects };
}

/** For a run that has a reservation, or had one in a lost run before: if nothing is settled, all of it is given back. */
export function givingBack(outcome: TurnOutcome, request: ChatTurnRequest): TurnOutcome {
  if (outcome.effects.some(({ kind }) => kind === "settle")) return outcome;
  return {
    ...outcome,
    effects: [settlement(request, { ...unused, promptTokens: 0 }), ...outcome.effects],
  };
}

/** An empty collector for the answer. */
export function noAnswer(): AnswerCollector {
  return new AnswerCollector(maxGatheredCharacters, false);
}

/** The end of a turn whose run did not end it, from what its journal shows. */
export function interrupted(
  text: string,
  interruption: Interruption,
  entered: EnteredConversation | null,
): TurnEnd | TurnRefused {
  const read = readTurnRequest<ChatRequest>(text);
  if (!read.ok) return refused({ kind: "internal", detail: "a turn of an unknown version" }, []);
  const request = read.value;
  if (!interruption.opened) {
    const effects = [settlement(request, { ...unused, promptTokens: 0 })];
    return interruption.reason === "cancelled"
      ? cancelledUnbegun(request, effects)
      : refused(unbegunRefusal(interruption), effects);
  }
  const { reason } = interruption;
  const told = interruption.usage ?? noUsage;
  const form = formOf(request, () => interruption.nowMs);
  const price = pricedBy(interruption.note);
  const { last, response, collected, rounds, model } = form.interrupted(interruption, told, price);
  const isLost = (reason === "lost" || reason === "threw") && isLostWhenBroken(request, rounds);
  const usage = isLost ? noUsage : told;
  const note = roundsIn(interruption.note);
  const status: EndStatus = reason === "cancelled" ? "cancelled" : "failed";
  const totals: AnswerTotals = {
    usage,
    basis: interruption.usage === null ? "estimated" : "exact",
    finishReasons: [],
  };
  return {
    status,
    events: journalEvents(last),
    response,
    usage,
    basis: totals.basis,
    // The part of the answer that a reader has seen is in the history, however the turn ended.
    effects: endEffects(
      request,
      entered,
      isLost ? noAnswer() : collected,
      status,
      { ...pricedUse(totals, price, model ?? request.chat.model), model },
      { rounds: toldRounds({ rounds, note }), note, grounding: readGrounding(interruption.kept) },
    ),
  };
}

/** It is kept as long as any cancelled turn: a second cancel, or a look at it, gets the same answer. */
function cancelledUnbegun(request: ChatTurnRequest, effects: readonly Effect[]): TurnEnd {
  const { response } = request;
  return {
    status: "cancelled",
    events: [],
    response: response === undefined ? null : openResponse({ ...request, response }, "cancelled"),
    usage: noUsage,
    basis: "exact",
    refusal: { kind: "conflict", message: "The turn was cancelled before it began to answer." },
    effects,
  };
}

function unbegunRefusal({ reason }: Interruption): Refusal {
  return {
    kind: "origin-unavailable",
    retryAfterMs: 1000,
    detail: `the turn was ${reason} before its first token`,
  };
}
