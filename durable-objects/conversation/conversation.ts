import { DurableObject } from "cloudflare:workers";
import {
  type AppendOutcome,
  type AppendTurn,
  type ConversationFailure,
  type CreateConversation,
  type CreateOutcome,
  type DeleteConversation,
  type DeleteOutcome,
  type DescribeConversation,
  type DescribeOutcome,
  type GetItem,
  type GetItemOutcome,
  type HistoryOutcome,
  type ListItems,
  type ListOutcome,
  type LoadHistory,
  type UpdateConversation,
  conversationVersion,
  maxItemBytes,
} from "../../src/shared/contracts/conversation.ts";
import { type Owner, sameOwner } from "../../src/shared/contracts/owner.ts";
import { ConversationStore, fits, type Head } from "./conversation-store.ts";

/**
 * One conversation of one user: its items in order, and nothing that costs more as it grows.
 *
 * The owner is part of the object's name already (src/shared/turn/conversation-name.ts) and is checked again here, so
 * that a mistake in one place opens nothing. Turns that run at the same time are appended in the order of their ends,
 * each whole. Every mutation is idempotent.
 */
export class Conversation extends DurableObject {
  readonly #storage: DurableObjectStorage;
  #store: ConversationStore;

  constructor(context: DurableObjectState, env: Cloudflare.Env) {
    super(context, env);
    this.#storage = context.storage;
    this.#store = new ConversationStore(context.storage);
  }

  /** For `POST /v1/conversations`. Creating twice is creating once: the first metadata and items stay. */
  create(message: CreateConversation): CreateOutcome {
    const access = this.#access(message);
    if (access.kind === "refused") return access.failure;
    if (access.kind === "open") return { result: "exists", createdMs: access.head.createdMs };
    const { id, owner, metadata, items = [] } = message;
    if (!items.every(fits)) return { result: "item-too-large", maxBytes: maxItemBytes };
    const createdMs = Date.now();
    this.#storage.transactionSync(() => {
      this.#store.open(id, owner, metadata, createdMs);
      if (items.length > 0) this.#store.append(createdTurn, items, createdMs);
    });
    return { result: "created", createdMs };
  }

  update(message: UpdateConversation): DescribeOutcome {
    const access = this.#access(message);
    if (access.kind === "refused") return access.failure;
    if (access.kind !== "open") return { result: "unknown" };
    this.#store.setMetadata(message.metadata);
    return this.describe(message);
  }

  item(message: GetItem): GetItemOutcome {
    const access = this.#access(message);
    if (access.kind === "refused") return access.failure;
    const item = access.kind === "open" ? this.#store.item(message.itemId) : null;
    return item === null ? { result: "unknown" } : { result: "ok", item };
  }

  /** The latest items for a turn. Bounded by its limits, however long the conversation is. */
  history(message: LoadHistory): HistoryOutcome {
    const access = this.#access(message);
    if (access.kind === "refused") return access.failure;
    if (access.kind === "open") {
      const { items, truncated } = this.#store.latest({
        items: message.limitItems,
        tokens: message.limitTokens,
      });
      return { result: "ok", items, truncated, incarnation: access.head.incarnation };
    }
    if (message.mustExist) return { result: "unknown" };
    return { result: "ok", items: [], truncated: false, incarnation: access.head?.incarnation ?? 1 };
  }

  /** Saves a turn, whole, once. */
  async append(message: AppendTurn): Promise<AppendOutcome> {
    const access = this.#access(message);
    if (access.kind === "refused") return access.failure;
    if ((access.head?.incarnation ?? 1) !== message.incarnation) return { result: "superseded" };
    if (access.kind !== "open") {
      if (message.mustExist) return { result: "unknown" };
      this.#store.open(message.id, message.owner, "{}", Date.now());
      // It may be a deleted one's name come to life again: then the erasure that was due must not take place.
      await this.#storage.deleteAlarm();
    }
    const known = this.#store.appended(message.turnId);
    if (known !== null) return { result: "already-appended", firstSequence: known };
    if (!message.items.every(fits)) return { result: "item-too-large", maxBytes: maxItemBytes };
    return {
      result: "appended",
      firstSequence: this.#store.append(message.turnId, message.items, Date.now()),
    };
  }

  /** One page of items, for `GET /v1/conversations/{id}/items`. */
  listItems(message: ListItems): ListOutcome {
    const access = this.#access(message);
    if (access.kind === "refused") return access.failure;
    if (access.kind !== "open") return { result: "unknown" };
    const limit = Math.min(Math.max(Math.trunc(message.limit), 1), 100);
    const page = this.#store.page(message.after, limit + 1, message.order);
    if (page === null) return { result: "after-unknown" };
    return { result: "ok", items: page.slice(0, limit), hasMore: page.length > limit };
  }

  describe(message: DescribeConversation): DescribeOutcome {
    const access = this.#access(message);
    if (access.kind === "refused") return access.failure;
    if (access.kind !== "open") return { result: "unknown" };
    const { id, createdMs, metadata, items } = access.head;
    return { result: "ok", id, createdMs, metadata, items };
  }

  /** Erases all content. What remains (that something was here) goes when no turn that began before can still end. */
  async delete(message: DeleteConversation): Promise<DeleteOutcome> {
    const access = this.#access(message);
    if (access.kind === "refused") return access.failure;
    if (access.kind !== "open") return { result: "unknown" };
    this.#store.erase(Date.now());
    await this.#storage.setAlarm(Date.now() + tombstoneMs);
    return { result: "deleted" };
  }

  override async alarm(): Promise<void> {
    const head = this.#store.head();
    if (head !== null && head.deletedMs === null) return;
    await this.#storage.deleteAll();
    this.#store = new ConversationStore(this.#storage);
  }

  #access(message: { readonly v: number; readonly owner: Owner }): Access {
    if (message.v !== conversationVersion)
      return refused({ result: "version-unsupported", supported: conversationVersion });
    const head = this.#store.head();
    if (head === null) return { kind: "closed", head: null };
    if (!sameOwner(head.owner, message.owner)) return refused({ result: "unknown" });
    return head.deletedMs === null ? { kind: "open", head } : { kind: "closed", head };
  }
}

/** What a conversation begins with counts as a turn. No turn of a Generation object is called so. */
const createdTurn = "created";

/** Longer than any turn may run (tenant field `requests.deadline_seconds`: one hour) and its outbox may lag. */
const tombstoneMs = 86_400_000;

type Access =
  | { readonly kind: "open"; readonly head: Head }
  /** Never made, or deleted. */
  | { readonly kind: "closed"; readonly head: Head | null }
  | { readonly kind: "refused"; readonly failure: ConversationFailure };

function refused(failure: ConversationFailure): Access {
  return { kind: "refused", failure };
}
