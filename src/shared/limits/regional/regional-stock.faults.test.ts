import * as fc from "fast-check";
import { expect, test } from "vitest";
import { bucketName } from "../bucket-name.ts";
import { resolveLimits } from "../defaults.ts";
import { createLimitDesk } from "../limit-desk.ts";
import { loanPolicy, mostLent } from "../loan-policy.ts";
import type { Reservation } from "../ports.ts";
import { tenantWith, turn, within } from "../simulated-turns.ts";
import {
  type Fate,
  FakeClock,
  isolateOptions,
  SimulatedBuckets,
  strictBackground,
} from "../simulated-world.ts";
import { paris, SimulatedRegions, sydney } from "./simulated-regions.ts";

/** Three isolates in two regions, all far from their org's bucket; every fault of it, of the stocks and on the ways to them. */
const step = fc.record({
  waitMs: fc.integer({ min: 0, max: 6_000 }),
  isolate: fc.integer({ min: 0, max: 2 }),
  burst: fc.integer({ min: 1, max: 8 }),
  action: fc.constantFrom(
    ...Array<"admit">(10).fill("admit"),
    ...Array<"settle">(4).fill("settle"),
    "kill-bucket" as const,
    "evict" as const,
    "kill-stock" as const,
  ),
  tokens: fc.integer({ min: 1, max: 8_000 }),
  usedShare: fc.double({ min: 0, max: 1, noNaN: true }),
});
const fate = fc.constantFrom<Fate>(
  ...Array<Fate>(15).fill("delivered"),
  "request-lost",
  "reply-lost",
  "hangs",
  "killed-before",
  "killed-after",
);
const fates = (minMs: number, maxMs: number) =>
  fc.array(fc.record({ fate, delayMs: fc.integer({ min: minMs, max: maxMs }) }), {
    minLength: 1,
    maxLength: 40,
  });

const seeds = Number(process.env["SEEDS"] ?? 150);
/** As small as limits are that anything is lent of, so that some worlds reach them. */
const limits = {
  requests_per_minute: 400,
  requests_per_hour: 600,
  requests_per_day: 420,
  tokens_per_minute: 450_000,
  tokens_per_month: 500_000,
  concurrent_requests: 400,
  cost_per_month_usd: 10,
};
const tenant = tenantWith({ org: { pro: limits } });
const org = bucketName("acme", "org", "research");
const { rules } = resolveLimits(tenant, "org", "pro");
const units = ["requests", "tokens", "microdollars"] as const;

