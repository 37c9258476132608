import type { TenantConfig } from "../tenancy/tenant-config.ts";
import type { CachedAnswer } from "./ports.ts";

/**
 * May this request be answered from the exact cache, and may its answer be stored?
 *
 * `deterministic` means `temperature: 0`, given. A `seed` alone does not count: engines that batch are not
 * reproducible at a temperature, and a client that sends a seed wants to see variation under control, not a replay.
 * Tools that the client runs itself are no obstacle: the call is only text until the client acts on it. What the edge
 * would run on the way (retrieval, a conversation) is, and so is an image that the engine fetches: its answer hangs on more
 * than the request.
 */
export interface CacheDecision {
  readonly lookup: boolean;
  readonly store: boolean;
  /** The client takes no older answer, in seconds; `null`: it takes any. */
  readonly maxAgeSeconds: number | null;
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
  readonly messages?: readonly { readonly content?: unknown }[];
}

/**
 * `cacheControl`: the request's header (RFC 9111, section 5.2.1). `no-store`, `no-cache` and `max-age` are heeded; of the latter, 0
 * asks for a new answer as `no-cache` does (browsers say it so). So is `only-if-cached`, by whoever asks. Others have no effect.
 */
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
  if (request.messages?.some(showsWhatIsElsewhere) === true) return never("not-replayable");
  if (cacheControl !== null) {
    const directives = directivesOf(cacheControl);
    if (directives.includes("no-store")) return never("client-no-store");
    const maxAgeSeconds = maxAgeOf(directives);
    if (directives.includes("no-cache") || maxAgeSeconds === 0)
      return { lookup: false, store: true, maxAgeSeconds: null, reason: "client-no-cache" };
    return { lookup: true, store: true, maxAgeSeconds, reason: "allowed" };
  }
  return { lookup: true, store: true, maxAgeSeconds: null, reason: "allowed" };
}

/** An image by its address: there may be another one tomorrow. */
function showsWhatIsElsewhere({ content }: { readonly content?: unknown }): boolean {
  return Array.isArray(content) && content.some(isElsewhere);
}

function isElsewhere(part: { readonly image_url?: { readonly url: string } }): boolean {
  return part.image_url !== undefined && !/^data:/i.test(part.image_url.url);
}

/** The client takes a stored answer, consistent with all else that it asks for, or none (RFC 9111, section 5.2.1.7). */
export function wantsOnlyStored(cacheControl: string | null): boolean {
  return cacheControl !== null && directivesOf(cacheControl).includes("only-if-cached");
}

function directivesOf(cacheControl: string): readonly string[] {
  return cacheControl.toLowerCase().split(/[\s,]+/);
}

/** The client takes no answer as old as the one that was found. */
export function isTooOld(decision: CacheDecision, answer: CachedAnswer, nowMs: number): boolean {
  return decision.maxAgeSeconds !== null && nowMs - answer.createdMs > decision.maxAgeSeconds * 1000;
}

/** Of several, the strictest. What is no number of seconds says nothing. */
function maxAgeOf(directives: readonly string[]): number | null {
  const ages = directives.flatMap((directive) => /^max-age="?(\d{1,9})"?$/.exec(directive)?.[1] ?? []);
  return ages.length === 0 ? null : Math.min(...ages.map(Number));
}

function never(reason: CacheDecision["reason"]): CacheDecision {
  return { lookup: false, store: false, maxAgeSeconds: null, reason };
}

const storableReasons: ReadonlySet<string> = new Set(["stop", "length", "tool_calls"]);

/**
 * Is this answer, all of which the engine ended itself, worth keeping?
 *
 * @param passedGuard the guard saw all of it, masked nothing and blocked nothing; true where no guard is at work
 */
export function isStorable(answer: CachedAnswer, passedGuard: boolean): boolean {
  return (
    passedGuard &&
    answer.choices.length > 0 &&
    answer.choices.every((choice) => storableReasons.has(choice.finishReason))
  );
}
