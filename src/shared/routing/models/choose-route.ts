/**
 * Which models answer this request of a routed alias, in which order, and why? Pure: the same request of the same user is routed alike in
 * every isolate and after every restart, so nothing is stored.
 */
import type { Tier } from "../../limits/tier.ts";
import type { AliasRoute, Arm, Shadow } from "../fleet/alias-route.ts";
import { difficulty, type Question } from "./difficulty.ts";
import type { ModelCandidate } from "../fleet/fleet-index.ts";
import { stableDraw } from "./stable-draw.ts";

/** What a strategy may look at. */
export interface RouteFacts {
  readonly tenant: string;
  readonly user: string;
  readonly tier: Tier;
  /** The question; `null`: none (embeddings), which is never difficult. */
  readonly ask: {
    question(): Question;
    estimatePromptTokens(): number;
    readonly maxTokens: number | null;
    readonly tools: boolean;
    readonly structuredOutput: boolean;
  } | null;
}

/** Why a model was chosen. Bounded: it is in log and header, and may be a label. */
export type RouteReason =
  /** The first of the alias's models. */
  | "first"
  /** The user's arm. */
  | "assigned"
  | "easy"
  | "difficult"
  | "long-prompt"
  | "long-answer"
  | "tools"
  | "structured-output"
  | "tier"
  /** The chosen model is down, full, or can't do this. */
  | "fallback";

/** How the plan's candidates were chosen. */
export interface RouteChoice {
  readonly alias: string;
  readonly strategy: AliasRoute["strategy"];
  /** `weighted`: the arm's name. `cost`: `cheap` or `strong`. `null`: the strategy has none. */
  readonly arm: string | null;
  /** The model that the strategy chose; another one answering is a fallback. */
  readonly model: string;
  readonly reason: RouteReason;
  readonly shadow: Shadow | null;
}

export interface ChosenRoute {
  readonly models: readonly ModelCandidate[];
  readonly choice: RouteChoice;
}

export function chooseRoute(route: AliasRoute, facts: RouteFacts): ChosenRoute {
  const { alias, strategy, shadow } = route;
  const common = { alias, strategy, shadow };
  switch (route.strategy) {
    case "weighted": {
      const arm = armOf(route.arms, `${facts.tenant}\n${facts.user}\n${alias}\n${route.experiment}`);
      const others = route.arms.filter((other) => other !== arm).map(({ model }) => model);
      return {
        models: once([arm.model, ...others, ...route.fallback]),
        choice: { ...common, arm: arm.name, model: arm.model.id, reason: "assigned" },
      };
    }
    case "cost": {
      const reason = reasonFor(route, facts);
      const isCheap = reason === "easy";
      const [chosen, other] = isCheap ? [route.cheap, route.strong] : [route.strong, route.cheap];
      return {
        models: once([chosen, other, ...route.fallback]),
        choice: { ...common, arm: isCheap ? "cheap" : "strong", model: chosen.id, reason },
      };
    }
    case "fixed":
    case "fallback":
    case "shadow":
      return {
        models: route.models,
        choice: { ...common, arm: null, model: route.models[0]?.id ?? "", reason: "first" },
      };
  }
}

/** The user's arm: the same as long as tenant, user, alias and experiment are, and the weights before it. */
function armOf(arms: readonly Arm[], subject: string): Arm {
  const draw = stableDraw(subject);
  const arm = arms.find(({ below }) => draw < below) ?? arms.at(-1);
  if (arm === undefined) throw new Error("an alias without arms");
  return arm;
}

/** The rules that cost nothing to ask come first; the score is worked out only where none of them holds. */
function reasonFor(
  { threshold, escalate }: Extract<AliasRoute, { strategy: "cost" }>,
  { tier, ask }: RouteFacts,
): RouteReason {
  if (escalate.tiers.includes(tier)) return "tier";
  if (ask === null) return "easy";
  if (escalate.tools && ask.tools) return "tools";
  if (escalate.structured_output && ask.structuredOutput) return "structured-output";
  if ((ask.maxTokens ?? 0) > escalate.max_tokens_over) return "long-answer";
  if (ask.estimatePromptTokens() > escalate.prompt_tokens_over) return "long-prompt";
  return difficulty(ask.question()) >= threshold ? "difficult" : "easy";
}

function once(models: readonly ModelCandidate[]): readonly ModelCandidate[] {
  return [...new Set(models)];
}
