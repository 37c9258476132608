import * as fc from "fast-check";
import { expect, test } from "vitest";
import { InFlight, leaseTtlMs, type Lease } from "./in-flight.ts";

test("a forgotten lease ends by itself", () => {
  const occupancy = { requests: 0, tokens: 0 };
  const inFlight = new InFlight();
  const lease = inFlight.take(occupancy, 7, 0);
  inFlight.expire(leaseTtlMs - 1);
  expect(occupancy).toEqual({ requests: 1, tokens: 7 });
  inFlight.expire(leaseTtlMs);
  lease.release();
  expect(occupancy).toEqual({ requests: 0, tokens: 0 });
});

test("counts are what is held, after any mix of takes, releases, repeats and expiry", () => {
  const step = fc.record({
    replica: fc.nat({ max: 2 }),
    tokens: fc.nat({ max: 100 }),
    release: fc.option(fc.nat({ max: 50 })),
    afterMs: fc.nat({ max: leaseTtlMs / 10 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const occupancies = [0, 1, 2].map(() => ({ requests: 0, tokens: 0 }));
      const inFlight = new InFlight();
      const taken: { lease: Lease; replica: number; tokens: number; atMs: number; released: boolean }[] = [];
      let nowMs = 0;
      for (const { replica, tokens, release, afterMs } of steps) {
        nowMs += afterMs;
        const occupancy = occupancies[replica];
        if (occupancy === undefined) throw new Error("no such replica");
        taken.push({
          lease: inFlight.take(occupancy, tokens, nowMs),
          replica,
          tokens,
          atMs: nowMs,
          released: false,
        });
        const chosen = release === null ? undefined : taken[release];
        if (chosen !== undefined) {
          chosen.lease.release();
          chosen.released = true;
        }
        const held = taken.filter((one) => !one.released && one.atMs + leaseTtlMs > nowMs);
        for (const [at, counts] of occupancies.entries()) {
          const mine = held.filter((one) => one.replica === at);
          expect(counts).toEqual({
            requests: mine.length,
            tokens: mine.reduce((sum, one) => sum + one.tokens, 0),
          });
        }
      }
    }),
  );
});
