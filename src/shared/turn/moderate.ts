/**
 * `POST /v1/moderations`: `plan ▸ admit ▸ classify ▸ settle`. In process it counts as a request and costs no tokens; by a guard model of the
 * fleet it costs that model's.
 */
import type { LeaveSignal } from "../contracts/leave-signal.ts";
import { wantsOnlyStored } from "../cache/cache-policy.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { Usage } from "../contracts/usage.ts";
import { admitRequest } from "../limits/admit-request.ts";
import { costOfUsage, freeOfCharge, type TokenPrice } from "../limits/cost.ts";
import { wholeReservation } from "../limits/estimate.ts";
import { type Reservation, unused } from "../limits/ports.ts";
import { estimateTokens } from "../prompt/token-estimate.ts";
import { modelRecord } from "../routing/fleet/fleet-index.ts";
import type { OriginAnswer } from "../routing/ports.ts";
import type { Scores } from "../safety/moderation/categories.ts";
import { classify } from "../safety/moderation/classify.ts";
import { inProcessModel, isInProcess, type ModerationRequest } from "../wire/moderations-request.ts";
import { invalidValue } from "../wire/zod-refusal.ts";
import { dearestPrice } from "./dearest-price.ts";
import { guardAnswerTokens, judge, planGuard, type Spent, type Unjudged } from "./judge.ts";
import type { Plan } from "./plan.ts";
import type { TurnDeps, ValidatedTurn } from "./ports.ts";
import { freeCharge, settleWhole } from "./settle-whole.ts";

export interface Moderated {
  /** One an input, in their order. */
  readonly results: readonly Scores[];
  /** The model that judged. */
  readonly model: string;
  /** The guard model's use; `null`: none was asked. */
  readonly usage: Usage | null;
  /** The guard model's last answer; `null`: none was asked. */
  readonly answer: OriginAnswer | null;
  readonly reservation: Reservation;
}

type Unasked = Omit<ValidatedTurn, "asked">;

export async function moderate(
  turn: Unasked,
  request: ModerationRequest,
  deps: TurnDeps,
  signal: LeaveSignal,
): Promise<Result<Moderated, Refusal>> {
  // Verdicts are never stored.
  if (wantsOnlyStored(turn.cacheControl)) return err({ kind: "not-stored" });
  if (isInProcess(request.model)) return inProcess(turn, request, deps);
  const plan = planGuard(deps, turn.tenant, request.model, turn.principal);
  return plan.ok ? byModel(turn, request, plan.value, deps, signal) : plan;
}

async function inProcess(
  turn: Unasked,
  { inputs }: ModerationRequest,
  deps: TurnDeps,
): Promise<Result<Moderated, Refusal>> {
  const admitted = await admitRequest(deps.admission, turn);
  turn.mark("admit");
  if (!admitted.ok) return admitted;
  const reservation = admitted.value;
  const results = inputs.map(classify);
  turn.mark("screen");
  settleWhole(turn, reservation, freeCharge(inProcessModel), deps);
  return ok({ results, model: inProcessModel, usage: null, answer: null, reservation });
}

async function byModel(
  turn: Unasked,
  { inputs }: ModerationRequest,
  plan: Plan,
  deps: TurnDeps,
  signal: LeaveSignal,
): Promise<Result<Moderated, Refusal>> {
  const { principal, tenant, chargeId, place } = turn;
  const promptTokens = inputs.reduce((sum, input) => sum + estimateTokens(input) + templateTokens, 0);
  const admitted = await deps.admission.admit({
    principal,
    tenant,
    chargeId,
    ...wholeReservation(promptTokens, guardAnswerTokens * inputs.length, 1),
    choices: 1,
    price: dearestPrice(deps.fleet, plan),
    place,
    yields: turn.yields === true,
  });
  turn.mark("admit");
  if (!admitted.ok) return admitted;
  const reservation = admitted.value;
  const results: Scores[] = [];
  const usage = { promptTokens: 0, completionTokens: 0, cachedTokens: 0, reasoningTokens: 0 };
  const spent: GuardSpent = { model: plan[0].model, answer: null, attempts: 0, microdollars: 0 };
  let unjudged: Unjudged | null = null;
  const pay = ({ usage: used, answer, model }: Spent): void => {
    const price = priceOf(deps, answer, model);
    spent.model = model;
    spent.answer = answer;
    spent.attempts += answer.attempts;
    spent.microdollars += costOfUsage(price, used);
    usage.promptTokens += used.promptTokens;
    usage.completionTokens += used.completionTokens;
    usage.cachedTokens += used.cachedTokens;
  };
  // One at a time: one client's list must not fill the guard model's batch.
  for (const [at, content] of inputs.entries()) {
    const judged = await judge(
      {
        principal,
        tenant,
        messages: [{ role: "user", content }],
        requestId: turn.requestId,
        traceparent: turn.traceparent,
        place,
        deadlineMs: tenant.requests.deadline_seconds * 1000,
        ...(turn.yields === undefined ? {} : { yields: turn.yields }),
      },
      plan,
      deps,
      signal,
    );
    if (!judged.ok) {
      unjudged = namedInput(judged.error, inputs.length === 1 ? "input" : `input[${at}]`);
      if (unjudged.answered !== null) pay(unjudged.answered);
      break;
    }
    pay(judged.value);
    results.push(judged.value.scores);
  }
  turn.mark("dispatch");
  const { answer, model, ...charged } = spent;
  if (answer !== null && (unjudged === null || isOfTheRequest(unjudged)))
    settleWhole(
      turn,
      reservation,
      {
        status: unjudged === null ? "completed" : "failed",
        model,
        cluster: answer.cluster,
        usage,
        basis: "exact",
        ...charged,
        price: { version: deps.fleet.version, ...priceOf(deps, answer, model) },
      },
      deps,
    );
  else reservation.settle(unused);
  if (unjudged !== null) return err(unjudged.refusal);
  return ok({ results, model, usage, answer, reservation });
}

/**
 * Nothing of the verdicts is told where one is missing. Where the fleet failed, nothing of them is charged either. But a list whose last text
 * is too long, or is answered in place of judged, or whose client leaves before it has got to it, would be judged for nothing as often as
 * anybody likes.
 */
function isOfTheRequest({ refusal: { kind } }: Unjudged): boolean {
  return !ours.has(kind);
}

/** On the guard model, for all texts together. */
interface GuardSpent {
  /** Who answered last. */
  model: string;
  /** `null`: none has. */
  answer: OriginAnswer | null;
  attempts: number;
  microdollars: number;
}

function priceOf({ fleet }: TurnDeps, { cluster }: OriginAnswer, model: string): TokenPrice {
  return modelRecord(fleet, cluster, model)?.price ?? freeOfCharge;
}

function namedInput(unjudged: Unjudged, field: string): Unjudged {
  const { refusal } = unjudged;
  return refusal.kind === "value-invalid" && refusal.param === null
    ? { ...unjudged, refusal: invalidValue(field, refusal.message) }
    : unjudged;
}

const ours: ReadonlySet<Refusal["kind"]> = new Set([
  "origin-unavailable",
  "overloaded",
  "dependency-unavailable",
  "internal",
]);

/** Llama Guard's template lists its hazards before every text. */
const templateTokens = 250;
