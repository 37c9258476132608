/** Which models may answer this request, in which order? Pure. */
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { Capability } from "../routing/fleet/fleet-config.ts";
import type { Principal } from "../identity/principal.ts";
import { chooseRoute, type RouteChoice, type RouteFacts } from "../routing/models/choose-route.ts";
import { lastResortLast, type FleetIndex, type ModelVariant } from "../routing/fleet/fleet-index.ts";
import { permittedCandidates } from "../routing/models/residency.ts";
import { resolveAmong } from "../routing/models/resolve-model.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import type { ChatMessage } from "../prompt/chat-message.ts";
import { neededToRead } from "./asked-chat.ts";
import type { Asked } from "./asked.ts";

/** One way to answer: a model at the clusters that serve it alike. */
export interface Candidate {
  /** The model's id in the fleet file: what answers carry as `model`. */
  readonly model: string;
  readonly variant: ModelVariant;
  /** How it was chosen, if the name asked for is an alias that chooses. */
  readonly route: RouteChoice | null;
}

/** At least one, in the order to try. */
export type Plan = readonly [Candidate, ...Candidate[]];

/** A model that the tenant may not use is answered as one that does not exist. */
export function planModel(
  fleet: FleetIndex,
  tenant: TenantConfig,
  name: string,
  capabilities: readonly Capability[],
  caller: Caller,
): Result<Plan, Refusal> {
  if (!mayUse(tenant, name)) return err({ kind: "model-unknown", model: name });
  // Most fleets have no alias that chooses; then nothing below looks at the request.
  const route = fleet.routes.size === 0 ? undefined : fleet.routes.get(name);
  const chosen = route === undefined ? null : chooseRoute(route, factsOf(caller));
  // A model that no permitted cluster serves does not exist, and is not named as a reason either.
  const known = permittedCandidates(chosen?.models ?? fleet.names.get(name) ?? [], tenant);
  const resolution = resolveAmong(known, { capabilities });
  switch (resolution.kind) {
    case "resolved": {
      const candidates: Candidate[] = [];
      const choice = chosen === null ? null : chosen.choice;
      for (const { id, variants } of resolution.candidates)
        for (const variant of variants) candidates.push({ model: id, variant, route: choice });
      const ordered = fleet.hasLastResort ? engineOfLastResortLast(candidates) : candidates;
      return hasAny(ordered) ? ok(ordered) : err({ kind: "model-unknown", model: name });
    }
    case "unknown":
      return err({ kind: "model-unknown", model: name });
    case "incapable":
      return err({
        kind: "parameter-unsupported",
        param: "model",
        message: `The model '${name}' can't do this: it lacks the capability '${resolution.capability}'. GET /v1/models says what each can do.`,
      });
    case "window-too-small":
      return err({
        kind: "context-too-long",
        windowTokens: resolution.windowTokens,
        promptTokens: 0,
        answerTokens: 1,
      });
  }
}

function hasAny(candidates: readonly Candidate[]): candidates is Plan {
  return candidates.length > 0;
}

/**
 * The plan of a turn whose history is known: earlier images are in the prompt again, even if the new question is text
 * only, and a model without vision would refuse it.
 */
export function planWithHistory(
  fleet: FleetIndex,
  turn: Required<Caller> & { readonly tenant: TenantConfig },
  plan: Plan,
  history: readonly ChatMessage[],
): Result<Plan, Refusal> {
  const { tenant, asked } = turn;
  const more = neededToRead(history).filter((need) => !asked.capabilities.includes(need));
  return more.length === 0
    ? ok(plan)
    : planModel(fleet, tenant, asked.model, [...asked.capabilities, ...more], turn);
}

/** Who asks, and what: read only for an alias that chooses. */
interface Caller {
  readonly principal: Pick<Principal, "tenant" | "user" | "tier">;
  /** Absent for requests that ask nothing (embeddings). */
  readonly asked?: Asked;
}

function factsOf({ principal: { tenant, user, tier }, asked }: Caller): RouteFacts {
  if (asked === undefined) return { tenant, user, tier, ask: null };
  return {
    tenant,
    user,
    tier,
    ask: {
      question: () => asked.question(),
      estimatePromptTokens: () => asked.estimatePromptTokens(),
      maxTokens: asked.maxTokens,
      tools: asked.capabilities.includes("tools"),
      structuredOutput: asked.capabilities.includes("structured-output"),
    },
  };
}

function engineOfLastResortLast(candidates: readonly Candidate[]): Candidate[] {
  return lastResortLast(candidates.map((candidate) => ({ engine: candidate.variant.engine, candidate }))).map(
    ({ candidate }) => candidate,
  );
}

export function mayUse(tenant: TenantConfig, name: string): boolean {
  const { allow } = tenant.models;
  return allow[0] === "*" || allow.includes("*") || allow.includes(name);
}
