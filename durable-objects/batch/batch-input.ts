import { validated, refusedInput } from "../../src/shared/batches/batch-life.ts";
import type { BatchLife } from "../../src/shared/batches/batch-life.ts";
import {
  type CheckedLine,
  checkLine,
  duplicateCustomId,
  emptyFile,
  type LineFault,
  lineTooLong,
  tooManyLines,
} from "../../src/shared/batches/check-line.ts";
import { inputLines } from "../../src/shared/batches/input-lines.ts";
import type { BatchError } from "../../src/shared/contracts/batch.ts";
import { err, type Result } from "../../src/shared/contracts/result.ts";
import type { BatchParts } from "./batch-parts.ts";
import type { BatchStore, StoredLine } from "./batch-store.ts";

/** The most faults of one file that are reported. */
const mostErrors = 100;
/** Lines that are noted before others may run in the object. */
const linesAtOnce = 500;

/**
 * Looks at every line of a batch's file, and notes where each is. Begun anew after a kill: the file is the same. Whoever cancels, or erases,
 * the batch meanwhile ends it.
 */
export async function validateInput(life: BatchLife, store: BatchStore, parts: BatchParts): Promise<void> {
  const body = await parts.openInput(life);
  if (!isStillWanted(store)) return;
  if (body === null) return refuse(store, [fileGone], parts);
  store.dropLines();
  const { endpoint, maxLines, maxLineBytes } = life.opening;
  const errors: BatchError[] = [];
  let found: FoundRequest[] = [];
  let model: string | null = null;
  let total = 0;
  for await (const { number, at, length, bytes } of inputLines(body, maxLineBytes)) {
    total += 1;
    if (total > maxLines) {
      errors.push({ ...tooManyLines(maxLines), line: number });
      break;
    }
    const checked: Result<CheckedLine, LineFault> =
      bytes === null ? err(lineTooLong(maxLineBytes)) : checkLine(bytes, endpoint, model);
    if (checked.ok) {
      model ??= checked.value.model;
      found.push({ number, customId: checked.value.customId, at, bytes: length });
    } else errors.push({ ...checked.error, line: number });
    if (found.length >= linesAtOnce) {
      if (!note(found, store, errors)) return;
      found = [];
      // Lets other calls of the object run in between.
      await scheduler.wait(0);
    }
    if (errors.length >= mostErrors) break;
  }
  if (!note(found, store, errors)) return;
  if (model !== null && errors.length === 0) {
    const fault = (await parts.modelFault(life, model)) ?? (await parts.holdPlaces(life, total));
    if (fault !== null) errors.push({ ...fault, line: null });
  }
  if (!isStillWanted(store)) return;
  if (model === null || errors.length > 0)
    return refuse(store, errors.length > 0 ? errors : [{ ...emptyFile, line: null }], parts);
  const now = store.life();
  if (now === null) return;
  store.write(validated(now, total, model, Date.now()));
  parts.counted("queued", total);
}

export const fileGone: BatchError = {
  code: "file_not_found",
  message: "The input file was deleted.",
  param: "input_file_id",
  line: null,
};

type FoundRequest = Omit<StoredLine, "attempt">;

/** In one transaction. `false`: the batch is no longer wanted. */
function note(found: readonly FoundRequest[], store: BatchStore, errors: BatchError[]): boolean {
  if (!isStillWanted(store)) return false;
  store.transaction(() => {
    for (const request of found)
      if (!store.addLine(request)) errors.push({ ...duplicateCustomId, line: request.number });
  });
  return true;
}

function isStillWanted(store: BatchStore): boolean {
  const life = store.life();
  return life !== null && life.deletedMs === null && life.ending === null;
}

function refuse(store: BatchStore, errors: readonly BatchError[], parts: BatchParts): void {
  const life = store.life();
  if (life === null) return;
  const inOrder = errors.toSorted((left, right) => (left.line ?? 0) - (right.line ?? 0));
  const refused = refusedInput(life, inOrder.slice(0, mostErrors), Date.now());
  store.transaction(() => {
    store.write(refused);
    store.dropLines();
  });
  parts.ended(refused, store.tally());
}
