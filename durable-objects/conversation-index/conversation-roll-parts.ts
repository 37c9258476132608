/**
 * The objects that an erasure of conversations calls: other owners' lists, the conversations' own objects, and for a tenant that is gone
 * the archive and the bucket.
 */
import { contentPrefix } from "../../src/shared/content/large-content.ts";
import { conversationIndexName } from "../../src/shared/contracts/conversation-index.ts";
import { conversationVersion } from "../../src/shared/contracts/conversation.ts";
import { KeyedHash } from "../../src/shared/turn/keyed-hash.ts";
import { fileBucket } from "../library/file-bucket.ts";
import { archiveOf } from "../storage/archive-binding.ts";
import { callObject } from "../storage/call-object.ts";
import { deletedThrough } from "../storage/deleted-tenant.ts";
import { eraseLeftContent } from "../storage/erase-left-content.ts";
import type { RollParts } from "../storage/index-roll-ports.ts";
import { inJurisdiction } from "../storage/jurisdiction.ts";
import { ownJurisdiction } from "../storage/own-jurisdiction.ts";
import type { IndexStore } from "./index-store.ts";

export function conversationRollParts(
  context: DurableObjectState,
  env: Cloudflare.Env,
  store: IndexStore,
): RollParts {
  const jurisdiction = ownJurisdiction(context);
  return {
    index: (owner) =>
      inJurisdiction(env.CONVERSATION_INDEX, jurisdiction, env.ENVIRONMENT).getByName(
        conversationIndexName(owner),
      ),
    async eraseObject(objectName, owner, madeThroughMs) {
      const called = await callObject(async () =>
        inJurisdiction(env.CONVERSATION, jurisdiction, env.ENVIRONMENT)
          .getByName(objectName)
          .delete({ v: conversationVersion, owner, madeThroughMs }),
      );
      if (!called.ok) throw new Error(called.error.detail);
      const outcome = called.value;
      if (outcome.result === "version-unsupported")
        throw new Error("the conversation speaks another version");
      const record = outcome.result === "deleted" ? (outcome.record?.id ?? null) : null;
      if (record !== null) store.forgetDeletion(record);
      return record;
    },
    async lookAgain(tenant, deletedMs) {
      const throughMs = await deletedThrough(env.CONFIG, tenant, deletedMs, Date.now());
      if (throughMs === null) return null;
      const archived = await archiveOf(env).erase({ kind: "tenant", tenant }, throughMs);
      if (archived.result === "unreachable") throw new Error(archived.detail);
      const bucket = fileBucket(env, jurisdiction);
      const prefix = await contentPrefix(new KeyedHash(env.EDGEWISE_SECRET ?? ""), tenant);
      if (bucket !== undefined) await eraseLeftContent(bucket, prefix, throughMs);
      return throughMs;
    },
  };
}
