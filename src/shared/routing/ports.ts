import type { LeaveSignal } from "../contracts/leave-signal.ts";
import type { Refusal } from "../contracts/refusal.ts";
import type { Result } from "../contracts/result.ts";
import type { AffinityKeys } from "./choice/affinity.ts";

/** Where the client is, as Cloudflare saw it (`request.cf`); absent fields locally. */
export interface ClientPlace {
  readonly country?: string;
  readonly colo?: string;
  readonly latitude?: number;
  readonly longitude?: number;
}

export type OriginPath =
  | "/v1/chat/completions"
  | "/v1/completions"
  | "/v1/embeddings"
  | "/v1/rerank"
  | "/tokenize";

/** One call of the fleet. Everything that reaches an engine is in here: headers of a client never are. */
export interface OriginRequest {
  readonly requestId: string;
  readonly traceparent: string;
  /** Clusters that may answer (each serves the model under `model` with the same body), in no order: the router scores them. */
  readonly clusters: readonly string[];
  /** Model id (of the fleet file), for logs and learned numbers. */
  readonly model: string;
  readonly path: OriginPath;
  /** JSON, complete, with the engine's own model name in it. */
  readonly body: string;
  /**
   * What `body` asks the engine for. `true`: SSE, and the answer begins with its first chunk, whose time-out is short.
   * `false`: one JSON document, read whole here (up to a cap), so that a replica that dies within it stays invisible too.
   */
  readonly stream: boolean;
  /** The tenant, for the queue's fairness when everything is busy. */
  readonly tenant: string;
  readonly tier: string;
  /** Tokens of prompt and answer reserved: the work that this request adds to a replica. */
  readonly tokens: number;
  /** Of these, the prompt's, as estimated: what must be computed before the first token. */
  readonly promptTokens: number;
  /** Identifies the prompt's beginning, to find a replica that computed it before; null: it has none, or there is only one replica. */
  readonly affinity: AffinityKeys | null;
  readonly place: ClientPlace;
  /** From the call of `dispatch` to the first byte of an answer's body, all attempts together, in milliseconds. */
  readonly deadlineMs: number;
  /** A second replica is asked when the first is later than nearly all answers of this model. */
  readonly hedge?: boolean;
  /** No client waits for it: it only takes spare capacity, joins no queue, and is `overloaded` if there is none. */
  readonly yields?: true;
  /** A copy for a shadow's model (docs/models.md): one attempt if there is room, and routing learns nothing from it. */
  readonly shadow?: true;
  /**
   * The request continues an answer that these replicas broke off, one after the other: others are asked first,
   * and the first attempt already counts as a retry.
   */
  readonly goesOnFrom?: readonly { readonly cluster: string; readonly replica: string }[];
}

/**
 * An answer whose first byte is in hand: until then, every failure that another replica can mend stays inside `dispatch`.
 * Take `text`, or write `firstChunk` and then read or pipe `body`; nothing of ours runs per chunk.
 */
export interface OriginAnswer {
  readonly status: number;
  readonly contentType: string;
  /** All of an answer that does not stream, where it came at once. `null`: it is in the next two. */
  readonly text: string | null;
  /** The body's beginning, already read. `null`: nothing was read ahead, `body` has it all. */
  readonly firstChunk: Uint8Array | null;
  /**
   * What follows `firstChunk`: SSE where `contentType` says so, JSON otherwise. Cancelling it aborts the engine. `null`:
   * what stands above is all there is.
   */
  readonly body: ReadableStream<Uint8Array> | null;
  readonly cluster: string;
  readonly replica: string;
  readonly attempts: number;
  /** Replicas that failed, in order, why, and after how long (`us-east/us-east-1: refused after 12 ms; …`); absent: none. */
  readonly tried?: string;
  /**
   * All of it has arrived but was not read yet: gives the replica's slot back, while `report` may still say that it was no valid answer. For
   * callers that pass it on unread; may be left out.
   */
  arrived(): void;
  /**
   * How it ended; to be called once, when the body ended, broke, or is wanted no more. Gives the replica's slot back, tells
   * its breaker, and, unless `done`, aborts the engine at once. Further calls are ignored.
   */
  report(outcome: OriginOutcome): void;
  /**
   * It was reported `done`, and its reader found later that it was not valid: the replica's breaker learns of that, too. Holds nothing of
   * the answer, and may be kept. May be left out.
   */
  readonly amend?: (outcome: OriginOutcome) => void;
}

/** `origin-error`: the body broke, or carried an error event. `stalled`: it fell silent for too long. */
export type OriginOutcome = "done" | "client-gone" | "origin-error" | "stalled";

/** The origin router, wherever it is mounted (in process, or a service binding): one port. */
export interface Origin {
  /** `signal` fires when the client is gone or the whole turn's time is over; the engine's request is then aborted. */
  dispatch(request: OriginRequest, signal: LeaveSignal): Promise<Result<OriginAnswer, OriginFailure>>;
  /** For `/health/ready`: is there a healthy replica for this alias or model id? From what is known, else asked live, within a second. */
  probe(name: string): Promise<boolean>;
}

export type OriginFailure = Extract<
  Refusal,
  { kind: "origin-rejected" | "origin-unavailable" | "overloaded" | "client-gone" | "context-too-long" }
>;
