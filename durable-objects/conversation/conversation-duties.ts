import {
  conversationIndexName,
  conversationIndexVersion,
  type DeletionRecord,
  type IndexEntry,
} from "../../src/shared/contracts/conversation-index.ts";
import { generationVersion } from "../../src/shared/contracts/generation.ts";
import { type ContentBucket, newContentKey } from "../../src/shared/content/large-content.ts";
import type { Jurisdiction } from "../../src/shared/contracts/owner.ts";
import { KeyedHash } from "../../src/shared/turn/keyed-hash.ts";
import { objectOfId } from "../../src/shared/turn/response-id.ts";
import { archiveOf } from "../storage/archive-binding.ts";
import { callObject } from "../storage/call-object.ts";
import { contentBucket } from "../storage/content-bucket.ts";
import { inTime } from "../storage/in-time.ts";
import { inJurisdiction } from "../storage/jurisdiction.ts";
import { ownJurisdiction } from "../storage/own-jurisdiction.ts";
import type { ConversationStore, Head } from "./conversation-store.ts";
import { archiveDuty } from "./doomed-turns.ts";

/**
 * What a conversation owes other parts until they acknowledge it: its index entry; the erasure of a deleted conversation's turns, in the
 * archive and in their objects; the upload of large items' text to the bucket, and its erasure. Storage says what is due, so a crash loses
 * nothing; the alarm tries again.
 */
export class ConversationDuties {
  readonly #context: DurableObjectState;
  readonly #env: Cloudflare.Env;
  readonly #store: () => ConversationStore;
  readonly #bucket: ContentBucket | null;
  #under: Promise<void> | null = null;
  #failures = 0;

  constructor(context: DurableObjectState, env: Cloudflare.Env, store: () => ConversationStore) {
    this.#context = context;
    this.#env = env;
    this.#store = store;
    this.#bucket = contentBucket(env, this.#jurisdiction());
  }

