/**
 * Who is answering this turn, and who goes on when they fail after the first byte? Holds the engine's answer from `openTurn`,
 * changes it for another's when the stream breaks and the answer may go on (continuation.ts), and tells the router of each how
 * it ended, exactly once.
 */
import { eitherLeaves, type LeaveSignal } from "../contracts/leave-signal.ts";
import type { OriginAnswer, OriginOutcome } from "../routing/ports.ts";
import type { AnswerContinuer, Resumption, SourceFailure } from "../stream/resumption.ts";
import { Transcript } from "../stream/transcript.ts";
import { continueAnswer, cutTerms, maxContinuations, type Continuation } from "./continuation.ts";
import type { LiveTurn } from "./open-turn.ts";
import type { TurnDeps } from "./ports.ts";

/** What the turn's record says of it. */
export interface EngineStory {
  readonly cluster: string;
  readonly replica: string;
  /** Of all engines together. */
  readonly attempts: number;
  /** Replicas that failed before they answered, and why (`OriginAnswer`). */
  readonly tried: readonly string[];
  /** How often another engine went on. */
  readonly continued: number;
  /** Which engines failed in mid-answer and why, in order: `us-east/us-east-1: stalled`. */
  readonly left: readonly string[];
  /** Why no other engine did, if that was tried or considered. */
  readonly notContinued: string | null;
}

/** As the turn's record has it. */
export function engineFields({ continued, notContinued, left, tried, ...who }: EngineStory) {
  return {
    ...who,
    ...(tried.length === 0 ? {} : { tried: tried.join("; ") }),
    ...(continued === 0 ? {} : { continued }),
    ...(left.length === 0 ? {} : { left: left.join("; ") }),
    ...(notContinued === null ? {} : { notContinued }),
  };
}

export class AnsweringEngine implements AnswerContinuer {
  readonly transcript: Transcript;
  readonly #turn: LiveTurn;
  readonly #deps: Pick<TurnDeps, "origin" | "now">;
  readonly #signal: LeaveSignal;
  #answer: OriginAnswer;
  #attempts: number;
  readonly #tried: string[];
  #continued = 0;
  #notContinued: string | null = null;
  /** The one that answered did not fail: it may go on itself, and this is no retry of a request. */
  #blameless: boolean;
  readonly #left: string[] = [];
  /** Replicas that broke this answer off: not asked again while any other is left. */
  readonly #failed: { readonly cluster: string; readonly replica: string }[] = [];
  /** How far the text that it sends lags behind the tokens that it made; `null`: not determined yet. */
  #lag: number | null = null;
  /** Ends the search that is under way. */
  #search: AbortController | null = null;
  #over = false;

  /** @param said what was delivered by an earlier run whose memory was lost: its engine is not to blame */
  constructor(
    turn: LiveTurn,
    deps: Pick<TurnDeps, "origin" | "now">,
    signal: LeaveSignal,
    said: Transcript | null = null,
  ) {
    this.transcript = said ?? new Transcript();
    this.#blameless = said !== null;
    this.#turn = turn;
    this.#deps = deps;
    this.#signal = signal;
    this.#answer = turn.answer;
    this.#attempts = turn.answer.attempts;
    this.#tried = [turn.answer.tried ?? []].flat();
  }

  /** For the pass; absent where no answer of this turn may change engines. */
  get continuer(): { readonly continuer?: AnswerContinuer } {
    const { asked, tenant } = this.#turn;
    // A plain completion has no frame that marks where its prompt ends: another engine could take the answer so far for the prompt.
    const may = tenant.requests.continue_answers && asked.choices === 1 && asked.shape === "chat";
    return may ? { continuer: this } : {};
  }

  get story(): EngineStory {
    const { cluster, replica } = this.#answer;
    return {
      cluster,
      replica,
      attempts: this.#attempts,
      tried: this.#tried,
      continued: this.#continued,
      left: this.#left,
      notContinued: this.#notContinued,
    };
  }

