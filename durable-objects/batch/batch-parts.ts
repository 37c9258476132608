/** What a Batch object needs from outside: files, the fleet, turns, and its owner's Library. */
import type { LineFault } from "../../src/shared/batches/check-line.ts";
import type { BatchLife, EndedBatch } from "../../src/shared/batches/batch-life.ts";
import type { LineDebt, UntoldDebt } from "../../src/shared/batches/line-debt.ts";
import type { BatchTally } from "../../src/shared/contracts/batch.ts";
import type { AnsweredLine, ResultKind } from "../../src/shared/batches/result-line.ts";

/** One request of a batch, as it is to be asked. */
export interface LineToRun {
  /** From 1. */
  readonly number: number;
  readonly attempt: number;
  readonly body: Record<string, unknown>;
  /** What is set aside for it is known by that; `null`: it is a durable turn, which pays for itself. */
  readonly chargeId: string | null;
}

export type LineOutcome =
  /** `isKept`: its turn is to be had by its id as well. `debt`: what is owed under its charge's id. */
  | {
      readonly kind: "answered";
      readonly answered: AnsweredLine;
      readonly isKept: boolean;
      readonly debt?: LineDebt;
    }
  /** It has no turn, and may have one later. */
  | { readonly kind: "wait"; readonly retryAfterMs: number }
  /** Its turn came to nothing; `answered`: what is said where no other is tried. */
  | { readonly kind: "again"; readonly answered: AnsweredLine }
  /** No line of this batch is answered any more. */
  | { readonly kind: "stop"; readonly code: string; readonly message: string };

export interface BatchParts {
  /** The whole input; `null`: it is gone. */
  openInput(life: BatchLife): Promise<ReadableStream<Uint8Array> | null>;
  /** A part of it, shorter where it ends before; `null`: it is gone. */
  readInput(life: BatchLife, at: number, length: number): Promise<Uint8Array | null>;
  /** `null`: the batch's owner may ask that model. Rejects where that can't be said now. */
  modelFault(life: BatchLife, model: string): Promise<LineFault | null>;
  /** Asked again with the same number and attempt it is the same turn, where it is a durable one. Rejects where nobody could be asked: the turn may be there. */
  run(life: BatchLife, line: LineToRun): Promise<LineOutcome>;
  /** What came of the turn of a line that began, once it has ended; `null`: it has none. Begins none. Rejects where that can't be said. */
  find(life: BatchLife, line: Pick<LineToRun, "number" | "attempt">): Promise<LineOutcome | null>;
  /** The turn of a line need not be kept any more. Where it runs still, it ends, and so does a direct answer of it. Rejects where it can't be told. */
  forget(life: BatchLife, line: Pick<LineToRun, "number" | "attempt">): Promise<void>;
  /** Tells the buckets what a charge came to, and the archive. @returns what of it is to be told again; `null`: nothing */
  pay(life: BatchLife, chargeId: string, debt: LineDebt): Promise<UntoldDebt | null>;
  /** A file of the owner's, the same one each time that it is asked for. Rejects where it could not be kept. @returns its id */
  keepFile(life: BatchLife, kind: ResultKind, texts: Iterable<string>): Promise<string>;
  /** Its owner is erased: nothing of such a file stays, should its bytes have come later. Rejects where it can't be told. */
  dropFile(life: BatchLife, kind: ResultKind): Promise<void>;
  /** `null`: with so many lines it fits among the batches of all users of its tenant; else it is too many. Rejects where that can't be said now. */
  holdPlaces(life: BatchLife, lines: number): Promise<LineFault | null>;
  /** It takes no place any more. Rejects where it can't be told. */
  releasePlaces(life: BatchLife): Promise<void>;
  /** The owner's Library hears that the batch has ended, or that its time is over. Rejects where it can't be told. */
  tellOver(life: BatchLife, what: "ended" | "gone"): Promise<void>;
  /** Something is wrong that an operator should know of; never content. */
  report(detail: string): void;
  /** Lines, for the metrics: `queued` and `dropped` (none will ever begin) once each, the others as they are asked. */
  counted(what: "queued" | "completed" | "failed" | "waited" | "broken" | "dropped", lines: number): void;
  /** For the metrics and the log. @param tally of its lines */
  ended(life: EndedBatch, tally: BatchTally): void;
}
