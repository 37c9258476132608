import * as fc from "fast-check";
import { expect, test } from "vitest";
import { LeaseLedger, leaseTtlMs } from "./lease-ledger.ts";
import type { LeaseReport, OpenLease } from "./pool-protocol.ts";
import { seeded } from "./seeded-fixture.ts";

function report(sequence: number, open: readonly number[], change: Partial<LeaseReport> = {}): LeaseReport {
  return {
    v: 1,
    source: "isolate",
    sequence,
    issued: Math.max(0, ...open),
    open: open.map((number): OpenLease => [number, "r1", 100, 0]),
    asking: [],
    outcomes: [],
    reason: "report",
    ...change,
  };
}

test("a report replaces what the isolate had open, and one that comes twice or late changes nothing", () => {
  const ledger = new LeaseLedger();
  ledger.apply(report(1, [1, 2]), 0);
  expect(ledger.at("r1")).toEqual({ leases: 2, tokens: 200 });
  expect(ledger.apply(report(3, [2, 3]), 10)).toBe(true);
  for (const late of [report(1, [1, 2]), report(2, [1, 2, 3]), report(3, [2, 3])])
    expect(ledger.apply(late, 20)).toBe(false);
  expect(ledger.size).toBe(2);
  ledger.apply(report(4, [], { issued: 3 }), 30);
  expect([ledger.size, ledger.at("r1")]).toEqual([0, { leases: 0, tokens: 0 }]);
});

test("a lease whose prompt is computed counts with what is left of it, and leaves nothing behind", () => {
  const ledger = new LeaseLedger();
  ledger.apply(report(1, [1, 2]), 0);
  ledger.apply(
    report(2, [], {
      issued: 2,
      open: [
        [1, "r1", 30, 500],
        [2, "r1", 100, 500],
      ],
    }),
    10,
  );
  expect(ledger.at("r1")).toEqual({ leases: 2, tokens: 130 });
  ledger.apply(report(3, [], { issued: 2 }), 20);
  expect(ledger.at("r1")).toEqual({ leases: 0, tokens: 0 });
});

test("a granted lease that the isolate does not know of yet survives its reports, and ends if it is never named", () => {
  const ledger = new LeaseLedger();
  ledger.apply(report(1, [], { issued: 4, asking: [4] }), 0);
  ledger.grant("isolate", 4, "r1", 50, 5);
  ledger.grant("isolate", 4, "r1", 50, 6);
  ledger.grant("isolate", 5, "r1", 50, 6);
  ledger.apply(report(2, [], { issued: 4, asking: [4] }), 10);
  expect(ledger.size).toBe(2);
  ledger.apply(report(3, [4], { issued: 5 }), 20);
  expect(ledger.size).toBe(1);
  ledger.grant("isolate", 6, "r1", 50, 30);
  ledger.expire(30 + 14_999);
  expect(ledger.size).toBe(2);
  ledger.expire(30 + 15_000);
  expect(ledger.size).toBe(1);
});

test("an isolate that died holds nothing for longer than its work could take", () => {
  const ledger = new LeaseLedger();
  ledger.apply(report(1, [1, 2]), 0);
  ledger.expire(leaseTtlMs(100) - 1);
  expect(ledger.size).toBe(2);
  ledger.expire(leaseTtlMs(100));
  expect(ledger.size).toBe(0);
  ledger.expire(leaseTtlMs(100) + 120_000);
  expect(ledger.sources).toBe(0);
});

test("an end that overtakes its beginning is an end", () => {
  const ledger = new LeaseLedger();
  ledger.end("isolate", 7, 0);
  expect(ledger.isOver("isolate", 7)).toBe(true);
  expect(ledger.isOver("isolate", 8)).toBe(false);
  ledger.apply(report(1, [], { issued: 8, asking: [8] }), 10);
  expect([7, 8, 9].map((number) => ledger.isOver("isolate", number))).toEqual([true, false, false]);
});