  /** At a wake: what the version before left in the bucket goes, and content that is owed whose alarm was lost is not forgotten. */
  wake(): void {
    if (this.#store().large.removeLeft(Date.now()) || this.#contentMs !== null)
      this.#context.waitUntil(this.begin());
  }

  /** After a change: does it now, in the background, and by the alarm again should this memory be lost. */
  async begin(): Promise<void> {
    if (this.isDone) return;
    await this.#context.storage.setAlarm(Date.now() + retryMs);
    this.#context.waitUntil(this.run());
  }

  /** What is known of what is not there is forgotten in time. */
  async keepTrace(): Promise<void> {
    if (this.isDone) await this.#setAlarm();
  }

  /** When what is left of a conversation that is not there goes; `null`: it is there, or nothing is left. */
  get traceUntilMs(): number | null {
    const head = this.#store().head();
    if (head !== null && head.deletedMs === null) return null;
    const unsavedMs = this.#store().unsaved.untilMs();
    if (head?.deletedMs == null) return unsavedMs === 0 ? null : unsavedMs;
    return Math.max(head.deletedMs + tombstoneMs, unsavedMs);
  }

  /** At the alarm. Never throws. */
  async run(): Promise<void> {
    // One at a time: what is told must not overtake what was told before.
    while (this.#under !== null) await this.#under;
    this.#under = this.#carryOut();
    try {
      await this.#under;
    } finally {
      this.#under = null;
    }
  }

  async #carryOut(): Promise<void> {
    // An index that can't be asked keeps nothing from being erased.
    const [telling, erasing, content] = await Promise.allSettled([
      this.#tell(),
      this.#eraseTurns(),
      this.#tendContent(),
    ]);
    this.#store().notePending(Date.now());
    const told = telling.status === "rejected" ? telling : (await Promise.allSettled([this.#tell()]))[0];
    const failed = [told, erasing, content].filter(({ status }) => status === "rejected");
    this.#failures = failed.length === 0 ? 0 : this.#failures + 1;
    if (this.#failures >= reportFrom)
      for (const { reason } of failed as PromiseRejectedResult[])
        // oxlint-disable-next-line no-console -- the log is the only way out of an object for what needs an operator
        console.error(JSON.stringify({ event: "fault", component: "conversation", detail: String(reason) }));
    await this.#setAlarm();
  }

  /** What there is now, and each record of a deletion: a message carries one. */
  async #tell(): Promise<void> {
    for (;;) {
      const head = this.#store().head();
      if (head === null || head.revision <= head.told) return;
      const earlier = this.#store().earlierDeletions.untold();
      await this.#tellOne(head, earlier ?? head.deletion);
      if (earlier === null) this.#store().told(head.revision);
      else this.#store().toldEarlier(earlier, Date.now());
    }
  }

  async #tellOne(head: Head, deletion: DeletionRecord | null): Promise<void> {
    const outcome = await inTime(
      callObject(async () =>
        inJurisdiction(this.#env.CONVERSATION_INDEX, this.#jurisdiction(), this.#env.ENVIRONMENT)
          .getByName(conversationIndexName(head.owner))
          .tell({
            v: conversationIndexVersion,
            owner: head.owner,
            objectName: this.#name(),
            revision: head.revision,
            entry: entryOf(head),
            deletion,
          }),
      ),
    );
    if (!outcome.ok) throw new Error(outcome.error.detail);
    if (outcome.value.result === "version-unsupported") throw new Error("the index speaks another version");
  }

  async #eraseTurns(): Promise<void> {
    if (this.#store().head() === null) return;
    let failure: unknown = null;
    for (let after = ""; ;) {
      const head = this.#store().head();
      if (head === null) return;
      const batch = this.#store().doomed.page(after, batchSize);
      after = batch.at(-1) ?? after;
      const erased = await Promise.all(
        batch.map(async (responseId) => {
          try {
            await this.#eraseTurn(responseId, head);
            // Deleted again meanwhile: what was erased is not what is to be erased now.
            if (this.#store().head()?.deletion?.id === head.deletion?.id)
              this.#store().doomed.erased(responseId);
            return true;
          } catch (error) {
            failure = error;
            return false;
          }
        }),
      );
      // One that can't be reached keeps no other from being erased; where none can, it is tried again later.
      if (erased.length < batchSize || !erased.includes(true)) break;
    }
    if (failure !== null) throw failure;
  }

  /** What is gone is erased first; then the bucket gets what lies here. */
  async #tendContent(): Promise<void> {
    const { large } = this.#store();
    await large.ledger.sweep(this.#bucket, Date.now());
    if (this.#bucket !== null && large.hasToMove && large.ledger.nextPutMs(Date.now()) <= Date.now())
      while (await large.moveNext(this.#bucket, (sequence) => this.#newKey(sequence)));
  }

  async #newKey(sequence: number): Promise<string> {
    return newContentKey(new KeyedHash(this.#env.EDGEWISE_SECRET ?? ""), {
      tenant: this.#store().head()?.owner.tenant ?? "",
      kind: "conversation",
      objectName: this.#name(),
      item: String(sequence),
    });
  }

  async #eraseTurn(responseId: string, { owner, deletion }: Head): Promise<void> {
    if (responseId === archiveDuty) {
      const erased = await inTime(
        archiveOf(this.#env).erase(
          { kind: "conversation", tenant: owner.tenant, conversation: this.#name() },
          deletion?.deletedMs ?? Date.now(),
        ),
      );
      if (erased.result === "unreachable") throw new Error(erased.detail);
      return;
    }
    const named = objectOfId(responseId);
    if (named === null) return;
    const outcome = await inTime(
      callObject(async () =>
        inJurisdiction(this.#env.GENERATION, named.jurisdiction, this.#env.ENVIRONMENT)
          .getByName(named.objectName)
          .delete({ v: generationVersion, owner }),
      ),
    );
    if (!outcome.ok) throw new Error(outcome.error.detail);
    // `unknown`: gone already, by its own time or its owner.
    if (outcome.value.result === "version-unsupported") throw new Error("the turn speaks another version");
  }

  /** Nobody is owed anything. */
  get isDone(): boolean {
    return !this.#isOwed && this.#contentMs === null;
  }

  get #isOwed(): boolean {
    const head = this.#store().head();
    return head !== null && (head.revision > head.told || this.#store().doomed.count() > 0);
  }

  /** When the bucket is to be asked next; `null`: there is no need. */
  get #contentMs(): number | null {
    const { large } = this.#store();
    const eraseMs = large.ledger.nextMs();
    if (this.#bucket === null || !large.hasToMove) return eraseMs;
    return Math.min(large.ledger.nextPutMs(Date.now()), eraseMs ?? Infinity);
  }

  async #setAlarm(): Promise<void> {
    const { storage } = this.#context;
    const contentMs = this.#contentMs;
    if (this.#isOwed || contentMs !== null) {
      const againMs = Date.now() + retryMs * 2 ** Math.min(this.#failures, 6);
      await storage.setAlarm(this.#isOwed ? againMs : Math.max(againMs, contentMs ?? 0));
      return;
    }
    const { traceUntilMs } = this;
    if (traceUntilMs === null) await storage.deleteAlarm();
    else await storage.setAlarm(traceUntilMs);
  }

  #name(): string {
    return this.#context.id.name ?? this.#context.id.toString();
  }

  #jurisdiction(): Jurisdiction {
    return ownJurisdiction(this.#context);
  }
}

/** Longer than any turn may run (tenant field `requests.deadline_seconds`: one hour) and its outbox may lag. */
export const tombstoneMs = 86_400_000;

const retryMs = 5_000;
const batchSize = 6;
/** From here on each failure is reported. */
const reportFrom = 3;

function entryOf({ id, createdMs, title, metadata, deletedMs }: Head): IndexEntry | null {
  return deletedMs === null ? { id, createdMs, title, metadata } : null;
}
