/** The account's menu, what it opens, and the keys that work everywhere on the page. */
import { useState, type ReactNode } from "react";
import { AccountMenu } from "./account-menu.tsx";
import type { Session } from "./api.ts";
import { KeysSheet } from "./keys-sheet.tsx";
import { Sheet } from "./sheet.tsx";
import { useShortcuts } from "./shortcuts.ts";
import { UsageSheet } from "./usage-sheet.tsx";

export interface AccountProps {
  readonly session: Session;
  readonly onSignOut: () => void;
  readonly onNew: () => void;
}

export function Account({ session, onSignOut, onNew }: AccountProps): ReactNode {
  const [sheet, setSheet] = useState<"usage" | "keys" | null>(null);
  const close = (): void => setSheet(null);
  useShortcuts((command) => {
    switch (command) {
      case "new-chat":
        return onNew();
      case "find-chat":
        return findChat();
      case "message":
        return document.getElementById("message")?.focus();
      case "keys":
        return setSheet("keys");
    }
  });
  return (
    <>
      <AccountMenu
        user={session.user}
        onUsage={() => setSheet("usage")}
        onKeys={() => setSheet("keys")}
        onSignOut={onSignOut}
      />
      {sheet === "usage" ? (
        <Sheet title="Usage and limits" onClose={close}>
          <UsageSheet token={session.token} />
        </Sheet>
      ) : null}
      {sheet === "keys" ? (
        <Sheet title="Keyboard shortcuts" onClose={close}>
          <KeysSheet />
        </Sheet>
      ) : null}
    </>
  );
}

function findChat(): void {
  const toggle = document.querySelector<HTMLElement>("[aria-controls=chats]");
  if (toggle?.checkVisibility() === true && toggle.ariaExpanded !== "true") toggle.click();
  // After they have been rendered.
  requestAnimationFrame(() => {
    const chats = document.getElementById("chats");
    const field = chats?.querySelector<HTMLElement>("input[type=search]") ?? chats?.querySelector("button");
    field?.focus();
  });
}
