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
  /** Events (SSE text) before admission, where nobody waits for it; "" for none. */
  early(): string;
  /** A turn that was refused after `early` has a last event all the same; `null`: it is as if it had never been. */
  refused(refusal: Refusal): FormEnd | null;
  /** The engine answers: the first events (SSE text), "" for none. */
  begin(model: string, grounding: Grounding | null): string;
  /** How rounds with tools of the server's own are asked and told; `null`: this form has none. */
  readonly rounds: FormRounds | null;
  /** Writes the events; `null`: the pass's own encoder of `asked.format`. */
  readonly encoder: FormEncoder | null;
  /** The final object as JSON; `null`: none is kept. Asked for once, behind the last event. */
  final(answer: FormAnswer): string | null;
  /** The same end with the usage receipt in its last event, and in the object that is kept. */
  sealed(end: SealableEnd, receipt: string): SealableEnd;
  /** What a journal of this form says was answered, with what is kept beside it. */
  history(events: Iterable<JournalEvent>, kept: string | null): FormHistory;
  /**
   * Goes on behind a journal's events, in place of `early` and `begin`: once, before anything else is written.
   *
   * @param begun of the same journal: what it says was answered
   */
  restore(
    events: Iterable<JournalEvent>,
    grounding: Grounding | null,
    begun: Pick<FormHistory, "rounds" | "collected">,
  ): void;
  /** The end of an answer of which a journal has all but that. */
  conclude(events: Iterable<JournalEvent>, finish: FinishReason, answer: FormAnswer): FormEnd;
  /** The end of a turn whose run did not end it, from what its journal shows. @param price `null`: not known any more */
  interrupted(interruption: Interruption, usage: Usage, price: Price | null): FormEnd & FormHistory;
}

export interface FormRounds {
  /** Its events tell of no calls: what a lost run needs to know of them is kept beside the journal. */
  readonly isSilent: boolean;
  /** What a later round asks: round-request.ts. */
  asked(since: readonly ChatMessage[], tools: ChatRequest["tools"], used: number): Asked;
  /** SSE text of a call that begins; its id is its item's. */
  opened(call: ServerCall): { readonly id: string; readonly said: string };
  /** SSE text of its end. */
  ended(id: string, end: ServerCallEnd): string;
  /** SSE text that closes what a round has said, before its calls are told. */
  closing(): string;
  /** The end of an answer whose model is not asked again behind its last round. */
  concluded(usage: Usage, price: Price, reason: FinishReason): FormEnd;
  /** What the model was given of the web to cite so far, in its order: its numbers begin behind the passages'. Also before `restore`. */
  cites(sources: readonly WebSource[]): void;
}

/** How an answer is written, where its endpoint brings its own encoder. */
export interface FormEncoder {
  readonly encoder: AnswerEncoder;
  /** Where the numbers of the last event come from. @param price `undefined`: not known any more */
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
  /** What the model was given of files; `null`: nobody asked for any. */
  readonly grounding: Grounding | null;
}

export interface FormEnd {
  /** SSE text. */
  readonly last: string;
  readonly response: string | null;
}

export type SealableEnd = Pick<TurnEnd, "events" | "response">;

/** What the journal tells of an answer whose run is gone. */
export interface FormHistory {
  readonly collected: AnswerCollector;
  /** What the answer said and learned before its present round, which `collected` is. */
  readonly rounds: readonly Round[];
  /** What those rounds used, where that is kept with them; absent: the run's note says it. */
  readonly prior?: Usage;
  /** The model that answered; `null`: no event names it. */
  readonly model: string | null;
  /** Seconds since 1970, as the events say it; `null`: none does. */
  readonly createdSeconds: number | null;
}
