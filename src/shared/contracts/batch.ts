import type { SerialPrincipal } from "../turn/durable/turn-request.ts";
import type { ClientPlace } from "../routing/ports.ts";
import type { StoredIn } from "./library.ts";
import type { Jurisdiction, Owner } from "./owner.ts";

/**
 * Messages to a Batch object: one batch of requests (`POST /v1/batches`), named by the batch's id. Its owner's Library knows that it
 * exists, and brings it into being and to its end (docs/decisions/0086).
 */
export const batchVersion = 1;

interface Message {
  readonly v: typeof batchVersion;
  readonly owner: Owner;
}

export type BatchFailure =
  /** There is no such batch, it belongs to another owner, or it was deleted. */
  { readonly result: "unknown" } | { readonly result: "version-unsupported"; readonly supported: number };

export const batchEndpoints = [
  "/v1/chat/completions",
  "/v1/responses",
  "/v1/completions",
  "/v1/embeddings",
  "/v1/moderations",
] as const;
export type BatchEndpoint = (typeof batchEndpoints)[number];

export type BatchStatus =
  | "validating"
  | "in_progress"
  | "finalizing"
  | "completed"
  | "failed"
  | "expired"
  | "cancelling"
  | "cancelled";

/** The file of requests: its owner may be the whole tenant. */
export interface BatchInput {
  readonly owner: Owner;
  readonly fileId: string;
  readonly storedIn: StoredIn;
  readonly bytes: number;
}

/** The request for a batch; it never changes. */
export interface BatchOpening {
  readonly endpoint: BatchEndpoint;
  readonly input: BatchInput;
  /** The caller on whose behalf every line is asked. */
  readonly principal: SerialPrincipal;
  readonly place: ClientPlace;
  readonly metadata: Readonly<Record<string, string>> | null;
  /** How long the files that it makes are kept; `null`: until they are deleted. */
  readonly outputExpiresAfterMs: number | null;
  /** From its creation; lines that have not begun by then never do. */
  readonly windowMs: number;
  readonly maxLines: number;
  /** The longest line. */
  readonly maxLineBytes: number;
  /** The most lines under way at once. */
  readonly maxInFlight: number;
  /** Of what its object holds: beyond it no line begins. Absent: older code made it. */
  readonly maxStoredBytes?: number;
}

/** Idempotent by id. */
export interface CreateBatch extends Message {
  readonly jurisdiction: Jurisdiction;
  readonly batchId: string;
  readonly createdMs: number;
  readonly opening: BatchOpening;
}

export interface BatchError {
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
  /** From 1; `null`: it is of the batch as a whole. */
  readonly line: number | null;
}

/** When it reached each status, in milliseconds since 1970; absent: it never did. */
export type BatchTimes = Readonly<Partial<Record<Exclude<BatchStatus, "validating">, number>>>;

export interface BatchTally {
  readonly completed: number;
  readonly failed: number;
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

export interface BatchView {
  readonly id: string;
  readonly endpoint: BatchEndpoint;
  readonly inputFileId: string;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly status: BatchStatus;
  readonly times: BatchTimes;
  /** `null`: not known yet. */
  readonly model: string | null;
  readonly errors: readonly BatchError[];
  readonly total: number;
  readonly tally: BatchTally;
  readonly outputFileId: string | null;
  readonly errorFileId: string | null;
}

export type BatchOutcome = { readonly result: "ok"; readonly batch: BatchView } | BatchFailure;

export type DescribeBatch = Message;
/** Lines that are under way end, and count; none begins any more. */
export type CancelBatch = Message;
export type CancelBatchOutcome =
  | BatchOutcome
  /** It has ended in another way. */
  | { readonly result: "ended"; readonly status: BatchStatus };

/** Its owner is erased: it ends, and everything in it is deleted. Idempotent. */
export type DeleteBatch = Message;
export type DeleteBatchOutcome = { readonly result: "deleted" } | BatchFailure;
