import { DurableObject } from "cloudflare:workers";
import {
  endsBy,
  expiresMs,
  hasEnded,
  newBatch,
  type BatchLife,
} from "../../src/shared/batches/batch-life.ts";
import {
  type BatchFailure,
  type BatchOutcome,
  type BatchView,
  batchVersion,
  type CancelBatch,
  type CancelBatchOutcome,
  type CreateBatch,
  type DeleteBatch,
  type DeleteBatchOutcome,
  type DescribeBatch,
} from "../../src/shared/contracts/batch.ts";
import { type Owner, sameOwner } from "../../src/shared/contracts/owner.ts";
import type { BatchParts } from "./batch-parts.ts";
import { BatchStore } from "./batch-store.ts";
import { BatchWork } from "./batch-work.ts";

/**
 * One batch of requests, from its file to the files of its answers. This shell checks the caller and the message's version, and answers;
 * the work itself runs in batch-work.ts.
 *
 * A factory, so that the composition root supplies how lines are asked and imports stay directed.
 */
export function createBatchClass(
  compose: (env: Cloudflare.Env, context: DurableObjectState) => BatchParts,
): BatchClass {
  return class Batch extends DurableObject implements BatchMethods {
    readonly #store: BatchStore;
    readonly #work: BatchWork;
    #composed: BatchParts | null = null;

    constructor(context: DurableObjectState, env: Cloudflare.Env) {
      super(context, env);
      this.#store = new BatchStore(context.storage);
      this.#work = new BatchWork(context, this.#store, () => (this.#composed ??= compose(env, context)));
      void context.blockConcurrencyWhile(() => this.#work.wake());
    }

    async create(message: CreateBatch): Promise<BatchOutcome> {
      if (message.v !== batchVersion) return unsupported;
      const { owner, jurisdiction, batchId: id, createdMs, opening } = message;
      const known = this.#store.life();
      if (known !== null && !sameOwner(known.owner, owner)) return unknown;
      if (known === null && this.#work.isBuried) return unknown;
      if (known === null) this.#store.create(newBatch({ id, owner, jurisdiction, createdMs, opening }));
      await this.#work.start();
      return this.#shown(message);
    }

    describe(message: DescribeBatch): BatchOutcome {
      return this.#shown(message);
    }

    async cancel(message: CancelBatch): Promise<CancelBatchOutcome> {
      const access = this.#access(message);
      if ("result" in access) return access;
      if (hasEnded(access) && access.status !== "cancelled")
        return { result: "ended", status: access.status };
      this.#store.write(endsBy(access, "cancelled", Date.now()));
      await this.#work.start();
      return this.#shown(message);
    }

    async delete(message: DeleteBatch): Promise<DeleteBatchOutcome> {
      if (message.v === batchVersion && this.#store.life() === null) {
        await this.#work.endUnborn();
        return { result: "deleted" };
      }
      const access = this.#access(message);
      if ("result" in access) return access;
      this.#store.write({ ...access, deletedMs: Date.now() });
      await this.#work.start();
      return { result: "deleted" };
    }

    override async alarm(): Promise<void> {
      await this.#work.start();
    }

    #shown(message: DescribeBatch): BatchOutcome {
      const access = this.#access(message);
      return "result" in access ? access : { result: "ok", batch: this.#view(access) };
    }

    #view(life: BatchLife): BatchView {
      const { id, opening, createdMs, status, times, model, errors, total } = life;
      return {
        id,
        endpoint: opening.endpoint,
        inputFileId: opening.input.fileId,
        metadata: opening.metadata,
        createdMs,
        expiresMs: expiresMs(life),
        status,
        times,
        model,
        errors,
        total,
        tally: this.#store.tally(),
        outputFileId: life.outputFileId,
        errorFileId: life.errorFileId,
      };
    }

    #access({ v, owner }: { readonly v: number; readonly owner: Owner }): BatchLife | BatchFailure {
      if (v !== batchVersion) return unsupported;
      const life = this.#store.life();
      return life !== null && life.deletedMs === null && sameOwner(life.owner, owner) ? life : unknown;
    }
  };
}

const unknown = { result: "unknown" } as const;
const unsupported = { result: "version-unsupported", supported: batchVersion } as const;

/** What can be asked of the object over RPC. */
export interface BatchMethods {
  create(message: CreateBatch): Promise<BatchOutcome>;
  describe(message: DescribeBatch): BatchOutcome;
  cancel(message: CancelBatch): Promise<CancelBatchOutcome>;
  delete(message: DeleteBatch): Promise<DeleteBatchOutcome>;
}

export type BatchObject = DurableObject & BatchMethods;
export type BatchClass = new (context: DurableObjectState, env: Cloudflare.Env) => BatchObject;
