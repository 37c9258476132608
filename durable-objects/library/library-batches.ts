import {
  type BatchOutcome,
  batchVersion,
  type DeleteBatchOutcome,
} from "../../src/shared/contracts/batch.ts";
import {
  type BatchClaim,
  type BatchOver,
  type CreateOwnersBatch,
  type CreateOwnersBatchOutcome,
  type FindClaimedBatchOutcome,
  type HoldPlacesOutcome,
  type ListBatches,
  type ListBatchesOutcome,
  type ReleasePlacesOutcome,
  libraryName,
  libraryVersion,
} from "../../src/shared/contracts/library.ts";
import type { Jurisdiction, Owner } from "../../src/shared/contracts/owner.ts";
import { tenantAsOwner } from "../../src/shared/retrieval/knowledge-ref.ts";
import { objectOfId } from "../../src/shared/turn/response-id.ts";
import { callObject, calledObject } from "../storage/call-object.ts";
import { inTime } from "../storage/in-time.ts";
import { inJurisdiction } from "../storage/jurisdiction.ts";
import type { BatchState, DoomedBatch } from "./batch-rows.ts";
import type { LibraryStore } from "./library-store.ts";

/** An owner's batches: made through here, so that an erasure of the owner finds them, and counted here. */
export class LibraryBatches {
  readonly #env: Cloudflare.Env;
  readonly #store: LibraryStore;
  readonly #making = new Map<string, Promise<CreateOwnersBatchOutcome>>();

  constructor(env: Cloudflare.Env, store: LibraryStore) {
    this.#env = env;
    this.#store = store;
  }

  /**
   * The row is there before the object hears of it. Where that is not heard of, the batch is doomed: there is none. Calls with the same key, or
   * the same id, at the same time share one making, so that what becomes of it is said to all of them.
   */
  async create(message: CreateOwnersBatch): Promise<CreateOwnersBatchOutcome> {
    const { maxOpen, claim } = message;
    const { batches } = this.#store;
    const claimed = claim === undefined ? null : batches.claimed(claim, Date.now());
    if (claimed === "reused") return { result: "reused" };
    const batchId = claimed?.id ?? message.batchId;
    const known = batches.state(batchId);
    if (known === "doomed") return { result: "unknown" };
    if (known === null && batches.openCount() >= maxOpen) return { result: "full", most: maxOpen };
    const underWay = this.#making.get(batchId);
    if (underWay !== undefined) return underWay;
    batches.add(batchId, Date.now());
    if (claim !== undefined && claimed === null) batches.claim(claim, batchId, Date.now());
    const making = this.#make({ ...message, batchId }, known).finally(() => this.#making.delete(batchId));
    this.#making.set(batchId, making);
    return making;
  }

