import { type ConversationFailure, conversationVersion } from "../../src/shared/contracts/conversation.ts";
import { type Owner, sameOwner } from "../../src/shared/contracts/owner.ts";
import type { Head } from "./conversation-store.ts";

export type Access =
  | { readonly kind: "open"; readonly head: Head }
  /** Never made, or deleted. */
  | { readonly kind: "closed"; readonly head: Head | null }
  | { readonly kind: "refused"; readonly failure: ConversationFailure };

/** May this message be answered, and is there a conversation for it? Another owner's is as none. */
export function accessTo(head: Head | null, message: { readonly v: number; readonly owner: Owner }): Access {
  if (message.v !== conversationVersion)
    return refused({ result: "version-unsupported", supported: conversationVersion });
  if (head === null) return { kind: "closed", head: null };
  if (!sameOwner(head.owner, message.owner)) return refused({ result: "unknown" });
  return head.deletedMs === null ? { kind: "open", head } : { kind: "closed", head };
}

/** The first one is 1, and each deletion makes it one more. */
export function incarnationOf({ head }: Exclude<Access, { kind: "refused" }>): number {
  return head?.incarnation ?? 1;
}

function refused(failure: ConversationFailure): Access {
  return { kind: "refused", failure };
}