  /** To be called once, when the answer has ended. A search for another engine ends with it. */
  end(outcome: OriginOutcome): void {
    this.#over = true;
    this.#search?.abort();
    this.#answer.report(outcome);
  }

  keptTokens(held: number): number | null {
    this.#lag ??= cutTerms(this.#turn.prompt).heldCharacters;
    const { transcript } = this;
    if (transcript.overflowed || (held === 0 && this.#lag === 0 && transcript.endsShown)) return null;
    return transcript.tokensBefore(held, this.#lag);
  }

  goOn({ end }: SourceFailure): Promise<Resumption | null> | null {
    if (this.#over || this.#signal.aborted) return null;
    if (!this.#blameless) {
      const { cluster, replica } = this.#answer;
      this.#left.push(`${cluster}/${replica}: ${end}`);
      this.#failed.push({ cluster, replica });
    }
    if (this.#continued >= maxContinuations) return this.#refuse("it went on often enough");
    const leftMs =
      this.#turn.createdMs + this.#turn.tenant.requests.deadline_seconds * 1000 - this.#deps.now();
    if (leftMs <= 0) return this.#refuse("its time is over");
    const { prompt, candidate } = this.#turn;
    const next = continueAnswer(prompt, this.transcript, candidate.variant.record);
    if (next.kind === "refused") return this.#refuse(next.reason);
    // The engine that failed is told at once: its slot is free, its breaker knows, and its request is aborted.
    this.#answer.report(end);
    if (next.kind === "complete") return Promise.resolve(next);
    return this.#ask(next, leftMs);
  }

  async #ask(next: Extract<Continuation, { kind: "ask" }>, deadlineMs: number): Promise<Resumption | null> {
    const search = new AbortController();
    this.#search = search;
    const { candidate, principal, prompt, requestId, traceparent, reservation, place } = this.#turn;
    const failed = this.#answer;
    const { weights } = candidate.variant.record;
    const found = await this.#deps.origin
      .dispatch(
        {
          // The same request, under an id of its own in the engines' logs.
          requestId: `${requestId.slice(0, maxRequestId)}-c${this.#continued + 1}`,
          traceparent,
          // Weights that the fleet file does not name may differ between clusters.
          clusters: weights === "unknown" ? [failed.cluster] : candidate.variant.clusters,
          model: candidate.model,
          path: prompt.path,
          body: next.body,
          stream: true,
          tenant: principal.tenant,
          tier: principal.tier,
          tokens: reservation.tokens,
          promptTokens: prompt.promptTokens,
          affinity: prompt.affinity,
          place,
          deadlineMs,
          ...(this.#failed.length === 0 ? {} : { goesOnFrom: [...this.#failed] }),
        },
        eitherLeaves(this.#signal, search.signal),
      )
      .catch((error: unknown) => thrown(error));
    this.#search = null;
    this.#blameless = false;
    if (!found.ok) return this.#refuse("detail" in found.error ? found.error.detail : found.error.kind);
    if (this.#over) {
      found.value.report("client-gone");
      return null;
    }
    this.#answer = found.value;
    this.#attempts += found.value.attempts;
    if (found.value.tried !== undefined) this.#tried.push(found.value.tried);
    this.#continued += 1;
    return {
      kind: "source",
      cut: next.cut,
      seam: next.seam,
      firstChunk: found.value.firstChunk,
      body: found.value.body ?? new ReadableStream({ start: (controller) => controller.close() }),
    };
  }

  #refuse(reason: string): null {
    this.#notContinued = reason;
    return null;
  }
}

/** Room for the suffix, and for the one of each attempt (routing/attempt.ts). */
const maxRequestId = 112;

/** A fault of ours in the router: the answer ends as one that nobody could continue, and the log has it. */
function thrown(error: unknown): { readonly ok: false; readonly error: { readonly kind: string } } {
  return {
    ok: false,
    error: { kind: `the router threw: ${error instanceof Error ? error.message : "unknown"}` },
  };
}
