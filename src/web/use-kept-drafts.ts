/** Restores unsent text after a reload of this tab. It is stored when the page closes or goes to the background, since a phone may never bring it back. */
import { useEffect, useState } from "react";
import { drafts } from "./drafts.ts";
import { keepDraftsOfTab } from "./keep.ts";

/** Call it before a chat is shown, whose field begins with the restored text. @param who the session's user */
export function useKeptDrafts(who: string): void {
  useState(() => drafts.bringBack(who));
  useEffect(() => {
    const keep = (): void => drafts.keepOverReload(who);
    const put = (): void => {
      if (document.hidden) keep();
      // Stored drafts become outdated from now on: a draft that is sent later must not come back.
      else keepDraftsOfTab(null);
    };
    window.addEventListener("pagehide", keep);
    document.addEventListener("visibilitychange", put);
    return () => {
      window.removeEventListener("pagehide", keep);
      document.removeEventListener("visibilitychange", put);
    };
  }, [who]);
}
