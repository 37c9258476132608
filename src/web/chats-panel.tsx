/** The chats beside the one that is open: "New chat" is there at once, their list as soon as its code is. */
import { useCallback, type ReactNode, type Ref } from "react";
import { Icon, signs } from "./icon.tsx";
import type { ConversationListProps } from "./conversation-list.tsx";
import { keptCode } from "./kept-code.ts";
import { useIsLost, useLate } from "./late-code.ts";

export function ChatsPanel({
  ref,
  onNew,
  onLeft,
  ...list
}: ConversationListProps & {
  readonly ref: Ref<HTMLElement>;
  readonly onNew: () => void;
  /** The keyboard has gone on to something else. */
  readonly onLeft: () => void;
}): ReactNode {
  const loaded = useLate(keptCode);
  const isLost = useIsLost(keptCode);
  const loadAgain = useCallback(() => void keptCode.want(), []);
  return (
    <nav
      ref={ref}
      id="chats"
      className="chats"
      aria-label="Chats"
      onBlur={({ currentTarget, relatedTarget }) => {
        // Whoever presses the button that opens and closes it means to close it.
        if (
          relatedTarget !== null &&
          !currentTarget.contains(relatedTarget) &&
          relatedTarget.getAttribute("aria-controls") !== currentTarget.id
        )
          onLeft();
      }}
    >
      <button type="button" className="new" onClick={onNew}>
        <Icon d={signs.write} />
        New chat
      </button>
      {loaded === null ? null : <loaded.ConversationList {...list} />}
      {isLost ? (
        <p className="fine" role="status">
          The list of your chats could not be loaded.{" "}
          <button type="button" className="quiet small" onClick={loadAgain}>
            Try again
          </button>
        </p>
      ) : null}
    </nav>
  );
}
