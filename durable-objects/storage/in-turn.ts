/**
 * How does an object tell many others something, some at once, without one that can't be reached keeping the rest from hearing? Whoever calls goes
 * on where storage says who is left; where nobody heard anything, it does so later.
 */
export interface Round {
  /** What went wrong with those that have not heard. */
  readonly faults: readonly string[];
  /** How many have heard. */
  readonly heard: number;
}

/**
 * @param page the next ones behind the last of the page before (`null`: from the beginning), `atOnce` of them unless there are no more
 * @param tell the reason why one has not heard; `null`: it has. Must not reject
 * @param most how many are to hear; the round also ends where as many as `mostFaults` have not
 */
export async function inTurn<One>(
  page: (after: One | null) => readonly One[],
  tell: (one: One) => Promise<string | null>,
  most: number,
): Promise<Round> {
  const faults: string[] = [];
  let heard = 0;
  for (let after: One | null = null; heard < most && faults.length < mostFaults;) {
    const some = page(after);
    const outcomes = await Promise.all(some.map(tell));
    const found = outcomes.filter((fault) => fault !== null);
    faults.push(...found);
    heard += some.length - found.length;
    if (some.length < atOnce) break;
    after = some.at(-1) ?? null;
  }
  return { faults, heard };
}

export const atOnce = 6;
/** So many out of reach: it is not they, and the rest had better wait as well. */
const mostFaults = 60;

export const nothingToDo: Round = { faults: [], heard: 0 };

/** A round of one. */
export async function once(tell: () => Promise<void>): Promise<Round> {
  const fault = await faultOf(tell);
  return fault === null ? { faults: [], heard: 1 } : { faults: [fault], heard: 0 };
}

/** `null`: it worked. */
export async function faultOf(work: () => Promise<void>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    return String(error);
  }
}
