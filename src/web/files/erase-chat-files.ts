/** What a chat that is deleted leaves behind is erased with it: its store, and every file in it. */
import { deleteFile, deleteStore, isStoreOf, listFiles } from "./files-api.ts";

const atOnce = 4;

/**
 * Before the chat is deleted, since its store is known by it. Resolves with what erases them; `null`: there is nothing to erase, or the
 * store is one that somebody made by himself, which is nobody's to delete here.
 */
export async function filesToErase(
  token: string,
  conversation: string,
  storeId: string,
): Promise<(() => Promise<boolean>) | null> {
  if (!(await isStoreOf(token, storeId, conversation))) return null;
  return async () => erased(token, storeId);
}

/** Whether all of it is gone. Files first: those of a store that is gone could not be found again. */
async function erased(token: string, storeId: string): Promise<boolean> {
  try {
    const known = new Set<string>();
    for (;;) {
      const listed = (await listFiles(token, storeId)) ?? [];
      // What somebody has put in by himself may lie in other stores as well: it is taken out with the store, and no more.
      const files = listed.filter(({ id, isOurs }) => isOurs && !known.has(id));
      // Deleted, they are listed for a moment longer.
      if (files.length === 0) break;
      for (let at = 0; at < files.length; at += atOnce)
        await Promise.all(files.slice(at, at + atOnce).map(async ({ id }) => deleteFile(token, id)));
      for (const { id } of files) known.add(id);
    }
    await deleteStore(token, storeId);
    return true;
  } catch {
    // Said on the page, and tried again from there.
    return false;
  }
}
