/** What was typed is there again behind a reload of this tab: kept when the page goes, or is put away, which a phone may never bring back. */
import { useEffect, useState } from "react";
import { drafts } from "./drafts.ts";
import { keepDraftsOfTab } from "./keep.ts";

/** Before a chat is shown: its field begins with what comes back. @param who whose session it is */
export function useKeptDrafts(who: string): void {
  useState(() => drafts.bringBack(who));
  useEffect(() => {
    const keep = (): void => drafts.keepOverReload(who);
    const put = (): void => {
      if (document.hidden) keep();
      // What is written from now on would be another draft: one that was sent since must not come back.
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
