import { DurableObject } from "cloudflare:workers";
import {
  type AddItems,
  type AddOutcome,
  type AppendOutcome,
  type AppendTurn,
  type ConversationFailure,
  type CreateConversation,
  type CreateOutcome,
  type DeleteConversation,
  type DeleteItem,
  type DeleteOutcome,
  type DescribeConversation,
  type DescribeOutcome,
  type ExportItems,
  type ExportOutcome,
  type FindSummaryWork,
  type GetItem,
  type GetItemOutcome,
  type HistoryOutcome,
  type ListBranches,
  type ListBranchesOutcome,
  type ListItems,
  type ListOutcome,
  type LoadHistory,
  type SaveSummary,
  type SaveSummaryOutcome,
  type StoredItem,
  type SummaryWorkOutcome,
  type UpdateConversation,
  type UpdateOutcome,
  type WatchConversation,
  type WatchOutcome,
} from "../../src/shared/contracts/conversation.ts";
import type { ContentBucket } from "../../src/shared/content/large-content.ts";
import type { Result } from "../../src/shared/contracts/result.ts";
import { endOfBranch } from "../../src/shared/turn/durable/item-path.ts";
import { contentBucket } from "../storage/content-bucket.ts";
import { ownJurisdiction } from "../storage/own-jurisdiction.ts";
import { addItems } from "./add-items.ts";
import { appendTurn } from "./append-turn.ts";
import { root } from "./branch-point.ts";
import { type Access, accessTo, type FromOwner, incarnationOf, openHead } from "./conversation-access.ts";
import { ConversationDuties, tombstoneMs } from "./conversation-duties.ts";
import { ConversationStore, type Head } from "./conversation-store.ts";
import { createConversation } from "./create-conversation.ts";
import { deleteConversation } from "./delete-conversation.ts";
import type { ReadItem } from "./item-reader.ts";
import { latestItems } from "./latest-items.ts";
import { listBranches } from "./list-branches.ts";
import { replaceSummary, summaryWork } from "./summary-work.ts";
import { TurnGate } from "./turn-gate.ts";
import { noteUnsaved } from "./unsaved-turn.ts";
import { watchChanges } from "./watch-changes.ts";
import { wholeItems } from "./whole-items.ts";

/**
 * One conversation of one user: its items in order. No operation gets slower as it grows.
 *
 * The owner is part of the object's name already (src/shared/turn/conversation-name.ts) and is checked again here, so that a mistake in one
 * place opens nothing. Turns are written one at a time (turn-gate.ts), each whole. Every mutation is idempotent. What other objects must be
 * told (the user's list, a deleted turn's object) is repeated until they acknowledge it: conversation-duties.ts. What is too long for a row
 * is in the bucket (large-items.ts), and is fetched when it is shown.
 */
export class Conversation extends DurableObject {
  readonly #storage: DurableObjectStorage;
  readonly #duties: ConversationDuties;
  readonly #gate: TurnGate;
  readonly #bucket: ContentBucket | null;
  #store: ConversationStore;

  constructor(context: DurableObjectState, env: Cloudflare.Env) {
    super(context, env);
    this.#storage = context.storage;
    this.#bucket = contentBucket(env, ownJurisdiction(context));
    this.#store = new ConversationStore(context.storage, this.#bucket !== null);
    this.#gate = new TurnGate(context);
    this.#duties = new ConversationDuties(context, env, () => this.#store);
    this.#duties.wake();
  }

  /** For `POST /v1/conversations`. Creating twice is creating once: the first metadata and items stay. */
  async create(message: CreateConversation): Promise<CreateOutcome> {
    const access = this.#access(message);
    if (access.kind === "refused") return access.failure;
    if (access.kind === "open") return { result: "exists", createdMs: access.head.createdMs };
    const outcome = createConversation(this.#storage, this.#store, message);
    if (outcome.result === "created") await this.#duties.begin();
    return outcome;
  }

  async update(message: UpdateConversation): Promise<UpdateOutcome> {
    const head = this.#head(message);
    if (!head.ok) return head.error;
    const { metadata, title, branch, incarnation = head.value.incarnation } = message;
    if (incarnation !== head.value.incarnation) return unknown;
    if (branch !== undefined && !this.#store.branches.exists(branch)) return { result: "branch-unknown" };
    const nowMs = Date.now();
    this.#storage.transactionSync(() => {
      if (metadata !== undefined) this.#store.setMetadata(metadata, nowMs);
      if (title !== undefined) this.#store.setTitle(title, message.titleBy ?? "user", nowMs);
      if (branch !== undefined && branch !== head.value.branch) this.#store.setBranch(branch, nowMs);
    });
    if (branch !== undefined && branch !== head.value.branch) this.#gate.changedItems();
    await this.#duties.begin();
    return this.describe(message);
  }

