/**
 * Do counts drift, and does load spread? Sends requests through the router's own choice and leases in 64 isolates, where clients
 * leave, settlements come twice, and some never come at all; then lets the leases' time pass and counts what is left.
 */
import { choose } from "../../src/shared/routing/choice/choose.ts";
import { buildFleetIndex } from "../../src/shared/routing/fleet/fleet-index.ts";
import { streamingTtlMs, type Lease } from "../../src/shared/routing/in-flight.ts";
import { RouterState } from "../../src/shared/routing/router-state.ts";
import { EventQueue } from "./event-queue.ts";
import { simulatedFleet } from "./ours.ts";
import { seededRandom } from "./random.ts";

export interface Drift {
  readonly requests: number;
  readonly aborted: number;
  readonly lost: number;
  readonly duplicates: number;
  /** Leases and tokens that are still counted though no request holds them any more. */
  readonly leases: number;
  readonly tokens: number;
  /** Requests of the busiest replica over the mean. */
  readonly spread: number;
}

const isolateCount = 64;
const perSecond = 400;
const meanMs = 4000;

export function runDrift(requests: number, seed = 1): Drift {
  const events = new EventQueue();
  const random = seededRandom(seed);
  const index = buildFleetIndex(simulatedFleet(2, 8, 64));
  const isolates = Array.from({ length: isolateCount }, () => new RouterState());
  const served = new Map<string, number>();
  let aborted = 0;
  let lost = 0;
  let duplicates = 0;
  for (let request = 0; request < requests; request += 1)
    events.at((request * 1000) / perSecond, (nowMs) => {
      const state = isolates[Math.floor(random() * isolateCount)];
      if (state === undefined) throw new Error("no isolate");
      const clusters = [...state.clusters(index).values()];
      const wanted = { model: "m", from: null, region: null, promptTokens: 500, tokens: 700, homeKey: null };
      const chosen = choose(clusters, wanted, { tried: [], zones: state.zones, nowMs, random });
      if (chosen === null) throw new Error("nobody was left");
      const name = `${chosen.cluster} ${chosen.id}`;
      served.set(name, (served.get(name) ?? 0) + 1);
      const lease = state.inFlight.take(chosen.known.occupancy, wanted.tokens, nowMs);
      const lot = random();
      // Gone before the first byte, gone in mid-stream, never settled, settled twice, or as it should be.
      if (lot < 0.1) {
        aborted += 1;
        events.at(nowMs + random() * 500, () => lease.release());
        return;
      }
      events.at(nowMs + 300, (beganMs) => lease.began(beganMs));
      if (lot < 0.12) {
        lost += 1;
        return;
      }
      if (lot < 0.25) duplicates += 1;
      settle(events, lease, nowMs + 300 - meanMs * Math.log(1 - random()), lot < 0.25 ? 3 : 1);
    });
  events.run();
  const endMs = events.nowMs + 2 * streamingTtlMs;
  let leases = 0;
  let tokens = 0;
  for (const state of isolates) {
    state.inFlight.expire(endMs);
    leases += state.inFlight.size;
    for (const { replicas } of state.clusters(index).values())
      for (const { known } of replicas)
        tokens += Math.abs(known.occupancy.tokens) + Math.abs(known.occupancy.requests);
  }
  const counts = [...served.values()];
  return {
    requests,
    aborted,
    lost,
    duplicates,
    leases,
    tokens,
    spread: Math.max(...counts) / (requests / 16),
  };
}

function settle(events: EventQueue, lease: Lease, atMs: number, times: number): void {
  for (let time = 0; time < times; time += 1) events.at(atMs + time * 50, () => lease.release());
}
