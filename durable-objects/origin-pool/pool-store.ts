/**
 * Which part of a pool is on disk? What admins want of its replicas, and which replicas joined by a call. Leases, polls, breakers and the
 * queue are not: isolates report their leases anew, engines are polled anew, and waiting requests ask again.
 */
import type { KeptMember } from "../../src/shared/routing/pool/members.ts";
import type { MemberConfig, MemberWish } from "../../src/shared/routing/pool/replica-record.ts";
import { LazyTables } from "../storage/lazy-tables.ts";

const migrations = [
  `CREATE TABLE member (
     replica TEXT PRIMARY KEY, state TEXT NOT NULL, weight REAL NOT NULL,
     joined TEXT, joined_ms INTEGER, heartbeat_ms INTEGER)`,
] as const;

interface MemberRow extends Record<string, SqlStorageValue> {
  readonly replica: string;
  readonly state: MemberWish["state"];
  readonly weight: number;
  readonly joined: string | null;
  readonly joined_ms: number | null;
  readonly heartbeat_ms: number | null;
}

/** A heartbeat is written to disk so often at most: one row each. */
const heartbeatWriteMs = 30_000;

export class PoolStore {
  readonly #storage: DurableObjectStorage;
  /** The heartbeat on disk of each that joined: not the last one that was heard. */
  readonly #heartbeats = new Map<string, number>();
  readonly #tables: LazyTables;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#tables = new LazyTables(storage, migrations);
  }

  read(): KeptMember[] {
    if (!this.#tables.areMade) return [];
    const kept = this.#storage.sql
      .exec<MemberRow>("SELECT replica, state, weight, joined, joined_ms, heartbeat_ms FROM member")
      .toArray()
      .map(({ replica, state, weight, joined, joined_ms: atMs, heartbeat_ms: heartbeatAtMs }) => ({
        replica,
        wish: { state, weight },
        joined:
          joined === null || atMs === null || heartbeatAtMs === null
            ? null
            : { config: JSON.parse(joined) as MemberConfig, atMs, heartbeatAtMs },
      }));
    for (const member of kept) this.#note(member.replica, member);
    return kept;
  }

  /** Is the heartbeat on disk so old that one which comes now is to be written? */
  heartbeatIsDue(replica: string, nowMs: number): boolean {
    const writtenMs = this.#heartbeats.get(replica);
    return writtenMs !== undefined && nowMs - writtenMs >= heartbeatWriteMs;
  }

  #note(replica: string, kept: KeptMember | null): void {
    const joined = kept?.joined ?? null;
    if (joined === null) this.#heartbeats.delete(replica);
    else this.#heartbeats.set(replica, joined.heartbeatAtMs);
  }

  /** `null`: there is nothing to remember of it any more. */
  write(replica: string, kept: KeptMember | null): void {
    this.#note(replica, kept);
    if (kept === null && !this.#tables.areMade) return;
    this.#tables.make();
    const { sql } = this.#storage;
    if (kept === null) {
      sql.exec("DELETE FROM member WHERE replica = ?", replica);
      return;
    }
    const { wish, joined } = kept;
    sql.exec(
      "INSERT OR REPLACE INTO member VALUES (?, ?, ?, ?, ?, ?)",
      replica,
      wish.state,
      wish.weight,
      joined === null ? null : JSON.stringify(joined.config),
      joined?.atMs ?? null,
      joined?.heartbeatAtMs ?? null,
    );
  }
}