  async item(message: GetItem): Promise<GetItemOutcome> {
    const head = this.#head(message);
    if (!head.ok) return head.error;
    const item = this.#store.reader.item(message.itemId);
    const [whole] = item === null ? [] : await this.#whole([item]);
    return whole === undefined ? unknown : { result: "ok", item: whole };
  }

  /**
   * The latest items for a turn, which may have to wait until the turn before it has ended. Bounded by the message's limits, however long
   * the conversation is.
   */
  async history(message: LoadHistory): Promise<HistoryOutcome> {
    const asked = this.#access(message);
    if (asked.kind === "refused") return asked.failure;
    if (asked.kind !== "open" && message.mustExist) return unknown;
    if (message.turn !== undefined) {
      const entered = await this.#gate.enter(message.turn, Date.now());
      if (entered.kind === "busy") return { result: "busy", why: entered.why, running: entered.running };
    }
    // While it waited, the conversation may have changed or been deleted. A deleted one does not come back with the turns that waited.
    const access = this.#access(message);
    if (access.kind === "refused") return access.failure;
    if (incarnationOf(access) !== incarnationOf(asked)) return unknown;
    if (access.kind !== "open") {
      const { upTo = null } = message;
      if (message.mustExist) return unknown;
      const behind = endOfBranch(0);
      if (upTo !== null && upTo !== root && upTo !== behind) return { result: "item-unknown" };
      return { result: "ok", items: [], truncated: false, incarnation: incarnationOf(access), behind };
    }
    const latest = latestItems(this.#storage.sql, this.#store, access.head, message);
    return latest.result === "ok" ? { ...latest, items: await this.#whole(latest.items) } : latest;
  }

  /** Saves a turn, whole, once. */
  async append(message: AppendTurn): Promise<AppendOutcome> {
    const access = this.#access(message);
    if (access.kind === "refused") return access.failure;
    const outcome = appendTurn(this.#storage, this.#store, access, message);
    const unsaved = noteUnsaved(this.#store, access, message, outcome, Date.now());
    if (unsaved === "doomed" || outcome.result === "appended") await this.#duties.begin();
    if (unsaved === "noted") await this.#duties.keepTrace();
    const isSaved = outcome.result === "appended" || outcome.result === "already-appended";
    const wasIn = this.#gate.release(message.turnId, Date.now(), isSaved);
    if (!wasIn && outcome.result === "appended") this.#gate.changedItems();
    return outcome;
  }

  /** For `POST /v1/conversations/{id}/items`. */
  async addItems(message: AddItems): Promise<AddOutcome> {
    const head = this.#head(message);
    if (!head.ok) return head.error;
    const outcome = await addItems(this.#storage, this.#store, head.value, message, (items) =>
      this.#whole(items),
    );
    if (outcome.result === "ok") {
      this.#gate.changedItems();
      await this.#duties.begin();
    }
    return outcome;
  }

  /** Deletes one item. Answers with the conversation, as OpenAI does. */
  async deleteItem(message: DeleteItem): Promise<DescribeOutcome> {
    const head = this.#head(message);
    if (!head.ok) return head.error;
    const item = this.#store.reader.item(message.itemId);
    if (item === null) return unknown;
    this.#store.remove(item.sequence, Date.now());
    this.#gate.changedItems();
    await this.#duties.begin();
    return this.describe(message);
  }

  /** One page of items, for `GET /v1/conversations/{id}/items`. */
  async listItems(message: ListItems): Promise<ListOutcome> {
    const head = this.#head(message);
    if (!head.ok) return head.error;
    const branch = message.branch ?? head.value.branch;
    if (!this.#store.branches.exists(branch)) return { result: "branch-unknown" };
    const limit = Math.min(Math.max(Math.trunc(message.limit), 1), 100);
    const path = this.#store.branches.path(branch);
    const page = this.#store.reader.page(path, message.after, limit, message.order);
    if (page === null) return { result: "after-unknown" };
    return { result: "ok", items: await this.#whole(page.items), hasMore: page.hasMore };
  }

  async summaryWork(message: FindSummaryWork): Promise<SummaryWorkOutcome> {
    const head = this.#head(message);
    if (!head.ok) return head.error;
    const work = summaryWork(this.#storage.sql, this.#store, head.value, message);
    return work === null
      ? { result: "nothing" }
      : { result: "ok", work: { ...work, items: await this.#whole(work.items) } };
  }

  saveSummary(message: SaveSummary): SaveSummaryOutcome {
    const head = this.#head(message);
    if (!head.ok) return head.error;
    return replaceSummary(this.#storage.sql, this.#store, head.value, message);
  }

  branches(message: ListBranches): ListBranchesOutcome {
    const head = this.#head(message);
    if (!head.ok) return head.error;
    return { result: "ok", branches: listBranches(this.#store, head.value) };
  }

  async exportItems(message: ExportItems): Promise<ExportOutcome> {
    const head = this.#head(message);
    if (!head.ok) return head.error;
    const { items, hasMore } = this.#store.reader.everything(message.above, exportedItems);
    return { result: "ok", items: await this.#whole(items), hasMore };
  }

  watch(message: WatchConversation): Promise<WatchOutcome> {
    return watchChanges(this.#gate, () => this.#access(message), message);
  }

  describe(message: DescribeConversation): DescribeOutcome {
    const head = this.#head(message);
    if (!head.ok) return head.error;
    const { id, createdMs, metadata, items, title, titleBy, branch } = head.value;
    return { result: "ok", id, createdMs, metadata, items, title, titleBy, branch };
  }

  /** Erases all content. What remains (that something was here) goes when no turn that began before can still end. */
  async delete(message: DeleteConversation): Promise<DeleteOutcome> {
    const access = this.#access(message);
    if (access.kind === "refused") return access.failure;
    const { madeThroughMs = Infinity } = message;
    if (access.kind === "open" && access.head.createdMs > madeThroughMs) return unknown;
    const deletedMs = Date.now();
    const running = this.#gate.running(deletedMs);
    if (!deleteConversation(this.#storage, this.#store, access, message, running, deletedMs)) return unknown;
    this.#gate.clear(deletedMs);
    await this.#storage.setAlarm(deletedMs + tombstoneMs);
    await this.#duties.begin();
    const record = this.#store.head()?.deletion;
    return record == null ? { result: "deleted" } : { result: "deleted", record };
  }

  override async alarm(): Promise<void> {
    await this.#duties.run();
    const { traceUntilMs } = this.#duties;
    const nowMs = Date.now();
    if (traceUntilMs === null || traceUntilMs > nowMs || !this.#duties.isDone) return;
    // A running turn belongs to an incarnation; without the tombstone it would not be saved.
    if (this.#gate.running(nowMs).length > 0) {
      await this.#storage.setAlarm(nowMs + whileRunningMs);
      return;
    }
    await this.#storage.deleteAll();
    this.#store = new ConversationStore(this.#storage, this.#bucket !== null);
  }

  #whole(items: readonly ReadItem[]): Promise<readonly StoredItem[]> {
    return wholeItems(items, this.#store.large, this.#bucket);
  }

  #access(message: FromOwner): Access {
    return accessTo(this.#store.head(), message);
  }

  #head(message: FromOwner): Result<Head, ConversationFailure> {
    return openHead(this.#store.head(), message);
  }
}

/** The tombstone of a deletion stays while a turn runs; this is how often that is checked. */
const whileRunningMs = 60_000;

/** A page of an export; it is bounded by its size as well. */
const exportedItems = 200;

const unknown = { result: "unknown" } as const;
