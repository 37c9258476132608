import { expect, test } from "vitest";
import { choose } from "../choice/choose.ts";
import { ZoneHealth } from "../choice/zone-health.ts";
import { SimulatedFleet } from "./simulated-fleet-fixture.ts";

const wanted = { model: "m", from: null, region: null, promptTokens: 80, tokens: 100, homeKey: null };

/** Requests at random isolates, each to where the real choice sends it. Returns how many each replica got. */
function traffic(
  fleet: SimulatedFleet,
  { perSecond, seconds, runsMs }: { perSecond: number; seconds: number; runsMs: () => number },
  pick: "choice" | "lot" = "choice",
): Map<string, number> {
  const { clock, random, isolates } = fleet;
  const counts = new Map<string, number>();
  const endMs = clock.nowMs + seconds * 1000;
  const burst = (): void => {
    for (let at = 0; at < perSecond / 100; at += 1) {
      const isolate = isolates[Math.floor(random() * isolates.length)];
      if (isolate === undefined || isolate.isDead) continue;
      const cluster = isolate.cluster();
      const replica =
        pick === "choice"
          ? choose([cluster], wanted, { tried: [], zones: new ZoneHealth(), nowMs: clock.nowMs, random })
          : cluster.replicas[Math.floor(random() * cluster.replicas.length)];
      if (replica === null || replica === undefined) throw new Error("there are replicas");
      counts.set(replica.id, (counts.get(replica.id) ?? 0) + 1);
      fleet.request(isolate, replica, 300, runsMs());
    }
    if (clock.nowMs + 10 < endMs) clock.at(clock.nowMs + 10, burst);
  };
  clock.at(clock.nowMs, burst);
  return counts;
}

function spread(counts: ReadonlyMap<string, number>): number {
  const all = [...counts.values()];
  return Math.max(...all) / (all.reduce((sum, count) => sum + count, 0) / all.length);
}

test.each([100, 330])(
  "2,000 isolates in %i locations at 10,000 requests a second, all at once from nothing: one pool sees at most 200 calls in any second",
  { timeout: 120_000 },
  async (locations) => {
    const fleet = new SimulatedFleet({
      // How many they are changes nothing in how often is called, but much in what the test takes.
      replicas: 16,
      slots: 2048,
      locations,
      isolates: 2000,
      lost: 0.01,
      repeated: 0.01,
      hasMetrics: true,
    });
    traffic(fleet, { perSecond: 10_000, seconds: 30, runsMs: () => 500 + fleet.random() * 1500 }, "lot");
    const startMs = fleet.clock.nowMs;
    await fleet.clock.runUntil(startMs + 30_000);
    expect(fleet.mostCalls).toBeLessThanOrEqual(200);
    // Nobody was forgotten over that: every isolate routes from a snapshot of seconds ago.
    const ages = fleet.isolates.map(
      ({ link }) => fleet.clock.nowMs - (link.fresh(fleet.clock.nowMs)?.atMs ?? 0),
    );
    expect(Math.max(...ages)).toBeLessThan(8000);
  },
);

test(
  "no drift and no herd: 100,000 requests over lossy links and dying isolates are counted right, and spread evenly",
  {
    timeout: 120_000,
  },
  async () => {
    for (const hasMetrics of [true, false]) {
      const fleet = new SimulatedFleet({
        replicas: 8,
        slots: 64,
        locations: 8,
        isolates: 64,
        lost: 0.2,
        repeated: 0.2,
        hasMetrics,
      });
      const { clock, random } = fleet;
      // A tenth is aborted at once, the others take their time: some 300 at a time.
      const counts = traffic(fleet, {
        perSecond: 500,
        seconds: 100,
        runsMs: () => (random() < 0.1 ? 1 : 200 + random() * 1000),
      });
      for (let second = 10; second < 100; second += 10)
        clock.at(clock.nowMs + second * 1000, () => {
          const at = Math.floor(random() * fleet.isolates.length);
          const dead = fleet.isolates[at];
          if (dead === undefined) throw new Error("there are isolates");
          dead.isDead = true;
          fleet.isolates[at] = fleet.born(dead.location);
        });
      const startMs = clock.nowMs;
      await clock.runUntil(startMs + 99_000);
      expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(49_000);
      expect(spread(counts)).toBeLessThanOrEqual(1.25);
      // While all goes on, the picture is near the truth, with what the engines say.
      const running = [...fleet.truth.values()].reduce((sum, count) => sum + count, 0);
      const seen = fleet.pool.snapshot(clock.nowMs).replicas.reduce((sum, view) => sum + view.running, 0);
      if (hasMetrics) expect(Math.abs(seen - running)).toBeLessThan(0.2 * running);
      // All have ended, and the dead ones' leases have run out: nothing is left, though a third of the messages were lost.
      await clock.runUntil(startMs + 200_000);
      expect([...fleet.truth.values()].every((count) => count === 0)).toBe(true);
      expect(fleet.pool.leases).toBe(0);
    }
  },
);
