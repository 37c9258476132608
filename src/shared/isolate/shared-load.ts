import type { Background } from "../contracts/background.ts";
import { BoundedMap } from "./bounded-map.ts";
import { timedOut, within } from "./within.ts";

/**
 * How do requests of one isolate share one piece of I/O? The trap: a promise that belongs to a request which is reset never settles, and
 * everyone who awaits it hangs. So the work is registered at once with the `waitUntil` of the request that started it, and a request that
 * waits for another's work does so for a bounded time and then does the work itself.
 */
export class SharedLoads<T> {
  readonly #waitMs: number;
  readonly #running = new BoundedMap<string, Promise<T>>({ maxEntries: 1024 });

  /** `waitMs`: how long one waits for another request's work. Longer than the work takes when all is well. */
  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  /** `begin` must settle within a time of its own and should return failure as a value: it is handed to all who wait. */
  async load(key: string, begin: () => Promise<T>, background: Background): Promise<T> {
    let lost: Promise<T> | undefined;
    // Two rounds: whoever gives up first begins anew, and the others who gave up with him join that. Then each alone.
    for (let round = 0; round < 2; round += 1) {
      const running = this.#running.get(key);
      if (running === undefined || running === lost) break;
      const outcome = await within(running, this.#waitMs);
      if (outcome !== timedOut) return outcome;
      lost = running;
    }
    const work = begin();
    this.#running.set(key, work);
    const finished = work.finally(() => {
      if (this.#running.get(key) === work) this.#running.delete(key);
    });
    background.run(`load ${key}`, finished);
    return finished;
  }
}
