/** The list of chats: "New chat" is there at once, the list as soon as its code is loaded. */
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
  /** The focus has moved elsewhere. */
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
        // A press of the button that opens it is meant to close it.
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
