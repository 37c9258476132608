import type { LimitSet } from "./defaults.ts";

/**
 * The limits for work that no client waits for: it takes at most half of the places for requests at once, so that interactive requests find one.
 * The same object for the same limits, since requests with the same limits are batched.
 */
export function leavingRoom(limits: LimitSet): LimitSet {
  const known = halved.get(limits);
  if (known !== undefined) return known;
  const rules = limits.rules.map((rule) =>
    rule.unit === "slots" ? { ...rule, capacity: Math.max(1, Math.floor(rule.capacity / 2)) } : rule,
  );
  // Loans also serve requests that clients wait for.
  const made = { ...limits, rules, block: null, stock: null };
  halved.set(limits, made);
  return made;
}

const halved = new WeakMap<LimitSet, LimitSet>();
