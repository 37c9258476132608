/** The turn of a batch's line: where it is, how it ended, and how its end is reported. */
import type { LineOutcome, LineToRun } from "../../durable-objects/batch/batch-parts.ts";
import type { BatchLife } from "../../src/shared/batches/batch-life.ts";
import { claimTextOf, lineKeptMs, requestIdOf } from "../../src/shared/batches/line-name.ts";
import type { AnsweredLine } from "../../src/shared/batches/result-line.ts";
import type { EndStatus } from "../../src/shared/contracts/generation.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { storedResponse } from "../../src/shared/responses/stored-response.ts";
import { claimedId, lineClaim } from "../../src/shared/turn/durable/turn-claim.ts";
import { toWireError } from "../../src/shared/wire/errors.ts";
import { isDirect } from "./direct-line.ts";
import type { Isolate } from "./isolate.ts";
import { endedWithout } from "./run-durable.ts";
import { retrieveOwned, type OwnedTurn } from "./stored-turn.ts";
import { sleep } from "./timers.ts";

/**
 * The outcome of a turn that an earlier life of the batch began, once it has ended; `null`: there is none. It only asks the turn's object, so it
 * works whatever has happened to the batch's file, credential and tenant. Rejects if that object can't be reached.
 */
export async function findLine(
  isolate: Isolate,
  life: BatchLife,
  { number, attempt }: Pick<LineToRun, "number" | "attempt">,
): Promise<LineOutcome | null> {
  if (isDirect(life.opening.endpoint)) {
    // Its answer is lost and not paid. A line that kills its object each time must not be asked for ever.
    const lost: Refusal = { kind: "internal", detail: "what was answered is lost" };
    return { kind: "again", answered: told(lost, requestIdOf(life.id, number)) };
  }
  const named = await turnOfLine(isolate, life, { number, attempt });
  const requestId = requestIdOf(life.id, number);
  for (let waitMs = firstLookMs; ; waitMs = Math.min(2 * waitMs, longestLookMs)) {
    const found = await retrieveOwned(isolate, named);
    if (found === null) return null;
    if (found.result === "running") {
      await sleep(waitMs);
      continue;
    }
    const { response, status } = found;
    const isResponse = life.opening.endpoint === "/v1/responses";
    const shown = response === null ? null : isResponse ? storedResponse(response) : response;
    // The request said whether the answer is stored under its id. One that is not goes by itself.
    return endedOutcome(shown, status, true, requestId, (refusal) => told(refusal, requestId));
  }
}

/** Where the turn of a line is, if it has one. */
export async function turnOfLine(
  { hash }: Pick<Isolate, "hash">,
  { id, owner, jurisdiction, opening }: BatchLife,
  { number, attempt }: Pick<LineToRun, "number" | "attempt">,
): Promise<OwnedTurn> {
  const claim = lineClaim(claimTextOf(id, number, attempt), lineKeptMs);
  const kind = opening.endpoint === "/v1/responses" ? "response" : "chat";
  const { objectName } = await claimedId(hash, kind, claim, 0, opening.principal, jurisdiction);
  return { objectName, jurisdiction, owner };
}

export function endedOutcome(
  shown: string | null,
  status: EndStatus,
  isKept: boolean,
  requestId: string,
  refused: (refusal: Refusal) => AnsweredLine,
): LineOutcome {
  if (shown !== null && status !== "failed")
    return { kind: "answered", isKept, answered: { statusCode: 200, requestId, body: shown } };
  const answered = refused(endedWithout(status));
  return status === "failed" ? { kind: "again", answered } : { kind: "answered", isKept, answered };
}

export function told(refusal: Refusal, requestId: string): AnsweredLine {
  const { status, body } = toWireError(refusal, { requestId, method: "POST" });
  return { statusCode: status, requestId, body: JSON.stringify(body) };
}

/** How often to check whether a turn has ended. */
const firstLookMs = 100;
const longestLookMs = 2_000;
