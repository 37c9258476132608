/**
 * What keeps a request's work alive when its client resets the connection? workerd drops what belongs to such a request, and with
 * it what was reserved and not yet settled; so the reset itself registers what is under way. To register every request
 * instead (`waitUntil`) costs as much as choosing its replica.
 */
interface Registers {
  waitUntil(work: Promise<unknown>): void;
}

export class ClientTie {
  #context: Registers | null;
  #work: Promise<unknown> | null;

  constructor(context: Registers, work: Promise<unknown>) {
    this.#context = context;
    this.#work = work;
  }

  to(signal: AbortSignal): void {
    if (signal.aborted) this.#register();
    else signal.addEventListener("abort", () => this.#register(), { once: true });
  }

  /** The work is done. What a signal holds is freed late (see attempt.ts), so it holds nothing from now on. */
  readonly cut = (): void => {
    this.#context = null;
    this.#work = null;
  };

  #register(): void {
    this.#context?.waitUntil(this.#work?.then(nothing, nothing) ?? Promise.resolve());
  }
}

/** What comes of the work is told where it is awaited. */
const nothing = (): void => undefined;
