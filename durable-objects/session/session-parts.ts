import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import type { ReportFault } from "../../src/shared/contracts/report-fault.ts";
import type { Result } from "../../src/shared/contracts/result.ts";
import type { SessionOpening } from "../../src/shared/contracts/session.ts";
import type { ClientEvent } from "../../src/shared/sessions/client-event.ts";

/** What a Session object asks of its composition root. It knows nothing of requests, tenants or limits itself. */
export interface SessionParts {
  /** Starts a turn, or finds one again, and reads its journal. Authorised anew, message by message. */
  start(opening: SessionOpening, turn: TurnOfSession): Promise<Result<SessionTurn, StartRefused>>;
  /** Keeps a response that was not to be stored for as long as the socket may live. Never rejects. */
  hold(opening: SessionOpening, responseId: string): Promise<void>;
  /** Forgets it. Never rejects. */
  prune(opening: SessionOpening, responseId: string): Promise<void>;
  /** Has the buckets of user and org tell this object of revocations. */
  register(opening: SessionOpening): Promise<"open" | "revoked" | "full" | "unreachable">;
  /** Never rejects: what is not taken out is forgotten at its time. */
  unregister(opening: SessionOpening): Promise<void>;
  readonly report: ReportFault;
}

/** A message that asks for events, and its text. */
export interface TurnOfSession {
  readonly event: Exclude<ClientEvent, { type: "ack" }>;
  readonly text: string;
}

export interface SessionTurn {
  readonly responseId: string;
  /** Whether it is stored; held and pruned by this object otherwise. */
  readonly kept: boolean;
  /** A journal, as server-sent events. */
  readonly stream: ReadableStream<Uint8Array>;
}

export type StartRefused =
  | { readonly kind: "refused"; readonly refusal: Refusal; readonly requestId: string }
  | { readonly kind: "tenant-gone" };
