import {
  knowledgeBaseVersion,
  type CreateStoreObject,
  type StoreOutcome,
  type StoreView,
} from "../../src/shared/contracts/knowledge-base.ts";
import type { Jurisdiction, Owner } from "../../src/shared/contracts/owner.ts";
import { within } from "../../src/shared/isolate/within.ts";
import { objectOfId } from "../../src/shared/turn/response-id.ts";
import { callObject, calledObject } from "../storage/call-object.ts";
import { inTime } from "../storage/in-time.ts";
import { inJurisdiction } from "../storage/jurisdiction.ts";
import { bucketKey, fileBucket } from "./file-bucket.ts";
import type { Duty } from "./duty-store.ts";
import type { LibraryBatches } from "./library-batches.ts";
import type { LibraryRoll } from "./library-roll.ts";
import type { LibraryStore } from "./library-store.ts";

/**
 * What a Library owes other objects until they acknowledge it: a new store's object its definition, a deleted store's object its erasure;
 * stores and the bucket the erasure of a deleted file; batches their end; and what erasures owe the objects on the roll (library-roll.ts).
 * Storage says what is due, so a crash loses nothing; the alarm tries again. When nothing of an erased owner is left, the object deletes
 * itself.
 */
export class LibraryDuties {
  readonly #context: DurableObjectState;
  readonly #env: Cloudflare.Env;
  readonly #store: LibraryStore;
  readonly #roll: LibraryRoll;
  readonly #batches: LibraryBatches;
  #under: Promise<void> | null = null;
  #failures = 0;
  /** When members of the roll that could not be reached are told again. */
  #tellAgainMs = 0;

  constructor(
    context: DurableObjectState,
    env: Cloudflare.Env,
    store: LibraryStore,
    roll: LibraryRoll,
    batches: LibraryBatches,
  ) {
    this.#context = context;
    this.#env = env;
    this.#store = store;
    this.#roll = roll;
    this.#batches = batches;
  }

