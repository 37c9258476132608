/** A router in front of replicas that behave as told, under a clock that the test runs. */
import { vi } from "vitest";
import { FakeReplicas, fakeFleet, type Behaviour } from "./fake-replicas.ts";
import { buildFleetIndex } from "../../src/shared/routing/fleet/fleet-index.ts";
import { createOriginRouter } from "../../src/shared/routing/origin-router.ts";
import { Poller } from "../../src/shared/routing/poller.ts";
import { RouterState } from "../../src/shared/routing/router-state.ts";

export function mount(fleet = fakeFleet(2), random = () => 0) {
  const replicas = new FakeReplicas();
  const state = new RouterState();
  const background: string[] = [];
  const polls: string[] = [];
  const index = buildFleetIndex(fleet);
  const origin = createOriginRouter({
    callerRegisters: false,
    state,
    poller: new Poller(),
    fleet: index,
    transport: (url, init, target) => {
      if (/(health|metrics)$/.test(url)) polls.push(url);
      return replicas.transport(url, init, target);
    },
    background: { run: (name, work) => void work.then(() => background.push(name)) },
    now: () => Date.now(),
    random,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
  const known = (cluster: string, at: number) => {
    const replica = state.clusters(index).get(cluster)?.replicas[at];
    if (replica === undefined) throw new Error("no such replica");
    return replica.known;
  };
  const both = (behaviour: Behaviour): void => {
    for (const host of ["c0r0.test", "c0r1.test"]) replicas.behaviour.set(host, behaviour);
  };
  const never = new AbortController().signal;
  return { origin, state, replicas, polls, known, both, never };
}

/** Lots that fall on either half in turn. */
export function halves(): () => number {
  let turn = 0;
  return () => {
    turn += 1;
    return turn % 2 === 0 ? 0.25 : 0.75;
  };
}

/** Runs the clock until the work is done. */
export async function finished<T>(work: Promise<T>): Promise<T> {
  const progress = { over: false };
  const watched = work.finally(() => (progress.over = true));
  while (!progress.over) await vi.advanceTimersByTimeAsync(50);
  return watched;
}
