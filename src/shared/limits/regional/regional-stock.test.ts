import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bucketName } from "../bucket-name.ts";
import { resolveLimits } from "../defaults.ts";
import { createLimitDesk } from "../limit-desk.ts";
import { mostLent } from "../loan-policy.ts";
import type { Reservation } from "../ports.ts";
import { amounts, tenantWith, turn, use, within } from "../simulated-turns.ts";
import { FakeClock, isolateOptions, SimulatedBuckets, strictBackground } from "../simulated-world.ts";
import { paris, SimulatedRegions, sydney } from "./simulated-regions.ts";
import { stockOf, stockPolicy } from "./stock-policy.ts";

const org = bucketName("acme", "org", "research");
const farMs = 200;
const nearMs = 10;

/** The org's bucket is far from everybody, users' are near. */
function world(isolates = 1, limits: object = {}, jurisdiction: "none" | "eu" = "none") {
  const clock = new FakeClock();
  const buckets = new SimulatedBuckets(clock);
  buckets.fate = ({ name }) => ({ fate: "delivered", delayMs: name === org ? farMs : 2 });
  const regions = new SimulatedRegions(buckets);
  const tenant = { ...tenantWith(limits), jurisdiction };
  const background = strictBackground();
  const desks = Array.from({ length: isolates }, (_, at) =>
    createLimitDesk({ ...isolateOptions(buckets, `i${at}`), regions: regions.port }),
  );
  let ids = 0;
  const ask = (isolate: number, options: Parameters<typeof turn>[2] = {}, place: object | null = paris) => {
    const desk = desks[isolate];
    if (desk === undefined) throw new Error("no such isolate");
    const request = turn(tenant, `t${(ids += 1)}`, {
      tier: "pro",
      user: `u${isolate}`,
      issuedAtMs: clock.now - 1,
      ...options,
    });
    return desk.admission(background).admit({ ...request, ...(place === null ? {} : { place }) });
  };
  /** Admits one turn; says how long that took. */
  const admit = async (
    isolate = 0,
    options: Parameters<typeof turn>[2] = {},
    place: object | null = paris,
  ) => {
    const startedMs = clock.now;
    const admitted = await within(clock, ask(isolate, options, place), 3_000);
    return { admitted, tookMs: clock.now - startedMs };
  };
  const done = async (
    isolate = 0,
    options: Parameters<typeof turn>[2] = {},
    place: object | null = paris,
  ) => {
    const { admitted, tookMs } = await admit(isolate, options, place);
    if (!admitted.ok) throw new Error(`refused: ${JSON.stringify(admitted.error)}`);
    admitted.value.settle(use(100));
    return tookMs;
  };
  return { clock, buckets, regions, tenant, background, ask, admit, done };
}

