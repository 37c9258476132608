import { expect, test } from "vitest";
import { bucketName } from "./bucket-name.ts";
import { resolveLimits } from "./defaults.ts";
import { createLimitDesk } from "./limit-desk.ts";
import { mostLent } from "./loan-policy.ts";
import type { Admission, Reservation } from "./ports.ts";
import { FakeClock, isolateOptions, SimulatedBuckets, strictBackground } from "./simulated-world.ts";
import { amounts, tenantWith, turn, use, within } from "./simulated-turns.ts";

function world(limits: object = {}) {
  const clock = new FakeClock();
  const buckets = new SimulatedBuckets(clock);
  const tenant = tenantWith(limits);
  const options = isolateOptions(buckets, "isolate");
  const desk = createLimitDesk(options);
  const background = strictBackground();
  return { clock, buckets, tenant, options, desk, background, admission: desk.admission(background) };
}

const enterprise = { tier: "enterprise" } as const;

test("small limits: one round trip to user and org together, and the settlement replaces the estimate in both", async () => {
  const { clock, buckets, tenant, admission } = world();
  const startedMs = clock.now;
  const admitted = await within(clock, admission.admit(turn(tenant, "a")));
  expect(buckets.calls).toBe(2);
  expect(clock.now - startedMs).toBeLessThanOrEqual(2);
  if (!admitted.ok) throw new Error("refused");
  expect(admitted.value.tokens).toBe(150);
  expect(admitted.value.standing.requests).toMatchObject({ limit: 100, remaining: 99 });
  admitted.value.settle(use(80));
  admitted.value.settle(use(999));
  await clock.advance(5_000);
  for (const name of buckets.names())
    expect(buckets.inspect(name, []).usage).toMatchObject({
      settled: { requests: 1, tokens: 80 },
      reserved: { requests: 0, tokens: 0 },
      unsettled: { requests: 0, tokens: 0 },
    });
});

test("what nobody waits for takes half of the places for requests at once: whoever waits finds the others", async () => {
  const { clock, tenant, admission } = world({ user: { free: { concurrent_requests: 5 } } });
  const admit = (id: string, yields: boolean) =>
    within(clock, admission.admit({ ...turn(tenant, id), yields }));
  const [first, second, third] = [await admit("a", true), await admit("b", true), await admit("c", true)];
  expect([first.ok, second.ok]).toEqual([true, true]);
  expect(third).toMatchObject({
    ok: false,
    error: { kind: "limited", limit: { limit: "concurrent_requests" } },
  });
  if (third.ok || third.error.kind !== "limited") throw new Error("admitted");
  expect(Number.isFinite(third.error.limit.retryAfterMs)).toBe(true);
  for (const id of ["d", "e", "f"]) expect((await admit(id, false)).ok).toBe(true);
  expect((await admit("g", false)).ok).toBe(false);
  // Of one place it takes that.
  const one = world({ user: { free: { concurrent_requests: 1 } } });
  const alone = { ...turn(one.tenant, "h"), yields: true };
  expect((await within(one.clock, one.admission.admit(alone))).ok).toBe(true);
});

test("what a bucket can't count costs the turn that said it, and no other that is told with it", async () => {
  const { clock, buckets, tenant, admission, options } = world();
  const [good, bad] = await within(
    clock,
    Promise.all([admission.admit(turn(tenant, "good")), admission.admit(turn(tenant, "bad"))]),
  );
  if (!good.ok || !bad.ok) throw new Error("refused");
  bad.value.settle(use(Number.NaN));
  good.value.settle(use(80));
  await clock.advance(20_000);
  for (const name of buckets.names())
    expect(buckets.inspect(name, []).usage).toMatchObject({
      settled: { requests: 1, tokens: 80 },
      reserved: { requests: 1, tokens: 150 },
    });
  expect(options.counts.lost).toBe(2);
  const [next, asksForNothing] = await within(
    clock,
    Promise.all([
      admission.admit(turn(tenant, "next")),
      admission.admit(turn(tenant, "nothing", { promptTokens: Number.NaN })),
    ]),
  );
  expect(next.ok).toBe(true);
  expect(asksForNothing.ok).toBe(false);
});

test("a refused user names the limit and what would fit, and the org is released", async () => {
  const { clock, buckets, tenant, admission } = world({ user: { free: { tokens_per_minute: 1_000 } } });
  const first = await within(
    clock,
    admission.admit(turn(tenant, "a", { promptTokens: 400, answerTokens: 300 })),
  );
  expect(first.ok).toBe(true);
  const second = await within(
    clock,
    admission.admit(turn(tenant, "b", { promptTokens: 200, answerTokens: 300 })),
  );
  if (second.ok || second.error.kind !== "limited") throw new Error("admitted");
  expect(second.error.limit).toMatchObject({
    scope: "user",
    limit: "tokens_per_minute",
    unit: "tokens",
    class: "rate",
    capacity: 1_000,
    // 300 tokens are left for both; the prompt may come to a little more than its 200.
    largestMaxTokens: 43,
  });
  await clock.advance(5_000);
  const org = buckets.inspect(bucketName("acme", "org", "research"), []);
  expect(org.usage.reserved).toEqual(amounts(1, 700, 1));
});

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

