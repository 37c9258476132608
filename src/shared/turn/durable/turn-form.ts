/**
 * Which part of a durable turn depends on its endpoint? The stages, the journal, the bill and the conversation are the same for all; the
 * events that readers see and the object that is stored are made here. Each endpoint has one: chat-form.ts, response-form.ts.
 */
import type { Refusal } from "../../contracts/refusal.ts";
import type { Usage } from "../../contracts/usage.ts";
import type { EndStatus } from "../../contracts/generation.ts";
import type { Grounding } from "../../grounding/ground.ts";
import type { FinishReason } from "../../stream/engine-event.ts";
import type { AnswerCollector } from "../../stream/answer-collector.ts";
import type { AnswerEncoder } from "../../stream/answer-encoder.ts";
import type { AnswerBudget } from "../../stream/answer-options.ts";
import type { Price } from "../../stream/wire-usage.ts";
import type { WebSource } from "../../grounding/citable.ts";
import type { ServerCall, ServerCallEnd } from "../../responses/server-items.ts";
import type { ChatMessage } from "../../wire/chat-messages.ts";
import type { ChatRequest } from "../../wire/chat-request.ts";
import type { Asked } from "../asked.ts";
import type { Round } from "./round-history.ts";
import type { Interruption, JournalEvent, TurnEnd } from "./ports.ts";

export interface TurnForm {
  readonly asked: Asked;
  /** Events (SSE text) that are written before admission, for a client that does not wait for it; "" for none. */
  early(): string;
  /** The last event of a turn that was refused after `early`; `null`: the turn leaves nothing. */
  refused(refusal: Refusal): FormEnd | null;
  /** The engine answers: the first events (SSE text), "" for none. */
  begin(model: string, grounding: Grounding | null): string;
  /** How rounds with server tools are asked and written; `null`: this form has none. */
  readonly rounds: FormRounds | null;
  /** Writes the events; `null`: the pass's own encoder of `asked.format`. */
  readonly encoder: FormEncoder | null;
  /** The final object as JSON; `null`: none is stored. Called once, after the last event. */
  final(answer: FormAnswer): string | null;
  /** The same end with the usage receipt in its last event, and in the object that is kept. */
  sealed(end: SealableEnd, receipt: string): SealableEnd;
  /** The answer as a journal of this form shows it, with what is stored beside the journal. */
  history(events: Iterable<JournalEvent>, kept: string | null): FormHistory;
  /**
   * Continues after a journal's events, in place of `early` and `begin`: once, before anything else is written.
   *
   * @param begun the answer so far, from the same journal
   */
  restore(
    events: Iterable<JournalEvent>,
    grounding: Grounding | null,
    begun: Pick<FormHistory, "rounds" | "collected">,
  ): void;
  /** The end of an answer whose journal has everything else. */
  conclude(events: Iterable<JournalEvent>, finish: FinishReason, answer: FormAnswer): FormEnd;
  /** The end of a turn that its run did not end, from its journal. @param price `null`: no longer known */
  interrupted(interruption: Interruption, usage: Usage, price: Price | null): FormEnd & FormHistory;
}

export interface FormRounds {
  /** Its events do not show calls: what a resumed run needs to know of them is stored beside the journal. */
  readonly isSilent: boolean;
  /** The request of a later round: round-request.ts. */
  asked(since: readonly ChatMessage[], tools: ChatRequest["tools"], used: number): Asked;
  /** SSE text of a call that begins; its id is its item's. */
  opened(call: ServerCall): { readonly id: string; readonly said: string };
  /** SSE text of its end. */
  ended(id: string, end: ServerCallEnd): string;
  /** SSE text that closes a round's text, before its calls are written. */
  closing(): string;
  /** The end of an answer whose model is not asked again after its last round. */
  concluded(usage: Usage, price: Price, reason: FinishReason): FormEnd;
  /** The web results that the model was given so far, in order: their numbers follow the passages'. Also called before `restore`. */
  cites(sources: readonly WebSource[]): void;
}

/** How an answer is written, where its endpoint brings its own encoder. */
export interface FormEncoder {
  readonly encoder: AnswerEncoder;
  /** Supplies the usage for the last event. @param price `undefined`: no longer known */
  counting(usage: () => Usage, price: Price | undefined): void;
  /** Ends the answer as cut short before its events outgrow a journal's. */
  bounded(budget: AnswerBudget): AnswerBudget;
}

export interface FormAnswer {
  readonly status: EndStatus;
  readonly model: string;
  readonly createdSeconds: number;
  readonly collected: AnswerCollector;
  readonly usage: Usage;
  readonly price: Price;
  /** Passages of files that the model was given; `null`: none were asked for. */
  readonly grounding: Grounding | null;
}

export interface FormEnd {
  /** SSE text. */
  readonly last: string;
  readonly response: string | null;
}

export type SealableEnd = Pick<TurnEnd, "events" | "response">;

/** What the journal shows of an answer whose run is gone. */
export interface FormHistory {
  readonly collected: AnswerCollector;
  /** Rounds before the present one, which is `collected`. */
  readonly rounds: readonly Round[];
  /** The usage of those rounds, if it is stored with them; absent: it is in the run's note. */
  readonly prior?: Usage;
  /** The model that answered; `null`: no event names it. */
  readonly model: string | null;
  /** Seconds since 1970, as in the events; `null`: none has it. */
  readonly createdSeconds: number | null;
}
