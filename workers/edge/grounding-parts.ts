/** How a turn is grounded, wherever it runs: whose stores it may name, and who searches them. Knows nothing of HTTP. */
import type { Owner } from "../../src/shared/contracts/owner.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { createGround, type Ground } from "../../src/shared/grounding/ground.ts";
import { passageScreen } from "../../src/shared/grounding/screen-passages.ts";
import { retrievalBudgetMs, type RetrievalWish } from "../../src/shared/grounding/retrieval-wish.ts";
import type { ChatMessage } from "../../src/shared/prompt/chat-message.ts";
import type { TenantConfig } from "../../src/shared/tenancy/tenant-config.ts";
import type { Isolate } from "./isolate.ts";
import { knowledgeSource, storeKnown } from "./knowledge-source.ts";
import { noteBrought } from "./note-brought.ts";

/**
 * The stores that a client names, by their ids' tags alone: no object is woken, and nothing is reserved yet. `null`: each may be the
 * caller's. A default one that is not is left out where it is searched.
 */
export async function unknownStore(
  isolate: Isolate,
  owner: Owner,
  wish: RetrievalWish,
): Promise<Refusal | null> {
  if (wish.isDefault) return null;
  const known = await Promise.all(wish.storeIds.map((id) => storeKnown(isolate, owner, id)));
  const at = known.indexOf(false);
  return at === -1 ? null : { kind: "object-unknown", namedBy: `retrieval.vector_store_ids[${at}]` };
}

export function groundFor(
  isolate: Isolate,
  tenant: TenantConfig,
  owner: Owner,
  wish: RetrievalWish,
  messages: readonly ChatMessage[],
  requestId: string,
): Ground {
  return createGround({
    wish,
    messages,
    source: knowledgeSource(isolate, owner),
    screen: passageScreen(tenant.safety, isolate.screen, (screened) =>
      noteBrought(isolate, { from: "passages", tenant: tenant.id, requestId }, screened),
    ),
    budgetMs: retrievalBudgetMs(tenant),
    timer: (ms, fire) => {
      const timer = setTimeout(fire, ms);
      return () => clearTimeout(timer);
    },
    onFault: (detail) => isolate.report("retrieval", detail),
  });
}
