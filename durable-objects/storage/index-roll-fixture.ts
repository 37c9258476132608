/** Lists of conversations to try erasures on: told of conversations, erased, and shown. */
import { env } from "cloudflare:workers";
import { conversationIndexName } from "../../src/shared/contracts/conversation-index.ts";
import type { Owner } from "../../src/shared/contracts/owner.ts";

export const index = (owner: Owner) => env.CONVERSATION_INDEX.getByName(conversationIndexName(owner));
export const tenantOf = (tenant: string): Owner => ({ tenant, user: "" });

export async function tell(owner: Owner, objectName: string, createdMs: number): Promise<void> {
  const entry = { id: `conv_${objectName}`, createdMs, title: null, metadata: "{}" };
  const message = { v: 1, owner, objectName, revision: 1, entry, deletion: null } as const;
  // Who tells tells until it is heard.
  for (;;) {
    const told = await index(owner)
      .tell(message)
      .catch(() => null);
    if (told?.result === "told") return;
  }
}

export const erase = (owner: Owner, throughMs: number) => index(owner).erase({ v: 1, owner, throughMs });

export async function listed(owner: Owner): Promise<readonly string[]> {
  const page = await index(owner).list({ v: 1, owner, after: null, limit: 100, order: "asc" });
  if (page.result !== "ok") throw new Error(page.result);
  return page.entries.map(({ id }) => id);
}
