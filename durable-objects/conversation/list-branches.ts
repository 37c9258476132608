import type { ListedBranch } from "../../src/shared/contracts/conversation.ts";
import type { Place } from "../../src/shared/turn/durable/item-path.ts";
import type { ConversationStore, Head } from "./conversation-store.ts";

/** A conversation's branches as a reader chooses between them: where each leaves its parent, and where it ends. */
export function listBranches(store: ConversationStore, head: Head): ListedBranch[] {
  const { branches, reader } = store;
  /** The item there; where it was taken out, the last one before it. */
  const lastAt = (place: Place): string | null =>
    reader.page(branches.pathTo(place), null, 1, "desc")?.items[0]?.id ?? null;
  const first: ListedBranch = {
    branch: 0,
    parent: null,
    parentItemId: null,
    lastItemId: reader.page(branches.path(0), null, 1, "desc")?.items[0]?.id ?? null,
    createdMs: head.createdMs,
    active: head.branch === 0,
  };
  return [
    first,
    ...branches.all().map(({ branch, parent, fork, end, createdMs }) => ({
      branch,
      parent,
      parentItemId: fork === 0 ? null : lastAt({ branch: parent, position: fork }),
      lastItemId: lastAt({ branch, position: end }),
      createdMs,
      active: branch === head.branch,
    })),
  ];
}
