/**
 * Replicas that die, stall, drip, refuse, are cut, drained, and come back, by lot. At every moment at least one of those that may carry
 * the fleet is well, and was so for a while: whoever is refused meanwhile was refused though somebody could have answered.
 */
import type { RunningReplica } from "../../../../dev/origin/fleet.ts";
import type { FaultInput } from "../../../../dev/origin/server/faults.ts";
import { pause } from "./turns.ts";

export interface Injuries {
  /** Heals all of them. */
  stop(): Promise<void>;
}

/** How long the next one to carry the fleet is well before the others are hurt. */
const overlapMs = 1500;

type Injury = (replica: RunningReplica, random: () => number) => Promise<void> | void;

function faulty(fault: (random: () => number) => FaultInput): Injury {
  return (replica, random) => replica.setFaults(fault(random));
}

function within(random: () => number, most: number): number {
  return Math.floor(random() * (most + 1));
}

const injuries: Readonly<Record<string, Injury>> = {
  dead: (replica) => replica.stop(),
  refuse: faulty(() => ({ fault: "refuse" })),
  cutBeforeHeaders: faulty(() => ({ fault: "cut_before_headers" })),
  status500: faulty(() => ({ fault: "status", status: 500 })),
  status503: faulty(() => ({ fault: "status", status: 503 })),
  status429: faulty((random) => ({ fault: "status", status: 429, retry_after: within(random, 5) })),
  slowHeaders: faulty((random) => ({ fault: "slow_headers", delay_ms: within(random, 2000) })),
  stallBeforeFirst: faulty(() => ({ fault: "stall_before_first" })),
  stallAfter: faulty((random) => ({ fault: "stall_after", after: 1 + within(random, 20) })),
  cutAfter: faulty((random) => ({ fault: "cut_after", after: within(random, 30), reset: random() < 0.5 })),
  brokenChunk: faulty((random) => ({ fault: "broken_chunk", after: within(random, 10) })),
  errorEvent: faulty((random) => ({ fault: "error_event", after: within(random, 20), done: random() < 0.5 })),
  endEarly: faulty((random) => ({ fault: "end_early", after: within(random, 20) })),
  drip: faulty((random) => ({
    fault: "drip",
    bytes: 1 + within(random, 40),
    interval_ms: within(random, 4),
  })),
  slow: (replica) => replica.setSpeed({ ttftMs: 400, tokenMs: 60 }),
  oneSlot: (replica) => replica.setSpeed({ slots: 1 }),
};

export interface InjuryOptions {
  readonly replicas: readonly RunningReplica[];
  /** Who may be the one that is well. */
  readonly mayCarry: (replica: RunningReplica) => boolean;
  readonly speed: { readonly ttftMs: number; readonly tokenMs: number; readonly slots: number };
  readonly random: () => number;
  readonly onInjury: (name: string) => void;
}

export function startInjuries({ replicas, mayCarry, speed, random, onInjury }: InjuryOptions): Injuries {
  const over = new AbortController();
  const dead = new Set<RunningReplica>();
  const heal = async (replica: RunningReplica): Promise<void> => {
    replica.setFaults();
    replica.setSpeed(speed);
    if (dead.delete(replica)) await replica.start();
  };
  const run = async (): Promise<void> => {
    const carriers = replicas.filter(mayCarry);
    while (!over.signal.aborted) {
      const well = carriers[within(random, carriers.length - 1)];
      if (well === undefined) throw new Error("nobody may carry the fleet");
      await heal(well);
      await pause(overlapMs);
      for (const replica of replicas) {
        if (replica === well) continue;
        await heal(replica);
        // One in four is well for a while.
        if (over.signal.aborted || random() < 0.25) continue;
        const [name, injure] =
          Object.entries(injuries)[within(random, Object.keys(injuries).length - 1)] ?? [];
        if (name === undefined || injure === undefined) continue;
        if (name === "dead") dead.add(replica);
        onInjury(name);
        await injure(replica, random);
      }
      await pauseUnless(over.signal, 2000 + random() * 4000);
    }
  };
  const running = run();
  return {
    async stop() {
      over.abort();
      await running;
      for (const replica of replicas) await heal(replica);
    },
  };
}

/** Ends early where it is aborted. */
async function pauseUnless(signal: AbortSignal, ms: number): Promise<void> {
  for (const untilMs = Date.now() + ms; !signal.aborted && Date.now() < untilMs;) await pause(50);
}
