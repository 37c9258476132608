/**
 * Fires once, when the work is no longer wanted: the client is gone, the turn was cancelled, or its deadline passed. It is the part
 * of AbortSignal that Edgewise uses, so every AbortSignal is one.
 */
export interface LeaveSignal {
  readonly aborted: boolean;
  /** Of the one who left; a `TimeoutError` where time is over. */
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { readonly once: true }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/**
 * One of our own. A listener costs a place in a list; on an AbortSignal of workerd it costs a call into the platform each to put on
 * and to take off (some 4 µs), and what such a signal holds is freed only when the whole heap is marked.
 */
export class Leaving implements LeaveSignal {
  #aborted = false;
  #reason: unknown = undefined;
  #listeners: (() => void)[] = [];

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  addEventListener(_type: "abort", listener: () => void): void {
    if (!this.#aborted) this.#listeners.push(listener);
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    const at = this.#listeners.indexOf(listener);
    // A copy: it may be taken off by another listener.
    if (at !== -1) this.#listeners = this.#listeners.toSpliced(at, 1);
  }

  /** Calls who listens, in the order in which they came. The first reason stays. */
  leave(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }
}

/** Fires with the first of the two. */
export function eitherLeaves(one: LeaveSignal, other: LeaveSignal): LeaveSignal {
  const either = new Leaving();
  for (const signal of [one, other]) {
    if (signal.aborted) either.leave(signal.reason);
    else signal.addEventListener("abort", () => either.leave(signal.reason), { once: true });
  }
  return either;
}
