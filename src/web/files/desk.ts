/** What is loaded with a chat's first file, in one piece. */
import type { Desk, DeskOptions } from "./chat-file.ts";
import { ChatFiles } from "./chat-files.ts";

export { filesToErase } from "./erase-chat-files.ts";
export { FileBar } from "./file-bar.tsx";

export function openDesk(options: DeskOptions): Desk {
  return new ChatFiles(options);
}
