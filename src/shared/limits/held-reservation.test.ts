import { expect, test } from "vitest";
import type { BucketBatch } from "./bucket-protocol.ts";
import type { DeskOptions } from "./desk-options.ts";
import { createLimitDesk } from "./limit-desk.ts";
import { FakeClock, isolateOptions, SimulatedBuckets, strictBackground } from "./simulated-world.ts";
import { tenantWith, turn, use, within } from "./simulated-turns.ts";

/** What a turn's two messages do to one another: its settlement, and the return of what was granted behind its back. */
function world() {
  const clock = new FakeClock();
  const buckets = new SimulatedBuckets(clock);
  const tenant = tenantWith({});
  /** Calls that the network loses on their way there. */
  let isLost: (batch: BucketBatch) => boolean = () => false;
  /** Calls that arrive when nobody waits for them any more. */
  let isLate: (batch: BucketBatch) => boolean = () => false;
  const call: DeskOptions["call"] = (address, batch) => {
    if (isLate(batch)) clock.setTimer(() => void buckets.call(address, batch), 2_000);
    return isLate(batch) || isLost(batch) ? Promise.reject(new Error("lost")) : buckets.call(address, batch);
  };
  const desk = createLimitDesk({ ...isolateOptions(buckets, "isolate"), call });
  const admission = desk.admission(strictBackground());
  return {
    clock,
    buckets,
    lose: (which: typeof isLost) => {
      isLost = which;
    },
    delay: (which: typeof isLate) => {
      isLate = which;
    },
    admit: async (id: string) => {
      const admitted = await within(clock, admission.admit(turn(tenant, id)));
      if (!admitted.ok) throw new Error(admitted.error.kind);
      return admitted.value;
    },
    kill: () => {
      for (const name of buckets.names()) buckets.kill(name);
    },
    usages: () => buckets.names().map((name) => buckets.inspect(name, []).usage),
  };
}

const settlesFirst = ({ operations }: BucketBatch) =>
  operations.length === 1 && operations[0]?.type === "settle" && operations[0].sequence === 1;

test("a settlement that is overtaken by the return of an extension nobody answered is counted, once", async () => {
  const { clock, buckets, lose, admit, usages } = world();
  const reservation = await admit("a");
  buckets.fate = () => ({ fate: "hangs", delayMs: 1 });
  const extended = reservation.extend(160, 0);
  await clock.settleDown();
  buckets.fate = () => ({ fate: "delivered", delayMs: 1 });
  lose(settlesFirst);
  reservation.settle(use(120));
  expect(await within(clock, Promise.resolve(extended), 2_000)).toBe(false);
  await clock.advance(1_500);
  lose(() => false);
  await clock.advance(30_000);
  for (const usage of usages())
    expect(usage).toMatchObject({
      settled: { requests: 1, tokens: 120 },
      reserved: { requests: 0, tokens: 0 },
    });
  expect(usages()).toHaveLength(2);
});

test("a settlement that is overtaken by the return of an extension which kills made another grant is counted, once", async () => {
  const { clock, buckets, lose, admit, kill, usages } = world();
  // The first grant of each life is on disk with the marks; what comes after it a kill makes the bucket forget.
  const others = [await admit("on disk")];
  const reservation = await admit("forgotten");
  kill();
  others.push(await admit("on disk again"));
  buckets.fate = () => ({ fate: "delivered", delayMs: 300 });
  const extended = reservation.extend(160, 0);
  await clock.settleDown();
  lose(settlesFirst);
  reservation.settle(use(120));
  expect(await within(clock, Promise.resolve(extended), 2_000)).toBe(false);
  buckets.fate = () => ({ fate: "delivered", delayMs: 1 });
  kill();
  await clock.advance(1_500);
  lose(() => false);
  await clock.advance(30_000);
  for (const other of others) other.settle(use(10));
  await clock.advance(30_000);
  for (const usage of usages())
    expect(usage).toMatchObject({
      settled: { requests: 3, tokens: 140 },
      reserved: { requests: 0, tokens: 0 },
    });
  expect(usages()).toHaveLength(2);
});

test("an extension that arrives after its turn has given it up and ended sets nothing aside", async () => {
  const { clock, buckets, delay, admit, usages } = world();
  const reservation = await admit("a");
  delay(({ operations }) => operations.some(({ type }) => type === "reserve"));
  expect(await within(clock, Promise.resolve(reservation.extend(400, 0)), 2_000)).toBe(false);
  reservation.settle(use(120));
  await clock.advance(30_000);
  expect(buckets.calls).toBeGreaterThanOrEqual(6);
  for (const usage of usages())
    expect(usage).toMatchObject({
      settled: { requests: 1, tokens: 120 },
      reserved: { requests: 0, tokens: 0 },
    });
  expect(usages()).toHaveLength(2);
});
