/**
 * How does a chat completion look when its model calls the service's own tools? Chat chunks have no form for such calls: a reader sees what
 * the model says, as one answer, and the finish reason of its last round.
 *
 * Nothing in the journal shows the calls either: what a lost run needs to know of them is kept beside it (kept-rounds.ts) when all calls of
 * a round have ended. A run that is lost before that makes them again, so only tools that may be called twice are offered here.
 */
import { citingAnswer } from "../../grounding/citing-encoder.ts";
import type { Grounding } from "../../grounding/ground.ts";
import { AnswerCollector } from "../../stream/answer-collector.ts";
import { createEncoder, type AnswerEncoder, type EncoderOptions } from "../../stream/answer-encoder.ts";
import type { EngineDelta, FinishReason } from "../../stream/engine-event.ts";
import { toWireUsage, type Price } from "../../stream/wire-usage.ts";
import type { Usage } from "../../contracts/usage.ts";
import type { WireErrorObject } from "../../wire/wire-error.ts";
import { askedChat } from "../asked-chat.ts";
import type { ChatTurnRequest } from "./chat-turn-end.ts";
import { maxGatheredCharacters } from "./gathered.ts";
import { betweenRounds } from "./kept-rounds.ts";
import type { Round } from "./round-history.ts";
import { roundRequest } from "./round-request.ts";
import type { FormEncoder, FormEnd, FormHistory, FormRounds } from "./turn-form.ts";

export class ChatRounds {
  readonly #request: ChatTurnRequest;
  #encoder: OneAnswer | null = null;
  #usage: (() => { readonly usage: Usage; readonly price: Price | undefined }) | null = null;
  #calls = 0;

  constructor(request: ChatTurnRequest) {
    this.#request = request;
  }

  begin(options: EncoderOptions, grounding: Grounding | null): void {
    this.#begin(options, grounding, null);
  }

  /** @param told the part of the answer that readers have already */
  goOn(
    options: EncoderOptions,
    grounding: Grounding | null,
    told: AnswerCollector,
    { rounds, collected }: Pick<FormHistory, "rounds" | "collected">,
  ): void {
    this.#calls = rounds.reduce((sum, { calls }) => sum + calls.length, 0);
    this.#begin(options, grounding, told);
    // Nothing was said since the last round: the next text belongs to another round.
    if (rounds.length > 0 && (collected.choices[0]?.content ?? "") === "") this.#encoder?.parted();
  }

  #begin(options: EncoderOptions, grounding: Grounding | null, told: AnswerCollector | null): void {
    const asked = askedChat(this.#request.chat);
    const wire = () => {
      const { usage, price } = this.#usage?.() ?? { usage: noUsage, price: undefined };
      return toWireUsage(usage, price);
    };
    const encoder = citingAnswer(createEncoder(asked.format, options), grounding, told, asked);
    // The journal already has the role: the new encoder must not write it again.
    if (told !== null && told.choices.length > 0) encoder.delta({ index: 0, role: "assistant" });
    this.#encoder = new OneAnswer(encoder, wire, told);
  }

  /** `null`: no reader has seen anything. */
  failure(error: WireErrorObject): FormEnd | null {
    return this.#encoder === null ? null : { last: this.#encoder.failure(error), response: null };
  }

  readonly encoder: FormEncoder = {
    encoder: {
      begin: (createdSeconds) => this.#needed().begin(createdSeconds),
      content: (choice, literal) => this.#needed().content(choice, literal),
      frame: () => this.#needed().frame(),
      delta: (delta) => this.#needed().delta(delta),
      finish: (choice, reason) => this.#needed().finish(choice, reason),
      end: (_usage, reason) => this.#needed().end(reason),
      failure: (error) => this.#needed().failure(error),
    },
    counting: (usage, price) => {
      this.#usage = () => ({ usage: usage(), price });
    },
    bounded: (budget) => budget,
  };

