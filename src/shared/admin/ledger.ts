import { err, ok, type Result } from "../contracts/result.ts";
import type { KeyRecord } from "../identity/key-record.ts";
import type { AuditDraft, AuditEntry } from "./audit-chain.ts";

/**
 * What becomes of a tenant's API keys when an admin changes something? Pure: it takes the command, the current keys and the time, and
 * returns the new records and the audit entry. A change and its entry are written together (durable-objects/audit-log), and changes one at
 * a time, so that two admins can't undo each other's.
 */
export type LedgerCommand =
  | { readonly type: "create-key"; readonly record: KeyRecord }
  | {
      readonly type: "rotate-key";
      readonly id: string;
      /** Of the new key. */
      readonly next: Pick<KeyRecord, "id" | "hash" | "created_by">;
      /** For how long the old key stays valid; 0: it is revoked now. */
      readonly graceMs: number;
    }
  | { readonly type: "revoke-key"; readonly id: string }
  | { readonly type: "revoke-all-keys" }
  /** Nothing changes: the copies of live keys are written anew, where they were lost. */
  | { readonly type: "restore-keys" }
  /** A change of something that is stored elsewhere: only its entry is here. */
  | { readonly type: "note"; readonly entry: Omit<AuditDraft, "actor"> };

/** The keys of one tenant. */
export interface KeyBook {
  find(id: string): KeyRecord | null;
  /** Neither revoked nor expired. */
  countLive(now: number): number;
  /** When the so manieth newest was made, in milliseconds since 1970; `null`: there are fewer. */
  madeMs(count: number): number | null;
  /** All that aren't revoked. */
  unrevoked(): readonly KeyRecord[];
}

export type LedgerRefusal =
  | { readonly result: "unknown" }
  | { readonly result: "too-many"; readonly maxKeys: number }
  /** Again from then on, in milliseconds since 1970. */
  | { readonly result: "too-many-made"; readonly untilMs: number }
  | { readonly result: "ended"; readonly status: "revoked" | "expired" | "rotated" };

export interface LedgerChange {
  /** What the answer is about; `null`: no key. */
  readonly record: KeyRecord | null;
  /** To be written, new or in place of the ones with their ids. */
  readonly records: readonly KeyRecord[];
  /** `null`: it was so already. */
  readonly entry: Omit<AuditDraft, "actor"> | null;
}

/** Live keys of one tenant. */
export const maxKeys = 1_000;

/** Made within a day, rotated ones as well. Ended keys and entries of the log are kept for good: this is how fast they may grow. */
export const maxMadeADay = 2_000;
const dayMs = 86_400_000;

export function decide(
  command: LedgerCommand,
  book: KeyBook,
  now: number,
): Result<LedgerChange, LedgerRefusal> {
  switch (command.type) {
    case "create-key": {
      const { record } = command;
      const full = fullBook(book, now);
      if (full !== null) return err(full);
      return changed(record, [record], "key.create", described(record));
    }
    case "rotate-key": {
      const old = book.find(command.id);
      if (old === null) return err({ result: "unknown" });
      const status = old.rotated_to === null ? keyStatus(old, now) : "rotated";
      if (status !== "active") return err({ result: "ended", status });
      const full = fullBook(book, now);
      if (full !== null) return err(full);
      const { graceMs, next } = command;
      const record: KeyRecord = {
        ...old,
        ...next,
        created_ms: now,
        // It lives as long as the old one was made for.
        expires_ms: old.expires_ms === null ? null : now + old.expires_ms - old.created_ms,
        rotated_from: old.id,
      };
      const ending: KeyRecord = {
        ...old,
        rotated_to: record.id,
        expires_ms: Math.min(old.expires_ms ?? Infinity, now + graceMs),
        revoked_ms: graceMs === 0 ? now : null,
      };
      return changed(record, [ending, record], "key.rotate", {
        rotated_from: old.id,
        grace_seconds: graceMs / 1000,
      });
    }
    case "revoke-key": {
      const record = book.find(command.id);
      if (record === null) return err({ result: "unknown" });
      if (record.revoked_ms !== null) return ok({ record, records: [], entry: null });
      const revoked: KeyRecord = { ...record, revoked_ms: now };
      return changed(revoked, [revoked], "key.revoke", { name: record.name });
    }
    case "revoke-all-keys": {
      const records = book.unrevoked().map((record) => ({ ...record, revoked_ms: now }));
      return ok({
        record: null,
        records,
        entry: { action: "key.revoke-all", subject: "*", detail: { keys: records.length } },
      });
    }
    case "restore-keys": {
      const records = book.unrevoked().filter((record) => keyStatus(record, now) === "active");
      return ok({
        record: null,
        records,
        entry: { action: "key.restore-all", subject: "*", detail: { keys: records.length } },
      });
    }
    case "note":
      return ok({ record: null, records: [], entry: command.entry });
  }
}

function fullBook(book: KeyBook, now: number): LedgerRefusal | null {
  if (book.countLive(now) >= maxKeys) return { result: "too-many", maxKeys };
  const untilMs = (book.madeMs(maxMadeADay) ?? -Infinity) + dayMs;
  return untilMs > now ? { result: "too-many-made", untilMs } : null;
}

function changed(
  record: KeyRecord,
  records: readonly KeyRecord[],
  action: string,
  detail: AuditDraft["detail"],
): Result<LedgerChange, LedgerRefusal> {
  return ok({ record, records, entry: { action, subject: record.id, detail } });
}

function described(record: KeyRecord): AuditDraft["detail"] {
  const { name, org, user, tier, scopes, environment, limits, allow_ips, expires_ms } = record;
  return { name, org, user, tier, scopes, environment, limits, allow_ips, expires_ms };
}

export type KeyStatus = "active" | "revoked" | "expired";

export function keyStatus(record: KeyRecord, now: number): KeyStatus {
  if (record.revoked_ms !== null) return "revoked";
  return record.expires_ms !== null && record.expires_ms <= now ? "expired" : "active";
}

/** What an object that keeps a ledger answers. Everything crosses a wire. */
export type ChangeOutcome =
  | {
      readonly result: "changed";
      readonly record: KeyRecord | null;
      readonly entry: AuditEntry | null;
      /** Whether KV, and the bucket of a revoked key, know of it already. If not, they will be told. */
      readonly delivered: boolean;
    }
  | LedgerRefusal;

export interface KeyPage {
  readonly result: "ok";
  /** Newest first. */
  readonly records: readonly KeyRecord[];
  readonly hasMore: boolean;
}

export interface EntryPage {
  readonly result: "ok";
  /** Newest first. */
  readonly entries: readonly AuditEntry[];
  readonly hasMore: boolean;
  /** The sequence of an entry of this page that was tampered with, or follows on none; `null`: all is as it was written. */
  readonly broken: number | null;
}

/** One tenant's ledger, or the platform's. Rejects when it can't be asked. */
export interface Ledger {
  change(actor: string, command: LedgerCommand): Promise<ChangeOutcome>;
  find(id: string): Promise<KeyRecord | null>;
  /** `after`: a key's id. */
  list(after: string | null, limit: number): Promise<KeyPage | { readonly result: "unknown" }>;
  /** `before`: a sequence. */
  entries(before: number | null, limit: number): Promise<EntryPage>;
}
