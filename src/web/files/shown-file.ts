/** How is a file from the browser or from the store shown? */
import type { ChatFile, FileState } from "./chat-file.ts";
import type { StoredFile } from "./files-api.ts";
import { isUnsent } from "./unsent-files.ts";

/** Some pasted files have no name. */
export function nameOf({ name }: File): string {
  return name || "Pasted file";
}

export function shownFile({ id, name, status, why }: StoredFile): ChatFile {
  const state: FileState =
    status === "ready"
      ? { kind: "ready" }
      : status === "in_progress"
        ? { kind: "reading" }
        : { kind: "failed", why, retry: false };
  return { key: id, name, state, sent: !isUnsent(id) };
}
