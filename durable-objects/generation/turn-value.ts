/** The turn's value on disk (docs/storage.md), and the part of it that other files of the object see. */
import type { EndStatus, StartTurn } from "../../src/shared/contracts/generation.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import type { Usage, UsageBasis } from "../../src/shared/contracts/usage.ts";
import type { JournalRow } from "../../src/shared/turn/durable/journal.ts";
import type { Effect, TurnOutcome } from "../../src/shared/turn/durable/ports.ts";
import type { TurnState } from "../../src/shared/turn/durable/turn-state.ts";

/** Only ever add fields: older code reads what newer code wrote, and the other way round. */
const turnVersion = 1;

export interface TurnValue {
  readonly v: number;
  readonly turnId: string;
  readonly owner: { readonly tenant: string; readonly user: string };
  readonly fingerprint: string | null;
  readonly status: "running" | "refused" | EndStatus;
  readonly createdMs: number;
  readonly endedMs: number | null;
  readonly pruned: boolean;
  readonly intervalMs: number;
  readonly replayMs: number;
  readonly retentionMs: number;
  readonly deadlineMs: number;
  /** No client waited for it when it was claimed. */
  readonly background: boolean;
  /** How often its run was resumed after its memory was lost. */
  readonly restarts: number;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly refusal: Refusal | null;
  readonly bill: (Usage & { readonly basis: UsageBasis }) | null;
  /** How long an expired claim's turn stays, even if its content is deleted. Absent: its claim was never used again. */
  readonly outlivesMs?: number;
  /** The usage receipt's claims as JSON. Absent: its tenant wants none, or an older version wrote it. */
  readonly receipt?: string | null;
  /**
   * For a turn that is in its owner's list (an effect `list`): the latest message to the list. Its request stays as long as its
   * response. Absent: it is in none, or an older version ended it.
   */
  readonly listed?: ListedValue;
  /** Some of the turn went to the bucket, or was to: a table of its own says what (turn-content.ts). */
  readonly content?: true;
  /** `null` may mean that it lies in parts of its own (LongText). */
  readonly request: string | null;
  readonly response: string | null;
  /** The terminal events: they share the end's row. */
  readonly last: JournalRow | null;
  readonly outbox: readonly OutboxValue[];
}

/** Fields that older code did not write. Those that only newer code knows are kept as they are. */
export const addedSince = { background: false, restarts: 0 };

/** @param request as stored: `null` if it lies in parts of its own */
export function claimedValue(message: StartTurn, request: string | null, nowMs: number): TurnValue {
  const { owner, policy } = message;
  return {
    v: turnVersion,
    turnId: message.turnId,
    owner: { tenant: owner.tenant, user: owner.user },
    fingerprint: message.fingerprint,
    status: "running",
    createdMs: nowMs,
    endedMs: null,
    pruned: false,
    intervalMs: policy.intervalMs,
    replayMs: policy.replayMs,
    retentionMs: policy.retentionMs,
    deadlineMs: policy.deadlineMs,
    background: message.follow.kind === "claim",
    restarts: 0,
    headers: null,
    refusal: null,
    bill: null,
    request,
    response: null,
    last: null,
    outbox: [],
  };
}

/** The value of a turn that has ended, without its stored answer. */
export function endedValue(
  value: TurnValue,
  outcome: TurnOutcome,
  headers: Readonly<Record<string, string>>,
  endedMs: number,
): TurnValue {
  const { status, refusal = null } = outcome;
  const ended = { ...value, status, endedMs, refusal };
  if (outcome.status === "refused") return { ...ended, headers: outcome.headers, bill: null, receipt: null };
  const { usage, basis, receipt = null } = outcome;
  return { ...ended, headers, bill: { ...usage, basis }, receipt };
}

export interface ListedValue {
  /** A time, and higher than the one before. */
  readonly revision: number;
  /** The effect's JSON, to be owed again at each change. */
  readonly effect: string;
  /** `null`: the list has this revision. */
  readonly owed: { readonly attempts: number; readonly dueMs: number } | null;
}

export interface OutboxValue {
  readonly id: number;
  /** JSON; `null`: in parts. */
  readonly effect: string | null;
  readonly attempts: number;
  readonly dueMs: number;
}

/** An effect that is to be delivered. */
export interface OutboxEntry {
  readonly id: number;
  readonly effect: Effect;
  readonly attempts: number;
}

/** The outcome of an attempt: acknowledged, or when to try again. */
export interface OutboxAttempt {
  readonly id: number;
  readonly retry: { readonly attempts: number; readonly dueMs: number } | null;
  /** What of the effect is to be tried again. Absent: all of it. */
  readonly left?: Effect;
}

export interface Turn extends TurnState {
  readonly turnId: string;
  readonly intervalMs: number;
  readonly background: boolean;
  readonly restarts: number;
  readonly headers: Readonly<Record<string, string>> | null;
}
