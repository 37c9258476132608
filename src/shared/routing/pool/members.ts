/**
 * Which replicas does the pool know? Those of the fleet document and those that joined by an admin call and keep sending heartbeats, with
 * the state and weight that admins want for each. What must outlive the object's memory is handed out as rows (`kept`) and taken back
 * (`restore`).
 */
import {
  heartbeatTtlMs,
  ReplicaRecord,
  usualWish,
  type MemberConfig,
  type MemberWish,
} from "./replica-record.ts";

/** What is on disk of one replica. */
export interface KeptMember {
  readonly replica: string;
  readonly wish: MemberWish;
  /** Null: it is in the fleet document. */
  readonly joined: {
    readonly config: MemberConfig;
    readonly atMs: number;
    readonly heartbeatAtMs: number;
  } | null;
}

/** Lost for so long, it is forgotten. */
const forgottenAfterMs = 10 * heartbeatTtlMs;
const maxJoined = 256;

/** `altered`: it was known, and now describes itself differently. */
export type JoinOutcome = "joined" | "heartbeat" | "altered" | "in-fleet-document" | "too-many";

export class Members {
  #records = new Map<string, ReplicaRecord>();
  #wishes = new Map<string, MemberWish>();
  /** The fleet was adopted once: replicas that come later start slowly. */
  #adopted = false;

  get(replica: string): ReplicaRecord | null {
    return this.#records.get(replica) ?? null;
  }

  all(): readonly ReplicaRecord[] {
    return [...this.#records.values()];
  }

  /** Those that joined by a call. */
  joined(): readonly MemberConfig[] {
    return this.all().flatMap(({ heartbeatAtMs, config }) => (heartbeatAtMs === null ? [] : [config]));
  }

  /** What was on disk, before anything else. */
  restore(kept: readonly KeptMember[]): void {
    for (const { replica, wish, joined } of kept) {
      this.#wishes.set(replica, wish);
      if (joined === null) continue;
      const record = new ReplicaRecord(joined.config, joined.atMs);
      record.heartbeatAtMs = joined.heartbeatAtMs;
      record.wish = wish;
      this.#records.set(replica, record);
    }
  }

  /** The cluster's replicas as the fleet document in force has them. */
  adopt(configs: readonly MemberConfig[], nowMs: number): void {
    const listed = new Set(configs.map(({ id }) => id));
    for (const config of configs) {
      const known = this.#records.get(config.id);
      if (known === undefined || known.heartbeatAtMs !== null) {
        const record = new ReplicaRecord(config, this.#adopted ? nowMs : 0);
        record.wish = this.#wishes.get(config.id) ?? usualWish;
        this.#records.set(config.id, record);
      } else known.config = config;
    }
    for (const [id, record] of this.#records)
      if (record.heartbeatAtMs === null && !listed.has(id)) this.#records.delete(id);
    this.#adopted = true;
  }

  /** A join, or a heartbeat. */
  join(config: MemberConfig, nowMs: number): JoinOutcome {
    const known = this.#records.get(config.id);
    if (known !== undefined && known.heartbeatAtMs === null) return "in-fleet-document";
    if (known !== undefined && known.standing(nowMs) !== "lost" && known.config.url === config.url) {
      const isAltered = known.config.slots !== config.slots || known.config.zone !== config.zone;
      known.config = config;
      known.heartbeatAtMs = nowMs;
      return isAltered ? "altered" : "heartbeat";
    }
    if (known === undefined && this.joined().length >= maxJoined) return "too-many";
    const record = new ReplicaRecord(config, nowMs);
    record.heartbeatAtMs = nowMs;
    record.wish = this.#wishes.get(config.id) ?? usualWish;
    this.#records.set(config.id, record);
    return "joined";
  }

  /** False: there is none of this name, or it is in the fleet document, which alone can take it out. */
  leave(replica: string): boolean {
    const known = this.#records.get(replica);
    if (known === undefined || known.heartbeatAtMs === null) return false;
    this.#records.delete(replica);
    this.#wishes.delete(replica);
    return true;
  }

  /** False: there is none of this name. */
  wish(replica: string, wish: MemberWish): boolean {
    const known = this.#records.get(replica);
    if (known === undefined) return false;
    known.wish = wish;
    if (wish.state === usualWish.state && wish.weight === usualWish.weight) this.#wishes.delete(replica);
    else this.#wishes.set(replica, wish);
    return true;
  }

  /** Learned first-byte times that are not confirmed fade to the best peer's. */
  fadeLatencies(nowMs: number): void {
    const least = new Map<string, number>();
    for (const { latency } of this.#records.values()) latency.lower(least);
    for (const { latency } of this.#records.values()) latency.fade(least, nowMs);
  }

  /** Forgets joined replicas without a heartbeat for long. Returns their names. */
  forget(nowMs: number): string[] {
    const gone = this.all().filter(
      ({ heartbeatAtMs }) => heartbeatAtMs !== null && nowMs - heartbeatAtMs >= forgottenAfterMs,
    );
    for (const { config } of gone) this.leave(config.id);
    return gone.map(({ config }) => config.id);
  }

  /** What is to be on disk of this replica; null: nothing. */
  kept(replica: string): KeptMember | null {
    const record = this.#records.get(replica);
    const wish = this.#wishes.get(replica);
    if (record === undefined || record.heartbeatAtMs === null)
      return wish === undefined ? null : { replica, wish, joined: null };
    const { config, startedAtMs: atMs, heartbeatAtMs } = record;
    return { replica, wish: wish ?? usualWish, joined: { config, atMs, heartbeatAtMs } };
  }
}
