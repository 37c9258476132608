/**
 * A world to try the limits in, for tests: a clock that only moves when told, buckets that can be killed or evicted between
 * any two operations, and a network that delays, loses and repeats. The decisions are the real ones (`KeptBucket`); only
 * what durable-objects/token-bucket adds (disk, timers) is replayed here.
 */
import type { Background } from "../contracts/background.ts";
import type { BucketAddress } from "./bucket-name.ts";
import type { BucketBatch, BucketInspection, BucketReply } from "./bucket-protocol.ts";
import type { DeskOptions } from "./desk-options.ts";
import { KeptBucket } from "./kept-bucket.ts";
import type { LimitRule } from "./level.ts";
import type { RevokeCommand } from "./revocation.ts";

interface FakeTimer {
  readonly at: number;
  readonly callback: () => void;
  isCancelled: boolean;
}

export class FakeClock {
  now = 1_800_000_000_000;
  /** The next one last; of those at one time, the first that was set. */
  readonly #timers: FakeTimer[] = [];

  readonly setTimer = (callback: () => void, ms: number): (() => void) => {
    const timer = { at: this.now + Math.max(0, ms), callback, isCancelled: false };
    let low = 0;
    for (let high = this.#timers.length; low < high;) {
      const middle = (low + high) >>> 1;
      if ((this.#timers[middle]?.at ?? 0) > timer.at) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    return () => {
      timer.isCancelled = true;
    };
  };

  /** How long nothing happens by itself, in milliseconds; `null`: for ever. */
  get idleMs(): number | null {
    const next = this.#next();
    return next === undefined ? null : Math.max(0, next.at - this.now);
  }

  /** Lets time pass, timer by timer, and everything that follows from each. */
  async advance(ms: number): Promise<void> {
    const until = this.now + ms;
    await this.settleDown();
    for (let next = this.#next(); next !== undefined && next.at <= until; next = this.#next()) {
      this.#timers.pop();
      this.now = Math.max(this.now, next.at);
      next.callback();
      await this.settleDown();
    }
    this.now = until;
  }

  #next(): FakeTimer | undefined {
    while (this.#timers.at(-1)?.isCancelled === true) this.#timers.pop();
    return this.#timers.at(-1);
  }

  /** Runs what is ready without letting time pass. */
  async settleDown(): Promise<void> {
    for (let turn = 0; turn < 40; turn += 1) await Promise.resolve();
  }
}

/** What the network does with one call. */
export type Fate = "delivered" | "request-lost" | "reply-lost" | "hangs" | "killed-before" | "killed-after";

interface LiveBucket {
  readonly kept: KeptBucket;
  commit: PromiseWithResolvers<void> | null;
  lastCallMs: number;
  watching: boolean;
}

export class SimulatedBuckets {
  readonly clock: FakeClock;
  /** Decides each call's fate and delay. */
  fate: (address: BucketAddress) => { readonly fate: Fate; readonly delayMs: number } = () => ({
    fate: "delivered",
    delayMs: 1,
  });
  calls = 0;
  writes = 0;
  readonly #disk = new Map<string, string>();
  readonly #live = new Map<string, LiveBucket>();

  constructor(clock: FakeClock) {
    this.clock = clock;
  }

  readonly call = async (address: BucketAddress, batch: BucketBatch): Promise<BucketReply> => {
    this.calls += 1;
    const { fate, delayMs } = this.fate(address);
    // What crosses a wire is a copy.
    const sent = structuredClone(batch);
    await this.#pass(delayMs / 2);
    if (fate === "request-lost") throw new Error("the network was lost on the way there");
    if (fate === "killed-before") this.kill(address.name);
    const { reply, durable } = this.#apply(address.name, sent);
    if (fate === "killed-after") this.kill(address.name);
    await durable;
    await this.#pass(delayMs / 2);
    if (fate === "reply-lost") throw new Error("the network was lost on the way back");
    if (fate === "hangs") await new Promise<never>(() => undefined);
    return structuredClone(reply);
  };

  /** The object's memory is gone at once; whoever waits for it gets an error. */
  kill(name: string): void {
    const live = this.#live.get(name);
    this.#live.delete(name);
    live?.commit?.reject(new Error("the object was killed"));
  }

  /** The object is evicted as the platform does it: after its idle write. */
  evict(name: string): void {
    const live = this.#live.get(name);
    if (live === undefined || live.commit !== null) return;
    const snapshot = live.kept.rest(this.clock.now);
    if (snapshot !== null) this.#write(name, live, snapshot);
    this.#live.delete(name);
  }

  revoke(name: string, command: RevokeCommand): void {
    const live = this.#bucket(name);
    this.#write(name, live, live.kept.revoke(command, this.clock.now));
  }

  inspect(name: string, rules: readonly LimitRule[]): BucketInspection {
    return this.#bucket(name).kept.inspect(rules, this.clock.now);
  }

  names(): string[] {
    return [...new Set([...this.#disk.keys(), ...this.#live.keys()])];
  }

  #apply(name: string, batch: BucketBatch): { reply: BucketReply; durable: Promise<void> } {
    const live = this.#bucket(name);
    live.lastCallMs = this.clock.now;
    const { reply, write, waits } = live.kept.apply(batch, this.clock.now);
    if (write !== null) this.#write(name, live, write);
    this.#watch(name, live);
    if (!waits) return { reply, durable: Promise.resolve() };
    if (live.commit === null) {
      const commit = Promise.withResolvers<void>();
      live.commit = commit;
      this.clock.setTimer(() => {
        if (live.commit === commit && this.#live.get(name) === live)
          this.#write(name, live, live.kept.commit(this.clock.now));
      }, 1_000);
    }
    return { reply, durable: live.commit.promise };
  }

  #bucket(name: string): LiveBucket {
    let live = this.#live.get(name);
    if (live === undefined) {
      const kept = new KeptBucket(this.#disk.get(name) ?? null, this.clock.now);
      live = { kept, commit: null, lastCallMs: this.clock.now, watching: false };
      this.#live.set(name, live);
    }
    return live;
  }

  #write(name: string, live: LiveBucket, snapshot: string): void {
    this.writes += 1;
    this.#disk.set(name, snapshot);
    live.commit?.resolve();
    live.commit = null;
  }

  #watch(name: string, live: LiveBucket): void {
    if (live.watching) return;
    live.watching = true;
    const look = (): void => {
      if (this.#live.get(name) !== live) return;
      const leftMs = live.lastCallMs + 3_000 - this.clock.now;
      if (leftMs > 0) {
        this.clock.setTimer(look, leftMs);
        return;
      }
      live.watching = false;
      const snapshot = live.kept.rest(this.clock.now);
      if (snapshot !== null) this.#write(name, live, snapshot);
    };
    this.clock.setTimer(look, 3_000);
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.setTimer(resolve, ms);
    });
  }
}

/** A request's background that fails the test when work in it fails. */
export function strictBackground(): Background & { readonly failures: unknown[] } {
  const failures: unknown[] = [];
  return {
    failures,
    run(_name, work) {
      work.catch((error: unknown) => failures.push(error));
    },
  };
}

/** One isolate's options; everything that it reports is counted. */
export function isolateOptions(
  buckets: SimulatedBuckets,
  isolate: string,
): DeskOptions & { readonly counts: Record<"slow" | "unreachable" | "open" | "lost", number> } {
  const counts = { slow: 0, unreachable: 0, open: 0, lost: 0 };
  let loans = 0;
  return {
    counts,
    call: buckets.call,
    now: () => buckets.clock.now,
    setTimer: buckets.clock.setTimer,
    random: () => 0.5,
    newId: () => `${isolate}-${(loans += 1)}`,
    takesLoans: true,
    events: {
      slow: () => (counts.slow += 1),
      unreachable: () => (counts.unreachable += 1),
      openAdmission: () => (counts.open += 1),
      settlementsLost: (count) => (counts.lost += count),
    },
  };
}