/** Isolates that take and end leases, and a network that loses, repeats and delays their reports. */
test("after 100,000 requests with aborts, lost, late and repeated reports and dying isolates, what is counted is the truth", () => {
  const random = seeded(20_261_122);
  const ledger = new LeaseLedger();
  const replicas = Array.from({ length: 8 }, (_, at) => `r${at}`);
  const isolates: { name: string; issued: number; sequence: number; open: Map<number, OpenLease> }[] = [];
  const born = () => ({ name: `isolate ${random()}`, issued: 0, sequence: 0, open: new Map() });
  for (let at = 0; at < 64; at += 1) isolates.push(born());
  const underWay: { report: LeaseReport; atMs: number }[] = [];
  const running: { isolate: (typeof isolates)[number]; number: number; endMs: number }[] = [];
  let nowMs = 0;
  const send = (isolate: (typeof isolates)[number], isLossy: boolean): void => {
    isolate.sequence += 1;
    const made: LeaseReport = {
      ...report(isolate.sequence, []),
      source: isolate.name,
      issued: isolate.issued,
      open: [...isolate.open.values()],
    };
    const copies = isLossy ? (random() < 0.2 ? 0 : random() < 0.2 ? 2 : 1) : 1;
    for (let copy = 0; copy < copies; copy += 1)
      underWay.push({ report: made, atMs: nowMs + (isLossy ? random() * 3000 : 0) });
  };
  const deliver = (): void => {
    underWay.sort((left, right) => left.atMs - right.atMs);
    while ((underWay[0]?.atMs ?? Infinity) <= nowMs) {
      const next = underWay.shift();
      if (next !== undefined) ledger.apply(next.report, nowMs);
    }
  };
  for (let request = 0; request < 100_000; request += 1) {
    nowMs += random() * 4;
    const isolate = isolates[Math.floor(random() * isolates.length)];
    if (isolate === undefined) throw new Error("there are isolates");
    isolate.issued += 1;
    const number = isolate.issued;
    const replica = replicas[Math.floor(random() * replicas.length)] ?? "r0";
    isolate.open.set(number, [number, replica, 100, 0]);
    // A tenth is aborted at once.
    running.push({ isolate, number, endMs: nowMs + (random() < 0.1 ? 1 : random() * 2000) });
    if (request % 50 === 0) {
      for (const ended of running.filter(({ endMs }) => endMs <= nowMs))
        ended.isolate.open.delete(ended.number);
      running.splice(0, running.length, ...running.filter(({ endMs }) => endMs > nowMs));
      for (const each of isolates) if (random() < 0.1) send(each, true);
      deliver();
    }
    if (request % 5000 === 4999) {
      // One dies with all that it had open, and another takes its place.
      const at = Math.floor(random() * isolates.length);
      const dead = isolates[at];
      isolates[at] = born();
      running.splice(0, running.length, ...running.filter((each) => each.isolate !== dead));
    }
    if (request % 1000 === 0) ledger.expire(nowMs);
  }
  nowMs += 5000;
  deliver();
  for (const each of isolates) send(each, false);
  deliver();
  // The dead ones are forgotten by their leases' time alone.
  nowMs += leaseTtlMs(100);
  for (const each of isolates) send(each, false);
  deliver();
  ledger.expire(nowMs);
  const truth = new Map<string, number>();
  for (const { open } of isolates)
    for (const [, replica] of open.values()) truth.set(replica, (truth.get(replica) ?? 0) + 1);
  expect(truth.size).toBe(8);
  expect(new Map(replicas.map((replica) => [replica, ledger.at(replica).leases]))).toEqual(truth);
  expect(ledger.size).toBe([...truth.values()].reduce((sum, count) => sum + count, 0));
});

test("tallies are the sum of the leases after any mix of reports, grants, ends and time", () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("report" as const),
      sequence: fc.nat({ max: 20 }),
      open: fc.array(fc.nat({ max: 12 }), { maxLength: 6 }),
      asking: fc.array(fc.nat({ max: 12 }), { maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant("grant" as const), number: fc.nat({ max: 12 }) }),
    fc.record({ kind: fc.constant("end" as const), number: fc.nat({ max: 12 }) }),
    fc.record({ kind: fc.constant("time" as const), ms: fc.nat({ max: 100_000 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const moves = { count: 0 };
      const ledger = new LeaseLedger(({ change }) => (moves.count += change));
      let nowMs = 0;
      for (const each of steps) {
        if (each.kind === "report")
          ledger.apply(report(each.sequence, each.open, { asking: each.asking }), nowMs);
        else if (each.kind === "grant") ledger.grant("isolate", each.number, "r1", 100, nowMs);
        else if (each.kind === "end") ledger.end("isolate", each.number, nowMs);
        else ledger.expire((nowMs += each.ms));
        expect(ledger.at("r1")).toEqual({ leases: ledger.size, tokens: ledger.size * 100 });
        expect(moves.count).toBe(ledger.size);
      }
    }),
  );
});
