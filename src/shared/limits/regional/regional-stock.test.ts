import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bucketName } from "../bucket-name.ts";
import { resolveLimits } from "../defaults.ts";
import { mostLent } from "../loan-policy.ts";
import type { Reservation } from "../ports.ts";
import { amounts, tenantWith, use, within } from "../simulated-turns.ts";
import { FakeClock, SimulatedBuckets } from "../simulated-world.ts";
import { farWorld, org } from "./far-world-fixture.ts";
import { paris, SimulatedRegions, sydney } from "./simulated-regions.ts";
import { stockOf, stockPolicy } from "./stock-policy.ts";

describe("what a stock holds", () => {
  const capacity = fc.integer({ min: 1, max: 10_000_000 });

  test("is a quarter of what may be lent at most, under any limits; its loans are no larger than an isolate's own", () => {
    fc.assert(
      fc.property(capacity, capacity, fc.integer({ min: 1, max: 30_000 }), capacity, (a, b, c, d) => {
        const rules = [
          { name: "r", unit: "requests", capacity: a, windowMs: 60_000 },
          { name: "t", unit: "tokens", capacity: b * 100, windowMs: 60_000 },
          { name: "c", unit: "slots", capacity: c, windowMs: 0 },
          { name: "m", unit: "microdollars", capacity: d * 100, windowMs: 60_000 },
        ] as const;
        const stock = stockOf(rules);
        if (stock === null) return;
        expect(stock.most).toBeGreaterThanOrEqual(1);
        expect(stock.most).toBeLessThanOrEqual(stockPolicy.most);
        for (const { unit } of rules) {
          expect(stock.block[unit] * stock.most).toBeLessThanOrEqual(mostLent(rules, unit) / 4);
          expect(stock.block[unit]).toBeGreaterThan(0);
        }
      }),
    );
  });

  test("is forfeited when it is killed, that and no more; the others find the bucket as always", async () => {
    const { clock, buckets, regions, tenant, done } = farWorld();
    const stock = resolveLimits(tenant, "org", "pro").stock;
    if (stock === null) throw new Error("no stock");
    await done();
    await clock.advance(1_500);
    await done();
    await clock.advance(5_000);
    await done();
    regions.kill();
    await done();
    await clock.advance(200_000);
    await done(0, {}, null);
    await clock.advance(5_000);
    const { usage } = buckets.inspect(org, []);
    expect(usage.settled).toEqual(amounts(5, 500));
    expect(usage.unsettled.requests).toBeLessThanOrEqual(stock.most * stock.block.requests);
    expect(usage.unsettled.tokens).toBeLessThanOrEqual(stock.most * stock.block.tokens);
    expect(usage.reserved).toEqual(amounts(0, 0));
  });

  test("a settings change reaches the next loans that it borrows", async () => {
    const clock = new FakeClock();
    const buckets = new SimulatedBuckets(clock);
    const regions = new SimulatedRegions(buckets);
    const at = { region: "weur", tier: "pro", bucket: { name: org, jurisdiction: "none" } } as const;
    const draw = (requests: number, id: string) => {
      const { rules, leaseMs, timeZone, stock } = resolveLimits(
        tenantWith({ org: { pro: { requests_per_minute: requests } } }),
        "org",
        "pro",
      );
      if (stock === null) throw new Error("no stock");
      const terms = { rules, leaseMs, timeZone };
      return within(clock, regions.port.draw(at, { version: 1, id, bucket: at.bucket, terms, ...stock }));
    };
    expect((await draw(10_000, "a")).loan).toBeNull();
    await clock.advance(100);
    expect((await draw(10_000, "b")).loan?.block.requests).toBe(25);
    await clock.advance(7_000);
    await draw(20_000, "c");
    await clock.advance(7_000);
    expect((await draw(20_000, "d")).loan?.block.requests).toBe(50);
  });
});

test("asked again by the same id it hands out the same loan, and no loan twice", async () => {
  const { clock, regions } = farWorld();
  const at = { region: "weur", tier: "pro", bucket: { name: org, jurisdiction: "none" } } as const;
  const { rules, leaseMs, timeZone, stock } = resolveLimits(tenantWith({}), "org", "pro");
  if (stock === null) throw new Error("no stock");
  const terms = { rules, leaseMs, timeZone };
  const draw = async (id: string) =>
    (await within(clock, regions.port.draw(at, { version: 1, id, bucket: at.bucket, terms, ...stock }))).loan
      ?.id;
  const seen = new Map<string, string | undefined>();
  for (let times = 0; times < 60; times += 1) {
    const id = `d${times}`;
    const loan = await draw(id);
    if (loan !== undefined) {
      expect([...seen.values()]).not.toContain(loan);
      expect(await draw(id)).toBe(loan);
    }
    seen.set(id, loan);
    await clock.advance(times % 7 === 0 ? 900 : 60);
  }
  expect([...seen.values()].filter((loan) => loan !== undefined).length).toBeGreaterThan(20);
  const other = { name: bucketName("other", "org", "research"), jurisdiction: "none" } as const;
  await expect(
    Promise.all([
      regions.port.draw(at, { version: 1, id: "x", bucket: other, terms, ...stock }),
      clock.advance(100),
    ]),
  ).rejects.toThrow("is not the bucket that this stock borrows from");
});

test("two regions never lend more than one bucket would, and everything is equal in the end", async () => {
  const { clock, buckets, tenant, ask, background } = farWorld(4);
  const { rules } = resolveLimits(tenant, "org", "pro");
  const held: Reservation[] = [];
  for (let round = 0; round < 60; round += 1) {
    const asked = Array.from({ length: 12 }, (_, at) => ask(at % 4, {}, at % 2 === 0 ? paris : sydney));
    for (const one of await within(clock, Promise.all(asked), 3_000)) if (one.ok) held.push(one.value);
    const { lent } = buckets.inspect(org, []);
    for (const unit of ["requests", "tokens", "slots", "microdollars"] as const)
      expect(lent[unit]).toBeLessThanOrEqual(mostLent(rules, unit));
    for (const reservation of held.splice(0, round % 3 === 0 ? 30 : 5)) reservation.settle(use(50));
    await clock.advance((round * 137) % 900);
  }
  for (const reservation of held) reservation.settle(use(50));
  await clock.advance(120_000);
  const { usage, lent } = buckets.inspect(org, []);
  expect(usage.settled.tokens).toBe(usage.settled.requests * 50);
  expect(usage.settled.requests).toBeGreaterThan(600);
  expect(usage.unsettled).toEqual(amounts(0, 0));
  expect(usage.reserved).toEqual(amounts(0, 0));
  expect(lent).toEqual(amounts(0, 0));
  expect(background.failures).toEqual([]);
});
