/** After an exact miss: is there an answer to the same question in other words? Only for tenants that want it. */
import { type CacheDecision } from "../cache/cache-policy.ts";
import { semanticStatus } from "../cache/cache-status.ts";
import { semanticQuestion } from "../cache/semantic/semantic-question.ts";
import { lexicalThreshold } from "../cache/semantic/semantic-policy.ts";
import { type SemanticResult, SemanticTurn } from "../cache/semantic/semantic-turn.ts";
import { featuresVersion } from "../cache/semantic/question-features.ts";
import type { LeaveSignal } from "../contracts/leave-signal.ts";
import { ok, type Result } from "../contracts/result.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { estimateTokens } from "../prompt/token-estimate.ts";
import { fleetEmbedder } from "../retrieval/fleet-embedder.ts";
import type { Embedder } from "../retrieval/ports.ts";
import type { CacheStanding } from "./lookup.ts";
import type { TurnDeps, ValidatedTurn } from "./ports.ts";

export interface SemanticStanding {
  /** `null`: no look-up was made. */
  readonly result: SemanticResult | null;
  /** To be called once the answer is stored under `answerKey`. */
  keep(answerKey: string, ttlSeconds: number): Promise<void>;
  /** The look-up itself, where it costs a model's time and so must wait for admission. */
  readonly afterAdmission?: () => Promise<CacheStanding>;
}

export interface SimilarInputs {
  readonly decision: CacheDecision;
  readonly limitMs: number;
  readonly oldestMs: number;
  /** The exact cache's key of this turn with another request. */
  readonly keyOf: (request: Readonly<Record<string, unknown>>) => Promise<string>;
}

/** @param exact what the exact cache said: a miss, or that it was not asked */
export function lookupSimilar(
  turn: ValidatedTurn,
  deps: TurnDeps,
  exact: CacheStanding,
  { decision, limitMs, oldestMs, keyOf }: SimilarInputs,
  signal: LeaveSignal,
): CacheStanding | Promise<CacheStanding> {
  const { semantic: parts, background } = deps;
  const question = turn.asked.cacheable === null ? null : semanticQuestion(turn.asked.cacheable);
  if (parts === null || question === null) return exact;
  const { semantic: policy, share } = turn.tenant.cache;
  const { tenant, user } = turn.principal;
  if (policy.embedder !== null && estimateTokens(question.text) > mostEmbeddedTokens) return exact;
  const found = embedderOf(turn, deps, parts.lexical, signal);
  if (!found.ok) {
    parts.onFault(`cache.semantic.embedder of tenant ${tenant}: ${found.error.kind}`);
    return exact;
  }
  const embedder = found.value;
  const asked = new SemanticTurn(
    {
      text: question.text,
      place: { tenant, user: share === "tenant" ? null : user, jurisdiction: turn.tenant.jurisdiction },
      user,
      // Everything in the exact key is in this one, except the text: the versions of the guards and of the embedder take its place.
      scope: () => keyOf(question.withMark(`semantic/${featuresVersion}/${embedder.id}`)),
      embedder,
      level: policy.embedder === null ? "words" : "facts",
      atLeast: policy.threshold ?? lexicalThreshold,
      maxEntries: policy.max_entries,
      askedMs: turn.createdMs,
    },
    parts,
  );
  const standing = (result: SemanticResult | null): CacheStanding => ({
    ...exact,
    semantic: { result, keep: (key, ttlSeconds) => asked.keep(key, ttlSeconds) },
  });
  if (!decision.lookup) return standing(null);
  const look = async (): Promise<CacheStanding> => {
    const found = await asked.find(deps.cache(turn.tenant.jurisdiction), background, { limitMs, oldestMs });
    const after = standing(found.result);
    if (found.result === "semantic_hit")
      return { ...after, lookup: found.lookup, status: semanticStatus(found.lookup.ttlSeconds) };
    return found.result === "semantic_slow" ? { ...after, status: semanticStatus(null) } : after;
  };
  if (policy.embedder === null) return look();
  const { semantic, ...rest } = standing(null);
  return semantic === undefined ? rest : { ...rest, semantic: { ...semantic, afterAdmission: look } };
}

/**
 * Its tokens are charged to nobody, since the tenant chose it, not the user. The question only goes to clusters that the turn itself may
 * use.
 */
function embedderOf(
  turn: ValidatedTurn,
  deps: TurnDeps,
  lexical: Embedder,
  signal: LeaveSignal,
): Result<Embedder, Refusal> {
  const { embedder } = turn.tenant.cache.semantic;
  if (embedder === null) return ok(lexical);
  const { origin, fleet } = deps;
  const { tenant, principal, requestId, traceparent, place } = turn;
  const caller = { origin, fleet, tenant, principal, requestId, traceparent, place, signal };
  return fleetEmbedder({ ...caller, deadlineMs: embeddingDeadlineMs }, embedder.model);
}

/** Text beyond a model's window is not in its vector; the smallest models in use take 512 tokens. */
const mostEmbeddedTokens = 256;
/** If it is too slow for the look-up it continues beside the answer, and its vector is used to store that. */
const embeddingDeadlineMs = 5000;
