/** When is the index outside asked for what, and when is what it was given known to be found? Pure; times in milliseconds. */
import type { IndexState } from "../../src/shared/retrieval/ports.ts";

/** A call that was given up may still arrive: what it would write is removed no earlier than this behind it. */
export const settleMs = 120_000;
/** How far the index's clock and ours may be apart. */
const skewMs = 60_000;
/**
 * The index is never so far behind. The time that it says is one of the change that it names, by its binding's declaration, or of its carrying
 * that out, by its REST API's: what is older than that may then still wait. An hour is both.
 */
export const surelyMs = 3_600_000;
const firstRetryMs = 5_000;
const mostRetryMs = 600_000;
/** From so many failures on, some 20 minutes, files no longer wait for the index: they fail as they do for an embedder that is down. */
export const longFailures = 8;
export const dayMs = 86_400_000;

export function retryAfterMs(failures: number): number {
  return Math.min(mostRetryMs, firstRetryMs * 2 ** Math.max(0, failures - 1));
}

export interface TakenBlock {
  readonly sentMs: number;
  readonly takenMs: number;
  /** `null`: there was nothing to write. */
  readonly change: string | null;
}

/**
 * The blocks that searches of the index see, by what it says. Changes are found in their order: those up to the one that the index names, or made
 * surely before it. Time alone decides where an index that holds vectors never says how far it is.
 */
export function seenAmong<Block extends TakenBlock>(
  blocks: readonly Block[],
  { change, changeMs, vectors }: IndexState,
  nowMs: number,
): Block[] {
  const named = blocks.filter((block) => block.change !== null && block.change === change);
  const beforeMs = Math.max(
    ...named.map(({ takenMs }) => takenMs),
    changeMs === null ? -Infinity : changeMs - surelyMs,
  );
  const saysNothing = change === null && changeMs === null && vectors > 0;
  return blocks.filter(
    (block) =>
      block.change === null ||
      block.change === change ||
      isBefore(block, beforeMs) ||
      (saysNothing && nowMs - block.takenMs >= surelyMs),
  );
}

/**
 * Of those that it does not name, the two that it is asked to show: the latest that it may find by now, and the eldest. In a busy index most changes
 * are never named, since other tenants' come behind them.
 */
export function askedAmong<Block extends TakenBlock>(
  unseen: readonly Block[],
  { changeMs }: IndexState,
): readonly Block[] {
  const likely = unseen
    .filter(({ takenMs }) => changeMs === null || takenMs <= changeMs + skewMs)
    .toSorted((left, right) => right.takenMs - left.takenMs);
  return [...new Set([likely[0], likely.at(-1)])].filter((block) => block !== undefined);
}

/** It is found: with it all that the index took together with it, or before. */
export function seenWith<Block extends TakenBlock>(found: Block, blocks: readonly Block[]): Block[] {
  return blocks.filter((block) => block.change === found.change || isBefore(block, found.takenMs));
}

/** And not at the same time: two changes of one millisecond have an order that nobody here knows. */
function isBefore({ takenMs }: TakenBlock, changeMs: number): boolean {
  return takenMs < changeMs;
}

/**
 * A block that is probably seen, and never known to be: nothing shows it (a hundred vectors are the same), and the index names a change of nearly the
 * same time, behind which none came. Sent once more, it makes the later change that tells.
 */
export function stalledAmong<Block extends TakenBlock>(
  unseen: readonly Block[],
  { changeMs }: IndexState,
  nowMs: number,
): Block | undefined {
  return unseen.find(
    ({ sentMs }) => changeMs !== null && nowMs - sentMs > surelyMs + skewMs && changeMs >= sentMs - skewMs,
  );
}

/** What there is to do for a store, as its tables say. */
export interface OutsideStanding {
  /** Of blocks that are to be removed from the index, when the one that was sent first was. `null`: there are none. */
  readonly owedSentMs: number | null;
  /** Vectors that the index could hold wait to be sent. */
  readonly hasUnsent: boolean;
  /** Of those that the index took and does not find yet, when it took the first. */
  readonly takenMs: number | null;
  /** Something is there, or could be if the index were another one. */
  readonly isLookedAfter: boolean;
  readonly describedMs: number;
  readonly againMs: number;
}

export function nextStepMs(standing: OutsideStanding): number {
  const { owedSentMs, hasUnsent, takenMs, isLookedAfter, describedMs, againMs } = standing;
  const dueMs = Math.min(
    owedSentMs === null ? Infinity : owedSentMs + settleMs,
    hasUnsent ? 0 : Infinity,
    takenMs === null ? Infinity : describedMs + pollMs(describedMs - takenMs),
    isLookedAfter ? describedMs + dayMs : Infinity,
  );
  return Math.max(dueMs, againMs);
}

/** The longer it takes, the less often it is asked for. */
function pollMs(waitedMs: number): number {
  return Math.min(300_000, Math.max(5_000, waitedMs / 4));
}
