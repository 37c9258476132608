import * as fc from "fast-check";
import { expect, test } from "vitest";
import { bucketName } from "./bucket-name.ts";
import { key, mostAtOnce, mostOf, tenants } from "./changed-limits-fixture.ts";
import type { Amounts } from "./bucket-protocol.ts";
import { resolveLimits } from "./defaults.ts";
import { createLimitDesk } from "./limit-desk.ts";
import { loanPolicy } from "./loan-policy.ts";
import { add, nothing, type Tally } from "./bucket-state.ts";
import type { LimitRule } from "./level.ts";
import { limitsOf } from "./principal-limits.ts";
import { type Reservation, type TurnUse, unused } from "./ports.ts";
import { amounts, tenantWith, turn, within } from "./simulated-turns.ts";
import {
  type Fate,
  FakeClock,
  isolateOptions,
  SimulatedBuckets,
  strictBackground,
} from "./simulated-world.ts";

/** One step of the great property: several isolates, several users, every fault at every boundary. */
const step = fc.record({
  waitMs: fc.integer({ min: 0, max: 3_000 }),
  isolate: fc.integer({ min: 0, max: 2 }),
  user: fc.constantFrom("alice", "bob"),
  tier: fc.constantFrom("free" as const, "free" as const, "pro" as const),
  burst: fc.integer({ min: 1, max: 6 }),
  action: fc.constantFrom("admit", "admit", "admit", "settle", "settle", "extend", "leave", "kill", "evict"),
  tokens: fc.integer({ min: 1, max: 900 }),
  usedShare: fc.double({ min: 0, max: 1, noNaN: true }),
  /** Its tenant's limits as they are configured then, or were in an isolate that has not heard of a change yet. */
  configured: fc.constantFrom(0, 0, 0, 1, 2),
  withKey: fc.constantFrom(false, false, true),
});
const fates = fc.array(
  fc.record({
    fate: fc.constantFrom<Fate>(
      "delivered",
      "delivered",
      "delivered",
      "delivered",
      "request-lost",
      "reply-lost",
      "hangs",
      "killed-before",
      "killed-after",
    ),
    delayMs: fc.integer({ min: 0, max: 120 }),
  }),
  { minLength: 1, maxLength: 60 },
);

const seeds = 1_000;

const price = { input: 2, output: 2 };
const [tenant = tenantWith({})] = tenants;
const org = bucketName("acme", "org", "research");
const monthEndMs = Date.UTC(2027, 0, 31, 23);

interface HeldTurn {
  readonly user: string;
  readonly tier: "free" | "pro";
  readonly withKey: boolean;
  readonly reservation: Reservation;
  used: number;
}

/** What was delivered, when, and charged to which bucket. */
interface Delivery {
  readonly name: string;
  readonly tier: HeldTurn["tier"];
  readonly withKey: boolean;
  readonly atMs: number;
  readonly amounts: Amounts;
}

function spent(used: number): TurnUse {
  return { requests: 1, tokens: used, microdollars: 2 * used, model: "m" };
}

