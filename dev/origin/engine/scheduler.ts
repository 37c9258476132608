/**
 * Which requests run now and which wait? Continuous batching: a request takes a slot as soon as one is free and returns it
 * when it ends. Lower `priority` runs earlier, as in vLLM's priority policy; equal ones in order of arrival.
 */
export interface Job {
  readonly model: string;
  readonly priority: number;
  /** The KV blocks that it occupies at the moment. */
  readonly blocks: () => number;
  /** Called once, when a slot is free: at once, or later from another job's end. */
  readonly start: () => void;
}

export class Scheduler {
  #slots: number;
  readonly #running = new Set<Job>();
  readonly #waiting: Job[] = [];

  constructor(slots: number) {
    this.#slots = slots;
  }

  set slots(slots: number) {
    this.#slots = slots;
    this.#fill();
  }

  get slots(): number {
    return this.#slots;
  }

  submit(job: Job): void {
    if (this.#running.size < this.#slots) {
      this.#running.add(job);
      job.start();
      return;
    }
    let at = this.#waiting.length;
    while (at > 0 && (this.#waiting[at - 1]?.priority ?? 0) > job.priority) at--;
    this.#waiting.splice(at, 0, job);
  }

  /** The job ended, or its client is gone: frees its slot or its place in the queue. May be called twice. */
  release(job: Job): void {
    if (this.#running.delete(job)) {
      this.#fill();
      return;
    }
    const at = this.#waiting.indexOf(job);
    if (at !== -1) this.#waiting.splice(at, 1);
  }

  counts(model: string): { readonly running: number; readonly waiting: number; readonly blocks: number } {
    let running = 0;
    let blocks = 0;
    for (const job of this.#running) {
      if (job.model !== model) continue;
      running++;
      blocks += job.blocks();
    }
    return { running, waiting: this.#waiting.filter((job) => job.model === model).length, blocks };
  }

  #fill(): void {
    while (this.#running.size < this.#slots) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#running.add(next);
      next.start();
    }
  }
}