  /** @param known as it was before; `new`: whoever was making it was killed */
  async #make(message: CreateOwnersBatch, known: BatchState | null): Promise<CreateOwnersBatchOutcome> {
    const { owner, jurisdiction, batchId, createdMs, opening } = message;
    const { batches } = this.#store;
    const isKnown = known === "open" || known === "ended";
    const outside = isKnown ? null : await this.#place(message);
    if (outside !== null) {
      // Nobody has heard of it: whoever asks again with its key asks anew.
      if (outside.result === "full" && known === null) batches.remove(batchId);
      // It may take a place, or be there, and only the answer was lost: its end gives that back.
      else batches.doom(batchId, Date.now());
      return outside;
    }
    const state = batches.state(batchId);
    if (state === null || state === "doomed")
      return { result: "unreachable", detail: "its owner was erased meanwhile" };
    const made = await this.#ask<BatchOutcome>(batchId, async (stub) =>
      stub.create({ v: batchVersion, owner, jurisdiction, batchId, createdMs, opening }),
    );
    if (typeof made !== "string" && made.result === "ok" && batches.state(batchId) !== "doomed") {
      batches.made(batchId);
      return { result: "ok", batch: made.batch };
    }
    // A batch that a caller knows of stays: a repeated creation must not end it.
    if (!isKnown) batches.doom(batchId, Date.now());
    const detail = typeof made === "string" ? made : `a new batch answers ${made.result}`;
    return { result: "unreachable", detail };
  }

  list(message: ListBatches): ListBatchesOutcome {
    if (!this.#store.isOpen) return { result: "ok", ids: [], hasMore: false };
    const { rows, hasMore } = this.#store.batches.page(message);
    return { result: "ok", ids: rows, hasMore };
  }

  claimed(claim: BatchClaim): FindClaimedBatchOutcome {
    const claimed = this.#store.isOpen ? this.#store.batches.claimed(claim, Date.now()) : null;
    if (claimed === null) return { result: "unknown" };
    return claimed === "reused" ? { result: "reused" } : { result: "ok", batchId: claimed.id };
  }

  /** Among the batches of all users of its tenant. `null`: there is a place for it; else why it is not made. */
  async #place({
    owner,
    jurisdiction,
    batchId,
    opening,
    createdMs,
    maxOpenTotal,
  }: CreateOwnersBatch): Promise<CreateOwnersBatchOutcome | null> {
    if (maxOpenTotal === undefined) return null;
    const untilMs = createdMs + opening.windowMs + endsWithinMs;
    const held = await this.#askTenants<HoldPlacesOutcome>(owner, jurisdiction, async (stub, message) =>
      stub.holdPlaces({ ...message, batchId, lines: 0, maxOpen: maxOpenTotal, untilMs }),
    );
    if (typeof held === "string") return { result: "unreachable", detail: held };
    switch (held.result) {
      case "held":
        return null;
      case "full":
        return { ...held, of: "tenant" };
      default:
        return { result: "unreachable", detail: `a tenant's library answers ${held.result}` };
    }
  }

  over({ batchId, what }: BatchOver): void {
    if (what === "ended") this.#store.batches.ended(batchId);
    else this.#store.batches.remove(batchId);
  }

  /** Tells a batch's object to delete itself. @returns a fault's detail; `null`: it has confirmed */
  async end(owner: Owner, batch: DoomedBatch): Promise<string | null> {
    const { batches } = this.#store;
    // No caller was told that it was created, so it does not exist.
    batches.doom(batch.id, Date.now());
    const told = await this.#ask<DeleteBatchOutcome>(batch.id, async (stub) =>
      stub.delete({ v: batchVersion, owner }),
    );
    // One that was never made releases nothing by itself.
    let fault = typeof told === "string" ? told : null;
    if (typeof told !== "string" && told.result === "version-unsupported")
      fault = `a batch answers ${told.result}`;
    fault ??= await this.#release(owner, batch.id);
    if (fault === null) batches.remove(batch.id);
    else batches.putOff(batch, Date.now() + retryMs * 2 ** Math.min(batch.attempts, 6));
    return fault;
  }

  /** @returns a fault's detail; `null`: it takes no place any more */
  async #release(owner: Owner, batchId: string): Promise<string | null> {
    const jurisdiction = objectOfId(batchId)?.jurisdiction ?? "none";
    const released = await this.#askTenants<ReleasePlacesOutcome>(
      owner,
      jurisdiction,
      async (stub, message) => stub.releasePlaces({ ...message, batchId }),
    );
    if (typeof released === "string") return released;
    return released.result === "version-unsupported" ? "a tenant's library speaks another version" : null;
  }

  /** The tenant's own. The reason why there is no answer, as text. */
  async #askTenants<Outcome extends object>(
    owner: Owner,
    jurisdiction: Jurisdiction,
    ask: (
      stub: ReturnType<typeof libraryStub>,
      message: {
        readonly v: typeof libraryVersion;
        readonly owner: Owner;
        readonly jurisdiction: Jurisdiction;
      },
    ) => Promise<Outcome>,
  ): Promise<Outcome | string> {
    const tenant = tenantAsOwner(owner);
    const message = { v: libraryVersion, owner: tenant, jurisdiction } as const;
    return answered(
      async () => ask(libraryStub(this.#env, tenant, jurisdiction), message),
      calledObject("library", libraryName(tenant)),
    );
  }

  /** The reason why there is no answer, as text. */
  async #ask<Outcome extends object>(
    batchId: string,
    ask: (stub: ReturnType<typeof batchStub>) => Promise<Outcome>,
  ): Promise<Outcome | string> {
    const name = objectOfId(batchId)?.objectName ?? "";
    return answered(async () => ask(batchStub(this.#env, batchId)), calledObject("batch", name));
  }
}

/** The reason why there is no answer, as text. */
async function answered<Outcome extends object>(
  ask: () => Promise<Outcome>,
  object: ReturnType<typeof calledObject>,
): Promise<Outcome | string> {
  try {
    const called = await inTime(callObject(ask, object));
    return called.ok ? called.value : called.error.detail;
  } catch (error) {
    return String(error);
  }
}

const retryMs = 5_000;
/** Behind its time a batch has lines that end, and files to write. One that takes longer counts no more. */
const endsWithinMs = 2 * 86_400_000;

function libraryStub(env: Cloudflare.Env, owner: Owner, jurisdiction: Jurisdiction) {
  return inJurisdiction(env.LIBRARY, jurisdiction, env.ENVIRONMENT).getByName(libraryName(owner));
}

function batchStub(env: Cloudflare.Env, batchId: string) {
  const named = objectOfId(batchId);
  if (named === null) throw new TypeError("no id of a batch");
  return inJurisdiction(env.BATCH, named.jurisdiction, env.ENVIRONMENT).getByName(named.objectName);
}
