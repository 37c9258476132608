/** How is a file shown, of which the browser or the store tells? */
import type { ChatFile, FileState } from "./chat-file.ts";
import type { StoredFile } from "./files-api.ts";
import { isUnsent } from "./unsent-files.ts";

/** Some of what is pasted has none. */
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
