/**
 * A conversation lets its turns in one at a time, and each must tell when it is over. A saved turn does so by being appended; every other
 * end (refused, cancelled before a word, nothing to keep) by an empty `append`: this one.
 *
 * What such a turn was asked may still be kept under its own id. So the conversation is told when it was asked, in which incarnation it had begun
 * and how long it is kept: the deletion that it belongs to reaches it.
 */
import type { ConversationRef } from "../conversation-name.ts";
import type { Effect } from "./ports.ts";
import { retentionMs, type TurnRequest } from "./turn-request.ts";

/**
 * @param began in which incarnation; `null`: it had not begun in it, or nobody knows any more
 * @param isKept `false`: a refused turn, of which nothing can be had by its id
 */
export function releaseOf(
  request: TurnRequest<unknown>,
  conversation: ConversationRef,
  began: number | null,
  isKept: boolean,
): Effect {
  const { principal, tenant, responseId, createdMs, stored } = request;
  return {
    kind: "append",
    jurisdiction: tenant.jurisdiction,
    objectName: conversation.objectName,
    owner: { tenant: principal.tenant, user: principal.user },
    conversationId: conversation.id,
    mustExist: conversation.mustExist,
    // No incarnation is called so: older code saves nothing.
    incarnation: 0,
    items: [],
    ...(began === null ? {} : { began }),
    askedMs: createdMs,
    keptMs: retentionMs(tenant, stored === true),
    ...(isKept && { responseId }),
  };
}
