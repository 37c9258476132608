/** The API for conversations: the list, messages and branches, rename, delete, and turns of other devices. */
import { ApiError, call, isRecord, json, textOf } from "./api.ts";
import { keptSources } from "./kept-sources.ts";
import { readEvents, type ServerEvent } from "./sse.ts";
import type { ThreadBranch, ThreadItem } from "./thread.ts";

export interface ListedConversation {
  readonly id: string;
  readonly title: string | null;
  /** Milliseconds since 1970. */
  readonly begunMs: number;
}

export interface Page<Entry> {
  readonly entries: readonly Entry[];
  readonly hasMore: boolean;
  /** The conversation does not exist (yet). */
  readonly isMissing?: true;
}

function pathOf(conversation: string, rest = ""): string {
  return `/v1/conversations/${encodeURIComponent(conversation)}${rest}`;
}

async function page(token: string, path: string): Promise<Page<Record<string, unknown>>> {
  const body: unknown = await (await call(path, { headers: json(token) })).json();
  const data: unknown[] = isRecord(body) && Array.isArray(body["data"]) ? body["data"] : [];
  return { entries: data.filter(isRecord), hasMore: isRecord(body) && body["has_more"] === true };
}

/** Newest first. */
export async function listConversations(
  token: string,
  behind: string | null,
): Promise<Page<ListedConversation>> {
  const after = behind === null ? "" : `&after=${encodeURIComponent(behind)}`;
  const { entries, hasMore } = await page(token, `/v1/conversations?limit=30${after}`);
  return {
    entries: entries.map((entry) => ({
      id: textOf(entry["id"]),
      title: textOf(entry["title"]) || null,
      begunMs: Number(entry["created_at"]) * 1000,
    })),
    hasMore,
  };
}

/** Done even if the page is left at once, as `deleteConversation` is: it is shown as done already. */
export async function renameConversation(token: string, id: string, title: string): Promise<void> {
  await call(pathOf(id), {
    method: "POST",
    headers: json(token),
    body: JSON.stringify({ title }),
    keepalive: true,
  });
}

export async function deleteConversation(token: string, id: string): Promise<void> {
  await call(pathOf(id), { method: "DELETE", headers: json(token), keepalive: true });
}

/** Makes another branch the active one. */
export async function chooseBranch(token: string, id: string, branch: string): Promise<void> {
  await call(pathOf(id), {
    method: "POST",
    headers: json(token),
    body: JSON.stringify({ active_branch: branch }),
  });
}

/** The latest items of the active branch, or those before the item `before`, oldest first; empty if it does not exist (yet). */
export async function loadItems(
  token: string,
  conversation: string,
  before: string | null,
  most: number,
): Promise<Page<ThreadItem>> {
  const after = before === null ? "" : `&after=${encodeURIComponent(before)}`;
  try {
    const found = await page(token, pathOf(conversation, `/items?limit=${most}&order=desc${after}`));
    return { entries: found.entries.map(threadItem).reverse(), hasMore: found.hasMore };
  } catch (error) {
    if (isMissing(error)) return { entries: [], hasMore: false, isMissing: true };
    throw error;
  }
}

export async function loadBranches(token: string, conversation: string): Promise<readonly ThreadBranch[]> {
  try {
    const { entries } = await page(token, pathOf(conversation, "/branches"));
    return entries.map((entry) => ({
      id: textOf(entry["id"]),
      parent: textOf(entry["parent_branch"]) || null,
      behind: textOf(entry["parent_item_id"]) || null,
      last: textOf(entry["last_item_id"]) || null,
      active: entry["active"] === true,
    }));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

const longestOpeningMs = 30_000;

/** A stream of the turns written in it on any device, after `lastEventId`. `null`: the conversation does not exist (yet). */
export async function watchConversation(
  token: string,
  conversation: string,
  lastEventId: string,
  signal: AbortSignal,
): Promise<AsyncGenerator<ServerEvent> | null> {
  // Its headers come at once; without a limit, a connection lost before them would be waited on for ever.
  const opening = new AbortController();
  const timer = setTimeout(() => opening.abort(), longestOpeningMs);
  try {
    const headers = { ...json(token), ...(lastEventId === "" ? {} : { "last-event-id": lastEventId }) };
    const either = AbortSignal.any([signal, opening.signal]);
    const response = await call(pathOf(conversation, "/watch"), { headers, signal: either });
    return response.body === null ? null : readEvents(response.body);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The text of a turn's input, in the form of watch events. */
export function inputText(input: unknown): string {
  const items: unknown[] = Array.isArray(input) ? input : [];
  return items
    .filter(isRecord)
    .map((item) => threadItem({ ...item, id: "" }))
    .filter(({ role }) => role === "user")
    .map(({ text }) => text)
    .join("\n\n");
}

function threadItem(item: Record<string, unknown>): ThreadItem {
  const role = item["role"];
  const parts: unknown[] = Array.isArray(item["content"]) ? item["content"] : [];
  const sources = parts.filter(isRecord).flatMap(keptSources);
  return {
    id: textOf(item["id"]),
    ...picturesIn(parts),
    ...filesIn(parts),
    role: role === "user" || role === "assistant" ? role : null,
    text: parts.map((part) => (isRecord(part) ? textOf(part["text"]) : "")).join(""),
    ...(item["status"] === "incomplete" ? { incomplete: true } : {}),
    ...(sources.length === 0 ? {} : { sources }),
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof ApiError && error.failure.status === 404;
}

function picturesIn(parts: readonly unknown[]): Pick<ThreadItem, "pictures"> {
  const pictures = parts.flatMap((part) => {
    const url = isRecord(part) && part["type"] === "input_image" ? textOf(part["image_url"]) : "";
    // The page's policy forbids pictures from other hosts.
    return url.startsWith("data:image/") ? [url] : [];
  });
  return pictures.length === 0 ? {} : { pictures };
}

function filesIn(parts: readonly unknown[]): Pick<ThreadItem, "files"> {
  const files = parts.flatMap((part) =>
    isRecord(part) && part["type"] === "input_file" ? [textOf(part["filename"])] : [],
  );
  return files.length === 0 ? {} : { files };
}
