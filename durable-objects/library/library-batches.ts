import {
  type BatchOutcome,
  batchVersion,
  type DeleteBatchOutcome,
} from "../../src/shared/contracts/batch.ts";
import type {
  BatchOver,
  CreateOwnersBatch,
  CreateOwnersBatchOutcome,
} from "../../src/shared/contracts/library.ts";
import type { Owner } from "../../src/shared/contracts/owner.ts";
import { objectOfId } from "../../src/shared/turn/response-id.ts";
import { callObject, calledObject } from "../storage/call-object.ts";
import { inTime } from "../storage/in-time.ts";
import { inJurisdiction } from "../storage/jurisdiction.ts";
import type { DoomedBatch } from "./batch-rows.ts";
import type { LibraryStore } from "./library-store.ts";

/** An owner's batches: made through here, so that an erasure of the owner finds them, and counted here. */
export class LibraryBatches {
  readonly #env: Cloudflare.Env;
  readonly #store: LibraryStore;

  constructor(env: Cloudflare.Env, store: LibraryStore) {
    this.#env = env;
    this.#store = store;
  }

  /** The row is there before the object hears of it. Where that is not heard of, the batch is doomed: there is none. */
  async create(message: CreateOwnersBatch): Promise<CreateOwnersBatchOutcome> {
    const { owner, jurisdiction, createdMs, opening, maxOpen, claim } = message;
    const { batches } = this.#store;
    const claimed = claim === undefined ? null : batches.claimed(claim, Date.now());
    if (claimed === "reused") return { result: "reused" };
    const batchId = claimed?.id ?? message.batchId;
    const known = batches.state(batchId);
    if (known === "doomed") return { result: "unknown" };
    if (known === null && batches.openCount() >= maxOpen) return { result: "full", most: maxOpen };
    batches.add(batchId, Date.now());
    if (claim !== undefined && claimed === null) batches.claim(claim, batchId, Date.now());
    const made = await this.#ask<BatchOutcome>(batchId, async (stub) =>
      stub.create({ v: batchVersion, owner, jurisdiction, batchId, createdMs, opening }),
    );
    if (typeof made !== "string" && made.result === "ok" && batches.state(batchId) !== "doomed") {
      batches.made(batchId);
      return { result: "ok", batch: made.batch };
    }
    // A batch that a caller knows of stays: a repeated creation, or a lost answer beside it, must not end it.
    if (claimed === null && batches.state(batchId) !== "open") batches.doom(batchId, Date.now());
    const detail = typeof made === "string" ? made : `a new batch answers ${made.result}`;
    return { result: "unreachable", detail };
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
    if (typeof told !== "string" && told.result !== "version-unsupported") {
      batches.remove(batch.id);
      return null;
    }
    batches.putOff(batch, Date.now() + retryMs * 2 ** Math.min(batch.attempts, 6));
    return typeof told === "string" ? told : `a batch answers ${told.result}`;
  }

  /** The reason why there is no answer, as text. */
  async #ask<Outcome extends object>(
    batchId: string,
    ask: (stub: ReturnType<typeof batchStub>) => Promise<Outcome>,
  ): Promise<Outcome | string> {
    const name = objectOfId(batchId)?.objectName ?? "";
    try {
      const called = await inTime(
        callObject(async () => ask(batchStub(this.#env, batchId)), calledObject("batch", name)),
      );
      return called.ok ? called.value : called.error.detail;
    } catch (error) {
      return String(error);
    }
  }
}

const retryMs = 5_000;

function batchStub(env: Cloudflare.Env, batchId: string) {
  const named = objectOfId(batchId);
  if (named === null) throw new TypeError("no id of a batch");
  return inJurisdiction(env.BATCH, named.jurisdiction, env.ENVIRONMENT).getByName(named.objectName);
}