describe("an org's bucket that is far", () => {
  test("is waited for at first only: then a loan comes from the region, also for an isolate that seldom needs one", async () => {
    const { clock, regions, buckets, done } = world();
    expect(await done()).toBeGreaterThanOrEqual(farMs);
    await clock.advance(1_500);
    // The stock was empty and is being filled.
    expect(await done()).toBeGreaterThanOrEqual(farMs);
    for (let times = 0; times < 20; times += 1) {
      await clock.advance(7_000);
      expect(await done()).toBeLessThanOrEqual(2 * nearMs);
    }
    await clock.advance(60_000);
    const { usage, lent } = buckets.inspect(org, []);
    expect(usage.settled).toEqual(amounts(22, 2_200));
    expect(usage.reserved).toEqual(amounts(0, 0));
    expect(usage.unsettled).toEqual(amounts(0, 0));
    expect(lent).toEqual(amounts(0, 0));
    expect(regions.outcomes).toMatchObject({ late: 0, failed: 0 });
    expect(regions.background.failures).toEqual([]);
  });

  test("is asked by nobody else than before where it is near, where the place is unknown, or where a jurisdiction holds it", async () => {
    const near = world();
    near.buckets.fate = () => ({ fate: "delivered", delayMs: 20 });
    const nowhere = world();
    const european = world(1, {}, "eu");
    for (let times = 0; times < 10; times += 1) {
      await near.done();
      await near.clock.advance(5_000);
      expect(await nowhere.done(0, {}, null)).toBeGreaterThanOrEqual(farMs);
      await nowhere.clock.advance(5_000);
      await european.done();
      await european.clock.advance(5_000);
    }
    for (const { regions } of [near, nowhere, european])
      expect(regions.outcomes).toEqual({ loan: 0, empty: 0, late: 0, failed: 0 });
  });

  test("small limits have no stock: the free tier asks each time", async () => {
    const { clock, regions, done } = world();
    for (let times = 0; times < 5; times += 1) {
      expect(await done(0, { tier: "free" })).toBeGreaterThanOrEqual(farMs);
      await clock.advance(5_000);
    }
    expect(regions.outcomes.loan + regions.outcomes.empty).toBe(0);
  });

  test("a stock that has nothing is not waited for again until it was seen to have something", async () => {
    const { clock, buckets, regions, done } = world();
    await done();
    await clock.advance(1_500);
    await done();
    await clock.advance(5_000);
    expect(await done()).toBeLessThanOrEqual(2 * nearMs);
    // What is left of a limit's last fifth is not lent: there every request asks.
    const rules = resolveLimits(tenantWith({}), "org", "pro").rules;
    const much = await within(
      clock,
      buckets.call(
        { name: org, jurisdiction: "none" },
        {
          version: 1,
          rules,
          leaseMs: 600_000,
          timeZone: "UTC",
          operations: [
            { type: "reserve", id: "much", total: amounts(2_900, 10, 10), ttlMs: 600_000, lend: false },
          ],
          acknowledge: "unsaid",
        },
      ),
    );
    expect(much.outcomes).toMatchObject([{ type: "granted" }]);
    await clock.advance(7_000);
    const waits: number[] = [];
    for (let times = 0; times < 6; times += 1) {
      waits.push(await done());
      await clock.advance(200);
    }
    // One that found nothing went both ways, the rest the long way alone.
    expect(waits.filter((ms) => ms > farMs)).toHaveLength(1);
    expect(regions.outcomes.empty).toBeGreaterThan(1);
  });

  test("a stock that is slow costs a request a tenth of a second, once; what it sends late is not lost", async () => {
    const { clock, buckets, regions, done } = world();
    await done();
    await clock.advance(1_500);
    await done();
    await clock.advance(5_000);
    regions.fate = () => ({ fate: "delivered", delayMs: 600 });
    expect(await done()).toBeLessThanOrEqual(farMs + 110);
    expect(await done()).toBeLessThanOrEqual(farMs + 10);
    expect(regions.outcomes.late).toBe(1);
    await clock.advance(120_000);
    const { usage } = buckets.inspect(org, []);
    expect(usage.unsettled).toEqual(amounts(0, 0));
    expect(usage.reserved).toEqual(amounts(0, 0));
  });

  test("a stock that is no nearer than the bucket is left alone", async () => {
    const { clock, regions, done } = world();
    regions.fate = () => ({ fate: "delivered", delayMs: 190 });
    for (let times = 0; times < 12; times += 1) {
      await done();
      await clock.advance(4_000);
    }
    expect(regions.outcomes.loan + regions.outcomes.empty).toBeLessThanOrEqual(2);
  });

  test("a request that is larger than a stock's loan asks the bucket at once", async () => {
    const { clock, done } = world();
    await done();
    await clock.advance(1_500);
    await done();
    await clock.advance(5_000);
    expect(await done(0, { answerTokens: 100_000 })).toBeLessThanOrEqual(farMs + 2);
  });

  test("200 at once draw once: what the loan does not cover asks in a few calls", async () => {
    const { clock, buckets, regions, ask, done } = world();
    await done();
    await clock.advance(1_500);
    await done();
    await clock.advance(5_000);
    const drawn = regions.outcomes.loan;
    const calls = buckets.calls;
    const all = await within(
      clock,
      Promise.all(Array.from({ length: 200 }, (_, at) => ask(0, { user: `v${at % 4}` }))),
      3_000,
    );
    const held = all.flatMap((one) => (one.ok ? [one.value] : []));
    expect(held).toHaveLength(200);
    expect(regions.outcomes.loan - drawn).toBe(1);
    expect(buckets.calls - calls).toBeLessThan(20);
    for (const reservation of held) reservation.settle(use(7));
    await clock.advance(120_000);
    expect(buckets.inspect(org, []).usage).toMatchObject({
      settled: { requests: 202, tokens: 1_600 },
      reserved: { requests: 0, tokens: 0 },
      unsettled: { requests: 0, tokens: 0 },
    });
  });

  test("a revoked org is refused ten seconds later at most, wherever its loans lie", async () => {
    for (let afterMs = 0; afterMs < 10_000; afterMs += 700) {
      const { clock, buckets, admit } = world(2);
      const caller = { issuedAtMs: clock.now - 1 } as const;
      for (let passed = 0; passed < 4_000 + afterMs; passed += 700) {
        for (const isolate of [0, 1]) await admit(isolate, caller);
        await clock.advance(700);
      }
      buckets.revoke(org, { version: 1, what: "everything-issued-before-now" });
      const revokedAt = clock.now;
      for (const isolate of [0, 1])
        while ((await admit(isolate, caller)).admitted.ok) {
          expect(clock.now - revokedAt).toBeLessThanOrEqual(10_000);
          await clock.advance(250);
        }
    }
  }, 60_000);
});

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
    const { clock, buckets, regions, tenant, done } = world();
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
  const { clock, regions } = world();
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
  const { clock, buckets, tenant, ask, background } = world(4);
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
