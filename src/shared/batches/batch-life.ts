/**
 * Which states has a batch, and which may follow which? Pure: the Batch object carries the decisions out.
 *
 *   validating ─▸ in_progress ─▸ finalizing ─▸ completed | expired | failed
 *        │             └─ cancel ─▸ cancelling ─▸ cancelled
 *        └─▸ failed
 */
import type { BatchError, BatchOpening, BatchStatus, BatchTimes } from "../contracts/batch.ts";
import type { Jurisdiction, Owner } from "../contracts/owner.ts";

/** How it ends, as soon as nothing is under way any more. */
export type BatchEnd = "completed" | "expired" | "cancelled" | "failed";

export interface BatchLife {
  readonly id: string;
  readonly owner: Owner;
  readonly jurisdiction: Jurisdiction;
  readonly createdMs: number;
  readonly opening: BatchOpening;
  readonly status: BatchStatus;
  readonly times: BatchTimes;
  /** Of all lines. `null`: not known yet. */
  readonly model: string | null;
  readonly errors: readonly BatchError[];
  readonly total: number;
  /** `null`: lines may begin. */
  readonly ending: BatchEnd | null;
  readonly outputFileId: string | null;
  readonly errorFileId: string | null;
  /** Its Library knows that it has ended. */
  readonly told: boolean;
  /** Its owner is erased; `null`: it is not. */
  readonly deletedMs: number | null;
}

export function newBatch(
  made: Pick<BatchLife, "id" | "owner" | "jurisdiction" | "createdMs" | "opening">,
): BatchLife {
  return {
    ...made,
    status: "validating",
    times: {},
    model: null,
    errors: [],
    total: 0,
    ending: null,
    outputFileId: null,
    errorFileId: null,
    told: false,
    deletedMs: null,
  };
}

export function expiresMs({ createdMs, opening }: Pick<BatchLife, "createdMs" | "opening">): number {
  return createdMs + opening.windowMs;
}

export type EndedBatch = BatchLife & { readonly status: BatchEnd };

export function hasEnded(life: BatchLife): life is EndedBatch {
  const { status } = life;
  return status === "completed" || status === "failed" || status === "expired" || status === "cancelled";
}

/** In milliseconds since 1970. */
export function endedMs({ status, times, createdMs }: EndedBatch): number {
  return times[status] ?? createdMs;
}

/** Every line was looked at, and is a request. */
export function validated(life: BatchLife, total: number, model: string, nowMs: number): BatchLife {
  return { ...at(life, "in_progress", nowMs), total, model };
}

/** The file is no batch: none of it runs. */
export function refusedInput(life: BatchLife, errors: readonly BatchError[], nowMs: number): EndedBatch {
  return { ...at(life, "failed", nowMs), status: "failed", ending: "failed", errors };
}

/** No line begins any more. What was decided first stands. */
export function endsBy(life: BatchLife, end: BatchEnd, nowMs: number, error?: BatchError): BatchLife {
  if (life.ending !== null) return life;
  const ending = {
    ...life,
    ending: end,
    errors: error === undefined ? life.errors : [...life.errors, error],
  };
  return end === "cancelled" ? at(ending, "cancelling", nowMs) : ending;
}

/** Nothing is under way: what there is goes into files. */
export function drained(life: BatchLife, nowMs: number): BatchLife {
  const ending = { ...life, ending: life.ending ?? "completed" };
  return ending.status === "cancelling" ? ending : at(ending, "finalizing", nowMs);
}

export function finalized(
  life: BatchLife,
  files: Pick<BatchLife, "outputFileId" | "errorFileId">,
  nowMs: number,
): EndedBatch {
  const status = life.ending ?? "completed";
  return { ...at(life, status, nowMs), ...files, status };
}

function at(life: BatchLife, status: Exclude<BatchStatus, "validating">, nowMs: number): BatchLife {
  return { ...life, status, times: { ...life.times, [status]: nowMs } };
}
