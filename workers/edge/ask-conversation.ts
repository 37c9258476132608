/** A Conversation object seen from the edge: find it by the id in the path, ask it, and tell what went wrong. */
import type { ConversationIndex } from "../../durable-objects/conversation-index/conversation-index.ts";
import {
  callObject,
  calledObject,
  type ObjectUnreachable,
} from "../../durable-objects/storage/call-object.ts";
import { inJurisdiction } from "../../durable-objects/storage/jurisdiction.ts";
import type { ConversationFailure } from "../../src/shared/contracts/conversation.ts";
import { conversationIndexName, type IndexFailure } from "../../src/shared/contracts/conversation-index.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import { resolveConversation, type ConversationRef } from "../../src/shared/turn/conversation-name.ts";
import type { TenantCall } from "./handle.ts";
import { ownerOf } from "./run-durable.ts";

function conversationStub({ isolate: { env }, tenant }: TenantCall, { objectName }: ConversationRef) {
  return inJurisdiction(env.CONVERSATION, tenant.jurisdiction, env.ENVIRONMENT).getByName(objectName);
}

type ConversationStub = ReturnType<typeof conversationStub>;

/** The conversation that `{id}` of the path means. A guessed `conv_…` id wakes no object. */
export async function conversationInPath(call: TenantCall): Promise<Result<ConversationRef, Refusal>> {
  const id = call.c.req.param("id") ?? "";
  const conversation = await resolveConversation(call.isolate.hash, id, ownerOf(call));
  return conversation === null ? err({ kind: "object-unknown" }) : ok(conversation);
}

/** @param ask idempotent: called again if the platform says that the call may be repeated */
export async function askConversation<Answer extends { readonly result: string }>(
  call: TenantCall,
  conversation: ConversationRef,
  ask: (stub: ConversationStub) => Promise<Answer | ConversationFailure>,
): Promise<Result<Answer, Refusal>> {
  return answerOf<Answer>(
    await callObject(
      async () => ask(conversationStub(call, conversation)),
      calledObject("conversation", conversation.objectName),
    ),
  );
}

/** The caller's own list of conversations. */
export async function askIndex<Answer extends { readonly result: string }>(
  { isolate: { env }, tenant, principal }: TenantCall,
  ask: (stub: DurableObjectStub<ConversationIndex>) => Promise<Answer | IndexFailure>,
): Promise<Result<Answer, Refusal>> {
  const name = conversationIndexName({ tenant: tenant.id, user: principal.user });
  return answerOf<Answer>(
    await callObject(
      async () =>
        ask(inJurisdiction(env.CONVERSATION_INDEX, tenant.jurisdiction, env.ENVIRONMENT).getByName(name)),
      calledObject("conversation-index", name),
    ),
  );
}

function answerOf<Answer extends { readonly result: string }>(
  called: Result<Answer | ConversationFailure, ObjectUnreachable>,
): Result<Answer, Refusal> {
  if (!called.ok) return err(unavailable(called.error.retryAfterMs, called.error.detail));
  const outcome = called.value;
  if (!isFailure(outcome)) return ok(outcome);
  return err(
    outcome.result === "unknown"
      ? { kind: "object-unknown" }
      : unavailable(1000, `speaks version ${outcome.supported}`),
  );
}

function isFailure(outcome: { readonly result: string }): outcome is ConversationFailure {
  return outcome.result === "unknown" || outcome.result === "version-unsupported";
}

function unavailable(retryAfterMs: number, detail: string): Refusal {
  return { kind: "dependency-unavailable", component: "conversation", retryAfterMs, detail };
}