test(
  `used is at least what was delivered, never above a limit, and equal in the end, over ${seeds} worlds of faults`,
  { timeout: 240_000 },
  async () => {
    const startMs = fc.constantFrom(1_800_000_000_000, monthEndMs - 20_000);
    await fc.assert(
      fc.asyncProperty(
        startMs,
        fc.array(step, { minLength: 5, maxLength: 40 }),
        fates,
        async (startMs, steps, fates) => {
          const clock = new FakeClock();
          clock.now = startMs;
          const buckets = new SimulatedBuckets(clock);
          let at = 0;
          buckets.fate = () => fates[at++ % fates.length] ?? { fate: "delivered", delayMs: 1 };
          const backgrounds = [0, 1, 2].map(() => strictBackground());
          const desks = backgrounds.map((background, isolate) =>
            createLimitDesk(isolateOptions(buckets, `i${isolate}`)).admission(background),
          );
          const held: HeldTurn[] = [];
          const deliveries: Delivery[] = [];
          const deliver = (
            { user, tier, withKey }: Pick<HeldTurn, "user" | "tier" | "withKey">,
            amounts: Amounts,
          ) => {
            for (const name of [bucketName("acme", "user", user), org])
              deliveries.push({ name, tier, withKey, atMs: clock.now, amounts });
          };
          const check = () => {
            for (const [name, sum] of sums(deliveries)) {
              const { settled, reserved, unsettled, unaccounted } = buckets.inspect(name, []).usage;
              for (const unit of ["requests", "tokens", "microdollars"] as const)
                expect(
                  settled[unit] + reserved[unit] + unsettled[unit] + unaccounted[unit],
                ).toBeGreaterThanOrEqual(sum[unit]);
            }
            for (const tier of ["free", "pro"] as const)
              expect(held.filter((turn) => turn.tier === tier).length).toBeLessThanOrEqual(mostAtOnce[tier]);
          };
          for (const [index, step] of steps.entries()) {
            const admission = desks[step.isolate];
            if (admission === undefined) throw new Error("no such isolate");
            if (step.action === "admit") {
              const results = await within(
                clock,
                Promise.all(
                  Array.from({ length: step.burst }, (_, at) =>
                    admission.admit(
                      turn(tenants[step.configured] ?? tenant, `${index}-${at}`, {
                        key: step.withKey ? key : null,
                        user: step.user,
                        tier: step.tier,
                        promptTokens: 0,
                        answerTokens: step.tokens,
                        price,
                      }),
                    ),
                  ),
                ),
                3_000,
              );
              for (const result of results) {
                if (!result.ok) continue;
                // Everything that was reserved may be delivered, and is here, at once.
                const used = Math.floor(step.tokens * step.usedShare);
                const { user, tier, withKey } = step;
                held.push({ user, tier, withKey, reservation: result.value, used });
                deliver(step, amounts(1, used, 0, 2 * used));
              }
            } else if (step.action === "settle") {
              for (const { reservation, used } of held.splice(0, step.burst)) reservation.settle(spent(used));
            } else if (step.action === "leave") {
              // The client goes while more is asked for: settled before that is decided.
              for (const { reservation, used } of held.splice(0, step.burst)) {
                const total = reservation.tokens + step.tokens;
                void reservation.extend(total, 2 * total);
                reservation.settle(spent(used));
              }
            } else if (step.action === "extend") {
              const turn = held[0];
              if (turn === undefined) continue;
              const total = turn.reservation.tokens + step.tokens;
              if (await within(clock, Promise.resolve(turn.reservation.extend(total, 2 * total)), 3_000)) {
                deliver(turn, amounts(0, total - turn.used, 0, 2 * (total - turn.used)));
                turn.used = total;
              }
            } else {
              for (const name of buckets.names())
                if (step.action === "kill") buckets.kill(name);
                else buckets.evict(name);
            }
            check();
            await clock.advance(step.waitMs);
            check();
          }

          for (const { reservation, used } of held.splice(0)) reservation.settle(spent(used));
          buckets.fate = () => ({ fate: "delivered", delayMs: 1 });
          await clock.advance(30_000);
          // What could not be reported then goes with the next report.
          for (const admission of desks)
            for (const user of ["alice", "bob"]) {
              const last = await within(
                clock,
                admission.admit(turn(tenant, `last-${desks.indexOf(admission)}-${user}`, { user })),
              );
              if (last.ok) last.value.settle(unused);
              else await clock.advance(60_000);
            }
          await clock.advance(60_000);
          check();
          for (const [name, sum] of sums(deliveries)) {
            const { usage, lent } = buckets.inspect(name, []);
            for (const unit of ["requests", "tokens", "microdollars"] as const)
              expect(usage.settled[unit]).toBe(sum[unit]);
            expect(usage.reserved).toMatchObject({ requests: 0, tokens: 0, microdollars: 0 });
            expect(lent).toMatchObject({ requests: 0, tokens: 0, microdollars: 0 });
          }
          expect(backgrounds.flatMap((background) => background.failures)).toEqual([]);
          for (const tier of ["free", "pro"] as const)
            for (const scope of ["user", "org"] as const)
              for (const rule of resolveLimits(tenant, scope, tier).rules)
                for (const name of sums(deliveries).keys())
                  if (name.startsWith(`acme/${scope}/`)) {
                    // A user's day and month are one under both tiers, each held to its own.
                    const isOfBoth = scope === "user" && rule.calendar !== undefined;
                    expectWithin(
                      mostOf(rule, scope, isOfBoth ? ["free", "pro"] : [tier]),
                      deliveries.filter(
                        (delivery) => delivery.name === name && (isOfBoth || delivery.tier === tier),
                      ),
                    );
                  }
          for (const rule of limitsOf(tenant, "user", { tier: "free", key }).rules)
            if (rule.of === "key")
              for (const user of ["alice", "bob"])
                expectWithin(
                  rule,
                  deliveries.filter(
                    ({ name, withKey }) => withKey && name === bucketName("acme", "user", user),
                  ),
                );
        },
      ),
      { numRuns: seeds },
    );
  },
);

function sums(deliveries: readonly Delivery[]): Map<string, Tally> {
  const byName = new Map<string, Tally>();
  for (const { name, amounts } of deliveries) {
    const sum = byName.get(name) ?? nothing();
    add(sum, amounts);
    byName.set(name, sum);
  }
  return byName;
}

/** Never above a limit, where what was lent counts from when it was lent, a loan's life earlier at most. */
function expectWithin(rule: LimitRule, deliveries: readonly Delivery[]): void {
  if (rule.unit === "slots") return;
  if (rule.calendar !== undefined) {
    for (const [from, until] of [
      [0, monthEndMs],
      [monthEndMs + loanPolicy.lifeMs, Infinity],
    ] as const) {
      const sum = deliveries
        .filter(({ atMs }) => atMs >= from && atMs < until)
        .reduce((total, { amounts }) => total + amounts[rule.unit], 0);
      expect(sum).toBeLessThanOrEqual(rule.capacity);
    }
    return;
  }
  for (let from = 0; from < deliveries.length; from += 1) {
    let sum = 0;
    for (const { amounts, atMs } of deliveries.slice(from)) {
      sum += amounts[rule.unit];
      const elapsedMs = atMs - (deliveries[from]?.atMs ?? 0) + loanPolicy.lifeMs;
      expect(sum).toBeLessThanOrEqual(rule.capacity + (elapsedMs * rule.capacity) / rule.windowMs + 1e-3);
    }
  }
}
