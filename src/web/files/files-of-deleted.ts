/** The files of a chat to be deleted, found through its metadata before it is gone. */
import { whoIs } from "../credential.ts";
import { dropFiles, loadDesk } from "./files-of-chat.ts";
import { forgetStore, storeOfChat } from "./store-of-chat.ts";

/**
 * Call it before the chat is deleted. Rejects if the files can't be determined, so that no unknown file is left behind.
 * @returns a function that erases them, to call once the chat is gone; it resolves with whether all are erased
 */
export async function filesOfDeleted(token: string, conversation: string): Promise<() => Promise<boolean>> {
  const storeId = await storeOfChat(token, conversation);
  const erase = storeId === null ? null : await (await loadDesk()).filesToErase(token, conversation, storeId);
  return async () => {
    dropFiles(whoIs(token), conversation);
    forgetStore(conversation);
    return erase === null || erase();
  };
}
