import type { TenantConfig } from "../tenancy/tenant-config.ts";
import type { CachedAnswer } from "./ports.ts";

/**
 * May this request be answered from the exact cache, and may its answer be stored?
 *
 * `deterministic` means `temperature: 0`, given. A `seed` alone does not count: engines that batch are not
 * reproducible at a temperature, and a client that sends a seed wants to see variation under control, not a replay.
 * Tools that the client runs itself are no obstacle: the call is only text until the client acts on it. What the edge
 * would run on the way (retrieval, a conversation) is: its answer hangs on more than the request.
 */
export interface CacheDecision {
  readonly lookup: boolean;
  readonly store: boolean;
  /** Why not, for the log and for `Cache-Status`. */
  readonly reason:
    | "allowed"
    | "policy-off"
    | "not-deterministic"
    | "not-replayable"
    | "client-no-cache"
    | "client-no-store";
}

export interface CacheableRequest {
  readonly temperature?: number | null | undefined;
  readonly n?: number | null | undefined;
  readonly logprobs?: boolean | null | undefined;
  readonly conversation_id?: string | null | undefined;
  readonly retrieval?: unknown;
}

/** `cacheControl`: the request's header. Directives other than `no-cache` and `no-store` have no effect. */
export function decideCaching(
  request: CacheableRequest,
  mode: TenantConfig["cache"]["exact"],
  cacheControl: string | null,
): CacheDecision {
  if (mode === "off") return never("policy-off");
  if (mode === "deterministic" && request.temperature !== 0) return never("not-deterministic");
  if ((request.n ?? 1) !== 1 || request.logprobs === true) return never("not-replayable");
  if (typeof request.conversation_id === "string") return never("not-replayable");
  if (typeof request.retrieval === "object" && request.retrieval !== null) return never("not-replayable");
  if (cacheControl !== null) {
    const directives = cacheControl.toLowerCase().split(/[\s,]+/);
    if (directives.includes("no-store")) return never("client-no-store");
    if (directives.includes("no-cache")) return { lookup: false, store: true, reason: "client-no-cache" };
  }
  return { lookup: true, store: true, reason: "allowed" };
}

function never(reason: CacheDecision["reason"]): CacheDecision {
  return { lookup: false, store: false, reason };
}

export interface AnswerEnding {
  /** Every choice ended by the engine's own word, and the stream was read to its end. */
  readonly complete: boolean;
  /** The guard saw all of it, masked nothing and blocked nothing; true where no guard is at work. */
  readonly passedGuard: boolean;
  /** It was cut by us (a limit, a deadline): `length` then says nothing about the request. */
  readonly cutShort: boolean;
}

const storableReasons: ReadonlySet<string> = new Set(["stop", "length", "tool_calls"]);

/** Only a complete answer that passed the guard is worth keeping. */
export function isStorable(answer: CachedAnswer, ending: AnswerEnding): boolean {
  return (
    ending.complete &&
    ending.passedGuard &&
    !ending.cutShort &&
    answer.choices.length > 0 &&
    answer.choices.every((choice) => storableReasons.has(choice.finishReason))
  );
}
