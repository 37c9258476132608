/**
 * Starts a durable turn: names it, passes it to its Generation object, and returns that object's answer. It knows nothing of HTTP, since a
 * message on a socket starts turns as well.
 */
import { callObject, calledObject } from "../../durable-objects/storage/call-object.ts";
import { inJurisdiction } from "../../durable-objects/storage/jurisdiction.ts";
import {
  generationVersion,
  type Follow,
  type GenerationFailure,
  type StartOutcome,
  type TurnPolicy,
} from "../../src/shared/contracts/generation.ts";
import { maxItemsUnits } from "../../src/shared/contracts/conversation.ts";
import type { Background } from "../../src/shared/contracts/background.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import type { ResponseTurn } from "../../src/shared/responses/stored-response.ts";
import type { OfferedTools } from "../../src/shared/tools/offered-tools.ts";
import { resolveConversation } from "../../src/shared/turn/conversation-name.ts";
import type { ChatTurnRequest } from "../../src/shared/turn/durable/chat-turn-end.ts";
import { itemsOfMessages, itemsTooLarge } from "../../src/shared/turn/durable/conversation-items.ts";
import { claimedId, type TurnClaim } from "../../src/shared/turn/durable/turn-claim.ts";
import { serialPrincipal } from "../../src/shared/turn/durable/turn-request.ts";
import { headersFor } from "../../src/shared/turn/route-told.ts";
import { mintId, mintObjectName, type IdKind } from "../../src/shared/turn/response-id.ts";
import { ReadyObjects, type ReadyObject } from "../../src/shared/turn/durable/ready-objects.ts";
import type { ValidatedTurn } from "../../src/shared/turn/ports.ts";
import type { ChatRequest } from "../../src/shared/wire/chat-request.ts";
import { beyondLastEvent } from "./read-position.ts";
import type { Isolate } from "./isolate.ts";
import type { JudgedRequest } from "./judged-request.ts";

/** The caller, its place, and the ids of the request. */
export type TurnContext = Pick<ValidatedTurn, "principal" | "tenant" | "place" | "traceparent"> & {
  readonly isolate: Isolate;
  readonly requestId: string;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  /** For work that can wait until the turn has begun; absent: none is done. */
  readonly background?: Background;
  /** Called when a guard model is asked or files are read for it, and when it leads to no turn. */
  readonly judged: JudgedRequest;
  /** It only takes spare capacity. Absent: a client waits for it. */
  readonly yields?: true;
};

export interface TurnToStart {
  readonly kind: IdKind;
  readonly chat: ChatRequest;
  readonly conversationId: string | undefined;
  /** What other requests share this turn by; `null`: it belongs to this request alone. */
  readonly claim: TurnClaim | null;
  readonly policy: TurnPolicy;
  readonly follow: Follow;
  /** What the screen found in the prompt: kinds and counts. */
  readonly screened: string | null;
  /** Server tools that its model is offered. */
  readonly tools: OfferedTools | null;
  /** Called with the answer's id before its object is asked, which may take as long as the answer. */
  readonly onNamed?: ((responseId: string) => void) | undefined;
  /** For a response: what is stored beside its chat. */
  readonly response?: (objectName: string) => ResponseTurn;
}

export interface TurnStarted {
  readonly responseId: string;
  /** `null`: it was started before. */
  readonly request: ChatTurnRequest | null;
  readonly outcome: Extract<StartOutcome, { result: "stream" | "ended" | "claimed" | "refused" }>;
}

/** The object that holds a turn. */
export function generationStub(
  { isolate: { env }, tenant }: Pick<TurnContext, "isolate" | "tenant">,
  objectName: string,
) {
  return inJurisdiction(env.GENERATION, tenant.jurisdiction, env.ENVIRONMENT).getByName(objectName);
}

