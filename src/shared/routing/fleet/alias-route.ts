/**
 * How is an alias routed whose model is chosen for each request? Compiled once per fleet document; applied by choose-route.ts. Plain
 * aliases (the first model that works) have no route, and cost nothing here.
 */
import type { Alias, Escalation } from "./alias-config.ts";
import type { ModelCandidate } from "./fleet-index.ts";

/** One side of an A/B test. */
export interface Arm {
  readonly name: string;
  readonly model: ModelCandidate;
  /** Users whose draw is below this, and not below the arm before: 0 to 1, rising, the last with weight is 1. */
  readonly below: number;
}

/** Another model that gets a copy of some requests. */
export interface Shadow {
  readonly model: ModelCandidate;
  /** 0 to 1. */
  readonly share: number;
  readonly maxAtOnce: number;
}

interface RouteOf<Strategy> {
  readonly strategy: Strategy;
  readonly alias: string;
  readonly shadow: Shadow | null;
}

export type AliasRoute =
  | (RouteOf<"fixed" | "fallback" | "shadow"> & { readonly models: readonly ModelCandidate[] })
  | (RouteOf<"weighted"> & {
      readonly arms: readonly Arm[];
      readonly experiment: string;
      readonly fallback: readonly ModelCandidate[];
    })
  | (RouteOf<"cost"> & {
      readonly cheap: ModelCandidate;
      readonly strong: ModelCandidate;
      readonly threshold: number;
      readonly escalate: Escalation;
      readonly fallback: readonly ModelCandidate[];
    });

/** `null`: the alias means its first model that works. Throws if a model is missing, which the schema has ruled out. */
export function aliasRoute(
  name: string,
  alias: Alias,
  models: ReadonlyMap<string, ModelCandidate>,
): AliasRoute | null {
  const model = (id: string): ModelCandidate => {
    const known = models.get(id);
    if (known === undefined) throw new Error(`alias ${name} names ${id}, which no cluster serves`);
    return known;
  };
  const shadow: Shadow | null =
    alias.shadow === undefined
      ? null
      : {
          model: model(alias.shadow.model),
          share: alias.shadow.share,
          maxAtOnce: alias.shadow.max_at_once,
        };
  switch (alias.strategy) {
    case "weighted":
      return {
        strategy: "weighted",
        alias: name,
        shadow,
        arms: cumulative(alias.arms.map((arm) => ({ ...arm, model: model(arm.model) }))),
        experiment: alias.experiment,
        fallback: alias.fallback.map(model),
      };
    case "cost":
      return {
        strategy: "cost",
        alias: name,
        shadow,
        cheap: model(alias.cheap),
        strong: model(alias.strong),
        threshold: alias.threshold,
        escalate: alias.escalate,
        fallback: alias.fallback.map(model),
      };
    case "fixed":
    case "shadow":
      return shadow && { strategy: alias.strategy, alias: name, shadow, models: [model(alias.model)] };
    case "fallback":
    case undefined:
      return shadow && { strategy: "fallback", alias: name, shadow, models: alias.models.map(model) };
  }
}

interface Weighed {
  readonly name: string;
  readonly model: ModelCandidate;
  readonly weight: number;
}

/** Where an arm's weight changes, only users at its borders change arms. */
function cumulative(arms: readonly Weighed[]): readonly Arm[] {
  const total = arms.reduce((sum, { weight }) => sum + weight, 0);
  let sum = 0;
  return arms.map(({ name, model, weight }) => {
    sum += weight;
    return { name, model, below: sum / total };
  });
}
