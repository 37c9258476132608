import { DurableObject } from "cloudflare:workers";
import type {
  AttachFiles,
  AttachFilesOutcome,
  BatchOutcome,
  CreateStoreObject,
  DeleteStoreObjectOutcome,
  DescribeStore,
  DetachFileOutcome,
  KnowledgeFailure,
  ListStoreFiles,
  ListStoreFilesOutcome,
  NameBatch,
  NameStoreFile,
  SearchStore,
  SearchStoreOutcome,
  StoreFileOutcome,
  StoreOutcome,
  UpdateStore,
  UpdateStoreFile,
  UpdateStoreOutcome,
} from "../../src/shared/contracts/knowledge-base.ts";
import type { Owner } from "../../src/shared/contracts/owner.ts";
import { findPassages } from "../../src/shared/retrieval/find-passages.ts";
import { AlarmWork } from "./alarm-work.ts";
import type { KnowledgeBaseClass, KnowledgeBaseMethods } from "./knowledge-methods.ts";
import type { KnowledgeParts } from "./knowledge-parts.ts";
import { KnowledgeStore, type Head } from "./knowledge-store.ts";
import { nextAlarmMs } from "./next-alarm.ts";
import { outdatedFiles } from "./outdated-files.ts";
import { OutsideMoves } from "./outside-moves.ts";
import { OutsideSearch } from "./outside-search.ts";
import { PassageStore } from "./passage-store.ts";
import { accessTo, type Access } from "./store-access.ts";
import { StoreRemovals } from "./store-removals.ts";

/** How exact `last_active_at` is: a row for every search would cost more than the search. */
const activeEveryMs = 60_000;

/**
 * One vector store: its files, what becomes of each, and the passages that are found. Its alarm makes files findable, one at a time
 * (file-processor.ts); each is there whole or not at all.
 */
