import { conversationVersion } from "../../src/shared/contracts/conversation.ts";
import { titleOf } from "../../src/shared/turn/durable/conversation-title.ts";
import type { Delivery, Effect } from "../../src/shared/turn/durable/ports.ts";
import { inJurisdiction } from "../storage/jurisdiction.ts";
import type { Conversation } from "./conversation.ts";

/** Carries out an ended turn's `append`. What can never succeed is acknowledged with its reason; the rest is tried again. */
export async function deliverAppend(
  namespace: DurableObjectNamespace<Conversation>,
  environment: Cloudflare.Env["ENVIRONMENT"],
  effect: Extract<Effect, { kind: "append" }>,
  turnId: string,
): Promise<Delivery> {
  const outcome = await inJurisdiction(namespace, effect.jurisdiction, environment)
    .getByName(effect.objectName)
    .append({
      v: conversationVersion,
      owner: effect.owner,
      id: effect.conversationId,
      mustExist: effect.mustExist,
      incarnation: effect.incarnation,
      turnId,
      items: effect.items,
      behind: effect.behind ?? null,
      responseId: effect.responseId ?? null,
      began: effect.began ?? null,
      askedMs: effect.askedMs ?? null,
      keptMs: effect.keptMs ?? null,
      title: titleOf(effect.items),
    });
  switch (outcome.result) {
    case "appended":
      return { result: "acknowledged", sequence: outcome.firstSequence };
    case "already-appended":
      return { result: "acknowledged", sequence: outcome.firstSequence, again: true };
    case "released":
    // Deleted since, as its user asked: no fault.
    case "superseded":
      return { result: "acknowledged" };
    case "unknown":
    case "item-too-large":
      return { result: "acknowledged", detail: outcome.result };
    case "version-unsupported":
      return { result: "retry", detail: outcome.result };
  }
}
