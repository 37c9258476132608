import { base32 } from "../turn/base32.ts";
import type { KeyedHash } from "../turn/keyed-hash.ts";

/**
 * How does tampering with the audit log show? Each entry's hash covers the entry, the log's name and the hash of the entry before it, keyed
 * by EDGEWISE_SECRET: somebody who can write to storage, but does not have the secret, can't forge a history that fits. The chain can't
 * show that the latest entries were cut off, so every hash also goes to the Worker's own log.
 */
export interface AuditDraft {
  /** Who did it: `jwt:acme/alice`, `api-key:<id>:acme/alice`. */
  readonly actor: string;
  /** What was done, as `key.create`. */
  readonly action: string;
  /** To what: a key's id, a user, a tenant. */
  readonly subject: string;
  /** What is worth knowing of it. Never a secret, never a hash of one. */
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface AuditEntry extends AuditDraft {
  /** From 1, without a gap. */
  readonly sequence: number;
  readonly atMs: number;
  readonly previous: string;
  readonly hash: string;
}

export interface ChainHead {
  readonly sequence: number;
  readonly hash: string;
}

/** Before the first entry. */
export const emptyChain: ChainHead = { sequence: 0, hash: "" };

/** The entry that follows `head`. `log`: the name of the log, a tenant's id or `platform`. */
export async function nextEntry(
  hash: KeyedHash,
  log: string,
  head: ChainHead,
  draft: AuditDraft,
  atMs: number,
): Promise<AuditEntry> {
  const { actor, action, subject, detail } = draft;
  const entry = { sequence: head.sequence + 1, atMs, actor, action, subject, detail, previous: head.hash };
  return { ...entry, hash: await hashEntry(hash, log, entry) };
}

/** Do these follow on `before`, each as it was written? The sequence of the first that does not; `null`: all do. */
export async function firstBroken(
  hash: KeyedHash,
  log: string,
  before: ChainHead,
  entries: readonly AuditEntry[],
): Promise<number | null> {
  let head = before;
  for (const entry of entries) {
    const follows = entry.sequence === head.sequence + 1 && entry.previous === head.hash;
    if (!follows || entry.hash !== (await hashEntry(hash, log, entry))) return head.sequence + 1;
    head = entry;
  }
  return null;
}

async function hashEntry(hash: KeyedHash, log: string, entry: Omit<AuditEntry, "hash">): Promise<string> {
  const { sequence, atMs, actor, action, subject, detail, previous } = entry;
  const text = JSON.stringify([log, sequence, atMs, actor, action, subject, detail, previous]);
  return base32(await hash.of("audit/1", text), 51);
}
