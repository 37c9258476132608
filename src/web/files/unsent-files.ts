/**
 * Which of a chat's files were not used in a question yet? The server does not know: it stores files of a store, not of messages. This browser
 * remembers those that it has uploaded, by ids that are no secret and useless without the session, so that they can be removed after a reload,
 * too.
 */
import { Shelf } from "../shelf.ts";

const unsentKey = "edgewise.unsent-files";
/** Enough for five full chats. Older ones count as used. */
const mostUnsent = 100;
const browser = new Shelf(() => localStorage);

export function rememberUnsent(fileId: string): void {
  keep([...unsent().filter((id) => id !== fileId), fileId]);
}

/** They were used in a question, or are gone. */
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
    // Not written by this page: ignored.
    return [];
  }
  return Array.isArray(kept) ? kept.filter((id) => typeof id === "string") : [];
}

function keep(ids: readonly string[]): void {
  if (ids.length === 0) browser.remove(unsentKey);
  else browser.set(unsentKey, JSON.stringify(ids.slice(-mostUnsent)));
}
