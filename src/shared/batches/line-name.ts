/** By which name is the turn of a batch's line claimed, and how do results name the line? The same at every attempt. */
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