export function createKnowledgeBaseClass<Env>(
  compose: (env: Env, context: DurableObjectState) => KnowledgeParts,
): KnowledgeBaseClass<Env> {
  return class KnowledgeBase extends DurableObject<Env> implements KnowledgeBaseMethods {
    readonly #storage: DurableObjectStorage;
    readonly #store: KnowledgeStore;
    readonly #passages: PassageStore;
    readonly #removals: StoreRemovals;
    readonly #outside: OutsideMoves;
    readonly #searched: OutsideSearch;
    readonly #parts: KnowledgeParts;
    readonly #alarm: AlarmWork;

    constructor(context: DurableObjectState, env: Env) {
      super(context, env);
      this.#storage = context.storage;
      this.#store = new KnowledgeStore(context.storage);
      this.#passages = new PassageStore(context.storage);
      this.#parts = compose(env, context);
      const { storage } = context;
      this.#removals = new StoreRemovals(storage, this.#store, this.#passages);
      this.#outside = new OutsideMoves(storage, this.#passages, this.#parts);
      this.#searched = new OutsideSearch(this.#outside, this.#passages);
      this.#alarm = new AlarmWork({
        storage,
        store: this.#store,
        passages: this.#passages,
        removals: this.#removals,
        outside: this.#outside,
        parts: this.#parts,
      });
      // The platform gives an alarm up that failed six times, and an older version knew fewer reasons for one: nothing waits for ever.
      if (this.#dueMs() !== Infinity)
        void context.blockConcurrencyWhile(async () => {
          if ((await storage.getAlarm()) === null) await this.#setAlarm();
        });
    }

    async create(message: CreateStoreObject): Promise<StoreOutcome> {
      const access = this.#access(message);
      if (access.kind === "open") return this.#described();
      // A store that was deleted stays so.
      if (access.kind === "refused") return access.failure;
      const { owner, jurisdiction, id, createdMs, definition, files, maxPassages } = message;
      this.#storage.transactionSync(() => {
        this.#store.create({ ...definition, id, owner, jurisdiction, createdMs, maxPassages });
        for (const file of files) this.#store.files.attach(file, createdMs);
      });
      await this.#setAlarm();
      return this.#described();
    }

    describe(message: DescribeStore): StoreOutcome {
      return this.#failure(message) ?? this.#described();
    }

    async update(message: UpdateStore): Promise<UpdateStoreOutcome> {
      const failure = this.#failure(message);
      if (failure !== null) return failure;
      if (this.#head().expiredMs !== null) return { result: "expired" };
      this.#storage.transactionSync(() => {
        this.#store.change(message);
        this.#store.used(Date.now());
      });
      await this.#setAlarm();
      return this.#described();
    }

    async delete(message: DescribeStore): Promise<DeleteStoreObjectOutcome> {
      const access = this.#access(message);
      if (access.kind === "refused") return access.failure;
      const nowMs = Date.now();
      this.#storage.transactionSync(() => {
        if (access.kind === "unmade") this.#store.createNameless(message.owner);
        this.#removals.everything();
        this.#store.deleted(nowMs);
      });
      await this.#setAlarm();
      return { result: "deleted" };
    }

    async attach(message: AttachFiles): Promise<AttachFilesOutcome> {
      const early = this.#failure(message);
      if (early !== null) return early;
      const outdated = await outdatedFiles(
        message.files.map(({ fileId }) => fileId),
        this.#passages,
        async () => this.#parts.models(message.owner.tenant),
      );
      // It may have been deleted meanwhile.
      const failure = this.#failure(message);
      if (failure !== null) return failure;
      if (this.#head().expiredMs !== null) return { result: "expired" };
      const { files, batches } = this.#store;
      const { batchId, maxPassages } = message;
      const forgotten = message.files.find(({ fileId }) => files.isForgotten(fileId));
      if (forgotten !== undefined) return { result: "file-unknown", fileId: forgotten.fileId };
      const nowMs = Date.now();
      this.#storage.transactionSync(() => {
        // Asked again: the answer to the first was lost.
        if (batchId !== null && !batches.add(batchId, nowMs)) return;
        for (const file of message.files) {
          files.attach(file, nowMs, outdated.has(file.fileId));
          if (batchId !== null) batches.include(batchId, file.fileId);
          this.#passages.setAttributes(file.fileId, file.attributes);
        }
        this.#store.boundPassages(maxPassages);
        this.#store.used(nowMs);
      });
      await this.#setAlarm();
      return {
        result: "ok",
        files:
          batchId === null
            ? message.files.map(({ fileId }) => files.file(fileId)).filter((file) => file !== null)
            : [],
        batch: batchId === null ? null : batches.batch(batchId),
      };
    }

    getFile(message: NameStoreFile): StoreFileOutcome {
      return this.#failure(message) ?? this.#file(message.fileId);
    }

    listFiles(message: ListStoreFiles): ListStoreFilesOutcome {
      const failure = this.#failure(message);
      if (failure !== null) return failure;
      const { files, batches } = this.#store;
      const { status, batchId } = message;
      if (batchId !== null && batches.batch(batchId) === null) return { result: "unknown" };
      const page = files.files(message, status, batchId);
      return typeof page === "string"
        ? { result: "cursor-unknown", cursor: page }
        : { result: "ok", files: page.rows, hasMore: page.hasMore };
    }

    updateFile(message: UpdateStoreFile): StoreFileOutcome {
      const failure = this.#failure(message);
      if (failure !== null) return failure;
      const { fileId, attributes } = message;
      this.#storage.transactionSync(() => {
        this.#store.files.setAttributes(fileId, attributes);
        this.#passages.setAttributes(fileId, attributes);
      });
      return this.#file(fileId);
    }

    async detachFile(message: NameStoreFile): Promise<DetachFileOutcome> {
      const failure = this.#failure(message);
      if (failure !== null) return failure;
      if (this.#store.files.file(message.fileId) === null) return { result: "unknown" };
      return this.#remove(message.fileId, false);
    }

    async forgetFile(message: NameStoreFile): Promise<DetachFileOutcome> {
      return this.#failure(message) ?? this.#remove(message.fileId, true);
    }

    getBatch(message: NameBatch): BatchOutcome {
      return this.#failure(message) ?? this.#batch(message.batchId);
    }

    async cancelBatch(message: NameBatch): Promise<BatchOutcome> {
      const failure = this.#failure(message);
      if (failure !== null) return failure;
      this.#removals.unfinishedOf(message.batchId);
      await this.#setAlarm();
      return this.#batch(message.batchId);
    }

    async search(message: SearchStore): Promise<SearchStoreOutcome> {
      const failure = this.#failure(message);
      if (failure !== null) return failure;
      const head = this.#head();
      const { expiredMs, activeMs, owner } = head;
      if (expiredMs !== null) return { result: "expired" };
      const nowMs = Date.now();
      // The alarm rings at the old time, and looks again.
      if (nowMs - activeMs >= activeEveryMs) this.#store.used(nowMs);
      const models = await this.#parts.models(owner.tenant);
      const index = this.#searched.indexFor(head, models.embedder.id, message.search.filters);
      const found = await findPassages(message.search, {
        store: this.#passages,
        ...models,
        ...(index === undefined ? {} : { index }),
        onLack: (part, refusal) =>
          this.#parts.report("knowledge-base", `a search does without ${part}: ${refusal.kind}`),
      });
      return found.ok ? { result: "ok", ...found.value } : { result: "refused", refusal: found.error };
    }

    override async alarm(): Promise<void> {
      const head = this.#store.head();
      if (head === null) return;
      if (this.#alarm.isOver(head, Date.now())) {
        this.#store.forgotten();
        this.#passages.forgotten();
        this.#outside.forgotten();
        await this.ctx.blockConcurrencyWhile(() => this.#storage.deleteAll());
        return;
      }
      await this.#alarm.ring(head, Date.now());
      await this.#setAlarm();
    }

    async #remove(fileId: string, forgotten: boolean): Promise<DetachFileOutcome> {
      this.#removals.file(fileId, forgotten);
      await this.#setAlarm();
      return { result: "deleted" };
    }

    #described(): StoreOutcome {
      return { result: "ok", store: this.#store.view(this.#head()) };
    }

    #file(fileId: string): StoreFileOutcome {
      const file = this.#store.files.file(fileId);
      return file === null ? { result: "unknown" } : { result: "ok", file };
    }

    #batch(batchId: string): BatchOutcome {
      const batch = this.#store.batches.batch(batchId);
      return batch === null ? { result: "unknown" } : { result: "ok", batch };
    }

    /** Only behind `#failure`. */
    #head(): Head {
      const head = this.#store.head();
      if (head === null) throw new Error("a store that was found has a head");
      return head;
    }

    #failure(message: { readonly v: number; readonly owner: Owner }): KnowledgeFailure | null {
      const access = this.#access(message);
      if (access.kind === "open") return null;
      return access.kind === "refused" ? access.failure : { result: "unknown" };
    }

    #access(message: { readonly v: number; readonly owner: Owner }): Access {
      return accessTo(this.#store.head(), message);
    }

    async #setAlarm(): Promise<void> {
      const atMs = this.#dueMs();
      if (atMs === Infinity) await this.#storage.deleteAlarm();
      else await this.#storage.setAlarm(Math.max(atMs, Date.now()));
    }

    #dueMs(): number {
      return nextAlarmMs(this.#store, this.#passages, this.#outside);
    }
  };
}
