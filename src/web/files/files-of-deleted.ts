/** What a chat that is deleted leaves behind: its files, known by what the conversation says before it goes. */
import { whoIs } from "../credential.ts";
import { dropFiles, loadDesk } from "./files-of-chat.ts";
import { forgetStore, storeOfChat } from "./store-of-chat.ts";

/**
 * To be asked before the chat is deleted; rejects where it can't be told, so that no file is left behind that nobody knows of.
 * @returns what erases them, to be called once the chat is gone: whether all of them are
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
