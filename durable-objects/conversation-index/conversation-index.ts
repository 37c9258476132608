import { DurableObject } from "cloudflare:workers";
import {
  conversationIndexVersion,
  type IndexFailure,
  type ListConversations,
  type ListConversationsOutcome,
  type ListDeletions,
  type ListDeletionsOutcome,
  type TellIndex,
  type TellOutcome,
} from "../../src/shared/contracts/conversation-index.ts";
import type {
  EnrolIndex,
  EnrolIndexOutcome,
  EraseIndex,
  EraseIndexOutcome,
  LeaveIndex,
  LeaveIndexOutcome,
} from "../../src/shared/contracts/index-roll.ts";
import { type Owner, sameOwner } from "../../src/shared/contracts/owner.ts";
import { IndexRoll } from "../storage/index-roll.ts";
import { conversationRollParts } from "./conversation-roll-parts.ts";
import { IndexStore } from "./index-store.ts";

/**
 * One user's conversations, and what is left of those that were deleted. It decides nothing: Conversation objects report their state in
 * numbered revisions until they are acknowledged, so a late or repeated message changes nothing.
 */
export class ConversationIndex extends DurableObject {
  readonly #store: IndexStore;
  readonly #roll: IndexRoll;

  constructor(context: DurableObjectState, env: Cloudflare.Env) {
    super(context, env);
    this.#store = new IndexStore(context.storage);
    this.#roll = new IndexRoll(context, this.#store, conversationRollParts(context, env, this.#store));
  }

  async tell(message: TellIndex): Promise<TellOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    if (message.entry !== null) await this.#roll.join(message.owner);
    this.#store.tell(message, Date.now());
    await this.#roll.wakeInTime();
    return { result: "told" };
  }

  list(message: ListConversations): ListConversationsOutcome {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    const limit = bounded(message.limit);
    const { after, afterObject = null, order } = message;
    const page = this.#store.page(after, afterObject, limit + 1, order);
    if (page === null) return { result: "after-unknown" };
    return { result: "ok", entries: page.slice(0, limit), hasMore: page.length > limit };
  }

  deletions(message: ListDeletions): ListDeletionsOutcome {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    const limit = bounded(message.limit);
    const page = this.#store.deletions(message.after, limit + 1);
    if (page === null) return { result: "after-unknown" };
    return { result: "ok", records: page.slice(0, limit), hasMore: page.length > limit };
  }

  enrol(message: EnrolIndex): EnrolIndexOutcome {
    return this.#roll.enrol(message);
  }

  leave(message: LeaveIndex): Promise<LeaveIndexOutcome> {
    return this.#roll.leave(message);
  }

  /** Of a user, or of a whole tenant with all its users: every conversation, with its turns. */
  erase(message: EraseIndex): Promise<EraseIndexOutcome> {
    return this.#roll.erase(message);
  }

  override async alarm(): Promise<void> {
    await this.#roll.run();
  }

  #failure({ v, owner }: { readonly v: number; readonly owner: Owner }): IndexFailure | null {
    if (v !== conversationIndexVersion)
      return { result: "version-unsupported", supported: conversationIndexVersion };
    const known = this.#store.owner();
    return known === null || sameOwner(known, owner) ? null : { result: "unknown" };
  }
}

function bounded(limit: number): number {
  return Math.min(Math.max(Math.trunc(limit), 1), 100);
}
