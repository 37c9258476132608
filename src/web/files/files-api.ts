/** The API for files and vector stores: one store for each chat. upload-file.ts sends the bytes. */
import { ApiError, call, isRecord, json, textOf } from "../api.ts";
import { saidInWords } from "./file-problem.ts";
import { metadataOfChat, pathOf, storeKey } from "./store-of-chat.ts";

/**
 * How many days files are kept, so that leftovers of a closed page disappear. The API's longest expiry for a file; a store expires when it was
 * not used for as long.
 */
export const keptDays = 30;

/** Key in the vector store's metadata: the chat of its files. A store without it was not created here and is never erased from here. */
const chatKey = "chat";
/** Key in a file's attributes, since lists of a store's files have no names. */
const nameKey = "filename";
/** Answers come within a second; a request that takes this long was lost. */
const longestMs = 30_000;
const dayMs = 86_400_000;

export interface StoredFile {
  readonly id: string;
  readonly name: string;
  /** Whether it was attached on this page. */
  readonly isOurs: boolean;
  readonly status: "in_progress" | "ready" | "failed";
  /** Why it failed, if the server says it: for example which kinds of files can be searched. */
  readonly why: string;
  /** Whether another attempt may succeed. */
  readonly retry: boolean;
}

export async function makeStore(token: string, conversation: string): Promise<string> {
  const store = await asked(token, "/v1/vector_stores", {
    name: conversation,
    metadata: { [chatKey]: conversation },
    expires_after: { anchor: "last_active_at", days: keptDays },
  });
  return textOf(store["id"]);
}

export async function attachFile(
  token: string,
  storeId: string,
  file: { readonly id: string; readonly name: string },
  signal: AbortSignal,
): Promise<StoredFile> {
  const body = { file_id: file.id, attributes: { [nameKey]: file.name } };
  return storedFile(await asked(token, `${storePath(storeId)}/files`, body, signal));
}

export async function lookAtFile(
  token: string,
  storeId: string,
  fileId: string,
  signal: AbortSignal,
): Promise<StoredFile> {
  return storedFile(
    await got(token, `${storePath(storeId)}/files/${encodeURIComponent(fileId)}`, withTime(signal)),
  );
}

/** Oldest first; `null`: the store does not exist (any more). */
export async function listFiles(token: string, storeId: string): Promise<readonly StoredFile[] | null> {
  try {
    const page = await got(token, `${storePath(storeId)}/files?limit=100&order=asc`);
    return Array.isArray(page["data"]) ? page["data"].filter(isRecord).map(storedFile) : [];
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Also removes it from its store. A file that is already gone is no error. */
export async function deleteFile(token: string, fileId: string): Promise<void> {
  await deleted(token, `/v1/files/${encodeURIComponent(fileId)}`);
}

export async function deleteStore(token: string, storeId: string): Promise<void> {
  await deleted(token, storePath(storeId));
}

/**
 * Deletes expired stores of chats: they are empty, but count against the owner's limits as long as they are listed. Resolves with their
 * number.
 */
export async function sweepStores(token: string): Promise<number> {
  const page = await got(token, "/v1/vector_stores?limit=100&order=asc");
  const stores = Array.isArray(page["data"]) ? page["data"].filter(isRecord) : [];
  const over = stores.filter(
    ({ status, metadata }) => status === "expired" && isRecord(metadata) && metadata[chatKey] !== undefined,
  );
  for (const { id } of over) await deleteStore(token, textOf(id));
  return over.length;
}

/** Whether it was created here for that chat. */
export async function isStoreOf(token: string, storeId: string, conversation: string): Promise<boolean> {
  const store = await storeById(token, storeId);
  return isRecord(store?.["metadata"]) && store["metadata"][chatKey] === conversation;
}

/** For a store without files: whether its files have probably expired, or the store does not exist. */
export async function isEmptied(token: string, storeId: string): Promise<boolean> {
  const store = await storeById(token, storeId);
  const createdMs = Number(store?.["created_at"] ?? 0) * 1000;
  return store?.["status"] !== "completed" || Date.now() - createdMs > keptDays * dayMs;
}

/** Names the chat's store for all devices. `false`: the conversation does not exist (yet). */
export async function sayStore(token: string, conversation: string, storeId: string): Promise<boolean> {
  const metadata = await metadataOfChat(token, conversation);
  if (metadata === null) return false;
  if (metadata[storeKey] !== storeId)
    await asked(token, pathOf(conversation), { metadata: { ...metadata, [storeKey]: storeId } });
  return true;
}

async function storeById(token: string, storeId: string): Promise<Record<string, unknown> | null> {
  try {
    return await got(token, storePath(storeId));
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof ApiError && error.failure.status === 404;
}

function storePath(storeId: string): string {
  return `/v1/vector_stores/${encodeURIComponent(storeId)}`;
}

async function got(
  token: string,
  path: string,
  signal: AbortSignal | null = null,
): Promise<Record<string, unknown>> {
  return recordOf(await call(path, { headers: json(token), signal }));
}

async function asked(
  token: string,
  path: string,
  body: object,
  signal: AbortSignal | null = null,
): Promise<Record<string, unknown>> {
  return recordOf(
    await call(path, {
      method: "POST",
      headers: json(token),
      body: JSON.stringify(body),
      signal: signal === null ? null : withTime(signal),
    }),
  );
}

async function deleted(token: string, path: string): Promise<void> {
  try {
    await call(path, { method: "DELETE", headers: json(token) });
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

async function recordOf(response: Response): Promise<Record<string, unknown>> {
  const body: unknown = await response.json();
  return isRecord(body) ? body : {};
}

function withTime(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(longestMs)]);
}

function storedFile(file: Record<string, unknown>): StoredFile {
  const attributes = isRecord(file["attributes"]) ? file["attributes"] : {};
  const error = isRecord(file["last_error"]) ? file["last_error"] : {};
  const status = textOf(file["status"]);
  return {
    id: textOf(file["id"]),
    name: textOf(attributes[nameKey]) || "File",
    isOurs: attributes[nameKey] !== undefined,
    status: status === "completed" ? "ready" : status === "in_progress" ? "in_progress" : "failed",
    why: saidInWords(textOf(error["message"])),
    retry: error["code"] === "server_error",
  };
}
