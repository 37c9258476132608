/**
 * Will this turn be refused whatever its prompt says, and if not, what will be set aside for it at least? That is known from the fleet and the request alone, before a guard model is asked about the
 * prompt: `plan ▸ compose` as openTurn does both, without a history and without passages, which only add to a prompt. Pure.
 */
import type { Refusal } from "../contracts/refusal.ts";
import type { Principal } from "../identity/principal.ts";
import { answerReservation } from "../limits/estimate.ts";
import { looksForInjection } from "../safety/injection/injection-policy.ts";
import { resolvePolicy, type SafetyPolicy } from "../safety/safety-policy.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import type { Asked } from "./asked.ts";
import { planModel } from "./plan.ts";
import type { TurnDeps } from "./ports.ts";
import { refusalToTell } from "./refused-candidate.ts";

export interface UnjudgedTurn {
  readonly principal: Principal;
  readonly tenant: TenantConfig;
  readonly asked: Asked;
}

export type Unanswerable = Extract<
  Refusal,
  { kind: "model-unknown" | "parameter-unsupported" | "context-too-long" }
>;

/** `null`: some model may answer it. */
export function unanswerable(
  turn: UnjudgedTurn,
  { fleet, calibration }: Pick<TurnDeps, "fleet" | "calibration">,
): Unanswerable | null {
  const { tenant, asked } = turn;
  const plan = planModel(fleet, tenant, asked.model, asked.capabilities, turn);
  if (!plan.ok) return ofTheRequest(plan.error);
  let told: Refusal | null = null;
  for (const { model, variant } of plan.value) {
    const composed = asked.compose({
      history: [],
      defaultSystemPrompt: tenant.default_system_prompt,
      model: variant.record,
      estimateRatio: calibration.ratio(tenant.id, model) * leastKept(tenant.safety),
      stream: false,
      cacheSalt: null,
      affinitySeed: null,
      spotlight: null,
      passages: null,
    });
    if (composed.ok) return null;
    // A result whose call the history has, for one.
    if (ofTheRequest(composed.error) === null) return null;
    told = refusalToTell(told, composed.error);
  }
  return told === null ? null : ofTheRequest(told);
}

/**
 * The fewest tokens that this turn's admission will ask for, as openTurn does, before a history and passages add to them. `null`: it has no
 * plan.
 */
export function leastReserved(
  turn: UnjudgedTurn,
  { fleet, calibration, answerLengths }: Pick<TurnDeps, "fleet" | "calibration" | "answerLengths">,
): number | null {
  const { tenant, asked } = turn;
  const plan = planModel(fleet, tenant, asked.model, asked.capabilities, turn);
  if (!plan.ok) return null;
  const [{ model }] = plan.value;
  const kept = calibration.ratio(tenant.id, model) * leastKept(tenant.safety);
  const answerTokens = answerReservation(
    asked.maxTokens,
    asked.choices,
    answerLengths.expected(tenant.id, model),
  );
  return Math.floor(asked.estimatePromptTokens() * kept) + answerTokens;
}

/** The least share of a prompt that masking is taken to leave: it shortens most prompts little, and a list of keys a lot. */
function leastKept({ input, injection }: SafetyPolicy): number {
  return resolvePolicy(input).withholds || looksForInjection(injection) ? 0.5 : 1;
}

function ofTheRequest(refusal: Refusal): Unanswerable | null {
  return refusal.kind === "model-unknown" ||
    refusal.kind === "parameter-unsupported" ||
    refusal.kind === "context-too-long"
    ? refusal
    : null;
}
