/**
 * Which vector store contains a chat's files? The conversation's metadata names it, for all devices. Before its first turn is saved there is no
 * conversation yet, so this browser remembers it, by ids that are no secret and useless without the session.
 */
import { ApiError, call, isRecord, json } from "../api.ts";
import { isUnused } from "../keep.ts";
import { type Pair, pairsIn } from "../kept-pairs.ts";
import { Shelf } from "../shelf.ts";

/** Key in the conversation's metadata: the id of its vector store. */
export const storeKey = "chat_files_store";

const notSaidKey = "edgewise.chat-files";
/** The most chats remembered, so that chats without a first turn are forgotten. */
const mostNotSaid = 20;
const browser = new Shelf(() => localStorage);

/** `null`: it has none, or the conversation does not exist (yet). */
export async function storeOfChat(token: string, conversation: string): Promise<string | null> {
  if (!isUnused(conversation)) {
    const metadata = await metadataOfChat(token, conversation);
    const said = metadata?.[storeKey];
    if (said !== undefined) return said;
  }
  return notSaidStore(conversation);
}

/** `null`: the conversation does not exist (yet). */
export async function metadataOfChat(
  token: string,
  conversation: string,
): Promise<Readonly<Record<string, string>> | null> {
  try {
    const response = await call(pathOf(conversation), { headers: json(token) });
    const body: unknown = await response.json();
    const metadata = isRecord(body) && isRecord(body["metadata"]) ? body["metadata"] : {};
    return Object.fromEntries(
      Object.entries(metadata).flatMap(([key, value]) =>
        typeof value === "string" ? [[key, value] as const] : [],
      ),
    );
  } catch (error) {
    if (error instanceof ApiError && error.failure.status === 404) return null;
    throw error;
  }
}

export function pathOf(conversation: string): string {
  return `/v1/conversations/${encodeURIComponent(conversation)}`;
}

/** For a conversation that can't name it yet. */
export function rememberStore(conversation: string, storeId: string): void {
  keep([...notSaid().filter(([chat]) => chat !== conversation), [conversation, storeId]]);
}

export function forgetStore(conversation: string): void {
  const all = notSaid();
  if (all.some(([chat]) => chat === conversation)) keep(all.filter(([chat]) => chat !== conversation));
}

export function notSaidStore(conversation: string): string | null {
  return notSaid().find(([chat]) => chat === conversation)?.[1] ?? null;
}

function notSaid(): readonly Pair[] {
  return pairsIn(browser.get(notSaidKey));
}

function keep(all: readonly Pair[]): void {
  if (all.length === 0) browser.remove(notSaidKey);
  else browser.set(notSaidKey, JSON.stringify(all.slice(-mostNotSaid)));
}
