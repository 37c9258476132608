import * as fc from "fast-check";
import { expect, test } from "vitest";
import { bucketName } from "../limits/bucket-name.ts";
import { add, nothing } from "../limits/bucket-state.ts";
import type { DeskOptions } from "../limits/desk-options.ts";
import { createLimitDesk } from "../limits/limit-desk.ts";
import { unused } from "../limits/ports.ts";
import { tenantWith, turn, within } from "../limits/simulated-turns.ts";
import { FakeClock, isolateOptions, SimulatedBuckets, strictBackground } from "../limits/simulated-world.ts";
import { edge, edgeLimits, price, stream } from "./simulated-stream.ts";

/**
 * Streams at a quota's edge while their buckets are killed all the time, and are slow: so that what an answer's end tells them
 * and what comes of an extension that was under way are lost, told again, and overtake one another.
 */
const buckets = [bucketName("acme", "user", "alice"), bucketName("acme", "org", "research")];

const world = fc.record({
  ...edge,
  faults: fc.array(fc.constantFrom("none", "repeated", "reply lost", "killed", "killed"), {
    minLength: 1,
    maxLength: 30,
  }),
  delaysMs: fc.array(fc.integer({ min: 1, max: 1_200 }), { minLength: 1, maxLength: 30 }),
  /** Between kills that others bring about. */
  gapsMs: fc.array(fc.integer({ min: 5, max: 900 }), { maxLength: 40 }),
});

/** Both buckets at once, and the calls that are away with them: some of those arrive all the same, in the next life. */
function killable(simulated: SimulatedBuckets) {
  let away: ((error: Error) => void)[] = [];
  return {
    kill: () => {
      for (const name of buckets) simulated.kill(name);
      const broken = away;
      away = [];
      for (const reject of broken) reject(new Error("the object was killed"));
    },
    call: ((address, batch) => {
      const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<DeskOptions["call"]>>>();
      away.push(reject);
      simulated.call(address, batch).then(resolve, reject);
      return promise;
    }) satisfies DeskOptions["call"],
  };
}

const seeds = 1_000;

test(
  `streams whose buckets are slow and killed all the time: charged at every moment, exact in the end, over ${seeds} seeds`,
  { timeout: 240_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        world,
        async ({ policy, tokensPerMonth, cents, concurrent, wishes, faults, delaysMs, gapsMs }) => {
          const clock = new FakeClock();
          const simulated = new SimulatedBuckets(clock);
          const limits = edgeLimits(tokensPerMonth, cents, concurrent);
          const tenant = tenantWith({
            user: { free: limits },
            org: { free: limits },
            when_exhausted: policy,
          });
          const { kill, call } = killable(simulated);
          let calls = 0;
          let isHealed = false;
          simulated.fate = () => ({ fate: "delivered", delayMs: delaysMs[calls % delaysMs.length] ?? 1 });
          const faulty: DeskOptions["call"] = async (address, batch) => {
            const fault = isHealed ? "none" : faults[calls++ % faults.length];
            const reply = await call(address, batch);
            if (fault === "repeated") return call(address, batch);
            if (fault === "reply lost") throw Object.assign(new Error("lost"), { retryable: true });
            if (fault === "killed") kill();
            return reply;
          };
          const admission = createLimitDesk({ ...isolateOptions(simulated, "i"), call: faulty }).admission(
            strictBackground(),
          );
          let atMs = 0;
          for (const gapMs of gapsMs) clock.setTimer(kill, (atMs += gapMs));
          const runs = wishes.map(async (asked, index) => {
            const { promptTokens, expected, maxTokens } = asked;
            const answerTokens = Math.min(expected, maxTokens);
            const admitted = await admission.admit(
              turn(tenant, `c${index}`, { promptTokens, answerTokens, price }),
            );
            return admitted.ok ? { ...(await stream(admitted.value, asked, policy)), slots: 0 } : nothing();
          });
          const delivered = nothing();
          for (const one of await within(clock, Promise.all(runs), 120_000)) add(delivered, one);
          // What `finish` delivers beyond what is set aside is charged with the settlement.
          const units =
            policy === "stop" ? (["requests", "tokens", "microdollars"] as const) : ["requests" as const];
          for (let passedMs = 0; passedMs < 15_000; passedMs += 250) {
            for (const name of buckets) {
              const { settled, reserved, unsettled, unaccounted } = simulated.inspect(name, []).usage;
              for (const unit of units)
                expect(
                  settled[unit] + reserved[unit] + unsettled[unit] + unaccounted[unit],
                ).toBeGreaterThanOrEqual(delivered[unit]);
            }
            await clock.advance(250);
          }
          isHealed = true;
          // What could not be delivered goes with the next calls.
          for (const id of ["one more", "and one"]) {
            await clock.advance(45_000);
            const last = await within(clock, admission.admit(turn(tenant, id)), 3_000);
            if (last.ok) last.value.settle(unused);
          }
          await clock.advance(45_000);
          for (const name of buckets) {
            const { settled, reserved } = simulated.inspect(name, []).usage;
            expect(settled).toEqual(delivered);
            // Slots that a kill left with nobody are held to the end of their lease.
            expect(reserved).toEqual({ ...nothing(), slots: reserved.slots });
          }
        },
      ),
      { numRuns: seeds, endOnFailure: true },
    );
  },
);
