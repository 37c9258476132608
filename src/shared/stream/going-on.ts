/**
 * The part of the pass over an answer (answer-pass.ts) that lets it continue at another engine: what was said so far, whether
 * the answer may change engines here, and what of the next one's words is new. It decides nothing about who goes on.
 */
import type { EngineDelta } from "./engine-event.ts";
import type { PlainEvent } from "./plain-event.ts";
import type { AnswerContinuer, Resumption, SourceFailure } from "./resumption.ts";
import type { Seam } from "./seam.ts";

/** A delta without what the client has already. */
export interface NewDelta {
  readonly delta: EngineDelta;
  /** A stop string closed across the seam: the answer is complete. */
  readonly stopped: boolean;
}

/** Tokens as they stand where an engine is left. */
export interface Taken {
  readonly kept: number;
  readonly delivered: number;
}

export class GoingOn {
  readonly #continuer: AnswerContinuer;
  /** A tool call or a refusal has begun, which no other engine could continue. */
  #bound = false;
  #thinking = false;
  #pending: Promise<void> | null = null;
  #failure: SourceFailure | null = null;
  #resumption: Resumption | null = null;
  #seam: Seam | null = null;
  /** Another engine has taken over: its role is no news. */
  #moved = false;
  /** It was given words to go on from: it may not begin to think. */
  #midway = false;

  constructor(continuer: AnswerContinuer) {
    this.#continuer = continuer;
  }

  /** Set while another engine is looked for. Never rejects. */
  get pending(): Promise<void> | null {
    return this.#pending;
  }

  get moved(): boolean {
    return this.#moved;
  }

  /** Text still has to pass `read`: no fast path. */
  get seamIsOpen(): boolean {
    return this.#seam !== null;
  }

  keptTokens(held: number): number | null {
    return this.#continuer.keptTokens(held);
  }

  /** What the engine said in an event that adds plain text and nothing else. */
  heard(text: string, tokens: number): void {
    this.#continuer.transcript.add(text, tokens);
  }

  /** As `heard`, of text that was seen in its bytes. */
  heardBytes(bytes: Uint8Array, { from, to }: PlainEvent, tokens: number): void {
    this.#continuer.transcript.addAscii(bytes, from, to, tokens);
  }

  /** As `heard`, for any delta. `null`: the engine does not go on but begins something else. */
  read(delta: EngineDelta, tokens: number): NewDelta | null {
    const { content = "", reasoning, toolCalls, refusal } = delta;
    if (toolCalls !== undefined || refusal !== undefined) this.#bound = true;
    if (content !== "") this.#thinking = false;
    else if (reasoning !== undefined) this.#thinking = true;
    if (this.#thinking && this.#midway) return null;
    const seam = this.#seam;
    if (seam === null || content === "") {
      this.#continuer.transcript.add(content, tokens);
      return { delta: this.#moved ? withoutRole(delta, content) : delta, stopped: false };
    }
    const { said, fresh, stopped } = seam.push(content);
    this.#continuer.transcript.add(said, tokens);
    this.#continuer.transcript.caughtUp(seam.ahead);
    if (seam.closed) this.#seam = null;
    return { delta: withoutRole(delta, fresh), stopped };
  }

  /** The engine failed. True: another is looked for, and `pending` is set. */
  tries(failure: SourceFailure): boolean {
    if (this.#bound || this.#thinking || this.#pending !== null) return false;
    const resuming = this.#continuer.goOn(failure);
    if (resuming === null) return false;
    this.#failure = failure;
    this.#pending = resuming.then((resumption) => {
      this.#resumption = resumption;
    });
    return true;
  }

  /** After `pending`, or when it took too long: the engine that was found, or the failure to report. */
  outcome(): Resumption | SourceFailure {
    const found = this.#resumption ?? this.#failure;
    this.#pending = null;
    this.#resumption = null;
    if (found === null) throw new Error("nothing was pending");
    return found;
  }

  /** From here on the engine of this resumption speaks. */
  takeOver({ cut, seam }: Extract<Resumption, { kind: "source" }>): Taken {
    const { transcript } = this.#continuer;
    const delivered = transcript.shownTokens;
    this.#moved = true;
    this.#midway = transcript.text !== "";
    transcript.goOn(cut);
    this.#seam = seam.closed ? null : seam;
    return { kept: cut.keptTokens, delivered };
  }
}

function withoutRole(delta: EngineDelta, content: string): EngineDelta {
  const { role: _role, content: _content, ...rest } = delta;
  return content === "" ? rest : { ...rest, content };
}
