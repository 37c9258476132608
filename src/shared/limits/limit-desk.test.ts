import { expect, test } from "vitest";
import { bucketName } from "./bucket-name.ts";
import { createLimitDesk } from "./limit-desk.ts";
import { strictBackground } from "./simulated-world.ts";
import { amounts, turn, use, within } from "./simulated-turns.ts";
import { world } from "./limit-desk-fixture.ts";

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
