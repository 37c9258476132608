/**
 * In which order are a cluster's replicas polled, and how many at once? At most six, as many connections as a Worker opens; all that answer
 * within `sweepBudgetMs`. Replicas that did not answer last time come last and get the time that is left, so that a dead rack does not
 * delay the polls of healthy replicas.
 */
import type { PollFinding } from "./replica-record.ts";

export const pollsAtOnce = 6;
export const sweepBudgetMs = 2000;
/** Of one poll, health and metrics together. */
const pollTimeoutMs = 1000;
/** Of one that was silent last time, and of all while so many are: then a whole zone is down. */
const silentTimeoutMs = 500;
const silentAtOnce = 6;

export interface SweepTarget {
  readonly replica: string;
  /** When it was last polled. */
  readonly polledAtMs: number;
  /** What came of that; null: never polled. */
  readonly isAlive: boolean | null;
}

export interface SweepDeps {
  /** Never rejects; takes at most so long. */
  readonly poll: (replica: string, timeoutMs: number) => Promise<PollFinding>;
  readonly found: (replica: string, finding: PollFinding) => void;
  readonly now: () => number;
}

export async function sweep(targets: readonly SweepTarget[], { poll, found, now }: SweepDeps): Promise<void> {
  const endMs = now() + sweepBudgetMs;
  const waiting = [...targets].sort(
    (left, right) =>
      Number(left.isAlive === false) - Number(right.isAlive === false) || left.polledAtMs - right.polledAtMs,
  );
  let silent = targets.filter(({ isAlive }) => isAlive === false).length;
  const next = async (): Promise<void> => {
    for (;;) {
      const leftMs = endMs - now();
      const target = leftMs > 0 ? waiting.shift() : undefined;
      if (target === undefined) return;
      const isDoubtful = target.isAlive === false || silent >= silentAtOnce;
      const finding = await poll(
        target.replica,
        Math.min(isDoubtful ? silentTimeoutMs : pollTimeoutMs, leftMs),
      );
      if (!finding.isAlive) silent += 1;
      found(target.replica, finding);
    }
  };
  await Promise.all(Array.from({ length: Math.min(pollsAtOnce, waiting.length) }, next));
}
