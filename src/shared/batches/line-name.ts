/** What is a line of a batch called, where its turn is named and where it is told? The same each time. */
import { objectOfId } from "../turn/response-id.ts";

/** In the files, and in the log of its turn. */
export function requestIdOf(batchId: string, number: number): string {
  return `batch_req_${objectOfId(batchId)?.objectName ?? ""}-${number}`;
}

/** What its turn is claimed by. Each attempt is another turn. */
export function claimTextOf(batchId: string, number: number, attempt: number): string {
  return `${batchId}/${number}/${attempt}`;
}

/** Turns of lines are kept so long, after their end: longer than a batch runs. */
export const lineKeptMs = 2 * 86_400_000;
