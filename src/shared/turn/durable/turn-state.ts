import type { EndStatus } from "../../contracts/generation.ts";
import { type Owner, sameOwner } from "../../contracts/owner.ts";
import type { Refusal } from "../../contracts/refusal.ts";

/**
 * What a Generation object does next, decided from its storage and the time. Pure: the object only carries it out.
 *
 *   (nothing) ─start▸ running ─▸ completed | incomplete | failed | cancelled ─▸ journal pruned ─▸ (nothing)
 *                        └─────▸ refused ─▸ (nothing), as soon as its effects are delivered
 */
export interface TurnState {
  readonly status: "running" | "refused" | EndStatus;
  readonly owner: Owner;
  readonly fingerprint: string | null;
  readonly createdMs: number;
  /** `null` while running. */
  readonly endedMs: number | null;
  readonly deadlineMs: number;
  readonly replayMs: number;
  readonly retentionMs: number;
  readonly pruned: boolean;
  /** The answer for clients that wait for a turn that ended before its first event. `null`: it did not. */
  readonly refusal: Refusal | null;
}

export interface OutboxState {
  readonly pending: number;
  /** When the next delivery is due; `null` where none is pending. */
  readonly nextDueMs: number | null;
}

/** How often a running turn's object wakes, so that a turn whose memory was lost continues or ends. */
export const livenessMs = 30_000;

export type StartDecision = "claim" | "attach" | "unknown" | "mismatch" | "expired";

/**
 * One turn an object: the first `start` claims it, every other one attaches, for free. A claim (a fingerprint tells of
 * one) holds as long as the journal can be replayed; only the object's clock decides, so an expired claim stays expired. A turn that was
 * cancelled before its first event has nothing to replay: the same request gets a new turn.
 */
export function decideStart(
  state: TurnState | null,
  asked: { readonly owner: Owner; readonly fingerprint: string | null },
  nowMs: number,
): StartDecision {
  if (state === null) return "claim";
  if (!sameOwner(state.owner, asked.owner)) return "unknown";
  const claimed = state.fingerprint !== null && state.status !== "refused";
  const isOver =
    state.endedMs !== null && (state.refusal !== null || nowMs >= state.endedMs + state.replayMs);
  if (claimed && isOver) return "expired";
  return state.fingerprint === asked.fingerprint ? "attach" : "mismatch";
}

/** How often a turn whose run was lost continues; after that it ends with what there is. */
const maxRestarts = 3;

/**
 * How long a lost run waits before it continues, or `null`: it does not. Runs that were lost together (a deploy, a crash)
 * do not return together, and a run that dies again waits longer.
 *
 * @param random 0 to 1
 */
export function restartDelayMs(
  { createdMs, deadlineMs }: Pick<TurnState, "createdMs" | "deadlineMs">,
  restarts: number,
  random: number,
  nowMs: number,
): number | null {
  if (restarts >= maxRestarts || nowMs >= createdMs + deadlineMs) return null;
  return random * 250 * 4 ** restarts;
}

export interface DueWork {
  /** End the turn: it ran past its deadline. */
  readonly overdue: boolean;
  readonly deliver: boolean;
  /** Drop the journal and the request; only the final response stays. */
  readonly prune: boolean;
  /** Nothing is left to keep: delete everything. */
  readonly erase: boolean;
}

export function dueWork(state: TurnState, outbox: OutboxState, nowMs: number): DueWork {
  if (state.endedMs === null)
    return {
      overdue: nowMs >= state.createdMs + state.deadlineMs,
      deliver: false,
      prune: false,
      erase: false,
    };
  const deliver = outbox.nextDueMs !== null && outbox.nextDueMs <= nowMs;
  const erase = outbox.pending === 0 && nowMs >= eraseAtMs(state, state.endedMs);
  return {
    overdue: false,
    deliver,
    prune: !erase && !state.pruned && nowMs >= state.endedMs + state.replayMs,
    erase,
  };
}

/** When to look again. Never in the past. */
export function nextAlarmMs(state: TurnState, outbox: OutboxState, nowMs: number): number {
  const times: number[] = [];
  if (state.endedMs === null) {
    times.push(nowMs + livenessMs, state.createdMs + state.deadlineMs);
  } else {
    if (outbox.nextDueMs !== null) times.push(outbox.nextDueMs);
    if (!state.pruned && state.status !== "refused") times.push(state.endedMs + state.replayMs);
    if (outbox.pending === 0) times.push(eraseAtMs(state, state.endedMs));
  }
  return Math.max(nowMs, Math.min(...times));
}

/** A refused turn keeps nothing, so that the same request may be made again. */
function eraseAtMs(state: TurnState, endedMs: number): number {
  if (state.status === "refused") return endedMs;
  return endedMs + Math.max(state.replayMs, state.retentionMs);
}

/**
 * Between two attempts to deliver an effect: from half a second, doubling to five minutes.
 *
 * @param attempts how many have failed, 1 at least
 * @param random 0 to 1: spreads over the upper half, so that attempts that failed together are not repeated together
 */
export function retryDelayMs(attempts: number, random: number): number {
  return Math.min(300_000, 500 * 2 ** Math.min(attempts - 1, 20)) * (0.5 + random / 2);
}
