import {
  type CredentialsRevoked,
  isRevokedBy,
  type OpenSocket,
  sessionVersion,
  type StillThere,
} from "../../src/shared/contracts/session.ts";
import { sessionStub } from "../session/session-stub.ts";

/**
 * Which sockets are open under a bucket's owner, and which of them are yet to be told that their credential is revoked? A row
 * each: opened, marked by a revocation, closed, and forgotten at its end where nobody said that it closed.
 */
const prefix = "socket/";
/** Told side by side. */
const atOnce = 50;
const triesMs: readonly number[] = [0, 500, 1500];
/** Asked no more often whether they are still there. */
const sweepMs = 10_000;

/** Rows that older code wrote do not say which credential opened the socket: it is told of every revocation, and knows. */
type Entry = Pick<OpenSocket, "jurisdiction" | "untilMs"> &
  Partial<Pick<OpenSocket, "issuedAtMs" | "keyId">> & {
    /** It was revoked, and the socket has not said yet that it is gone. */
    readonly revokedBy?: Pick<CredentialsRevoked, "epoch" | "keyId">;
  };
type Telling = readonly [session: string, entry: Entry, message: CredentialsRevoked];

const nothing: CredentialsRevoked = { v: sessionVersion, epoch: 0, keyId: null };

export class OpenSockets {
  readonly #kv: SyncKvStorage;
  readonly #env: Cloudflare.Env;
  #sweptMs = Number.NEGATIVE_INFINITY;

  constructor(kv: SyncKvStorage, env: Cloudflare.Env) {
    this.#kv = kv;
    this.#env = env;
  }

  /** `false`: there are `most` already. */
  add(
    { session, jurisdiction, untilMs, issuedAtMs, keyId }: OpenSocket,
    most: number,
    nowMs: number,
  ): boolean {
    if (this.#count(nowMs) >= most) return false;
    this.#kv.put(prefix + session, { jurisdiction, untilMs, issuedAtMs, keyId } satisfies Entry);
    return true;
  }

  remove(session: string): void {
    this.#kv.delete(prefix + session);
  }

  /** When the last of them is over; 0: there are none. */
  lastUntilMs(): number {
    let last = 0;
    for (const [, { untilMs }] of this.#entries()) last = Math.max(last, untilMs);
    return last;
  }

  /**
   * A deploy or a crash cuts sockets and wakes nobody. So where the list is full, each is told that nothing is revoked: one
   * that has no socket any more says so. Never rejects.
   */
  async sweep(nowMs: number): Promise<void> {
    if (nowMs - this.#sweptMs < sweepMs) return;
    this.#sweptMs = nowMs;
    await this.#tell(this.#entries().map(([session, entry]) => [session, entry, nothing]));
  }

  /**
   * Notes whom a revocation concerns, in the caller's transaction: told or not, killed or not, each stays noted until it is
   * gone. `false`: it concerns nobody.
   */
  revoke(revokedBy: Pick<CredentialsRevoked, "epoch" | "keyId">): boolean {
    let any = false;
    for (const [session, entry] of this.#entries()) {
      const { issuedAtMs, keyId } = entry;
      if (issuedAtMs !== undefined && !isRevokedBy({ issuedAtMs, keyId: keyId ?? null }, revokedBy)) continue;
      any = true;
      if (entry.revokedBy === undefined) this.#kv.put(prefix + session, { ...entry, revokedBy });
    }
    return any;
  }

  /**
   * Tells those who were noted, with two more tries where one can't be reached, as often as it is called: a second time
   * changes nothing. Never rejects: a turn of a revoked credential is refused anyway. `false`: some are noted still.
   */
  async tellRevoked(nowMs: number): Promise<boolean> {
    await this.#tell(this.#noted(nowMs));
    return this.#noted(nowMs).length === 0;
  }

  #noted(nowMs: number): readonly Telling[] {
    const noted: Telling[] = [];
    for (const [session, entry] of this.#entries())
      if (entry.revokedBy !== undefined && entry.untilMs > nowMs)
        noted.push([session, entry, { v: sessionVersion, ...entry.revokedBy }]);
    return noted;
  }

  async #tell(tellings: readonly Telling[]): Promise<void> {
    for (let at = 0; at < tellings.length; at += atOnce)
      await Promise.all(tellings.slice(at, at + atOnce).map((telling) => this.#tellOne(telling)));
  }

  async #tellOne([session, entry, message]: Telling): Promise<void> {
    for (const waitMs of triesMs) {
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      try {
        const stub = sessionStub(this.#env, { session, jurisdiction: entry.jurisdiction });
        const answer = (await stub.revoked(message)) as StillThere | undefined;
        if (answer?.there === false) this.remove(session);
        return;
      } catch (error) {
        if (waitMs !== triesMs.at(-1)) continue;
        // oxlint-disable-next-line no-console -- an object reports its faults to the Worker's log.
        console.error(JSON.stringify({ event: "fault", component: "session", detail: String(error) }));
      }
    }
  }

  /** Those that are over are forgotten on the way. */
  #count(nowMs: number): number {
    let count = 0;
    for (const [session, { untilMs }] of this.#entries()) {
      if (untilMs <= nowMs) this.remove(session);
      else count += 1;
    }
    return count;
  }

  #entries(): (readonly [session: string, entry: Entry])[] {
    return Array.from(
      this.#kv.list<Entry>({ prefix }),
      ([name, entry]) => [name.slice(prefix.length), entry] as const,
    );
  }
}