test(
  `with regions, too, used is at least what was delivered, never above a limit, and equal in the end, over ${seeds} worlds of faults`,
  { timeout: 60_000 + seeds * 1_000 },
  async () => {
    let drawn = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 20, maxLength: 50 }),
        fates(60, 200),
        fates(2, 60),
        async (steps, farFates, nearFates) => {
          const clock = new FakeClock();
          const buckets = new SimulatedBuckets(clock);
          const regions = new SimulatedRegions(buckets);
          let far = 0;
          let near = 0;
          buckets.fate = ({ name }) =>
            (name === org ? farFates[far++ % farFates.length] : null) ?? { fate: "delivered", delayMs: 1 };
          regions.fate = () => nearFates[near++ % nearFates.length] ?? { fate: "delivered", delayMs: 2 };
          const background = strictBackground();
          const desks = [0, 1, 2].map((isolate) =>
            createLimitDesk({ ...isolateOptions(buckets, `i${isolate}`), regions: regions.port }).admission(
              background,
            ),
          );
          const held: { readonly reservation: Reservation; readonly used: number }[] = [];
          const deliveries: { readonly atMs: number; readonly requests: number; readonly tokens: number }[] =
            [];
          const sum = () =>
            deliveries.reduce(
              (total, one) => ({
                atMs: 0,
                requests: total.requests + one.requests,
                tokens: total.tokens + one.tokens,
              }),
              { atMs: 0, requests: 0, tokens: 0 },
            );
          const check = () => {
            const { usage, lent } = buckets.inspect(org, rules);
            const { settled, reserved, unsettled, unaccounted } = usage;
            const delivered = sum();
            for (const unit of ["requests", "tokens"] as const)
              expect(
                settled[unit] + reserved[unit] + unsettled[unit] + unaccounted[unit],
              ).toBeGreaterThanOrEqual(delivered[unit]);
            for (const unit of units) expect(lent[unit]).toBeLessThanOrEqual(mostLent(rules, unit));
            expect(held.length).toBeLessThanOrEqual(limits.concurrent_requests);
          };
          const admit = (isolate: number, id: string, user: string, tokens: number) => {
            const request = turn(tenant, id, { user, tier: "pro", promptTokens: 0, answerTokens: tokens });
            const desk = desks[isolate];
            if (desk === undefined) throw new Error("no such isolate");
            return desk.admit({ ...request, place: isolate === 2 ? sydney : paris });
          };
          for (const [index, { action, isolate, burst, tokens, usedShare, waitMs }] of steps.entries()) {
            if (action === "admit") {
              const asked = Array.from({ length: burst }, (_, at) =>
                admit(isolate, `${index}-${at}`, `u${at % 3}`, tokens),
              );
              for (const result of await within(clock, Promise.all(asked), 3_000)) {
                if (!result.ok) continue;
                const used = Math.floor(tokens * usedShare);
                held.push({ reservation: result.value, used });
                deliveries.push({ atMs: clock.now, requests: 1, tokens: used });
              }
            } else if (action === "settle") {
              for (const { reservation, used } of held.splice(0, burst * 3))
                reservation.settle({ requests: 1, tokens: used, microdollars: 0, model: "m" });
            } else if (action === "kill-bucket") buckets.kill(org);
            else if (action === "evict") buckets.evict(org);
            else regions.kill();
            check();
            await clock.advance(waitMs);
            check();
          }
          drawn += regions.outcomes.loan;

          for (const { reservation, used } of held.splice(0))
            reservation.settle({ requests: 1, tokens: used, microdollars: 0, model: "m" });
          buckets.fate = () => ({ fate: "delivered", delayMs: 1 });
          regions.fate = () => ({ fate: "delivered", delayMs: 1 });
          await clock.advance(60_000);
          // What could not be reported then goes with the next report; what was forfeited is counted as such with the next write.
          for (const isolate of [0, 1, 2]) {
            const last = await within(clock, admit(isolate, `last-${isolate}`, "last", 1));
            if (last.ok) last.value.settle({ requests: 0, tokens: 0, microdollars: 0, model: null });
            await clock.advance(60_000);
          }
          await clock.advance(60_000);
          check();
          const { usage, lent } = buckets.inspect(org, rules);
          const delivered = sum();
          for (const unit of ["requests", "tokens"] as const)
            expect(usage.settled[unit]).toBe(delivered[unit]);
          // A kill of the bucket holds slots to the end of their lease.
          for (const left of [usage.reserved, lent])
            expect(left).toMatchObject({ requests: 0, tokens: 0, microdollars: 0 });
          expect([...background.failures, ...regions.background.failures]).toEqual([]);
          // Never above a limit, where what was lent counts from when it was lent.
          expect(delivered.requests).toBeLessThanOrEqual(limits.requests_per_day);
          expect(delivered.tokens).toBeLessThanOrEqual(limits.tokens_per_month);
          for (const rule of rules) {
            if (rule.calendar !== undefined || (rule.unit !== "requests" && rule.unit !== "tokens")) continue;
            for (let from = 0; from < deliveries.length; from += 1) {
              let total = 0;
              for (const delivery of deliveries.slice(from)) {
                total += delivery[rule.unit];
                const elapsedMs = delivery.atMs - (deliveries[from]?.atMs ?? 0) + loanPolicy.lifeMs;
                expect(total).toBeLessThanOrEqual(
                  rule.capacity + (elapsedMs * rule.capacity) / rule.windowMs + 1e-3,
                );
              }
            }
          }
        },
      ),
      { numRuns: seeds },
    );
    // The worlds are about regions: many loans came from them.
    expect(drawn).toBeGreaterThan(seeds);
  },
);
