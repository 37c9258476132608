/**
 * Where is content stored that is too long for a row or a queue message? In a bucket, by reference. This file says from which size on,
 * under which key, and how such text is split while it waits in its object. When it is uploaded and erased is decided by the object that
 * owns it (durable-objects/storage/content-ledger.ts).
 */
import { base32 } from "../turn/base32.ts";
import type { KeyedHash } from "../turn/keyed-hash.ts";

/** Bytes of UTF-8: longer content goes by reference. A queue takes 128 KB a message, and a row of a megabyte is read whole by whoever walks past. */
export const maxInlineBytes = 100_000;

/** Whether a text is longer than `maxBytes` as UTF-8. Only what might be is measured: a UTF-16 unit is 3 bytes at most. */
export function isLonger(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  return text.length * 3 > maxBytes && new TextEncoder().encode(text).length > maxBytes;
}

/**
 * In place of a text that lies elsewhere. No JSON, on purpose: code of before there was such a thing fails at it, and never takes it for
 * something that was said.
 */
export const elsewhere = "elsewhere";

/** A bucket as its objects need it. Each rejects where the bucket can't be reached, or is silent for too long. */
export interface ContentBucket {
  put(key: string, text: string): Promise<void>;
  /** `null`: nothing lies there. */
  get(key: string): Promise<string | null>;
  /** Keys that do not exist are ignored. */
  delete(keys: readonly string[]): Promise<void>;
}

/** Content that is stored but can't be read now. The message holds no key. */
export class ContentUnavailable extends Error {
  constructor(reason: string) {
    super(`stored content can't be read: ${reason}`);
    this.name = "ContentUnavailable";
  }
}

/** The owner and the object. The key says nothing about the content. */
export interface ContentPlace {
  readonly tenant: string;
  readonly kind: "conversation" | "turn";
  /** The object's name: a keyed hash, or random. */
  readonly objectName: string;
  /** Which of its texts. */
  readonly item: string;
}

/** Never the same twice, so that a late erasure can't hit newer content. */
export async function newContentKey(hash: KeyedHash, place: ContentPlace): Promise<string> {
  const own = base32(crypto.getRandomValues(new Uint8Array(10)), 16);
  return `${await contentPrefix(hash, place.tenant)}${place.kind}/${place.objectName}/${place.item}-${own}`;
}

/** SQLite holds values of 2 MB, and a UTF-16 unit is 3 bytes at most. */
const partUnits = 600_000;

/** All that lies there of a tenant, and nothing of another one. */
export async function contentPrefix(hash: KeyedHash, tenant: string): Promise<string> {
  return `content/${base32(await hash.of("content/1", tenant), 24)}/`;
}

/** A long text in parts that each fit into a value. A surrogate pair is not cut in two: half of one is no text. */
export function* partsOf(text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    let end = Math.min(at + partUnits, text.length);
    if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end -= 1;
    yield text.slice(at, end);
    at = end;
  }
}
