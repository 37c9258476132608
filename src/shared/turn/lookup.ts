/** Has this tenant (or this user) had the very same answer before? Asked beside admission, never before it in effect. */
import { cacheStatus } from "../cache/cache-status.ts";
import { lookupLimitMs, patientLookupLimitMs } from "../cache/answer-cache.ts";
import { decideCaching, isTooOld, wantsOnlyStored } from "../cache/cache-policy.ts";
import { exactKey } from "../cache/exact-key.ts";
import type { CacheLookup } from "../cache/ports.ts";
import { composeVersion } from "../prompt/compose.ts";
import { controlTokenRulesVersion } from "../prompt/control-tokens.ts";
import { injectionRulesVersion, looksForInjection } from "../safety/injection/injection-policy.ts";
import { linkRulesVersion } from "../safety/links/links-policy.ts";
import { moderationVersion } from "../safety/moderation/moderation-policy.ts";
import { resolvePolicy, safetyRulesVersion } from "../safety/safety-policy.ts";
import type { LeaveSignal } from "../contracts/leave-signal.ts";
import { lookupSimilar, type SemanticStanding } from "./lookup-similar.ts";
import type { Plan } from "./plan.ts";
import type { TurnDeps, ValidatedTurn } from "./ports.ts";

export interface CacheStanding {
  /** The key under which the answer may be stored; `null`: it may not. */
  readonly storeKey: string | null;
  readonly lookup: CacheLookup | null;
  /** The `Cache-Status` header. */
  readonly status: string;
  /** If the tenant has a semantic cache and the request is a single question: what was found among similar ones, and how to store this one. */
  readonly semantic?: SemanticStanding;
}

/** A plain value, not a promise, if there is nothing to look up: most turns then wait for nothing. */
export function lookup(
  turn: ValidatedTurn,
  plan: Plan,
  deps: TurnDeps,
  signal: LeaveSignal,
): CacheStanding | Promise<CacheStanding> {
  if (turn.ground !== null) return grounded;
  const { cacheable } = turn.asked;
  if (cacheable === null) return notReplayable;
  const decision = decideCaching(cacheable, turn.tenant.cache.exact, turn.cacheControl);
  if (!decision.lookup && !decision.store)
    return { storeKey: null, lookup: null, status: cacheStatus(decision, null, false) };
  const limitMs = wantsOnlyStored(turn.cacheControl) ? patientLookupLimitMs : lookupLimitMs;
  return (async () => {
    const key = await keyOf(turn, plan, deps, cacheable);
    const oldestMs = decision.maxAgeSeconds === null ? 0 : deps.now() - decision.maxAgeSeconds * 1000;
    const found = decision.lookup
      ? await deps.cache(turn.tenant.jurisdiction).lookup(key, limitMs, oldestMs)
      : null;
    const old = found?.result === "hit" && isTooOld(decision, found.answer, deps.now());
    const standing: CacheStanding = {
      storeKey: decision.store ? key : null,
      lookup: old ? { result: "miss" } : found,
      status: cacheStatus(decision, found, old),
    };
    if (turn.tenant.cache.semantic.mode === "off" || standing.lookup?.result === "hit") return standing;
    const inputs = {
      decision,
      limitMs,
      oldestMs,
      keyOf: (request: Readonly<Record<string, unknown>>) => keyOf(turn, plan, deps, request),
    };
    return lookupSimilar(turn, deps, standing, inputs, signal);
  })();
}

/**
 * A grounded answer depends on files that change and on who may read them: it is neither looked up nor stored
 * (docs/decisions/0062-grounded-answers.md).
 */
const grounded: CacheStanding = {
  storeKey: null,
  lookup: null,
  status: "edgewise; fwd=bypass; detail=grounded",
};

/** Plain completions: whatever the tenant's policy is. */
const notReplayable: CacheStanding = {
  storeKey: null,
  lookup: null,
  status: "edgewise; fwd=bypass; detail=not-replayable",
};

function keyOf(
  turn: ValidatedTurn,
  plan: Plan,
  deps: TurnDeps,
  request: Readonly<Record<string, unknown>>,
): Promise<string> {
  const { record } = plan[0].variant;
  return exactKey({
    tenant: turn.tenant.id,
    user: turn.tenant.cache.share === "tenant" ? null : turn.principal.user,
    alias: turn.asked.model,
    model: { id: plan[0].model, weights: record.weights },
    fleetVersion: deps.fleet.version,
    tenantVersion: turn.tenant.version,
    request,
    policies: {
      defaultSystemPrompt: turn.tenant.default_system_prompt,
      template: `${record.template ?? "engine"}/${record.template_date}/${composeVersion}/${controlTokenRulesVersion}`,
      safety: safetyOf(turn),
    },
  });
}

/** The policy is part of the key, since it may mask or block an answer; a policy that looks for nothing is not. */
function safetyOf({ tenant: { safety } }: ValidatedTurn): string | null {
  const links = safety.links.action !== "off";
  const { spotlight, datamark } = safety.injection;
  const injection = looksForInjection(safety.injection) || spotlight || datamark;
  const moderation = safety.moderation !== undefined;
  const patterns = !resolvePolicy(safety.input).isOff || !resolvePolicy(safety.output).isOff;
  if (!patterns && !injection && !links && !moderation) return null;
  return [
    safetyRulesVersion,
    injection ? injectionRulesVersion : "",
    links ? linkRulesVersion : "",
    moderation ? moderationVersion : "",
    JSON.stringify(safety),
  ].join("/");
}
