import { expect, test } from "vitest";
import { createLimitDesk } from "./limit-desk.ts";
import { maxClosed } from "./bucket-state.ts";
import { ChargeOwed, settleCharge } from "./settle-charge.ts";
import { FakeClock, isolateOptions, SimulatedBuckets, strictBackground } from "./simulated-world.ts";
import { tenantWith, turn, use, within } from "./simulated-turns.ts";

/** A durable turn: each of its runs has a desk of its own, and the charge is settled by its id alone, by an outbox. */
function world() {
  const clock = new FakeClock();
  const buckets = new SimulatedBuckets(clock);
  const tenant = tenantWith({});
  const run = (id: string) =>
    within(
      clock,
      createLimitDesk({ ...isolateOptions(buckets, "generation"), takesLoans: false })
        .admission(strictBackground())
        .admit(turn(tenant, id)),
      2_500,
    );
  const settle = async (tokens: number) => {
    const charge = { chargeId: "turn", tenant, org: "research", user: "alice", tier: "free" } as const;
    await within(clock, settleCharge(buckets.call, charge, use(tokens)), 2_500);
  };
  const usages = () => buckets.names().map((name) => buckets.inspect(name, []).usage);
  return { clock, buckets, tenant, run, settle, usages };
}

const hangs = { fate: "hangs", delayMs: 1 } as const;
const delivered = { fate: "delivered", delayMs: 1 } as const;

test.each([
  ["answered to", () => undefined],
  [
    "answered to, and forgot in a kill",
    (buckets: SimulatedBuckets) => {
      for (const name of buckets.names()) buckets.kill(name);
    },
  ],
])(
  "a charge is settled though all of it was given back under its id before, which one bucket %s and the other did not",
  async (_, between) => {
    const { clock, buckets, run, settle, usages } = world();
    expect((await run("on disk")).ok).toBe(true);
    expect((await run("turn")).ok).toBe(true);
    between(buckets);
    buckets.fate = ({ name }) => (name.includes("/org/") ? hangs : delivered);
    expect((await run("turn")).ok).toBe(false);
    buckets.fate = () => delivered;
    // What it gives back arrives, and then what the first run delivered, twice.
    await clock.advance(2_000);
    await settle(33);
    await settle(33);
    await clock.advance(30_000);
    for (const usage of usages()) expect(usage).toMatchObject({ settled: { requests: 1, tokens: 33 } });
    expect(usages()).toHaveLength(2);
  },
);

test("a charge that no bucket can count is not settled, and whoever must settle it hears of it", async () => {
  const { clock, buckets, tenant, run, usages } = world();
  expect((await run("turn")).ok).toBe(true);
  const charge = { chargeId: "turn", tenant, org: "research", user: "alice", tier: "free" } as const;
  const told = settleCharge(buckets.call, charge, use(-1)).then(() => "settled", String);
  expect(await within(clock, told)).toContain("whole numbers");
  for (const usage of usages())
    expect(usage).toMatchObject({ settled: { tokens: 0 }, reserved: { tokens: 150 } });
});

test("a charge that one bucket can't be told is told to it alone: the other may have forgotten by then that it closed it", async () => {
  const { buckets, clock, tenant, usages } = world();
  const chargeOf = (chargeId: string) =>
    ({ chargeId, tenant, org: "research", user: "alice", tier: "free" }) as const;
  buckets.fate = ({ name }) =>
    name.includes("/user/") ? { fate: "request-lost", delayMs: 1 } : { fate: "delivered", delayMs: 1 };
  const fault = await within(
    clock,
    settleCharge(buckets.call, chargeOf("turn"), use(33)).catch((error: unknown) => error),
    2_500,
  );
  if (!(fault instanceof ChargeOwed)) throw new Error("both have it");
  expect(fault.owing).toEqual(["user"]);
  buckets.fate = () => ({ fate: "delivered", delayMs: 0 });
  for (let other = 0; other <= maxClosed; other += 64)
    await within(
      clock,
      Promise.all(
        Array.from({ length: 64 }, (_, at) =>
          settleCharge(buckets.call, chargeOf(`other-${other + at}`), use(1), ["org"]),
        ),
      ),
      2_500,
    );
  const before = usages().find(({ settled }) => settled.tokens > 33)?.settled.tokens;
  await within(clock, settleCharge(buckets.call, chargeOf("turn"), use(33), fault.owing), 2_500);
  expect(usages().map(({ settled }) => settled.tokens)).toEqual([before, 33]);
});
