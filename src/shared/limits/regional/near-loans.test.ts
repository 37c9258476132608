import { describe, expect, test } from "vitest";
import { resolveLimits } from "../defaults.ts";
import { amounts, tenantWith, use, within } from "../simulated-turns.ts";
import { farMs, farWorld, nearMs, org } from "./far-world-fixture.ts";

describe("an org's bucket that is far", () => {
  test("is waited for at first only: then a loan comes from the region, also for an isolate that seldom needs one", async () => {
    const { clock, regions, buckets, done } = farWorld();
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
    const near = farWorld();
    near.buckets.fate = () => ({ fate: "delivered", delayMs: 20 });
    const nowhere = farWorld();
    const european = farWorld(1, {}, "eu");
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
    const { clock, regions, done } = farWorld();
    for (let times = 0; times < 5; times += 1) {
      expect(await done(0, { tier: "free" })).toBeGreaterThanOrEqual(farMs);
      await clock.advance(5_000);
    }
    expect(regions.outcomes.loan + regions.outcomes.empty).toBe(0);
  });

  test("a stock that has nothing is not waited for again until it was seen to have something", async () => {
    const { clock, buckets, regions, done } = farWorld();
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
    const { clock, buckets, regions, done } = farWorld();
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
    const { clock, regions, done } = farWorld();
    regions.fate = () => ({ fate: "delivered", delayMs: 190 });
    for (let times = 0; times < 12; times += 1) {
      await done();
      await clock.advance(4_000);
    }
    expect(regions.outcomes.loan + regions.outcomes.empty).toBeLessThanOrEqual(2);
  });

  test("a request that is larger than a stock's loan asks the bucket at once", async () => {
    const { clock, done } = farWorld();
    await done();
    await clock.advance(1_500);
    await done();
    await clock.advance(5_000);
    expect(await done(0, { answerTokens: 100_000 })).toBeLessThanOrEqual(farMs + 2);
  });

  test("200 at once draw once: what the loan does not cover asks in a few calls", async () => {
    const { clock, buckets, regions, ask, done } = farWorld();
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
      const { clock, buckets, admit } = farWorld(2);
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
