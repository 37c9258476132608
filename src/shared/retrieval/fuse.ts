/**
 * How do several ranked lists become one? By reciprocal rank fusion: a passage gets weight / (k + rank) of each list that holds it (Cormack,
 * Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet", SIGIR 2009). Scores of different kinds are never added.
 */

export interface RankedList {
  /** Best first, none twice. */
  readonly ids: readonly number[];
  readonly weight: number;
}

/** The paper's. The larger, the less the first places differ from those behind them. */
const rankConstant = 60;

/**
 * Best first. A score is the share of the most that could be had: 1 is the first place in every list, and 0.5 can be the first place
 * in half of them. It tells an order, not how well a passage answers.
 */
export function fuseRanks(lists: readonly RankedList[]): { readonly id: number; readonly score: number }[] {
  const scores = new Map<number, number>();
  let most = 0;
  for (const { ids, weight } of lists) {
    most += weight / (rankConstant + 1);
    for (const [at, id] of ids.entries())
      scores.set(id, (scores.get(id) ?? 0) + weight / (rankConstant + 1 + at));
  }
  return [...scores]
    .map(([id, score]) => ({ id, score: most === 0 ? 0 : score / most }))
    .sort((left, right) => right.score - left.score || left.id - right.id);
}
