import * as fc from "fast-check";
import { expect, test } from "vitest";
import { AdmissionQueue, type Waiting } from "./admission-queue.ts";

let made = 0;
function entry(tenant: string, change: Partial<Waiting> = {}): Waiting {
  made += 1;
  return {
    key: `k${made}`,
    source: "isolate",
    number: made,
    tenant,
    tier: "pro",
    model: "m",
    tokens: 100,
    excluded: [],
    sinceMs: made,
    untilMs: 1e9,
    ...change,
  };
}

const anyone = (): boolean => true;

function served(queue: AdmissionQueue, count: number): string[] {
  return Array.from({ length: count }, () => queue.take(anyone)?.tenant ?? "nobody");
}

test("one that floods waits behind its own requests: whoever comes is next", () => {
  const queue = new AdmissionQueue();
  for (let at = 0; at < 50; at += 1) queue.join(entry("flood"), 1000);
  expect(served(queue, 10)).toEqual(Array.from({ length: 10 }, () => "flood"));
  queue.join(entry("other"), 1000);
  queue.join(entry("other"), 1000);
  expect(served(queue, 5).filter((tenant) => tenant === "other")).toHaveLength(2);
});

test("one that has tried the only replica with room does not keep those behind it waiting, and is next all the same", () => {
  const queue = new AdmissionQueue();
  queue.join(entry("one", { key: "tried", excluded: ["r0"] }), 1000);
  queue.join(entry("one", { key: "behind" }), 1000);
  queue.join(entry("one", { key: "last" }), 1000);
  const atR0 = ({ excluded }: Waiting): boolean => !excluded.includes("r0");
  expect(queue.take(atR0)?.key).toBe("behind");
  expect(queue.take(anyone)?.key).toBe("tried");
  expect(queue.take(anyone)?.key).toBe("last");
});

test("fairness counts work, not requests", () => {
  const queue = new AdmissionQueue();
  for (let at = 0; at < 100; at += 1) {
    queue.join(entry("long", { tokens: 1000 }), 1000);
    queue.join(entry("short", { tokens: 100 }), 1000);
  }
  const first = served(queue, 44);
  expect(first.filter((tenant) => tenant === "short")).toHaveLength(40);
});

test("tiers share 4 : 2 : 1 within a tenant", () => {
  const queue = new AdmissionQueue();
  for (let at = 0; at < 100; at += 1)
    for (const tier of ["free", "pro", "enterprise"]) queue.join(entry("t", { tier }), 1000);
  const counts = new Map<string, number>();
  for (let at = 0; at < 70; at += 1) {
    const tier = queue.take(anyone)?.tier ?? "nobody";
    counts.set(tier, (counts.get(tier) ?? 0) + 1);
  }
  expect(counts.get("enterprise")).toBeGreaterThanOrEqual(39);
  expect(counts.get("enterprise")).toBeLessThanOrEqual(41);
  expect(counts.get("free")).toBeGreaterThanOrEqual(9);
  expect(counts.get("free")).toBeLessThanOrEqual(11);
});

test("a tenant that was idle has no credit from that time", () => {
  const queue = new AdmissionQueue();
  queue.join(entry("early"), 1000);
  queue.take(anyone);
  for (let at = 0; at < 100; at += 1) queue.join(entry("busy"), 1000);
  served(queue, 50);
  for (let at = 0; at < 100; at += 1) queue.join(entry("early"), 1000);
  expect(served(queue, 20).filter((tenant) => tenant === "early").length).toBeLessThanOrEqual(11);
});

test("where it is full the newest of the longest line gives way, and one's own where that is the longest", () => {
  const queue = new AdmissionQueue();
  const flood = Array.from({ length: 10 }, () => entry("flood"));
  for (const each of flood) expect(queue.join(each, 10)).toBeNull();
  const own = entry("flood");
  expect(queue.join(own, 10)).toBe(own);
  expect(queue.join(entry("other"), 10)).toBe(flood.at(-1));
  expect(queue.size).toBe(10);
});

test("who can't be served now does not keep others waiting, and keeps its place", () => {
  const queue = new AdmissionQueue();
  const picky = entry("a", { excluded: ["r1"] });
  queue.join(picky, 10);
  const easy = entry("b");
  queue.join(easy, 10);
  expect(queue.take(({ excluded }) => !excluded.includes("r1"))).toBe(easy);
  expect(queue.take(({ excluded }) => !excluded.includes("r1"))).toBeNull();
  expect(queue.take(anyone)).toBe(picky);
});

test("nobody is lost, served twice, or kept beyond its time, after any mix of joins, leaves, takes and time", () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("join" as const),
      tenant: fc.constantFrom("a", "b", "c"),
      tier: fc.constantFrom("free", "pro", "enterprise", "other"),
      waitMs: fc.nat({ max: 50 }),
    }),
    fc.record({ kind: fc.constant("leave" as const), at: fc.nat({ max: 30 }) }),
    fc.record({ kind: fc.constant("take" as const) }),
    fc.record({ kind: fc.constant("time" as const), ms: fc.nat({ max: 20 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const queue = new AdmissionQueue();
      const waiting = new Map<string, Waiting>();
      let nowMs = 0;
      for (const each of steps) {
        if (each.kind === "join") {
          const joining = entry(each.tenant, { tier: each.tier, untilMs: nowMs + each.waitMs });
          waiting.set(joining.key, joining);
          const gone = queue.join(joining, 8);
          if (gone !== null) expect(waiting.delete(gone.key)).toBe(true);
        } else if (each.kind === "leave") {
          const key = [...waiting.keys()][each.at];
          if (key === undefined) continue;
          expect(queue.remove(key)).toBe(waiting.get(key));
          waiting.delete(key);
          expect(queue.remove(key)).toBeNull();
        } else if (each.kind === "take") {
          const taken = queue.take(anyone);
          expect(taken === null).toBe(waiting.size === 0);
          if (taken !== null) expect(waiting.delete(taken.key)).toBe(true);
        } else {
          nowMs += each.ms;
          for (const { key, untilMs } of queue.takeExpired(nowMs)) {
            expect(untilMs).toBeLessThanOrEqual(nowMs);
            expect(waiting.delete(key)).toBe(true);
          }
        }
        expect(queue.size).toBe(waiting.size);
        expect(queue.tokens).toBe([...waiting.values()].reduce((sum, { tokens }) => sum + tokens, 0));
      }
    }),
  );
});
