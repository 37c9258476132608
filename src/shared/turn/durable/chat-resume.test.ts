import { expect, test } from "vitest";
import { createLimitDesk } from "../../limits/limit-desk.ts";
import { type Reservation, unused } from "../../limits/ports.ts";
import { settleCharge } from "../../limits/settle-charge.ts";
import { tenantWith, turn, use, within } from "../../limits/simulated-turns.ts";
import {
  FakeClock,
  isolateOptions,
  SimulatedBuckets,
  strictBackground,
} from "../../limits/simulated-world.ts";
import { settledAtEnd } from "./chat-resume.ts";

/** What an earlier run delivered is of a reservation that a later one finds, or does not. Each has a desk of its own. */
function world() {
  const clock = new FakeClock();
  const buckets = new SimulatedBuckets(clock);
  const tenant = tenantWith({});
  const desk = () =>
    createLimitDesk({ ...isolateOptions(buckets, "generation"), takesLoans: false }).admission(
      strictBackground(),
    );
  const charge = { chargeId: "turn", tenant, org: "research", user: "alice", tier: "free" } as const;
  return {
    clock,
    buckets,
    begin: () => within(clock, desk().admit(turn(tenant, "turn"))),
    resume: () => within(clock, settledAtEnd(desk()).admit(turn(tenant, "turn")), 2_500),
    end: (tokens: number) => within(clock, settleCharge(buckets.call, charge, use(tokens)), 2_500),
    usages: () => buckets.names().map((name) => buckets.inspect(name, []).usage),
  };
}

const whole = { settled: { requests: 0, tokens: 0 }, reserved: { requests: 1, tokens: 150 } };
const settled = { settled: { requests: 1, tokens: 33 }, reserved: { requests: 0, tokens: 0 } };

test("a run that goes on finds the reservation of the one before, and leaves it to the turn's end", async () => {
  const { clock, begin, resume, end, usages } = world();
  await begin();
  const again = await resume();
  if (!again.ok) throw new Error(again.error.kind);
  const reservation: Reservation = again.value;
  reservation.settle(unused);
  await clock.advance(10_000);
  expect(usages()).toMatchObject([whole, whole]);
  await end(33);
  expect(usages()).toMatchObject([settled, settled]);
});

test("what was delivered stays charged when a bucket can't be reached by the run that goes on", async () => {
  const { clock, buckets, begin, resume, end, usages } = world();
  await begin();
  buckets.fate = ({ name }) => ({ fate: name.includes("/org/") ? "hangs" : "delivered", delayMs: 1 });
  expect((await resume()).ok).toBe(false);
  buckets.fate = () => ({ fate: "delivered", delayMs: 1 });
  await clock.advance(2_000);
  expect(usages()).toMatchObject([whole, whole]);
  await end(33);
  expect(usages()).toMatchObject([settled, settled]);
});
