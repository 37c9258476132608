import {
  conversationIndexVersion,
  type ListConversations,
  type ListConversationsOutcome,
  type ListDeletions,
  type ListDeletionsOutcome,
  type TellIndex,
  type TellOutcome,
} from "../../src/shared/contracts/conversation-index.ts";
import { IndexRoll } from "../storage/index-roll.ts";
import { wrongMessage } from "../storage/owned-message.ts";
import { RolledObject } from "../storage/rolled-object.ts";
import { conversationRollParts } from "./conversation-roll-parts.ts";
import { IndexStore } from "./index-store.ts";

/**
 * One user's conversations, and what is left of those that were deleted. It decides nothing: Conversation objects report their state in
 * numbered revisions until they are acknowledged, so a late or repeated message changes nothing.
 */
export class ConversationIndex extends RolledObject {
  readonly #store: IndexStore;
  protected override readonly roll: IndexRoll;

  constructor(context: DurableObjectState, env: Cloudflare.Env) {
    super(context, env);
    this.#store = new IndexStore(context.storage);
    this.roll = new IndexRoll(context, this.#store, conversationRollParts(context, env, this.#store));
  }

  async tell(message: TellIndex): Promise<TellOutcome> {
    const failure = wrongMessage(message, conversationIndexVersion, this.#store);
    if (failure !== null) return failure;
    if (message.entry !== null) await this.roll.join(message.owner);
    this.#store.tell(message, Date.now());
    await this.roll.wakeInTime();
    return { result: "told" };
  }

  list(message: ListConversations): ListConversationsOutcome {
    const failure = wrongMessage(message, conversationIndexVersion, this.#store);
    if (failure !== null) return failure;
    const limit = bounded(message.limit);
    const { after, afterObject = null, order } = message;
    const page = this.#store.page(after, afterObject, limit + 1, order);
    if (page === null) return { result: "after-unknown" };
    return { result: "ok", entries: page.slice(0, limit), hasMore: page.length > limit };
  }

  deletions(message: ListDeletions): ListDeletionsOutcome {
    const failure = wrongMessage(message, conversationIndexVersion, this.#store);
    if (failure !== null) return failure;
    const limit = bounded(message.limit);
    const page = this.#store.deletions(message.after, limit + 1);
    if (page === null) return { result: "after-unknown" };
    return { result: "ok", records: page.slice(0, limit), hasMore: page.length > limit };
  }

  override async alarm(): Promise<void> {
    await this.roll.run();
  }
}

function bounded(limit: number): number {
  return Math.min(Math.max(Math.trunc(limit), 1), 100);
}
