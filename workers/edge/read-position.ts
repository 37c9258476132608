/** From which event on does a client want to read a turn? It names the last one that it saw. */
import type { ReadPosition } from "../../src/shared/contracts/generation.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import type { TurnClaim } from "../../src/shared/turn/durable/turn-claim.ts";
import { invalidValue } from "../../src/shared/wire/zod-refusal.ts";
import type { TenantCall } from "./handle.ts";

const header = "Last-Event-ID";

/** For an existing turn. @returns the position, with the name of the parameter or header that gave it, for errors */
export function wantedEvents({
  c,
}: Pick<TenantCall, "c">): Result<{ readonly read: ReadPosition; readonly param: string }, Refusal> {
  const seen = c.req.header(header);
  const param = seen === undefined ? "starting_after" : header;
  const from = eventBehind(seen ?? c.req.query(param));
  return from === null
    ? err(invalidValue(param, "must be the number of an event"))
    : ok({ read: { from, ids: true }, param });
}

/**
 * Of one that is asked for, whose client may come back for what it lost (EventSource does so by itself). Only a claim leads to a turn of which
 * it can have seen anything.
 */
export function wantedOfTurn(
  { c }: Pick<TenantCall, "c">,
  claim: TurnClaim | null,
): Result<ReadPosition, Refusal> {
  const from = claim === null ? 0 : eventBehind(c.req.header(header));
  return from === null
    ? err(invalidValue(header, "must be the number of an event"))
    : ok({ from, ids: true });
}

export function beyondLastEvent(param: string = header): Refusal {
  return invalidValue(param, "is beyond the last event of this answer");
}

/** Events that a client has already do not fit those that a stored answer is replayed as. */
export function eventsGone(param: string): Refusal {
  return invalidValue(param, "names an event that is not kept any more: read the answer from its beginning");
}

/** `null`: not such a number. */
function eventBehind(seen: string | undefined): number | null {
  if (seen === undefined || seen === "") return 0;
  return /^\d{1,9}$/.test(seen) ? Number(seen) + 1 : null;
}
