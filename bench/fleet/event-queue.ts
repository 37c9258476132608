/** What happens next? A binary heap of things to do by time; of equal times, in the order of their coming. */
interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly run: (nowMs: number) => void;
}

export class EventQueue {
  readonly #heap: Entry[] = [];
  #order = 0;
  nowMs = 0;

  at(atMs: number, run: (nowMs: number) => void): void {
    const heap = this.#heap;
    const entry: Entry = { atMs, order: (this.#order += 1), run };
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || before(above, entry)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  /** Until nothing is left to do. */
  run(): void {
    for (let next = this.#pop(); next !== null; next = this.#pop()) {
      this.nowMs = next.atMs;
      next.run(next.atMs);
    }
  }

  #pop(): Entry | null {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return null;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = heap[child];
      const right = heap[child + 1];
      if (left === undefined) break;
      if (right !== undefined && before(right, left)) child += 1;
      const least = heap[child];
      if (least === undefined || before(last, least)) break;
      heap[at] = least;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function before(left: Entry, right: Entry): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
}
