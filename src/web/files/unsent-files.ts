/**
 * Which of a chat's files was nothing asked with yet? The server does not know: it keeps files of a store, not of messages. This browser
 * remembers those that it has sent there, by ids that are no secret and useless without the session, so that they can be taken back behind
 * a reload as well.
 */
import { Shelf } from "../shelf.ts";

const unsentKey = "edgewise.unsent-files";
/** Five chats' full of them. Those before count as asked with. */
const mostUnsent = 100;
const browser = new Shelf(() => localStorage);

export function rememberUnsent(fileId: string): void {
  keep([...unsent().filter((id) => id !== fileId), fileId]);
}

/** They were asked with, or are gone. */
export function forgetUnsent(fileIds: readonly string[]): void {
  const all = unsent();
  const left = all.filter((id) => !fileIds.includes(id));
  if (left.length < all.length) keep(left);
}

export function isUnsent(fileId: string): boolean {
  return unsent().includes(fileId);
}

function unsent(): readonly string[] {
  let kept: unknown;
  try {
    kept = JSON.parse(browser.get(unsentKey) ?? "[]");
  } catch {
    // Somebody else's: it says nothing.
    return [];
  }
  return Array.isArray(kept) ? kept.filter((id) => typeof id === "string") : [];
}

function keep(ids: readonly string[]): void {
  if (ids.length === 0) browser.remove(unsentKey);
  else browser.set(unsentKey, JSON.stringify(ids.slice(-mostUnsent)));
}