  /** Does what is due, and sets the alarm for the rest. Calls at the same time share one run. Never throws. */
  async run(): Promise<void> {
    do {
      this.#under ??= this.#carryOutAll().finally(() => {
        this.#under = null;
      });
      await this.#under;
      // What became due as that run ended. What failed is put off, and not due.
    } while (this.#store.isOpen && this.#store.duties.due(Date.now(), 1).length > 0);
  }

  async #carryOutAll(): Promise<void> {
    const owner = this.#store.owner();
    if (owner === null) return;
    for (;;) {
      // Should memory be lost from here on, the alarm goes on.
      await this.#setAlarm(retryMs);
      const nowMs = Date.now();
      this.#store.uploads.expire(nowMs);
      for (const file of this.#store.overdue(nowMs, batchSize)) this.#store.removeFile(file, nowMs);
      const due = this.#store.duties.due(nowMs, batchSize);
      await Promise.all(due.map((duty) => this.#carryOut(duty)));
      const doomed = this.#store.batches.due(nowMs, batchSize);
      for (const fault of await Promise.all(doomed.map((batch) => this.#batches.end(owner, batch))))
        this.#heard(fault);
      if (due.length + doomed.length === 0) break;
    }
    if (this.#roll.pending() > 0 && this.#tellAgainMs <= Date.now()) {
      const fault = await this.#roll.tell(owner, this.#store.jurisdiction());
      this.#heard(fault);
      this.#tellAgainMs = fault === null ? 0 : Date.now() + retryMs * 2 ** Math.min(this.#failures, 6);
    }
    if (this.#roll.isOver(Date.now())) {
      this.#store.forgotten();
      await this.#context.blockConcurrencyWhile(() => this.#context.storage.deleteAll());
    } else await this.#setAlarm(0);
  }

  /**
   * At a wake, before anything is shown. One of the version before, which no roll knows, enrols: what was erased meanwhile is not found.
   * An alarm that the platform gave up, or that a kill came ahead of, is set again: nothing that is owed waits for ever. Never throws.
   */
  async wake(): Promise<void> {
    if (this.#roll.isUnenrolled()) await within(this.run(), wakeMs);
    if (
      this.#store.isOpen &&
      this.#nextMs(Date.now()) !== null &&
      (await this.#context.storage.getAlarm()) === null
    )
      await this.#setAlarm(0);
  }

  /** How many have not heard yet. */
  pending(): number {
    if (!this.#store.isOpen) return 0;
    return this.#store.duties.count() + this.#store.batches.doomedCount() + this.#roll.pending();
  }

  /** After a change that leaves something for later. */
  async wakeInTime(): Promise<void> {
    await this.#setAlarm(0);
  }

  /** A new store's object is told now. The reason why not; the alarm tries again. */
  async make(storeId: string): Promise<StoreView | string> {
    const duty = this.#store.duties.making(storeId);
    // Another run has done it already.
    if (duty === null) return "was made, or unmade, meanwhile";
    await this.#setAlarm(retryMs);
    const made = await inTime(this.#make(duty)).catch((error: unknown) => String(error));
    if (typeof made === "string") return made;
    if (!this.#store.hasStore(storeId)) return "was unmade meanwhile";
    this.#store.duties.done(duty);
    await this.#setAlarm(0);
    return made;
  }

  /** What a store is that was noted before: its first answer was lost, or is on its way still. The reason why not. */
  async made(storeId: string): Promise<StoreView | string> {
    if (this.#store.duties.making(storeId) !== null) return this.make(storeId);
    const described = await this.#describe(storeId);
    if (typeof described === "string") return described;
    return described.result === "ok" ? described.store : `a store that is noted answers ${described.result}`;
  }

  /** Whether a store's time is over, as its own object says. */
  async isExpired(storeId: string): Promise<boolean> {
    const described: StoreOutcome | string = await this.#describe(storeId);
    return typeof described !== "string" && described.result === "ok" && described.store.expiredMs !== null;
  }

  #describe(storeId: string): Promise<StoreOutcome | string> {
    return inTime<StoreOutcome | string>(
      this.#ask(storeId, async (stub) => stub.describe({ v: knowledgeBaseVersion, owner: this.#owner() })),
    ).catch((error: unknown) => String(error));
  }

  async #carryOut(duty: Duty): Promise<void> {
    try {
      await inTime(this.#does(duty));
      this.#store.duties.done(duty);
      this.#heard(null);
    } catch (error) {
      this.#store.duties.putOff(duty, Date.now() + retryMs * 2 ** Math.min(duty.attempts, 6));
      this.#heard(String(error));
    }
  }

  /** @param fault `null`: at least one receiver was reached */
  #heard(fault: string | null): void {
    this.#failures = fault === null ? 0 : this.#failures + 1;
    if (fault !== null && this.#failures >= reportFrom)
      // oxlint-disable-next-line no-console -- the log is the only way out of an object for what needs an operator
      console.error(JSON.stringify({ event: "fault", component: "library", detail: fault }));
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
      case "forget-file": {
        const isUnmade = this.#store.duties.making(duty.storeId) !== null;
        const { result } = await this.#ask(duty.storeId, async (stub) =>
          stub.forgetFile({ ...message, fileId: duty.fileId }),
        );
        // Who makes it may be on the way, and bring the file along.
        if (isUnmade && result === "unknown")
          throw new Error("a store that is not made yet can't forget a file");
        return;
      }
      case "erase-content": {
        const bucket = fileBucket(this.#env, jurisdictionOf(duty.fileId));
        if (bucket === undefined)
          throw new Error("a deleted file lies in a bucket that is not bound any more");
        await bucket.delete(bucketKey(duty.fileId));
        return;
      }
    }
  }

  async #make({ storeId, message }: Duty): Promise<StoreView> {
    const asked = JSON.parse(message) as Omit<CreateStoreObject, "v" | "owner">;
    // Not with one that was deleted since.
    const files = asked.files.filter(({ fileId }) => this.#store.row(fileId) !== null);
    const outcome = await this.#ask(storeId, async (stub) =>
      stub.create({ ...asked, files, v: knowledgeBaseVersion, owner: this.#owner() }),
    );
    // It was deleted before it was made: its deletion is owed as well.
    if (outcome.result !== "ok") throw new Error(`a new store answers ${outcome.result}`);
    return outcome.store;
  }

  async #ask<Outcome extends { readonly result: string }>(
    storeId: string,
    ask: (stub: ReturnType<typeof storeStub>) => Promise<Outcome>,
  ): Promise<Outcome> {
    const name = objectOfId(storeId)?.objectName ?? "";
    const called = await callObject(
      async () => ask(storeStub(this.#env, storeId)),
      calledObject("knowledge-base", name),
    );
    if (!called.ok) throw new Error(called.error.detail);
    if (called.value.result === "version-unsupported") throw new Error("the store speaks another version");
    return called.value;
  }

  #owner(): Owner {
    const owner = this.#store.owner();
    if (owner === null) throw new Error("a library with duties has an owner");
    return owner;
  }

  #nextMs(nowMs: number): number | null {
    if (!this.#store.isOpen) return null;
    const roll = this.#roll;
    const times = [
      this.#store.nextMs(),
      this.#store.uploads.nextMs(),
      roll.pending() > 0 ? Math.max(nowMs, this.#tellAgainMs) : null,
      roll.closedUntilMs(nowMs),
      roll.isOver(nowMs) ? nowMs + retryMs : null,
    ].filter((time) => time !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  async #setAlarm(notBeforeMs: number): Promise<void> {
    const next = this.#nextMs(Date.now());
    if (next === null) await this.#context.storage.deleteAlarm();
    else await this.#context.storage.setAlarm(Math.max(next, Date.now() + notBeforeMs));
  }
}

function storeStub(env: Cloudflare.Env, storeId: string) {
  const named = objectOfId(storeId);
  if (named === null) throw new TypeError("no id of a vector store");
  return inJurisdiction(env.KNOWLEDGE_BASE, named.jurisdiction, env.ENVIRONMENT).getByName(named.objectName);
}

const retryMs = 5_000;
/** The longest that the waking call waits. */
const wakeMs = 3_000;
const batchSize = 6;
/** From here on each failure is reported. */
const reportFrom = 3;

function jurisdictionOf(fileId: string): Jurisdiction {
  return objectOfId(fileId)?.jurisdiction ?? "none";
}
