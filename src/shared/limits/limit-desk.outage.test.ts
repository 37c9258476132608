import { expect, test } from "vitest";
import { askTimeoutMs, slowMs } from "./desk-options.ts";
import { createLimitDesk } from "./limit-desk.ts";
import { FakeClock, isolateOptions, SimulatedBuckets, strictBackground } from "./simulated-world.ts";
import { amounts, tenantWith, turn, use, within } from "./simulated-turns.ts";

/** The failure rules of a bucket: slow, dead, dead and then slow, each under 200 concurrent requests. */
function world(limits: object) {
  const clock = new FakeClock();
  const buckets = new SimulatedBuckets(clock);
  const tenant = tenantWith(limits);
  const options = isolateOptions(buckets, "isolate");
  const logged: string[] = [];
  const events = {
    ...options.events,
    openAdmission: (admission: { readonly scope: string; readonly chargeId: string }) =>
      logged.push(`${admission.scope} ${admission.chargeId}`),
  };
  const background = strictBackground();
  const admission = createLimitDesk({ ...options, events }).admission(background);
  const atOnce = async (count: number, prefix: string) => {
    const all = await within(
      clock,
      Promise.all(
        Array.from({ length: count }, (_, index) => admission.admit(turn(tenant, `${prefix}${index}`))),
      ),
      5_000,
    );
    return all.flatMap((result) => (result.ok ? [result.value] : []));
  };
  const usage = () => buckets.names().map((name) => buckets.inspect(name, []).usage);
  return { clock, buckets, options, background, logged, atOnce, usage };
}

const open = { policy: "open", max_requests_per_isolate: 30 } as const;

test("a bucket that is slow but answers in time only counts: nobody is refused, nothing is let in unasked", async () => {
  const { clock, buckets, options, logged, atOnce, usage } = world({ when_unreachable: open });
  buckets.fate = () => ({ fate: "delivered", delayMs: slowMs + 150 });
  const admitted = await atOnce(100, "s");
  expect(admitted).toHaveLength(100);
  expect(options.counts.slow).toBe(200);
  expect(logged).toEqual([]);
  for (const reservation of admitted) reservation.settle(use(7));
  await clock.advance(20_000);
  for (const { settled } of usage()) expect(settled).toEqual(amounts(100, 700));
});

test("dead, then too slow, under 200 at once each: at most the cap is let in, each one logged, the debt settled once", async () => {
  const { clock, buckets, background, logged, atOnce, usage } = world({ when_unreachable: open });
  buckets.fate = () => ({ fate: "request-lost", delayMs: 1 });
  const dead = await atOnce(200, "dead");
  expect(dead).toHaveLength(30);
  // The minute's cap is spent; the next minute's is its own.
  expect(await atOnce(200, "same-minute")).toEqual([]);
  for (const reservation of dead) reservation.settle(use(120));
  await clock.advance(61_000);
  // It answers, but only when nobody waits any more: what it then grants is settled all the same.
  buckets.fate = () => ({ fate: "delivered", delayMs: askTimeoutMs + 800 });
  const slow = await atOnce(200, "slow");
  expect(slow.length).toBeLessThanOrEqual(30);
  expect(slow.length).toBeGreaterThan(0);
  expect(new Set(logged).size).toBe(logged.length);
  for (const scope of ["user", "org"])
    expect(logged.filter((entry) => entry.startsWith(`${scope} `)).length).toBeLessThanOrEqual(60);
  const ids = [...dead, ...slow].map(({ chargeId }) => chargeId);
  for (const id of ids) expect(logged).toContain(`org ${id}`);
  for (const reservation of slow) reservation.settle(use(50));
  await clock.advance(5_000);
  buckets.fate = () => ({ fate: "delivered", delayMs: 1 });
  await clock.advance(60_000);
  const last = await atOnce(1, "last");
  for (const reservation of last) reservation.settle(use(0, 0));
  await clock.advance(30_000);
  for (const { settled, reserved } of usage()) {
    expect(settled).toEqual(amounts(ids.length, dead.length * 120 + slow.length * 50));
    expect(reserved).toEqual(amounts(0, 0));
  }
  expect(background.failures).toEqual([]);
});

test("however long an outage lasts, no more is let in than the bucket had left when it last answered", async () => {
  const { clock, buckets, logged, atOnce } = world({
    user: { free: { requests_per_hour: 50 } },
    when_unreachable: open,
  });
  expect(await atOnce(30, "before")).toHaveLength(30);
  buckets.fate = () => ({ fate: "request-lost", delayMs: 1 });
  let admitted = 0;
  for (let minute = 0; minute < 5; minute += 1) {
    admitted += (await atOnce(100, `m${minute}-`)).length;
    await clock.advance(60_000);
  }
  expect(admitted).toBe(20);
  expect(logged.filter((entry) => entry.startsWith("user "))).toHaveLength(20);
});

test("an isolate that never heard of a bucket lets in no more than its smallest limits allow", async () => {
  const { clock, buckets, atOnce } = world({
    user: { free: { concurrent_requests: 4 } },
    when_unreachable: open,
  });
  buckets.fate = () => ({ fate: "hangs", delayMs: 1 });
  let admitted = 0;
  for (let minute = 0; minute < 3; minute += 1) {
    admitted += (await atOnce(50, `m${minute}-`)).length;
    await clock.advance(60_000);
  }
  expect(admitted).toBe(4);
});
