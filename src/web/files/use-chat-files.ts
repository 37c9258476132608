/** The files of the chat on screen. */
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { whoIs } from "../credential.ts";
import { filesOfChat, keepFiles, leaveFiles, type FilesOfChat, type FilesShown } from "./files-of-chat.ts";

export function useChatFiles(
  token: string,
  conversation: string,
): { readonly files: FilesOfChat; readonly shown: FilesShown } {
  const who = whoIs(token);
  const files = useMemo(() => filesOfChat(who, conversation, token), [who, conversation, token]);
  const shown = useSyncExternalStore(files.subscribe, files.shown);
  useEffect(() => {
    keepFiles(who, conversation, files);
    const leaving = new AbortController();
    void files.look(leaving.signal);
    return () => {
      leaving.abort();
      leaveFiles(who, conversation);
    };
  }, [files, who, conversation, token]);
  return { files, shown };
}
