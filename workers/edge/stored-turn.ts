/** A durable turn found again by its id: who may see it, what its object says, and its events from any position. */
import { callObject, calledObject } from "../../durable-objects/storage/call-object.ts";
import { inJurisdiction } from "../../durable-objects/storage/jurisdiction.ts";
import {
  type DeleteTurnOutcome,
  generationVersion,
  type GenerationFailure,
  type RetrieveOutcome,
} from "../../src/shared/contracts/generation.ts";
import type { Jurisdiction, Owner } from "../../src/shared/contracts/owner.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import { replayResponse } from "../../src/shared/responses/replay-response.ts";
import { storedResponse } from "../../src/shared/responses/stored-response.ts";
import { replayCompletion } from "../../src/shared/stream/replay-stored.ts";
import { headersFor } from "../../src/shared/turn/route-told.ts";
import { type IdKind, verifyId } from "../../src/shared/turn/response-id.ts";
import { invalidValue } from "../../src/shared/wire/zod-refusal.ts";
import type { TenantCall } from "./handle.ts";
import { beyondLastEvent, eventsGone, wantedEvents } from "./read-position.ts";
import { repeatedDeletion } from "./repeated-deletion.ts";
import type { Isolate } from "./isolate.ts";
import { respondRefusal } from "./respond.ts";
import { ownerOf, streamFromObject } from "./run-durable.ts";
import { generationRefusal, generationStub, objectUnavailable, type TurnContext } from "./start-turn.ts";

type GenerationStub = ReturnType<typeof generationStub>;
type Asker = Pick<TurnContext, "isolate" | "tenant" | "principal">;
type Asked = [stub: GenerationStub, message: { readonly v: typeof generationVersion; readonly owner: Owner }];
type Ask<Outcome> = (...asked: Asked) => Promise<Outcome>;

/**
 * Asks the object of a turn. A guessed id, or another user's, is refused here: no object is woken, and the answer is the
 * same as for none.
 */
export async function askTurn<Outcome extends { readonly result: string }>(
  asker: Asker,
  kind: IdKind,
  id: string,
  ask: Ask<Outcome>,
): Promise<Result<Exclude<Outcome, GenerationFailure>, Refusal>> {
  const owner = ownerOf(asker);
  const verified = await verifyId(asker.isolate.hash, id, owner);
  return verified?.kind === kind
    ? askTurnObject(asker, verified.objectName, ask)
    : err({ kind: "object-unknown" });
}

/** The same by the object's name, which is no secret: the object itself checks the owner. */
export async function askTurnObject<Outcome extends { readonly result: string }>(
  asker: Asker,
  objectName: string,
  ask: Ask<Outcome>,
): Promise<Result<Exclude<Outcome, GenerationFailure>, Refusal>> {
  const message = { v: generationVersion, owner: ownerOf(asker) } as const;
  const called = await callObject(
    async () => ask(generationStub(asker, objectName), message),
    calledObject("generation", objectName),
  );
  if (!called.ok) return err(objectUnavailable(called.error.retryAfterMs, called.error.detail));
  const outcome = called.value;
  // TypeScript doesn't narrow a type parameter by a guard's "else".
  return isFailure(outcome)
    ? err(generationRefusal(outcome))
    : ok(outcome as Exclude<Outcome, GenerationFailure>);
}

/** Ends a turn where it runs, and forgets what it said. Rejects where its object can't be asked. */
export async function forgetTurn(isolate: Isolate, turn: OwnedTurn): Promise<void> {
  await askOwned(isolate, turn, async (stub, message) => stub.delete(message));
}

/** The state of a turn; `null`: there is no such turn. Rejects if its object can't be reached. */
export async function retrieveOwned(
  isolate: Isolate,
  turn: OwnedTurn,
): Promise<Exclude<RetrieveOutcome, GenerationFailure> | null> {
  const outcome = await askOwned(isolate, turn, async (stub, message) => stub.retrieve(message));
  if (outcome.result === "version-unsupported") throw new Error(`speaks version ${outcome.supported}`);
  return outcome.result === "unknown" ? null : outcome;
}

