import {
  type CredentialsRevoked,
  type OpenSocket,
  sessionVersion,
  type StillThere,
} from "../../src/shared/contracts/session.ts";
import { sessionStub } from "../session/session-stub.ts";

/**
 * Which sockets are open under a bucket's owner, so that they can be told when a credential is revoked? A row each: opened,
 * closed, and forgotten at its end where nobody said that it closed.
 */
const prefix = "socket/";
/** Told side by side. */
const atOnce = 50;
const triesMs: readonly number[] = [0, 500, 1500];
/** Asked no more often whether they are still there. */
const sweepMs = 10_000;

type Entry = Pick<OpenSocket, "jurisdiction" | "untilMs">;

export class OpenSockets {
  readonly #kv: SyncKvStorage;
  readonly #env: Cloudflare.Env;
  #sweptMs = Number.NEGATIVE_INFINITY;

  constructor(kv: SyncKvStorage, env: Cloudflare.Env) {
    this.#kv = kv;
    this.#env = env;
  }

  /** `false`: there are `most` already. */
  add({ session, jurisdiction, untilMs }: OpenSocket, most: number, nowMs: number): boolean {
    if (this.#count(nowMs) >= most) return false;
    this.#kv.put(prefix + session, { jurisdiction, untilMs } satisfies Entry);
    return true;
  }

  remove(session: string): void {
    this.#kv.delete(prefix + session);
  }

  /** When the last of them is over; 0: there are none. */
  lastUntilMs(): number {
    let last = 0;
    for (const [, { untilMs }] of this.#kv.list<Entry>({ prefix })) last = Math.max(last, untilMs);
    return last;
  }

  /**
   * A deploy or a crash cuts sockets and wakes nobody. So where the list is full, each is told that nothing is revoked: one
   * that has no socket any more says so. Never rejects.
   */
  async sweep(nowMs: number): Promise<void> {
    if (nowMs - this.#sweptMs < sweepMs) return;
    this.#sweptMs = nowMs;
    await this.tell({ v: sessionVersion, epoch: 0, keyId: null }, nowMs);
  }

  /** Each, with two more tries where it can't be reached. Never rejects: a turn of a revoked credential is refused anyway. */
  async tell(message: CredentialsRevoked, nowMs: number): Promise<void> {
    const open = Array.from(this.#kv.list<Entry>({ prefix })).filter(([, { untilMs }]) => untilMs > nowMs);
    for (let at = 0; at < open.length; at += atOnce)
      await Promise.all(
        open
          .slice(at, at + atOnce)
          .map(([name, { jurisdiction }]) => this.#tellOne(name.slice(prefix.length), jurisdiction, message)),
      );
  }

  async #tellOne(session: string, jurisdiction: Entry["jurisdiction"], message: CredentialsRevoked) {
    for (const waitMs of triesMs) {
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      try {
        const stub = sessionStub(this.#env, { session, jurisdiction });
        const answer = (await stub.revoked(message)) as StillThere | undefined;
        if (answer !== undefined && !answer.there) this.remove(session);
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
    for (const [name, { untilMs }] of Array.from(this.#kv.list<Entry>({ prefix }))) {
      if (untilMs <= nowMs) this.#kv.delete(name);
      else count += 1;
    }
    return count;
  }
}