export async function startTurn(from: TurnContext, turn: TurnToStart): Promise<Result<TurnStarted, Refusal>> {
  const { isolate, principal, tenant } = from;
  const { kind, claim, conversationId, policy, follow } = turn;
  const owner = { tenant: tenant.id, user: principal.user };
  const conversation =
    conversationId === undefined ? null : await resolveConversation(isolate.hash, conversationId, owner);
  if (conversation === null && conversationId !== undefined) return err({ kind: "object-unknown" });
  const { jurisdiction } = tenant;
  // An object that a claim names can't have been started before.
  const ready = claim === null ? readyObjects.take(jurisdiction, from.startedMs) : null;
  const own = await mintId(isolate.hash, {
    kind,
    owner,
    jurisdiction,
    ...(ready ?? newObject(from.startedMs)),
  });
  const turnId = own.objectName;
  for (let use = 0; use < mostUses; use += 1) {
    const { id: responseId, objectName } =
      claim === null ? own : await claimedId(isolate.hash, kind, claim, use, principal, tenant.jurisdiction);
    turn.onNamed?.(responseId);
    const request: ChatTurnRequest = {
      v: 1,
      turnId,
      requestId: from.requestId,
      traceparent: from.traceparent,
      principal: serialPrincipal(principal),
      tenant,
      chat: turn.chat,
      ...(turn.response === undefined ? {} : { response: turn.response(objectName) }),
      ...(turn.tools === null ? {} : { tools: turn.tools }),
      conversation,
      place: from.place,
      createdMs: from.startedMs,
      stored: policy.retentionMs > 0,
      ...(turn.screened === null ? {} : { screened: turn.screened }),
      ...(from.yields === true ? { yields: true } : {}),
      responseId,
    };
    const message = {
      v: generationVersion,
      owner,
      turnId,
      fingerprint: claim?.fingerprint ?? null,
      policy,
      request: JSON.stringify(request),
      follow,
    } as const;
    if (conversation !== null && !isKept(message.request.length, turn.chat.messages))
      return err({ kind: "body-too-large", maxBytes: maxItemsUnits });
    const called = await callObject(
      async () => generationStub(from, objectName).start(message),
      calledObject("generation", objectName),
    );
    if (claim === null) startNext(from);
    if (!called.ok) return err(objectUnavailable(called.error.retryAfterMs, called.error.detail));
    const outcome = called.value;
    // An earlier request's answer is replayed; that request has paid for it.
    if ("attached" in outcome && outcome.attached) from.judged.inVain();
    if (outcome.result !== "expired") return startedTurn(outcome, { responseId, request }, principal);
  }
  // The same body may be sent on purpose by clients that know nothing of claims: then this is a turn of its own.
  if (claim?.by === "body" || claim?.by === "dedup") return startTurn(from, { ...turn, claim: null });
  return err({
    kind: "conflict",
    message: "This Idempotency-Key was used too often. Use a new key for a new request.",
  });
}

/** What an object answered, as its caller is told. */
export function startedTurn(
  outcome: Exclude<StartOutcome, { result: "expired" }>,
  named: Pick<TurnStarted, "responseId" | "request">,
  principal: TurnContext["principal"],
): Result<TurnStarted, Refusal> {
  switch (outcome.result) {
    case "mismatch":
      return err({ kind: "idempotency-reused" });
    case "position-unknown":
      return err(beyondLastEvent());
    case "too-large":
      return err({ kind: "body-too-large", maxBytes: outcome.maxBytes });
    case "unknown":
    case "version-unsupported":
      return err(generationRefusal(outcome));
    case "claimed":
      return ok({ ...named, outcome });
    case "stream":
    case "ended":
    case "refused":
      return ok({
        ...named,
        outcome: { ...outcome, headers: headersFor(outcome.headers, principal) },
      });
  }
}

/** Whether a conversation can keep every message. One that it can't keep would be answered, paid for, and missing from then on. */
function isKept(requestUnits: number, messages: ChatRequest["messages"]): boolean {
  // The shortest message is a quarter as long as its item; six leaves room: only of what might be too long items are made.
  return requestUnits * 6 <= maxItemsUnits || itemsTooLarge(itemsOfMessages(messages)) === null;
}

const readyObjects = new ReadyObjects();

function newObject(nowMs: number): ReadyObject {
  return { nowMs, entropy: crypto.getRandomValues(new Uint8Array(16)) };
}

/** Creating a database blocks the thread: not while this turn's first token is on its way. */
const startNextAfterMs = 100;

/** Called when a turn took a ready object or had to create its own: the next one is started once this turn has its answer. */
function startNext(from: TurnContext): void {
  const { background, tenant, isolate } = from;
  const { jurisdiction } = tenant;
  const nowMs = isolate.now();
  if (background === undefined || !readyObjects.wantsMore(jurisdiction, nowMs)) return;
  const object = newObject(nowMs);
  const name = mintObjectName({ ...object, jurisdiction });
  background.run(
    "ready object",
    new Promise((resolve) => setTimeout(resolve, startNextAfterMs))
      .then(() => generationStub(from, name).prepare())
      .then(() => readyObjects.add(jurisdiction, object)),
  );
}

/** Each use of a claim after its time asks one more object, as long as the answers of earlier uses are kept. */
export const mostUses = 16;

export function generationRefusal(failure: GenerationFailure): Refusal {
  return failure.result === "unknown"
    ? { kind: "object-unknown" }
    : objectUnavailable(1000, `speaks version ${failure.supported}`);
}

export function objectUnavailable(retryAfterMs: number, detail: string): Refusal {
  return { kind: "dependency-unavailable", component: "generation", retryAfterMs, detail };
}