async function askOwned<Outcome>(
  { env }: Isolate,
  { objectName, jurisdiction, owner }: OwnedTurn,
  ask: Ask<Outcome>,
): Promise<Outcome> {
  const stub = () => inJurisdiction(env.GENERATION, jurisdiction, env.ENVIRONMENT).getByName(objectName);
  const called = await callObject(
    async () => ask(stub(), { v: generationVersion, owner }),
    calledObject("generation", objectName),
  );
  if (!called.ok) throw new Error(called.error.detail);
  return called.value;
}

/** A turn by its name in our own objects; its owner is known. */
export interface OwnedTurn {
  readonly objectName: string;
  readonly jurisdiction: Jurisdiction;
  readonly owner: Owner;
}

export function retrieveTurn(
  asker: Asker,
  kind: IdKind,
  id: string,
): Promise<Result<Exclude<RetrieveOutcome, GenerationFailure>, Refusal>> {
  return askTurn(asker, kind, id, async (stub, message) => stub.retrieve(message));
}

export function deleteTurn(
  asker: Asker,
  kind: IdKind,
  id: string,
): Promise<Result<Exclude<DeleteTurnOutcome, GenerationFailure>, Refusal>> {
  const remove = repeatedDeletion<Asked, DeleteTurnOutcome>(
    async (stub, message) => stub.delete(message),
    async () => ({ result: "deleted" }),
  );
  return askTurn(asker, kind, id, remove);
}

/** `?stream=`: are the events wanted? Any other spelling is refused: its client wants events, and must not get an object instead. */
export function wantsEvents({ c }: Pick<TenantCall, "c">): Result<boolean, Refusal> {
  const stream = c.req.query("stream") ?? "false";
  return stream === "true" || stream === "false"
    ? ok(stream === "true")
    : err(invalidValue("stream", "must be true or false"));
}

/** The events after the last one that the client saw, then live ones. */
export async function resumeTurn(call: TenantCall, kind: IdKind): Promise<Response> {
  const { c, scope } = call;
  const id = c.req.param("id") ?? "";
  const wanted = wantedEvents(call);
  if (!wanted.ok) return respondRefusal(scope, wanted.error);
  const { read: position, param } = wanted.value;
  const read = await askTurn(call, kind, id, async (stub, message) =>
    stub.read({ ...message, read: position }),
  );
  if (!read.ok) return respondRefusal(scope, read.error);
  const outcome = read.value;
  switch (outcome.result) {
    case "stream":
      return streamFromObject(call, outcome.stream, {
        ...headersFor(outcome.headers, call.principal),
        "x-edgewise-response-id": id,
      });
    case "position-unknown":
      return respondRefusal(scope, beyondLastEvent(param));
    case "pruned":
      return replayStored(call, kind, id, position.from > 0 ? param : null);
  }
}

/**
 * The journal's time is over, but the answer may be stored: replayed as a stream from its beginning.
 *
 * @param param the parameter that asked for events after one that is gone; `null`: none did
 */
async function replayStored(
  call: TenantCall,
  kind: IdKind,
  id: string,
  param: string | null,
): Promise<Response> {
  const { scope } = call;
  const retrieved = await retrieveTurn(call, kind, id);
  if (!retrieved.ok) return respondRefusal(scope, retrieved.error);
  const response = retrieved.value.response ?? null;
  if (response === null) return respondRefusal(scope, { kind: "object-unknown" });
  if (param !== null) return respondRefusal(scope, eventsGone(param));
  const events = kind === "response" ? replayResponse(storedResponse(response)) : replayCompletion(response);
  return streamFromObject(call, events, {
    "x-edgewise-response-id": id,
  });
}

function isFailure(outcome: { readonly result: string }): outcome is GenerationFailure {
  return outcome.result === "unknown" || outcome.result === "version-unsupported";
}
