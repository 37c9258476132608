import type { KeyRecord } from "../identity/key-record.ts";
import type { KeyedHash } from "../turn/keyed-hash.ts";
import { emptyChain, firstBroken, nextEntry, type AuditEntry } from "./audit-chain.ts";
import { decide, keyStatus, type KeyBook, type Ledger } from "./ledger.ts";

/** A ledger without a disk, for tests: the real decisions and the real chain. */
export function memoryLedger(log: string, hash: KeyedHash, now: () => number): Ledger {
  const keys = new Map<string, KeyRecord>();
  const entries: AuditEntry[] = [];
  const book: KeyBook = {
    find: (id) => keys.get(id) ?? null,
    countLive: (at) => [...keys.values()].filter((key) => keyStatus(key, at) === "active").length,
    madeMs: (count) => [...keys.values()].at(-count)?.created_ms ?? null,
    unrevoked: () => [...keys.values()].filter((key) => key.revoked_ms === null),
  };
  return {
    async change(actor, command) {
      const decided = decide(command, book, now());
      if (!decided.ok) return decided.error;
      const { record, records, entry: draft } = decided.value;
      if (draft === null) return { result: "changed", record, entry: null, delivered: true };
      const entry = await nextEntry(hash, log, entries.at(-1) ?? emptyChain, { ...draft, actor }, now());
      entries.push(entry);
      for (const changed of records) keys.set(changed.id, changed);
      return { result: "changed", record, entry, delivered: true };
    },
    find: async (id) => keys.get(id) ?? null,
    async list(after, limit) {
      const newest = [...keys.values()].reverse();
      const from = after === null ? 0 : newest.findIndex(({ id }) => id === after) + 1;
      if (after !== null && from === 0) return { result: "unknown" };
      const records = newest.slice(from, from + limit);
      return { result: "ok", records, hasMore: newest.length > from + limit };
    },
    async entries(before, limit) {
      const older = entries.filter(({ sequence }) => before === null || sequence < before).reverse();
      const shown = older.slice(0, limit);
      const base = older[limit] ?? emptyChain;
      return {
        result: "ok",
        entries: shown,
        hasMore: older.length > limit,
        broken: await firstBroken(hash, log, base, shown.toReversed()),
      };
    },
  };
}
