import { type ConversationFailure, conversationVersion } from "../../src/shared/contracts/conversation.ts";
import { type Owner, sameOwner } from "../../src/shared/contracts/owner.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import type { Head } from "./conversation-store.ts";

export type FromOwner = { readonly v: number; readonly owner: Owner };

export type Access =
  | { readonly kind: "open"; readonly head: Head }
  /** Never made, or deleted. */
  | { readonly kind: "closed"; readonly head: Head | null }
  | { readonly kind: "refused"; readonly failure: ConversationFailure };

/** May this message be answered, and is there a conversation for it? Another owner's counts as unknown. */
export function accessTo(head: Head | null, message: FromOwner): Access {
  if (message.v !== conversationVersion)
    return refused({ result: "version-unsupported", supported: conversationVersion });
  if (head === null) return { kind: "closed", head: null };
  if (!sameOwner(head.owner, message.owner)) return refused({ result: "unknown" });
  return head.deletedMs === null ? { kind: "open", head } : { kind: "closed", head };
}

/** The same for messages that need a conversation: one that was never made, or was deleted, is unknown. */
export function openHead(head: Head | null, message: FromOwner): Result<Head, ConversationFailure> {
  const access = accessTo(head, message);
  if (access.kind === "open") return ok(access.head);
  return err(access.kind === "refused" ? access.failure : { result: "unknown" });
}

/** The first one is 1, and each deletion makes it one more. */
export function incarnationOf({ head }: Exclude<Access, { kind: "refused" }>): number {
  return head?.incarnation ?? 1;
}

function refused(failure: ConversationFailure): Access {
  return { kind: "refused", failure };
}
