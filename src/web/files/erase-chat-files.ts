/** Erases the store of a deleted chat, and every file in it. */
import { deleteFile, deleteStore, isStoreOf, listFiles } from "./files-api.ts";

const atOnce = 4;

/**
 * Call it before the chat is deleted, since only the chat names its store. Resolves with a function that erases the files; `null`: there is
 * nothing to erase, or the store was not created by this page and must not be deleted.
 */
export async function filesToErase(
  token: string,
  conversation: string,
  storeId: string,
): Promise<(() => Promise<boolean>) | null> {
  if (!(await isStoreOf(token, storeId, conversation))) return null;
  return async () => erased(token, storeId);
}

/** Returns whether all is gone. Files first, since they can't be found without their store. */
async function erased(token: string, storeId: string): Promise<boolean> {
  try {
    const known = new Set<string>();
    for (;;) {
      const listed = (await listFiles(token, storeId)) ?? [];
      // Files that this page did not add may be in other stores as well: they only leave this store.
      const files = listed.filter(({ id, isOurs }) => isOurs && !known.has(id));
      // Deleted files are listed for a moment longer.
      if (files.length === 0) break;
      for (let at = 0; at < files.length; at += atOnce)
        await Promise.all(files.slice(at, at + atOnce).map(async ({ id }) => deleteFile(token, id)));
      for (const { id } of files) known.add(id);
    }
    await deleteStore(token, storeId);
    return true;
  } catch {
    // The page shows it and tries again.
    return false;
  }
}
