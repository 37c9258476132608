/** The objects that an erasure of stored answers calls: other owners' lists, and the answers' own objects. */
import {
  completionIndexName,
  responseIndexName,
  responseIndexPrefix,
} from "../../src/shared/contracts/completion-index.ts";
import { generationVersion } from "../../src/shared/contracts/generation.ts";
import type { Owner } from "../../src/shared/contracts/owner.ts";
import { callObject } from "../storage/call-object.ts";
import type { RollParts } from "../storage/index-roll-ports.ts";
import { inJurisdiction } from "../storage/jurisdiction.ts";
import { ownJurisdiction } from "../storage/own-jurisdiction.ts";
import { deletedThrough } from "../storage/deleted-tenant.ts";

export function completionRollParts(context: DurableObjectState, env: Cloudflare.Env): RollParts {
  const jurisdiction = ownJurisdiction(context);
  return {
    index: (owner) =>
      inJurisdiction(env.COMPLETION_INDEX, jurisdiction, env.ENVIRONMENT).getByName(
        isOfResponses(context, owner) ? responseIndexName(owner) : completionIndexName(owner),
      ),
    async eraseObject(objectName, owner, madeThroughMs) {
      const called = await callObject(async () =>
        inJurisdiction(env.GENERATION, jurisdiction, env.ENVIRONMENT)
          .getByName(objectName)
          .delete({ v: generationVersion, owner, madeThroughMs }),
      );
      if (!called.ok) throw new Error(called.error.detail);
      // `unknown`: gone already, by its own time or its owner.
      if (called.value.result === "version-unsupported") throw new Error("the turn speaks another version");
      return null;
    },
    lookAgain: (tenant, deletedMs) => deletedThrough(env.CONFIG, tenant, deletedMs, Date.now()),
  };
}

/** Two lists of one class: which one this object is, its name says. */
function isOfResponses({ id }: DurableObjectState, { tenant }: Owner): boolean {
  return id.name?.startsWith(responseIndexPrefix(tenant)) === true;
}
