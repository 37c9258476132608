import { expect, test } from "vitest";
import { bucketName } from "./bucket-name.ts";
import { resolveLimits } from "./defaults.ts";
import { createLimitDesk } from "./limit-desk.ts";
import { mostLent } from "./loan-policy.ts";
import type { Admission, Reservation } from "./ports.ts";
import { FakeClock, isolateOptions, SimulatedBuckets, strictBackground } from "./simulated-world.ts";
import { amounts, tenantWith, turn, use, within } from "./simulated-turns.ts";
import { world } from "./limit-desk-fixture.ts";

const enterprise = { tier: "enterprise" } as const;

test("under a loan a turn is let in without a call, and everything is accounted for when the loan ends", async () => {
  const { clock, buckets, tenant, admission } = world();
  const held: Reservation[] = [];
  const admit = async (id: string) => {
    const admitted = await within(clock, admission.admit(turn(tenant, id, enterprise)));
    if (!admitted.ok) throw new Error("refused");
    held.push(admitted.value);
  };
  for (let index = 0; index < 4; index += 1) await admit(`warm-${index}`);
  const calls = buckets.calls;
  for (let index = 0; index < 30; index += 1) await admit(`loan-${index}`);
  expect(buckets.calls).toBe(calls);
  for (const reservation of held) reservation.settle(use(77));
  await clock.advance(20_000);
  for (const name of buckets.names()) {
    const { usage, lent } = buckets.inspect(name, []);
    expect(usage.settled).toEqual(amounts(34, 34 * 77));
    expect(usage.reserved).toEqual(amounts(0, 0));
    expect(lent).toEqual(amounts(0, 0));
  }
});

test("a loan is renewed before it is empty: a steady stream of turns never waits again", async () => {
  const { clock, buckets, tenant, admission } = world();
  buckets.fate = () => ({ fate: "delivered", delayMs: 30 });
  let waited = 0;
  for (let index = 0; index < 2_000; index += 1) {
    const startedMs = clock.now;
    const admitted = await within(clock, admission.admit(turn(tenant, `c${index}`, enterprise)));
    if (!admitted.ok) throw new Error(`refused: ${JSON.stringify(admitted.error)}`);
    if (clock.now > startedMs) waited += 1;
    await clock.advance(20);
    admitted.value.settle(use(100));
  }
  expect(waited).toBeLessThan(10);
});

test("200 turns at once on a bucket without a loan share a few calls", async () => {
  const { clock, buckets, tenant, admission } = world();
  buckets.fate = () => ({ fate: "delivered", delayMs: 20 });
  const all = await within(
    clock,
    Promise.all(Array.from({ length: 200 }, (_, index) => admission.admit(turn(tenant, `c${index}`)))),
  );
  expect(all.filter((admitted) => admitted.ok)).toHaveLength(100);
  expect(buckets.calls).toBeLessThan(20);
});

test("however many isolates take loans, no more than the stated share of a limit is lent", async () => {
  const { clock, buckets, tenant } = world();
  const name = bucketName("acme", "user", "alice");
  const { rules } = resolveLimits(tenant, "user", "enterprise");
  for (let isolate = 0; isolate < 40; isolate += 1) {
    const admission = createLimitDesk(isolateOptions(buckets, `i${isolate}`)).admission(strictBackground());
    for (let index = 0; index < 4; index += 1)
      await within(clock, admission.admit(turn(tenant, `${isolate}-${index}`, enterprise)));
    const { lent } = buckets.inspect(name, rules);
    for (const rule of rules) expect(lent[rule.unit]).toBeLessThanOrEqual(mostLent(rules, rule.unit));
  }
  expect(buckets.inspect(name, rules).lent.requests).toBeGreaterThan(0);
});

test("a noisy isolate, and any number that hoard loans, leave the others all that loans may not hold", async () => {
  const clock = new FakeClock();
  const buckets = new SimulatedBuckets(clock);
  // An hour's window, so that nothing to speak of refills meanwhile.
  const tenant = tenantWith({
    org: { pro: { requests_per_minute: null, requests_per_hour: 1_000, requests_per_day: null } },
  });
  const { rules } = resolveLimits(tenant, "org", "pro");
  const admit = (admission: Admission, id: string) =>
    within(clock, admission.admit(turn(tenant, id, { tier: "pro", user: id.slice(0, 3) })));
  let used = 0;
  for (let isolate = 0; isolate < 30; isolate += 1) {
    const hoarder = createLimitDesk(isolateOptions(buckets, `h${isolate}`)).admission(strictBackground());
    // The first is noisy beyond that, and never settles.
    for (let times = 0; times < (isolate === 0 ? 200 : 4); times += 1)
      if ((await admit(hoarder, `h${isolate}-${times}`)).ok) used += 1;
  }
  const lent = buckets.inspect(bucketName("acme", "org", "research"), []).lent.requests;
  expect(lent).toBeGreaterThan(0);
  expect(lent).toBeLessThanOrEqual(mostLent(rules, "requests"));
  const quiet = createLimitDesk(isolateOptions(buckets, "quiet")).admission(strictBackground());
  let got = 0;
  while ((await admit(quiet, `q${String(got % 10)}-${got}`)).ok) got += 1;
  expect(used + got).toBeGreaterThanOrEqual(1_000 - mostLent(rules, "requests"));
  expect(used + got).toBeLessThanOrEqual(1_001);
});
