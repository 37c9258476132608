import type { LimitSet } from "./defaults.ts";

/**
 * The limits of what nobody waits for: of the places for requests at once it takes half, so that its owner, and whoever shares them, finds one.
 * The same object for the same limits, since what asks with the same limits is asked together.
 */
export function leavingRoom(limits: LimitSet): LimitSet {
  const known = halved.get(limits);
  if (known !== undefined) return known;
  const rules = limits.rules.map((rule) =>
    rule.unit === "slots" ? { ...rule, capacity: Math.max(1, Math.floor(rule.capacity / 2)) } : rule,
  );
  // A loan is let to those who wait, too.
  const made = { ...limits, rules, block: null, stock: null };
  halved.set(limits, made);
  return made;
}

const halved = new WeakMap<LimitSet, LimitSet>();
