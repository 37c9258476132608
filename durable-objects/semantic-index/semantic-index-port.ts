import type { IndexPlace, SemanticErasure, SemanticIndex } from "../../src/shared/cache/semantic/ports.ts";
import { packVector } from "../../src/shared/cache/semantic/vector-bytes.ts";
import {
  type EraseOutcome,
  type EraseTenantOutcome,
  type FindNearestOutcome,
  type KeepOutcome,
  semanticIndexName,
  semanticIndexVersion,
} from "../../src/shared/contracts/semantic-index.ts";
import { callObject, calledObject } from "../storage/call-object.ts";
import { indexStub } from "./index-stub.ts";

/** The owners' SemanticIndex objects as the port of the semantic cache. */
export function semanticIndexPort(
  env: Pick<Cloudflare.Env, "SEMANTIC_INDEX" | "ENVIRONMENT">,
): SemanticIndex {
  return {
    async nearest(place, { scope, vector, atLeast, limit }) {
      const { bytes, scale } = packVector(vector);
      const message = { scope, vector: bytes, scale, atLeast, limit } as const;
      const outcome = await ask<FindNearestOutcome>(place, async () =>
        indexStub(env, place).nearest({ v: semanticIndexVersion, owner: ownerOf(place), ...message }),
      );
      if (outcome.result !== "ok") throw new Error(`the index said ${outcome.result}`);
      return outcome.entries;
    },
    async keep(place, { vector, ...entry }) {
      const { bytes, scale } = packVector(vector);
      const { jurisdiction } = place;
      const message = { ...entry, jurisdiction, vector: bytes, scale };
      const outcome = await ask<KeepOutcome>(place, async () =>
        indexStub(env, place).keep({ v: semanticIndexVersion, owner: ownerOf(place), ...message }),
      );
      // A question that was erased meanwhile is not stored.
      if (outcome.result !== "kept" && outcome.result !== "erased")
        throw new Error(`the index said ${outcome.result}`);
    },
  };
}

export function semanticErasure(
  env: Pick<Cloudflare.Env, "SEMANTIC_INDEX" | "ENVIRONMENT">,
): SemanticErasure {
  return {
    async eraseTenant(tenant, jurisdiction, throughMs) {
      const place = { tenant, user: null, jurisdiction };
      const outcome = await ask<EraseTenantOutcome>(place, async () =>
        indexStub(env, place).eraseTenant({
          v: semanticIndexVersion,
          owner: ownerOf(place),
          jurisdiction,
          throughMs,
        }),
      );
      if (outcome.result !== "erased") throw new Error(`the index said ${outcome.result}`);
      return outcome.pending;
    },
    async eraseUser(place, askedBy, throughMs) {
      for (const [one, whose] of [
        [place, null],
        [{ ...place, user: null }, askedBy],
      ] as const) {
        const { jurisdiction } = one;
        const outcome = await ask<EraseOutcome>(one, async () =>
          indexStub(env, one).erase({
            v: semanticIndexVersion,
            owner: ownerOf(one),
            jurisdiction,
            askedBy: whose,
            throughMs,
          }),
        );
        if (outcome.result !== "erased") throw new Error(`the index said ${outcome.result}`);
      }
    },
  };
}

function ownerOf({ tenant, user }: IndexPlace): { readonly tenant: string; readonly user: string | null } {
  return { tenant, user };
}

async function ask<T>(place: IndexPlace, call: () => Promise<T>): Promise<T> {
  const called = await callObject(call, calledObject("semantic-index", semanticIndexName(place)));
  if (!called.ok) throw new Error(called.error.detail);
  return called.value;
}
