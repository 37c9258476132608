import * as fc from "fast-check";
import { expect, test } from "vitest";
import { InFlight, streamingTtlMs, waitingTtlMs, type Lease } from "./in-flight.ts";

test("a forgotten lease ends by itself", () => {
  const occupancy = { requests: 0, tokens: 0 };
  const inFlight = new InFlight();
  const lease = inFlight.take(occupancy, 7, 0);
  inFlight.expire(waitingTtlMs - 1);
  expect(occupancy).toEqual({ requests: 1, tokens: 7 });
  inFlight.expire(waitingTtlMs);
  lease.release();
  lease.began(waitingTtlMs);
  expect(occupancy).toEqual({ requests: 0, tokens: 0 });
  expect(inFlight.size).toBe(0);
});

test("a stream is held for longer than a wait", () => {
  const occupancy = { requests: 0, tokens: 0 };
  const inFlight = new InFlight();
  inFlight.take(occupancy, 7, 0).began(10);
  inFlight.expire(10 + streamingTtlMs - 1);
  expect(occupancy.requests).toBe(1);
  inFlight.expire(10 + streamingTtlMs);
  expect(occupancy).toEqual({ requests: 0, tokens: 0 });
});

test("one that waited for longer than leases do counts again with its first byte, as long as its stream lasts", () => {
  const occupancy = { requests: 0, tokens: 0 };
  const inFlight = new InFlight();
  const lease = inFlight.take(occupancy, 7, 0);
  inFlight.expire(waitingTtlMs);
  expect(occupancy).toEqual({ requests: 0, tokens: 0 });
  expect(lease.began(waitingTtlMs + 5, 3)).toBe(waitingTtlMs + 5);
  expect(occupancy).toEqual({ requests: 1, tokens: 3 });
  expect([...inFlight.held()].map(({ number }) => number)).toEqual([1]);
  lease.release();
  expect(occupancy).toEqual({ requests: 0, tokens: 0 });
});

test("from the first byte on only the answer's tokens are counted", () => {
  const occupancy = { requests: 0, tokens: 0 };
  const inFlight = new InFlight();
  const lease = inFlight.take(occupancy, 1000, 0);
  expect(lease.began(300, 200)).toBe(300);
  expect(lease.began(400, 100)).toBe(400);
  expect([occupancy.tokens, ...[...inFlight.held()].map(({ tokens }) => tokens)]).toEqual([200, 200]);
  lease.release();
  expect(occupancy).toEqual({ requests: 0, tokens: 0 });
});

test("counts are what is held, after any mix of takes, beginnings, releases, repeats and expiry", () => {
  const step = fc.record({
    replica: fc.nat({ max: 2 }),
    tokens: fc.nat({ max: 100 }),
    begin: fc.option(fc.nat({ max: 50 })),
    release: fc.option(fc.nat({ max: 50 })),
    afterMs: fc.oneof(fc.nat({ max: waitingTtlMs / 5 }), fc.nat({ max: streamingTtlMs / 5 })),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const occupancies = [0, 1, 2].map(() => ({ requests: 0, tokens: 0 }));
      const inFlight = new InFlight();
      const taken: { lease: Lease; replica: number; tokens: number; endMs: number; ready: boolean }[] = [];
      let nowMs = 0;
      for (const { replica, tokens, begin, release, afterMs } of steps) {
        nowMs += afterMs;
        const occupancy = occupancies[replica];
        if (occupancy === undefined) throw new Error("no such replica");
        const lease = inFlight.take(occupancy, tokens, nowMs);
        taken.push({ lease, replica, tokens, endMs: nowMs + waitingTtlMs, ready: true });
        const beginning = begin === null ? undefined : taken[begin];
        beginning?.lease.began(nowMs);
        if (beginning?.ready === true) {
          beginning.ready = false;
          beginning.endMs = nowMs + streamingTtlMs;
        }
        const ending = release === null ? undefined : taken[release];
        ending?.lease.release();
        if (ending !== undefined) Object.assign(ending, { endMs: 0, ready: false });
        const held = taken.filter((one) => one.endMs > nowMs);
        expect(inFlight.size).toBe(held.length);
        for (const [at, counts] of occupancies.entries()) {
          const mine = held.filter((one) => one.replica === at);
          const sum = mine.reduce((total, one) => total + one.tokens, 0);
          expect(counts).toEqual({ requests: mine.length, tokens: sum });
        }
      }
    }),
  );
});
