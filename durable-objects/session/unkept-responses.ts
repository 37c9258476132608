/**
 * Which responses with `store: false` may a socket's lanes still continue from? The newest of each lane. On disk, since the object
 * hibernates between turns, and must know which responses to erase with the socket.
 */
import { socketLimits } from "../../src/shared/sessions/socket-limits.ts";

const key = "unkept";

type Kept = readonly (readonly [lane: string | null, responseId: string])[];

export class UnkeptResponses {
  readonly #kv: SyncKvStorage;
  /** In the order in which they came. */
  readonly #newest: Map<string | null, string>;

  constructor(kv: SyncKvStorage) {
    this.#kv = kv;
    this.#newest = new Map(kv.get<Kept>(key) ?? []);
  }

  /** Returns what nothing goes on from any more. */
  add(lane: string | null, responseId: string): string[] {
    const before = this.#take(lane);
    this.#newest.set(lane, responseId);
    const [oldest] = this.#newest.keys();
    const tooMany = this.#newest.size > socketLimits.unkept && oldest !== undefined ? this.#take(oldest) : [];
    this.#kv.put(key, [...this.#newest] satisfies Kept);
    return [...before, ...tooMany];
  }

  /** The lane's, which is not gone on from any more. */
  leave(lane: string | null): string[] {
    const left = this.#take(lane);
    if (left.length > 0) this.#kv.put(key, [...this.#newest] satisfies Kept);
    return left;
  }

  /** The socket is gone: what is on disk goes with all else that is there. */
  leaveAll(): string[] {
    const left = [...this.#newest.values()];
    this.#newest.clear();
    return left;
  }

  #take(lane: string | null): string[] {
    const known = this.#newest.get(lane);
    this.#newest.delete(lane);
    return known === undefined ? [] : [known];
  }
}
