/**
 * Erases the conversations and stored answers of a user, or (`user` null) of a tenant and its users, from their objects and the archive.
 */
import { callObject, calledObject } from "../../durable-objects/storage/call-object.ts";
import { inJurisdiction } from "../../durable-objects/storage/jurisdiction.ts";
import type { HistoryErasure, KeptBy } from "../../src/shared/admin/tenant-changes.ts";
import type { Archive } from "../../src/shared/archive/ports.ts";
import { completionIndexName, responseIndexName } from "../../src/shared/contracts/completion-index.ts";
import { conversationIndexName } from "../../src/shared/contracts/conversation-index.ts";
import { type EraseIndexOutcome, indexRollVersion } from "../../src/shared/contracts/index-roll.ts";

/** @returns how many objects have not confirmed yet, and will later. Throws where one of the lists, or the archive, can't be reached */
export async function eraseHistory(
  env: Pick<Cloudflare.Env, "CONVERSATION_INDEX" | "COMPLETION_INDEX" | "ENVIRONMENT">,
  archive: Pick<Archive, "erase">,
  { id: tenant, jurisdiction }: KeptBy,
  user: string | null,
  { throughMs, lookAgainMs }: HistoryErasure,
): Promise<number> {
  const whose =
    user === null ? ({ kind: "tenant", tenant } as const) : ({ kind: "user", tenant, user } as const);
  const archived = await archive.erase(whose, throughMs);
  if (archived.result === "unreachable") throw new Error(archived.detail);
  const owner = { tenant, user: user ?? "" };
  const message = { v: indexRollVersion, owner, throughMs, lookAgainMs } as const;
  const { CONVERSATION_INDEX: conversations, COMPLETION_INDEX: completions, ENVIRONMENT: environment } = env;
  const answers = async (name: string): Promise<EraseIndexOutcome> =>
    inJurisdiction(completions, jurisdiction, environment).getByName(name).erase(message);
  const pending = await Promise.all([
    pendingOf("conversation-index", conversationIndexName(owner), async (name) =>
      inJurisdiction(conversations, jurisdiction, environment).getByName(name).erase(message),
    ),
    pendingOf("completion-index", completionIndexName(owner), answers),
    pendingOf("completion-index", responseIndexName(owner), answers),
  ]);
  return pending.reduce((sum, one) => sum + one, 0);
}

async function pendingOf(
  kind: "conversation-index" | "completion-index",
  name: string,
  erase: (name: string) => Promise<EraseIndexOutcome>,
): Promise<number> {
  const called = await callObject(async () => erase(name), calledObject(kind, name));
  if (!called.ok) throw new Error(called.error.detail);
  if (called.value.result !== "erased") throw new Error(`a list answers ${called.value.result}`);
  return called.value.pending;
}
