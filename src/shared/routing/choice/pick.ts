/**
 * Which of the scored replicas is taken? The home of the request's prefix, if it is not too expensive; else a weighted draw among those that are
 * cheap enough, cheaper ones being more likely.
 *
 * A snapshot is a second old when it is used, and all isolates use the same one: if each took its best replica, they would herd. So the
 * costs are read as water reads a ground (Dahlin 2000, "Interpreting stale load information"): the work that has come since, spread
 * so that all it reaches end level, gives a level, and each replica is drawn with the room below it as its weight. With fresh
 * news or an idle fleet the level lies just above the best, and the near-equals alone are drawn from; of them two are drawn and
 * the cheaper is taken (Mitzenmacher 1996, "The power of two choices"). With old news it rises until all are.
 */

export interface Scored {
  costMs: number;
  /** Share of traffic against its peers: 1 is usual. */
  readonly weight: number;
}

/** Within this of the best counts as equal to it: measurement is no finer. */
export const nearEqualMs = 20;
/** How much of the way to the level the home may cost: half, so that the home itself does not make the level rise. */
const homeShare = 0.5;

/**
 * The level that so much work per replica (in milliseconds) rises to over these costs. `costs` is sorted here, in place.
 */
export function waterLevel(costs: Float64Array, workMs: number): number {
  costs.sort();
  let sum = 0;
  let level = Number.POSITIVE_INFINITY;
  for (let at = 0; at < costs.length; at += 1) {
    const cost = costs[at] ?? 0;
    if (cost >= level) break;
    sum += cost;
    level = (workMs * costs.length + sum) / (at + 1);
  }
  return level;
}

/**
 * Index of the one to take, or -1 of none. `home`: index of the prefix's, or -1. `staleMs`: work that every replica may have got
 * since the news; 0 where the news is good.
 */
export function pick(scored: readonly Scored[], home: number, staleMs: number, random: () => number): number {
  if (scored.length < 2) return scored.length - 1;
  const costs = Float64Array.from(scored, ({ costMs }) => costMs);
  const water = waterLevel(costs, staleMs);
  // Sorted by now.
  const bestMs = costs[0] ?? 0;
  const level = Math.max(water, bestMs + nearEqualMs);
  const homeMs = scored[home]?.costMs;
  if (homeMs !== undefined && homeMs <= bestMs + homeShare * (level - bestMs)) return home;
  const one = draw(scored, level, -1, random);
  if (staleMs >= nearEqualMs) return one;
  const other = draw(scored, level, one, random);
  return other !== -1 && (scored[other]?.costMs ?? 0) < (scored[one]?.costMs ?? 0) ? other : one;
}

/** A weighted draw: each replica weighs as much as it lies below the level. -1: none is left below it. */
function draw(scored: readonly Scored[], level: number, except: number, random: () => number): number {
  let total = 0;
  for (const [at, { costMs, weight }] of scored.entries())
    if (at !== except) total += Math.max(0, level - costMs) * weight;
  let left = random() * total;
  let last = -1;
  for (const [at, { costMs, weight }] of scored.entries()) {
    const share = at === except ? 0 : Math.max(0, level - costMs) * weight;
    if (share <= 0) continue;
    last = at;
    left -= share;
    if (left < 0) return at;
  }
  return last;
}
