/** The menu of the signed-in user: limits, keys, the API, signing out. */
import { useRef, type ReactNode } from "react";
import { isTouch } from "./keys.ts";

export function AccountMenu(props: {
  readonly user: string;
  readonly onUsage: () => void;
  readonly onKeys: () => void;
  readonly onSignOut: () => void;
}): ReactNode {
  const menu = useRef<HTMLDivElement>(null);
  const closing = (run: () => void) => (): void => {
    // Moves the focus back to its button first, where a closed dialog returns it.
    menu.current?.hidePopover();
    run();
  };
  return (
    <div
      onKeyDown={(event) => {
        if (event.key !== "Escape" || menu.current?.matches(":popover-open") !== true) return;
        // Closes the menu without stopping an answer.
        event.preventDefault();
        menu.current.hidePopover();
      }}
      // Closes when the focus moves on, by Tab or to the search of chats.
      onBlur={({ currentTarget, relatedTarget }) => {
        if (relatedTarget !== null && !currentTarget.contains(relatedTarget)) menu.current?.hidePopover();
      }}
    >
      <button
        type="button"
        className="round account"
        popoverTarget="account"
        aria-label="Account"
        title={`Signed in as ${props.user}`}
      >
        {initialOf(props.user)}
      </button>
      <div
        ref={menu}
        id="account"
        popover="auto"
        onToggle={({ newState, currentTarget }) =>
          newState === "open" && currentTarget.querySelector("button")?.focus()
        }
      >
        <p className="fine">
          Signed in as <strong dir="auto">{props.user}</strong>
        </p>
        <button type="button" className="quiet" onClick={closing(props.onUsage)}>
          Usage and limits
        </button>
        {isTouch() ? null : (
          <button type="button" className="quiet" onClick={closing(props.onKeys)}>
            Keyboard shortcuts
          </button>
        )}
        <a href="/docs" target="_blank" rel="noopener">
          API reference
        </a>
        <button type="button" className="quiet" onClick={closing(props.onSignOut)}>
          Sign out
        </button>
      </div>
    </div>
  );
}

function initialOf(user: string): string {
  const first = new Intl.Segmenter("en").segment(user)[Symbol.iterator]().next();
  return first.done === true ? "" : first.value.segment.toUpperCase();
}
