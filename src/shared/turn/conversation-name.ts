import type { Owner } from "../contracts/owner.ts";
import { base32 } from "./base32.ts";
import type { KeyedHash } from "./keyed-hash.ts";
import { verifyId } from "./response-id.ts";

/** Which Conversation object a caller's `conversation_id` means, and whether it may be created by being used. */
export interface ConversationRef {
  /** As the caller wrote it. */
  readonly id: string;
  /** HMAC of tenant, user and id: two users' "my-chat" are two objects, and no name tells who owns it. */
  readonly objectName: string;
  /** `conv_…` ids are ours and must have been created; the caller's own names come to be on first use. */
  readonly mustExist: boolean;
}

/** `null`: a `conv_…` id that we did not make for this owner. No object is asked. */
export async function resolveConversation(
  hash: KeyedHash,
  id: string,
  owner: Owner,
): Promise<ConversationRef | null> {
  const mustExist = id.startsWith("conv_");
  if (mustExist && (await verifyId(hash, id, owner)) === null) return null;
  const name = await hash.of("conversation/1", owner.tenant, owner.user, id);
  return { id, objectName: base32(name, 51), mustExist };
}
