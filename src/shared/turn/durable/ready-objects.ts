/**
 * Objects that were started before they are needed. Creating a new object costs more than everything else that a durable turn does
 * before its first token, and it needs no more than an unused name: the owner is only part of the id's tag.
 *
 * Plain values, which requests of an isolate may share. An isolate without durable turns never holds any; one with durable turns
 * holds as many as were started to replace the ones taken.
 */
import type { Jurisdiction } from "../../contracts/owner.ts";

/** What the object's name is made of: see `mintObjectName`. */
export interface ReadyObject {
  readonly nowMs: number;
  readonly entropy: Uint8Array;
}

export class ReadyObjects {
  readonly #most: number;
  readonly #maxAgeMs: number;
  readonly #ready = new Map<Jurisdiction, ReadyObject[]>();

  /**
   * @param most kept for each jurisdiction
   * @param maxAgeMs what is older is left to itself: its alarm, 30 s after its start, deletes it
   */
  constructor(most = 4, maxAgeMs = 25_000) {
    this.#most = most;
    this.#maxAgeMs = maxAgeMs;
  }

  /** The youngest, for one turn alone; `null`: there is none. */
  take(jurisdiction: Jurisdiction, nowMs: number): ReadyObject | null {
    return this.#fresh(jurisdiction, nowMs).pop() ?? null;
  }

  wantsMore(jurisdiction: Jurisdiction, nowMs: number): boolean {
    return this.#fresh(jurisdiction, nowMs).length < this.#most;
  }

  add(jurisdiction: Jurisdiction, object: ReadyObject): void {
    const ready = this.#fresh(jurisdiction, object.nowMs);
    if (ready.length < this.#most) ready.push(object);
  }

  #fresh(jurisdiction: Jurisdiction, nowMs: number): ReadyObject[] {
    const fresh = (this.#ready.get(jurisdiction) ?? []).filter(
      (object) => nowMs - object.nowMs < this.#maxAgeMs,
    );
    this.#ready.set(jurisdiction, fresh);
    return fresh;
  }
}
