import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Amounts, type BucketOperation, type BucketOutcome, noAmounts } from "./bucket-protocol.ts";
import { leaseMs, rememberMs } from "./bucket-durability.ts";
import { KeptBucket } from "./kept-bucket.ts";
import type { LimitRule } from "./level.ts";
import { amounts } from "./simulated-turns.ts";

const rules: LimitRule[] = [
  { name: "requests_per_minute", unit: "requests", capacity: 20, windowMs: 60_000 },
  { name: "requests_per_hour", unit: "requests", capacity: 100, windowMs: 3_600_000 },
  { name: "tokens_per_minute", unit: "tokens", capacity: 10_000, windowMs: 60_000 },
];
const nothing = noAmounts;

function reserve(id: string, tokens: number, requests = 1): BucketOperation {
  return { type: "reserve", id, total: amounts(requests, tokens), ttlMs: 600_000, lend: false };
}

function settle(
  id: string,
  receipt: number | null,
  used: Amounts,
  more: { sequence?: number; held?: Amounts; granted?: Amounts } = {},
): BucketOperation {
  return {
    type: "settle",
    id,
    receipt,
    sequence: more.sequence ?? 1,
    used,
    models: [],
    held: more.held ?? nothing,
    granted: more.granted ?? used,
    ended: true,
  };
}

/** A bucket and its disk. */
class Kept {
  disk: string | null = null;
  now = 1_800_000_000_000;
  writes = 0;
  bucket = new KeptBucket(null, this.now);

  do(operation: BucketOperation): BucketOutcome {
    const { reply, write } = this.bucket.apply(
      { version: 1, rules, leaseMs: 60_000, timeZone: "UTC", operations: [operation], acknowledge: "now" },
      this.now,
    );
    if (write !== null) this.#write(write);
    const [outcome] = reply.outcomes;
    if (outcome === undefined) throw new Error("no outcome");
    return outcome;
  }

  grant(id: string, tokens: number): number {
    const outcome = this.do(reserve(id, tokens));
    if (outcome.type !== "granted") throw new Error(outcome.type);
    return outcome.receipt;
  }

  rest(): void {
    const snapshot = this.bucket.rest(this.now);
    if (snapshot !== null) this.#write(snapshot);
  }

  restart(): void {
    this.bucket = new KeptBucket(this.disk, this.now);
  }

  remaining(bucket = this.bucket): number[] {
    return bucket.inspect(rules, this.now).limits.map((limit) => limit.remaining);
  }

  usage() {
    return this.bucket.inspect(rules, this.now).usage;
  }

  #write(snapshot: string): void {
    this.disk = snapshot;
    this.writes += 1;
  }
}

test("all limits or none: a refusal by one charges no other", () => {
  const kept = new Kept();
  expect(kept.do(reserve("a", 10_001))).toMatchObject({ type: "refused", limit: "tokens_per_minute" });
  expect(kept.remaining()).toEqual([20, 100, 10_000]);
  expect(kept.writes).toBe(0);
});

test("the same id reserves once, and is raised but never lowered", () => {
  const kept = new Kept();
  const receipt = kept.grant("a", 500);
  expect(kept.grant("a", 500)).toBe(receipt);
  expect(kept.grant("a", 800)).toBe(receipt);
  expect(kept.grant("a", 100)).toBe(receipt);
  expect(kept.usage().reserved).toEqual(amounts(1, 800));
});

test("a report that was overtaken by a newer one is a duplicate", () => {
  const kept = new Kept();
  const receipt = kept.grant("loan", 1_000);
  const held = amounts(1, 400);
  kept.do(settle("loan", receipt, amounts(0, 300), { sequence: 2, held }));
  const late = settle("loan", receipt, amounts(0, 100), { sequence: 1, held: amounts(1, 900) });
  expect(kept.do(late).type).toBe("duplicate");
  expect(kept.usage()).toMatchObject({ settled: { tokens: 300 }, reserved: { tokens: 400 } });
});

test("more used than reserved is charged as a debt, above the limit too", () => {
  const kept = new Kept();
  const receipt = kept.grant("a", 9_000);
  kept.do(settle("a", receipt, amounts(1, 14_000)));
  expect(kept.usage().settled.tokens).toBe(14_000);
  expect(kept.do(reserve("b", 1))).toMatchObject({ type: "refused", remaining: 0 });
});

test("what was used without asking is charged once, however often it is told", () => {
  const kept = new Kept();
  kept.do(settle("debt", null, amounts(1, 700)));
  expect(kept.do(settle("debt", null, amounts(1, 700))).type).toBe("duplicate");
  kept.restart();
  expect(kept.do(settle("debt", null, amounts(1, 700))).type).toBe("duplicate");
  expect(kept.usage().settled).toEqual(amounts(1, 700));
});

