/**
 * How are the fleet's embedding and reranking models called? One model, pinned by its id, at any of its clusters: vectors of another model
 * are not comparable, so an alias's second choice is no substitute here.
 *
 * Nothing is admitted or charged here: the caller has admitted the request, and the platform bears the cost.
 */
import type { LeaveSignal } from "../contracts/leave-signal.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { Principal } from "../identity/principal.ts";
import { neutraliseText, tokenFamilyOf } from "../prompt/control-tokens.ts";
import { estimateTokens } from "../prompt/token-estimate.ts";
import type { Capability, ModelRecord } from "../routing/fleet/fleet-config.ts";
import type { FleetIndex, ModelVariant } from "../routing/fleet/fleet-index.ts";
import type { ClientPlace, Origin, OriginAnswer, OriginFailure, OriginPath } from "../routing/ports.ts";
import { wholeText } from "../routing/whole-text.ts";
import { isRecord } from "../wire/is-record.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import { planModel } from "../turn/plan.ts";

/** On whose behalf, and through what. */
export interface FleetCaller {
  readonly origin: Origin;
  readonly fleet: FleetIndex;
  readonly tenant: TenantConfig;
  readonly principal: Pick<Principal, "tenant" | "user" | "tier">;
  readonly requestId: string;
  readonly traceparent: string;
  readonly place: ClientPlace;
  readonly signal: LeaveSignal;
  /** For each call, all its attempts together. */
  readonly deadlineMs: number;
}

export interface FleetModel {
  readonly id: string;
  /** At least one, which serve it by one body each. */
  readonly variants: readonly ModelVariant[];
  readonly record: ModelRecord;
  /** Identifies the weights: stored results are only comparable with results of the same. */
  readonly madeBy: string;
}

/** The model that a tenant means by a name: the first of an alias's. */
export function fleetModel(
  { fleet, tenant, principal }: FleetCaller,
  name: string,
  capability: Capability,
): Result<FleetModel, Refusal> {
  const plan = planModel(fleet, tenant, name, [capability], { principal });
  if (!plan.ok) return plan;
  const [{ model, variant }] = plan.value;
  return ok({
    id: model,
    variants: plan.value.flatMap((candidate) => (candidate.model === model ? [candidate.variant] : [])),
    record: variant.record,
    // Weights that are exchanged under the same id come with another name at the engine, in most fleets.
    madeBy: `fleet:${model}:${variant.record.served_name}`,
  });
}

export interface FleetQuestion<T> {
  readonly path: OriginPath;
  /** As estimated: what the call adds to a replica's work. */
  readonly promptTokens: number;
  /** The engine's JSON, with its own name for the model in it. */
  readonly bodyFor: (record: ModelRecord) => unknown;
  /** `null`: this is no answer, and its replica is to blame. */
  readonly read: (answer: Readonly<Record<string, unknown>>) => T | null;
}

export async function callFleet<T>(
  caller: FleetCaller,
  model: FleetModel,
  { path, promptTokens, bodyFor, read }: FleetQuestion<T>,
): Promise<Result<T, OriginFailure>> {
  let failure: OriginFailure = unavailable("no cluster serves the model");
  for (const { record, clusters } of model.variants) {
    const dispatched = await caller.origin.dispatch(
      {
        requestId: caller.requestId,
        traceparent: caller.traceparent,
        clusters,
        model: model.id,
        path,
        body: JSON.stringify(bodyFor(record)),
        stream: false,
        tenant: caller.principal.tenant,
        tier: caller.principal.tier,
        tokens: promptTokens,
        promptTokens,
        affinity: null,
        place: caller.place,
        deadlineMs: caller.deadlineMs,
      },
      caller.signal,
    );
    if (!dispatched.ok) {
      failure = dispatched.error;
      if (failure.kind !== "origin-unavailable" && failure.kind !== "overloaded") break;
      continue;
    }
    const answer = dispatched.value;
    const object = await wholeObject(answer);
    const value = object === null ? null : read(object);
    answer.report(value === null ? "origin-error" : "done");
    if (value !== null) return ok(value);
    failure = unavailable(`the answer of ${path} is not what was asked for`);
  }
  return err(failure);
}

/** `null`: it broke off, or is no JSON object. */
async function wholeObject(answer: OriginAnswer): Promise<Readonly<Record<string, unknown>> | null> {
  try {
    const value: unknown = JSON.parse(await wholeText(answer));
    return isRecord(value) ? value : null;
  } catch {
    // Told by the caller's report: both are the replica's doing.
    return null;
  }
}

function unavailable(detail: string): Extract<Refusal, { kind: "origin-unavailable" }> {
  return { kind: "origin-unavailable", retryAfterMs: 1000, detail };
}

/** Our estimate is off by some percent, and a template's own tokens come on top. */
const usualFill = 0.85;
/** Where the engine said that the estimate was too low. */
const carefulFill = 0.45;

/**
 * How is a call repeated whose texts do not fit the window? Once, with about half as much of them: what else fails is not for us to repeat.
 *
 * @param ask is given the share of the window that its texts may fill
 */
export async function askAsFits<T>(
  ask: (fill: number) => Promise<Result<T, OriginFailure>>,
): Promise<Result<T, OriginFailure>> {
  const first = await ask(usualFill);
  return first.ok || first.error.kind !== "context-too-long" ? first : ask(carefulFill);
}

/** A text as the model may read it: without its control tokens, and as much of its beginning as `maxTokens` hold, by estimate. */
export function textFor(record: ModelRecord, text: string, maxTokens: number): string {
  const harmless = neutraliseText(text, tokenFamilyOf(record));
  const tokens = estimateTokens(harmless);
  if (tokens <= maxTokens) return harmless;
  return harmless.slice(0, Math.floor((harmless.length * maxTokens) / tokens)).toWellFormed();
}
