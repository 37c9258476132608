/**
 * Ticks of many streams, each at its own microsecond. Node's timers have a grain of a millisecond, which would make the
 * tokens of unrelated streams arrive together and every server look cheaper than it is: one wake-up for several. Here a
 * due stream is served in a turn of its own, and the thread sleeps between two of them.
 */
import { processMicroseconds } from "./clock.ts";

interface Tick {
  /** `false`: no more. */
  readonly run: () => boolean;
  readonly intervalUs: number;
  dueUs: number;
}

/** Longest sleep, so that new connections wait for no more than this. */
const maxSleepMs = 0.5;

export class Ticker {
  readonly #ticks: Tick[] = [];
  readonly #sleeper = new Int32Array(new SharedArrayBuffer(4));
  #running = false;

  add(run: () => boolean, delayUs: number, intervalUs: number): void {
    this.#insert({ run, intervalUs, dueUs: processMicroseconds() + delayUs });
    if (this.#running) return;
    this.#running = true;
    setImmediate(() => this.#turn());
  }

  #insert(tick: Tick): void {
    const at = this.#ticks.findLastIndex((other) => other.dueUs <= tick.dueUs);
    this.#ticks.splice(at + 1, 0, tick);
  }

  #turn(): void {
    const first = this.#ticks[0];
    if (first === undefined) {
      this.#running = false;
      return;
    }
    const waitMs = (first.dueUs - processMicroseconds()) / 1000;
    if (waitMs > 0.02) Atomics.wait(this.#sleeper, 0, 0, Math.min(waitMs, maxSleepMs));
    else {
      this.#ticks.shift();
      let more = first.run();
      while (more && first.intervalUs === 0) more = first.run();
      if (more) {
        first.dueUs += first.intervalUs;
        this.#insert(first);
      }
    }
    setImmediate(() => this.#turn());
  }
}