test("a reservation that comes after its asker gave up is not granted, until the id may be used anew", () => {
  const kept = new Kept();
  kept.do(settle("a", null, nothing));
  expect(kept.do(reserve("a", 100)).type).toBe("closed");
  kept.now += 11_000;
  expect(kept.do(reserve("a", 100)).type).toBe("granted");
});

test("never settled: it stays charged at its estimate, as unsettled", () => {
  const kept = new Kept();
  const receipt = kept.grant("a", 500);
  kept.now += 700_000;
  kept.rest();
  expect(kept.usage()).toMatchObject({ reserved: nothing, unsettled: { requests: 1, tokens: 500 } });
  expect(kept.do(settle("a", receipt, amounts(1, 10))).type).toBe("duplicate");
});

test("changing limits in mid-flight keeps what was used", () => {
  const kept = new Kept();
  for (let index = 0; index < 15; index += 1) kept.grant(`c${index}`, 10);
  const tighter = rules.map((rule) => ({ ...rule, capacity: rule.capacity / 2 }));
  expect(kept.bucket.inspect(tighter, kept.now).limits.map((limit) => limit.remaining)).toEqual([
    0, 35, 4_850,
  ]);
  const wider = rules.map((rule) => ({ ...rule, capacity: rule.capacity * 2 }));
  expect(kept.bucket.inspect(wider, kept.now).limits.map((limit) => limit.remaining)).toEqual([
    25, 185, 19_850,
  ]);
});

const operation = fc.record({
  waitMs: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 300_000 })),
  id: fc.integer({ min: 0, max: 30 }),
  action: fc.constantFrom("reserve", "reserve", "reserve", "settle", "debt", "rest"),
  tokens: fc.integer({ min: 0, max: 3_000 }),
  share: fc.double({ min: 0, max: 1.5, noNaN: true }),
});

test("killed after any operation, a bucket never has more left than it had; evicted, exactly as much", () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const kept = new Kept();
      const receipts = new Map<number, { receipt: number; tokens: number }>();
      for (const { waitMs, id, action, tokens, share } of operations) {
        kept.now += waitMs;
        if (action === "rest") kept.rest();
        else if (action === "debt") kept.do(settle(`d${id}`, null, amounts(1, tokens)));
        else if (action === "reserve") {
          const outcome = kept.do(reserve(`c${id}`, tokens));
          if (outcome.type === "granted") receipts.set(id, { receipt: outcome.receipt, tokens });
        } else {
          const known = receipts.get(id);
          if (known) kept.do(settle(`c${id}`, known.receipt, amounts(1, Math.floor(known.tokens * share))));
        }
        const before = kept.remaining();
        const killed = kept.remaining(new KeptBucket(kept.disk, kept.now));
        if (kept.disk !== null)
          for (const [index, left] of killed.entries()) expect(left).toBeLessThanOrEqual(before[index] ?? 0);
        if (action !== "rest") continue;
        expect(killed).toEqual(before);
      }
    }),
    { numRuns: 1_000 },
  );
});

test("at most eight writes fill a window, and none is needed below the mark", () => {
  const kept = new Kept();
  let granted = 0;
  for (let index = 0; index < 200; index += 1) {
    kept.now += 10;
    if (kept.do(reserve(`c${index}`, 400)).type === "granted") granted += 1;
  }
  expect(granted).toBe(20);
  expect(kept.writes).toBeLessThanOrEqual(9);
});

test("a crash costs a limit at most its head-room, and that leaks away", () => {
  const kept = new Kept();
  kept.grant("a", 1_000);
  kept.restart();
  expect(kept.remaining()).toEqual([16, 86, 7_750]);
  kept.now += leaseMs + 60_000;
  expect(kept.remaining()[2]).toBe(10_000);
});

test("a bucket that nobody used for a day, with nothing open, can be forgotten", () => {
  const kept = new Kept();
  const receipt = kept.grant("a", 100);
  expect(kept.bucket.isForgettable(kept.now + rememberMs)).toBe(false);
  kept.do(settle("a", receipt, amounts(1, 100)));
  expect(kept.bucket.isForgettable(kept.now + rememberMs - 1)).toBe(false);
  expect(kept.bucket.isForgettable(kept.now + rememberMs)).toBe(true);
});

test("a snapshot survives its own encoding, and a strange one is refused", () => {
  const kept = new Kept();
  kept.grant("a", 100);
  expect(() => new KeptBucket('{"version":2}', kept.now)).toThrow();
  kept.rest();
  const restored = new KeptBucket(kept.disk, kept.now);
  expect(restored.inspect(rules, kept.now)).toEqual(kept.bucket.inspect(rules, kept.now));
});
