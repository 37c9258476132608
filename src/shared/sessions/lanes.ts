/**
 * Which message is next? Messages of one lane (`stream_id`) are handled one after the other, in order; lanes run in parallel. Pure: it says
 * what may begin, and is told what has ended.
 */
export interface LaneLimits {
  readonly lanes: number;
  readonly waiting: number;
}

export class Lanes<Work> {
  readonly #limits: LaneLimits;
  /** Lanes in which something runs, with what waits behind it. */
  readonly #lanes = new Map<string | null, Work[]>();
  #waiting = 0;

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  /** Whether nothing runs. */
  get isIdle(): boolean {
    return this.#lanes.size === 0;
  }

  /** `begin`: now. `wait`: it comes out of `ended` when the lane is free. */
  add(lane: string | null, work: Work): "begin" | "wait" | "full" {
    const behind = this.#lanes.get(lane);
    if (behind === undefined) {
      if (this.#lanes.size >= this.#limits.lanes) return "full";
      this.#lanes.set(lane, []);
      return "begin";
    }
    if (this.#waiting >= this.#limits.waiting) return "full";
    behind.push(work);
    this.#waiting += 1;
    return "wait";
  }

  /** What runs next in the lane; `null`: nothing, and the lane is gone. */
  ended(lane: string | null): Work | null {
    const behind = this.#lanes.get(lane);
    const next = behind?.shift();
    if (next === undefined) {
      this.#lanes.delete(lane);
      return null;
    }
    this.#waiting -= 1;
    return next;
  }
}
