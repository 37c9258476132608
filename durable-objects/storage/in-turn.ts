/**
 * How does an object send a message to many others, a few at a time, without an unreachable one holding up the rest? The caller goes
 * on from storage, which knows who is left; if no one could be reached, it does so later.
 */
export interface Round {
  /** The faults of those that could not be reached. */
  readonly faults: readonly string[];
  /** How many got it. */
  readonly heard: number;
}

/**
 * @param page the next ones after the last of the page before (`null`: from the beginning), `atOnce` of them unless fewer are left
 * @param tell sends it to one; returns why that failed, or `null`. Must not reject
 * @param most how many a round reaches; it also ends after `mostFaults` failures
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
/** With this many failures the cause is not in the receivers, and the rest wait as well. */
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
