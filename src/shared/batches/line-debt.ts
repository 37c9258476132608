/**
 * What does a line owe that no turn of its own stands for? A turn has an outbox of its own (turn/durable/ports.ts); of a line that is asked
 * directly its batch keeps what is to be told, in one transaction with its answer, and tells it until it is heard.
 */
import type { ArchivedTurn } from "../archive/ports.ts";
import type { BatchEndpoint } from "../contracts/batch.ts";
import type { LimitScope } from "../limits/bucket-name.ts";
import { type TurnUse, unused } from "../limits/ports.ts";

export interface LineDebt {
  /** In place of what was set aside for it. */
  readonly use: TurnUse;
  /** Whose buckets may not have it yet. Absent: both. */
  readonly owing?: readonly LimitScope[];
  /** Its row; `null`: the archive gets none. */
  readonly archived: ArchivedTurn | null;
}

/** What of a debt somebody could not be told, and why. */
export interface UntoldDebt {
  readonly left: LineDebt;
  readonly detail: string;
}

/** What was set aside, if anything was, is given back. */
export const nothingOwed: LineDebt = { use: unused, archived: null };

const chargePrefixes = {
  "/v1/chat/completions": null,
  "/v1/responses": null,
  "/v1/completions": "cmpl-",
  "/v1/embeddings": "emb-",
  "/v1/moderations": "modr-",
} as const satisfies Record<BatchEndpoint, string | null>;

/** How the charges of an endpoint's lines are named, as those of its requests are; `null`: each line is a durable turn, which pays for itself. */
export function chargePrefixOf(endpoint: BatchEndpoint): "cmpl-" | "emb-" | "modr-" | null {
  return chargePrefixes[endpoint];
}
