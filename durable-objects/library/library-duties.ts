import {
  knowledgeBaseVersion,
  type CreateStoreObject,
  type StoreView,
} from "../../src/shared/contracts/knowledge-base.ts";
import type { Jurisdiction, Owner } from "../../src/shared/contracts/owner.ts";
import { objectOfId } from "../../src/shared/turn/response-id.ts";
import { callObject, calledObject } from "../storage/call-object.ts";
import { inJurisdiction } from "../storage/jurisdiction.ts";
import { bucketKey, fileBucket } from "./file-bucket.ts";
import { dutyId, type Duty, type LibraryStore } from "./library-store.ts";

/**
 * What a Library owes others, until they have it: a new store's object is told what it is, a deleted one's to erase itself, stores forget a
 * deleted file, and the bucket its bytes. Storage says what is due, so a crash loses none of it; the alarm tries again.
 */
export class LibraryDuties {
  readonly #context: DurableObjectState;
  readonly #env: Cloudflare.Env;
  readonly #store: LibraryStore;
  #under: Promise<void> | null = null;
  #failures = 0;

  constructor(context: DurableObjectState, env: Cloudflare.Env, store: LibraryStore) {
    this.#context = context;
    this.#env = env;
    this.#store = store;
  }

  /** Does what is due, and sees to it that the alarm rings for the rest. Many who ask at once share one run. Never throws. */
  async run(): Promise<void> {
    do {
      this.#under ??= this.#carryOutAll().finally(() => {
        this.#under = null;
      });
      await this.#under;
      // What became due as that run ended. What failed is put off, and not due.
    } while (this.#store.dueDuties(Date.now(), 1).length > 0);
  }

  async #carryOutAll(): Promise<void> {
    for (;;) {
      // Should memory be lost from here on, the alarm goes on.
      await this.#setAlarm(retryMs);
      const nowMs = Date.now();
      for (const file of this.#store.overdue(nowMs, batchSize)) this.#store.removeFile(file, nowMs);
      const due = this.#store.dueDuties(nowMs, batchSize);
      await Promise.all(due.map((duty) => this.#carryOut(duty)));
      if (due.length === 0) break;
    }
    await this.#setAlarm(0);
  }

  /** After a change that leaves something for later. */
  async wakeInTime(): Promise<void> {
    await this.#setAlarm(0);
  }

  /** A new store's object is told now. The reason why not; the alarm tries again. */
  async make(storeId: string): Promise<StoreView | string> {
    await this.#setAlarm(retryMs);
    const duty = this.#store.duty(dutyId("make", "", storeId));
    // Somebody else has done it already.
    if (duty === null) return "was made, or unmade, meanwhile";
    const made = await inTime(this.#make(duty)).catch((error: unknown) => String(error));
    if (typeof made === "string") return made;
    this.#store.doneDuty(duty);
    await this.#setAlarm(0);
    return made;
  }

  async #carryOut(duty: Duty): Promise<void> {
    try {
      await inTime(this.#does(duty));
      this.#store.doneDuty(duty);
      this.#failures = 0;
    } catch (error) {
      this.#store.putOff(duty, Date.now() + retryMs * 2 ** Math.min(duty.attempts, 6));
      this.#failures += 1;
      if (this.#failures >= reportFrom)
        // oxlint-disable-next-line no-console -- the log is the only way out of an object for what needs an operator
        console.error(JSON.stringify({ event: "fault", component: "library", detail: String(error) }));
    }
  }

  async #does(duty: Duty): Promise<void> {
    const owner = this.#owner();
    const message = { v: knowledgeBaseVersion, owner } as const;
    switch (duty.kind) {
      case "make":
        await this.#make(duty);
        return;
      case "delete-store":
        await this.#ask(duty.storeId, async (stub) => stub.delete(message));
        return;
      case "forget-file":
        await this.#ask(duty.storeId, async (stub) => stub.forgetFile({ ...message, fileId: duty.fileId }));
        return;
      case "erase-content":
        await fileBucket(this.#env, jurisdictionOf(duty.fileId))?.delete(bucketKey(duty.fileId));
        return;
    }
  }

  async #make({ storeId, message }: Duty): Promise<StoreView> {
    const asked = JSON.parse(message) as Omit<CreateStoreObject, "v" | "owner">;
    const outcome = await this.#ask(storeId, async (stub) =>
      stub.create({ ...asked, v: knowledgeBaseVersion, owner: this.#owner() }),
    );
    // It was deleted before it was made: its deletion is owed as well.
    if (outcome.result !== "ok") throw new Error(`a new store answers ${outcome.result}`);
    return outcome.store;
  }

  async #ask<Outcome extends { readonly result: string }>(
    storeId: string,
    ask: (stub: ReturnType<LibraryDuties["stub"]>) => Promise<Outcome>,
  ): Promise<Outcome> {
    const name = objectOfId(storeId)?.objectName ?? "";
    const called = await callObject(
      async () => ask(this.stub(storeId)),
      calledObject("knowledge-base", name),
    );
    if (!called.ok) throw new Error(called.error.detail);
    if (called.value.result === "version-unsupported") throw new Error("the store speaks another version");
    return called.value;
  }

  stub(storeId: string) {
    const named = objectOfId(storeId);
    if (named === null) throw new TypeError("no id of a vector store");
    return inJurisdiction(this.#env.KNOWLEDGE_BASE, named.jurisdiction, this.#env.ENVIRONMENT).getByName(
      named.objectName,
    );
  }

  #owner(): Owner {
    const owner = this.#store.owner();
    if (owner === null) throw new Error("a library with duties has an owner");
    return owner;
  }

  async #setAlarm(notBeforeMs: number): Promise<void> {
    const next = this.#store.nextMs();
    if (next === null) await this.#context.storage.deleteAlarm();
    else await this.#context.storage.setAlarm(Math.max(next, Date.now() + notBeforeMs));
  }
}

const retryMs = 5_000;
const timeoutMs = 10_000;
const batchSize = 6;
/** From here on each failure is reported. */
const reportFrom = 3;

function jurisdictionOf(fileId: string): Jurisdiction {
  return objectOfId(fileId)?.jurisdiction ?? "none";
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("no answer in time")), timeoutMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
