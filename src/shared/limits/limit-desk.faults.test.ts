import * as fc from "fast-check";
import { expect, test } from "vitest";
import { bucketName } from "./bucket-name.ts";
import type { Amounts } from "./bucket-protocol.ts";
import { resolveLimits } from "./defaults.ts";
import { createLimitDesk } from "./limit-desk.ts";
import { loanPolicy } from "./loan-policy.ts";
import type { Reservation } from "./ports.ts";
import { tenantWith, turn, within } from "./simulated-turns.ts";
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
  burst: fc.integer({ min: 1, max: 6 }),
  action: fc.constantFrom("admit", "admit", "admit", "settle", "settle", "extend", "kill", "evict"),
  tokens: fc.integer({ min: 1, max: 900 }),
  usedShare: fc.double({ min: 0, max: 1, noNaN: true }),
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

test(
  `used is at least what was delivered, always, and equal in the end, over ${seeds} worlds of faults`,
  { timeout: 120_000 },
  async () => {
    const limits = {
      user: { free: { requests_per_minute: 400, requests_per_hour: 1_000, tokens_per_minute: 500_000 } },
      org: { free: { requests_per_minute: 40, requests_per_hour: 100, tokens_per_minute: 20_000 } },
    };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), fates, async (steps, fates) => {
        const clock = new FakeClock();
        const buckets = new SimulatedBuckets(clock);
        const tenant = tenantWith(limits);
        let at = 0;
        buckets.fate = () => fates[at++ % fates.length] ?? { fate: "delivered", delayMs: 1 };
        const backgrounds = [0, 1, 2].map(() => strictBackground());
        const desks = backgrounds.map((background, isolate) =>
          createLimitDesk(isolateOptions(buckets, `i${isolate}`)).admission(background),
        );
        const held: { user: string; reservation: Reservation; used: number }[] = [];
        const delivered = new Map<string, { requests: number; tokens: number }>();
        const charged: { name: string; atMs: number; requests: number; tokens: number }[] = [];
        const deliver = (user: string, amounts: Amounts) => {
          for (const name of [bucketName("acme", "user", user), bucketName("acme", "org", "research")]) {
            const sum = delivered.get(name) ?? { requests: 0, tokens: 0 };
            delivered.set(name, {
              requests: sum.requests + amounts.requests,
              tokens: sum.tokens + amounts.tokens,
            });
            charged.push({ name, atMs: clock.now, ...amounts });
          }
        };
        const check = () => {
          for (const [name, sum] of delivered) {
            const { settled, reserved, unsettled, unaccounted } = buckets.inspect(name, []).usage;
            for (const unit of ["requests", "tokens"] as const)
              expect(
                settled[unit] + reserved[unit] + unsettled[unit] + unaccounted[unit],
              ).toBeGreaterThanOrEqual(sum[unit]);
          }
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
                    turn(tenant, `${index}-${at}`, {
                      user: step.user,
                      promptTokens: 0,
                      answerTokens: step.tokens,
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
              held.push({ user: step.user, reservation: result.value, used });
              deliver(step.user, { requests: 1, tokens: used });
            }
          } else if (step.action === "settle") {
            for (const { reservation, used } of held.splice(0, step.burst))
              reservation.settle({ requests: 1, tokens: used });
          } else if (step.action === "extend") {
            const turn = held[0];
            if (turn === undefined) continue;
            const total = turn.reservation.tokens + step.tokens;
            if (await within(clock, Promise.resolve(turn.reservation.extend(total)), 3_000)) {
              deliver(turn.user, { requests: 0, tokens: total - turn.used });
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

        for (const { reservation, used } of held) reservation.settle({ requests: 1, tokens: used });
        buckets.fate = () => ({ fate: "delivered", delayMs: 1 });
        await clock.advance(30_000);
        // What could not be reported then goes with the next report.
        for (const admission of desks)
          for (const user of ["alice", "bob"]) {
            const last = await within(
              clock,
              admission.admit(turn(tenant, `last-${desks.indexOf(admission)}-${user}`, { user })),
            );
            if (last.ok) last.value.settle({ requests: 0, tokens: 0 });
            else await clock.advance(60_000);
          }
        await clock.advance(60_000);
        check();
        for (const [name, sum] of delivered) {
          const { usage, lent } = buckets.inspect(name, []);
          expect(usage.settled).toEqual(sum);
          expect(usage.reserved).toEqual({ requests: 0, tokens: 0 });
          expect(lent).toEqual({ requests: 0, tokens: 0 });
        }
        expect(backgrounds.flatMap((background) => background.failures)).toEqual([]);

        // Never above a limit: in any stretch of time at most the capacity and its refill, where what was lent counts
        // from when it was lent, a loan's life earlier at most.
        for (const scope of ["user", "org"] as const)
          for (const rule of resolveLimits(tenant, scope, "free").rules)
            for (const name of delivered.keys()) {
              if (!name.startsWith(`acme/${scope}/`)) continue;
              const own = charged.filter((charge) => charge.name === name);
              for (let from = 0; from < own.length; from += 1) {
                let sum = 0;
                for (const charge of own.slice(from)) {
                  sum += charge[rule.unit];
                  const elapsedMs = charge.atMs - (own[from]?.atMs ?? 0) + loanPolicy.lifeMs;
                  expect(sum).toBeLessThanOrEqual(
                    rule.capacity + (elapsedMs * rule.capacity) / rule.windowMs + 1e-3,
                  );
                }
              }
            }
      }),
      { numRuns: seeds },
    );
  },
);
