/**
 * How does a request's work survive when its client resets the connection? workerd drops everything that belongs to such a request, and with it what
 * was reserved and not yet settled; so the reset itself registers the work that is under way, and then notifies the listeners. To register every
 * request instead (`waitUntil`) would cost as much as choosing its replica; so would a platform listener for each of them, and
 * so there is one here for all.
 */
import { Leaving, type LeaveSignal } from "../../src/shared/contracts/leave-signal.ts";

interface Registers {
  waitUntil(work: Promise<unknown>): void;
}

export class ClientTie {
  readonly #leaving = new Leaving();
  #context: Registers | null;
  #work: Promise<unknown> | null = null;

  constructor(context: Registers) {
    this.#context = context;
  }

  /** Fires when the client is gone, once `hold` was called. */
  get signal(): LeaveSignal {
    return this.#leaving;
  }

  /** @param platform the request's own signal */
  hold(work: Promise<unknown>, platform: AbortSignal): void {
    this.#work = work;
    if (platform.aborted) this.#gone(platform);
    else platform.addEventListener("abort", () => this.#gone(platform), { once: true });
  }

  /** The work is done; a stream that it began may still listen. */
  readonly cut = (): void => {
    this.#context = null;
    this.#work = null;
  };

  #gone({ reason }: AbortSignal): void {
    if (this.#work !== null) this.#context?.waitUntil(this.#work.then(nothing, nothing));
    this.#leaving.leave(reason);
  }
}

/** The outcome of the work is handled where it is awaited. */
const nothing = (): void => undefined;