  readonly rounds: FormRounds = {
    isSilent: true,
    asked: (since, tools, used) => askedChat(roundRequest(this.#request.chat, since, tools, used)),
    opened: () => {
      this.#calls += 1;
      return { id: `call_${this.#request.turnId}${this.#calls}`, said: "" };
    },
    ended: () => "",
    closing: () => this.#needed().parted(),
    // The stored object is made with the end (`final`).
    concluded: (usage, price, reason) => {
      this.#usage = () => ({ usage, price });
      const last = this.#needed().finish(0, reason) + this.#needed().end(reason);
      return { last, response: null };
    },
    cites: () => undefined,
  };

  #needed(): OneAnswer {
    if (this.#encoder === null) throw new Error("an answer is told before it has begun");
    return this.#encoder;
  }
}

const noUsage: Usage = { promptTokens: 0, completionTokens: 0, cachedTokens: 0, reasoningTokens: 0 };

/** Writes several engines' answers as one: one role, one time, one usage. */
class OneAnswer {
  readonly #inner: AnswerEncoder;
  readonly #usage: () => ReturnType<typeof toWireUsage>;
  #isDated = false;
  #hasRole = false;
  /** Something was said since the last round. */
  #hasSaid = false;
  #isParted = false;

  /** @param told the part that readers have already; `null`: nothing */
  constructor(
    inner: AnswerEncoder,
    usage: () => ReturnType<typeof toWireUsage>,
    told: AnswerCollector | null,
  ) {
    this.#inner = inner;
    this.#usage = usage;
    this.#isDated = told !== null;
    this.#hasRole = told !== null && told.choices.length > 0;
    this.#hasSaid = (told?.choices[0]?.content ?? "") !== "";
  }

  begin(createdSeconds: number): void {
    if (!this.#isDated) this.#inner.begin(createdSeconds);
    this.#isDated = true;
  }

  content(choice: number, literal: string): string {
    const gap = this.#gap(literal !== '""');
    this.#hasRole = true;
    return gap + this.#inner.content(choice, literal);
  }

  frame(): ReturnType<AnswerEncoder["frame"]> {
    return this.#isParted || !this.#hasSaid ? null : this.#inner.frame();
  }

  delta(delta: EngineDelta): string {
    const { role, ...rest } = delta;
    const isRepeated = role !== undefined && this.#hasRole;
    if (role !== undefined) this.#hasRole = true;
    if (!isRepeated) return this.#gap((delta.content ?? "") !== "") + this.#inner.delta(delta);
    const saysNothing = Object.values({ ...rest, index: undefined }).every(
      (one) => one === undefined || one === "",
    );
    return saysNothing ? "" : this.#gap((rest.content ?? "") !== "") + this.#inner.delta(rest);
  }

  finish(choice: number, reason: FinishReason): string {
    return this.#inner.finish(choice, reason);
  }

  end(reason: FinishReason): string {
    return this.#inner.end(this.#usage(), reason);
  }

  failure(error: WireErrorObject): string {
    return this.#inner.failure(error);
  }

  /** The next text belongs to another round. The gap is written together with it, so that no answer ends in one. */
  parted(): string {
    this.#isParted = this.#isParted || this.#hasSaid;
    return "";
  }

  #gap(says: boolean): string {
    if (!says) return "";
    const gap = this.#isParted ? this.#inner.content(0, JSON.stringify(betweenRounds)) : "";
    this.#isParted = false;
    this.#hasSaid = true;
    return gap;
  }
}

/** What readers have, as one answer. */
export function asOneAnswer(rounds: readonly Round[], last: AnswerCollector): AnswerCollector {
  if (rounds.length === 0) return last;
  const whole = new AnswerCollector(maxGatheredCharacters, false);
  const parts = [...rounds.map(({ said }) => said), last].flatMap(({ choices }) => choices.slice(0, 1));
  const text = parts.map(({ content }) => content ?? "").filter((one) => one !== "");
  const thought = parts.map(({ reasoning }) => reasoning ?? "").filter((one) => one !== "");
  if (text.length > 0) whole.content(0, text.join(betweenRounds));
  if (thought.length > 0) whole.delta({ index: 0, reasoning: thought.join("") });
  for (const { refusal } of parts) if (refusal !== null) whole.delta({ index: 0, refusal });
  const calls = parts.flatMap(({ toolCalls }) => toolCalls);
  for (const [index, { id, name, arguments: given }] of calls.entries())
    whole.delta({
      index: 0,
      toolCalls: [{ index, id, type: "function", function: { name, arguments: given } }],
    });
  const sampled = parts.flatMap(({ logprobs }) => logprobs ?? []);
  const [told] = whole.choices;
  if (told !== undefined && sampled.length > 0)
    told.logprobs = {
      content: sampled.flatMap(({ content }) => content),
      refusal: sampled.flatMap((one) => one.refusal),
    };
  whole.finish(0, last.choices[0]?.finishReason ?? (calls.length > 0 ? "tool_calls" : "stop"));
  return whole;
}
