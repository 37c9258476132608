import type { Refusal } from "../contracts/refusal.ts";
import type { Result } from "../contracts/result.ts";

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
  /** Tokens of prompt and answer reserved: the work that this request adds to a replica. */
  readonly tokens: number;
  readonly place: ClientPlace;
  /** For the first response header, all attempts together. */
  readonly deadlineMs: number;
}

export interface OriginAnswer {
  readonly status: number;
  /** The engine's bytes: SSE where `contentType` says so, JSON otherwise. Cancelling it aborts the engine. */
  readonly body: ReadableStream<Uint8Array>;
  readonly contentType: string;
  readonly cluster: string;
  readonly replica: string;
  readonly attempts: number;
}

/** The origin router, wherever it is mounted (in process, or a service binding): one port. */
export interface Origin {
  /** `signal` fires when the client is gone or the deadline passed; the engine's request is then aborted. */
  dispatch(request: OriginRequest, signal: AbortSignal): Promise<Result<OriginAnswer, OriginFailure>>;
}

export type OriginFailure = Extract<
  Refusal,
  { kind: "origin-rejected" | "origin-unavailable" | "overloaded" | "client-gone" }
>;
