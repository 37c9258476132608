/** The code loaded with a chat's first file, in one piece: for searched files, and for pictures of the next message. */
import type { ChatFile, Desk, DeskOptions } from "./chat-file.ts";
import { ChatFiles } from "./chat-files.ts";
import { MessagePictures } from "./message-pictures.ts";
import { isPicture } from "./picture.ts";

export { filesToErase } from "./erase-chat-files.ts";
export { FileBar } from "./file-bar.tsx";

export function openDesk(options: DeskOptions): Desk {
  let searched: readonly ChatFile[] = [];
  let shown: readonly ChatFile[] = [];
  const files = new ChatFiles({
    ...options,
    show: (change) => {
      searched = change.files ?? searched;
      options.show({ ...change, files: [...searched, ...shown] });
    },
  });
  const pictures = new MessagePictures((now) => {
    shown = now;
    options.show({ files: [...searched, ...shown] });
  });
  return {
    add: (given, seen) => {
      const isShown = (file: File): boolean => seen && isPicture(file);
      for (const file of given.filter(isShown)) pictures.add(file);
      files.add(given.filter((file) => !isShown(file)));
    },
    remove: async (key) => {
      if (!pictures.remove(key)) await files.remove(key);
    },
    retry: (key) => files.retry(key),
    dismiss: () => files.dismiss(),
    storeIds: () => files.storeIds(),
    asked: (sent) => {
      files.asked();
      pictures.asked(sent);
    },
    refused: () => pictures.refused(),
    saved: async () => files.saved(),
    open: async (storeId) => files.open(storeId),
    gone: () => files.gone(),
    stop: () => files.stop(),
  };
}
