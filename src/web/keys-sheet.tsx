/** The sheet that explains the page's keys (shortcuts.ts, keys.ts, prompt-history.ts). */
import { Fragment, type ReactNode } from "react";
import { isMac } from "./shortcuts.ts";

export function KeysSheet(): ReactNode {
  const control = isMac() ? "⌘" : "Ctrl";
  const keys: readonly (readonly [keys: readonly string[], does: string])[] = [
    [["Enter"], "Send the message"],
    [["Shift", "Enter"], "Start a new line"],
    [["Esc"], "Stop the answer"],
    [["↑"], "In an empty field: your last messages again"],
    [[control, "Shift", "O"], "New chat"],
    [[control, "K"], "Search the chats"],
    [["Shift", "Esc"], "Go to the message field"],
    [[control, "/"], "Show these keys"],
  ];
  return (
    <dl className="key-list">
      {keys.map(([pressed, does]) => (
        <Fragment key={does}>
          <dt>
            {pressed.map((key) => (
              <kbd key={key}>{key}</kbd>
            ))}
          </dt>
          <dd>{does}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