test("whoever shares a call that a reset request began asks for itself", async () => {
  const { clock, buckets, tenant, desk } = world();
  let first = 2;
  buckets.fate = () => ({ fate: first-- > 0 ? "hangs" : "delivered", delayMs: 1 });
  const doomed = desk.admission(strictBackground()).admit(turn(tenant, "doomed"));
  const others = ["a", "b", "c"].map((id) => desk.admission(strictBackground()).admit(turn(tenant, id)));
  const startedMs = clock.now;
  const admitted = await within(clock, Promise.all(others));
  expect(admitted.every(({ ok }) => ok)).toBe(true);
  expect(clock.now - startedMs).toBeLessThan(400);
  expect((await within(clock, doomed)).ok).toBe(false);
});

test("bucket unreachable, policy closed: refused after a second as an outage of ours, and nothing stays reserved", async () => {
  const { clock, buckets, tenant, admission, options } = world();
  buckets.fate = () => ({ fate: "hangs", delayMs: 1 });
  const refused = await within(clock, admission.admit(turn(tenant, "a")));
  expect(refused).toMatchObject({
    ok: false,
    error: { kind: "dependency-unavailable", component: "bucket" },
  });
  expect(options.counts.unreachable).toBe(2);
  buckets.fate = () => ({ fate: "delivered", delayMs: 1 });
  await clock.advance(20_000);
  for (const name of buckets.names())
    expect(buckets.inspect(name, []).usage).toMatchObject({
      settled: { requests: 0, tokens: 0 },
      reserved: { requests: 0, tokens: 0 },
    });
});

test("bucket unreachable, policy open: 200 at once, the cap is let in, each is logged, the debt is paid when it is back", async () => {
  const { clock, buckets, tenant, admission, options } = world({
    when_unreachable: { policy: "open", max_requests_per_isolate: 30 },
  });
  buckets.fate = () => ({ fate: "request-lost", delayMs: 1 });
  const all = await within(
    clock,
    Promise.all(Array.from({ length: 200 }, (_, index) => admission.admit(turn(tenant, `c${index}`)))),
    3_000,
  );
  const admitted = all.flatMap((result) => (result.ok ? [result.value] : []));
  expect(admitted).toHaveLength(30);
  expect(options.counts.open).toBe(60);
  for (const reservation of admitted) reservation.settle(use(120));
  await clock.advance(1_000);
  buckets.fate = () => ({ fate: "delivered", delayMs: 1 });
  await clock.advance(30_000);
  for (const name of buckets.names())
    expect(buckets.inspect(name, []).usage.settled).toEqual(amounts(30, 30 * 120));
  expect(buckets.names()).toHaveLength(2);
});

test("too much for a user's own bucket is the user's limit, never open", async () => {
  const { clock, tenant, options } = world({ when_unreachable: { policy: "open" } });
  const desk = createLimitDesk({
    ...options,
    call: () => Promise.reject(Object.assign(new Error("overloaded"), { overloaded: true })),
  });
  const refused = await within(clock, desk.admission(strictBackground()).admit(turn(tenant, "a")));
  expect(refused).toMatchObject({
    ok: false,
    error: { kind: "limited", limit: { scope: "user", class: "rate" } },
  });
});

test("a retryable failure is tried once more", async () => {
  const { clock, buckets, tenant, options } = world();
  let failures = 2;
  const desk = createLimitDesk({
    ...options,
    call: (address, batch) =>
      failures-- > 0
        ? Promise.reject(Object.assign(new Error("moved"), { retryable: true }))
        : buckets.call(address, batch),
  });
  const admitted = await within(clock, desk.admission(strictBackground()).admit(turn(tenant, "a")));
  expect(admitted.ok).toBe(true);
});

test("an extension is charged in both buckets, and refused where nothing is left", async () => {
  const { clock, buckets, tenant, admission } = world({ user: { free: { tokens_per_minute: 1_000 } } });
  const admitted = await within(clock, admission.admit(turn(tenant, "a")));
  if (!admitted.ok) throw new Error("refused");
  const reservation = admitted.value;
  expect(await within(clock, Promise.resolve(reservation.extend(600, 0)))).toBe(true);
  expect(reservation.tokens).toBe(600);
  expect(await within(clock, Promise.resolve(reservation.extend(5_000, 0)))).toBe(false);
  reservation.settle(use(590));
  await clock.advance(5_000);
  for (const name of buckets.names())
    expect(buckets.inspect(name, []).usage).toMatchObject({
      settled: { requests: 1, tokens: 590 },
      reserved: { requests: 0, tokens: 0 },
    });
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

test("one after the other, however short, never meet a limit on requests at once", async () => {
  const { clock, buckets, tenant, admission } = world({ user: { free: { concurrent_requests: 1 } } });
  for (let index = 0; index < 20; index += 1) {
    const admitted = await within(clock, admission.admit(turn(tenant, `c${index}`)));
    if (!admitted.ok) throw new Error(JSON.stringify(admitted.error));
    const other = await within(clock, admission.admit(turn(tenant, `d${index}`)));
    expect(other).toMatchObject({ ok: false, error: { limit: { limit: "concurrent_requests" } } });
    await clock.advance(3);
    admitted.value.settle(use(5));
  }
  await clock.advance(5_000);
  for (const name of buckets.names())
    expect(buckets.inspect(name, []).usage).toMatchObject({
      settled: amounts(20, 100),
      reserved: amounts(0, 0),
    });
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
