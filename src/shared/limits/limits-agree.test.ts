/**
 * Does everybody say the same of a limit? The refusal's body, the headers, `GET /v1/usage` and `/admin/limits`, at every step, while tiers and
 * configuration change, the clock goes forward and back, and days and months end as they do in zones where clocks change.
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { bucketName, type LimitScope } from "./bucket-name.ts";
import type { BucketInspection } from "./bucket-protocol.ts";
import { createLimitDesk } from "./limit-desk.ts";
import { rateLimitHeaders } from "./limit-headers.ts";
import { bucketReport, limitsReport } from "./limit-report.ts";
import type { AdmissionRequest, Reservation } from "./ports.ts";
import { limitsOf } from "./principal-limits.ts";
import { tenantWith, turn, use, within } from "./simulated-turns.ts";
import { FakeClock, isolateOptions, SimulatedBuckets, strictBackground } from "./simulated-world.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";

/** Hours before a day of 23 hours, one of 25, one that is left out, a month's end, a leap day, a year's end. */
const starts = [
  "2027-03-27T20:00:00Z",
  "2026-10-24T20:00:00Z",
  "2018-11-03T23:00:00Z",
  "2011-12-29T08:00:00Z",
  "2027-01-31T20:00:00Z",
  "2028-02-28T15:00:00Z",
  "2026-12-31T17:00:00Z",
].map((text) => Date.parse(text));
const zones = ["Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu"] as const;

const small = {
  requests_per_minute: 12,
  requests_per_hour: 40,
  requests_per_day: 60,
  tokens_per_minute: 9_000,
  tokens_per_month: 40_000,
  concurrent_requests: 8,
  cost_per_month_usd: 0.05,
};
const limitSets = [
  { user: { free: small, pro: small }, org: { free: small, pro: small } },
  {
    user: { free: { ...small, requests_per_day: 20 }, pro: { ...small, tokens_per_month: 15_000 } },
    org: { free: { ...small, requests_per_hour: null }, pro: { ...small, tokens_per_minute: 3_000 } },
  },
  {
    user: { free: { ...small, requests_per_minute: 3, cost_per_month_usd: 0.01 }, pro: small },
    org: { free: small, pro: { ...small, requests_per_minute: 200, concurrent_requests: 2 } },
  },
];
const tenants: readonly TenantConfig[] = zones.flatMap((zone) =>
  limitSets.map((limits) => ({ ...tenantWith(limits), time_zone: zone })),
);
const price = { input: 1, output: 1 };

const hourMs = 3_600_000;
const step = fc.record({
  tenant: fc.nat({ max: tenants.length - 1 }),
  /** One in four changes the configuration. */
  changes: fc.nat({ max: 3 }).map((lot) => lot === 0),
  user: fc.constantFrom("alice", "bob"),
  tier: fc.constantFrom("free" as const, "pro" as const),
  tokens: fc.integer({ min: 1, max: 5_000 }),
  usedShare: fc.double({ min: 0, max: 1, noNaN: true }),
  settles: fc.nat({ max: 3 }),
  passMs: fc.oneof(
    fc.integer({ min: 0, max: 20_000 }),
    fc.integer({ min: 0, max: 30 * hourMs }),
    fc.integer({ min: -3 * hourMs, max: 0 }),
  ),
  /** Whether who is refused comes again when it was told to. */
  waits: fc.boolean(),
});

interface ShownLimit {
  readonly name: string;
  readonly limit: number;
  readonly used: number;
  readonly remaining: number;
}

test("refusal, headers, usage and limits say the same at every step, and who comes again when it was told to is let in", async () => {
  let refusals = 0;
  let returned = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...starts),
      fc.array(step, { minLength: 10, maxLength: 60 }),
      async (start, steps) => {
        const clock = new FakeClock();
        clock.now = start;
        const buckets = new SimulatedBuckets(clock);
        buckets.fate = () => ({ fate: "delivered", delayMs: 0 });
        /** Each bucket when it was asked last: a settlement under other limits may be told in the same moment, behind the answer. */
        const answered = new Map<string, BucketInspection>();
        const call: typeof buckets.call = async (address, batch) => {
          const reply = await buckets.call(address, batch);
          if (batch.operations.some(({ type }) => type === "reserve"))
            answered.set(address.name, buckets.inspect(address.name, batch.rules));
          return reply;
        };
        const desk = createLimitDesk({ ...isolateOptions(buckets, "i"), call, takesLoans: false }).admission(
          strictBackground(),
        );
        const held: {
          readonly request: AdmissionRequest;
          readonly reservation: Reservation;
          readonly tokens: number;
        }[] = [];
        let tenant = tenants[0] ?? tenantWith({});
        const nameOf = ({ principal }: AdmissionRequest, scope: LimitScope): string =>
          bucketName("acme", scope, principal[scope]);
        const limitsIn = (request: AdmissionRequest, scope: LimitScope): BucketInspection["limits"] =>
          answered.get(nameOf(request, scope))?.limits ?? [];
        const admit = (request: AdmissionRequest) => atOnce(clock, desk.admit(request));

        for (const [
          index,
          { changes, passMs, settles, tier, tokens, usedShare, user, waits, ...more },
        ] of steps.entries()) {
          if (changes) tenant = tenants[more.tenant] ?? tenant;
          const asked = (id: string) =>
            turn(tenant, id, { user, tier, promptTokens: 0, answerTokens: tokens, price });
          const request = asked(`${index}`);
          let result = await admit(request);
          if (!result.ok) {
            refusals += 1;
            if (result.error.kind !== "limited") throw new Error(result.error.kind);
            const { limit: refused } = result.error;
            const scope = refused.scope === "org" ? "org" : "user";
            const shown = limitsIn(request, scope).find(({ name }) => name === refused.limit);
            expect(shown).toMatchObject({
              limit: refused.capacity,
              remaining: refused.remaining,
              resetMs: refused.resetMs,
            });
            const wanted = { requests: 1, slots: 1, tokens, microdollars: tokens }[refused.unit];
            expect(refused.remaining).toBeLessThan(wanted);
            const isNever = (["user", "org"] as const).some((scope) =>
              limitsOf(tenant, scope, request.principal).rules.some(
                ({ unit, capacity }) => (unit === "tokens" || unit === "microdollars") && capacity < tokens,
              ),
            );
            // When a slot will be free nobody knows.
            if (waits && !isNever && refused.unit !== "slots") {
              await clock.advance(refused.retryAfterMs);
              result = await admit(asked(`${index} again`));
              if (!result.ok) expect(result.error).toMatchObject({ limit: { unit: "slots" } });
              returned += 1;
            }
          }
          if (result.ok) {
            held.push({ request, reservation: result.value, tokens });
            const headers = rateLimitHeaders(result.value.standing);
            for (const unit of ["requests", "tokens"] as const) {
              const [scope = "", name = ""] = (headers[`x-ratelimit-window-${unit}`] ?? "").split("/");
              const shown = limitsIn(request, scope === "org" ? "org" : "user").find(
                (limit) => limit.name === name,
              );
              expect(shown).toMatchObject({
                unit,
                limit: Number(headers[`x-ratelimit-limit-${unit}`]),
                remaining: Number(headers[`x-ratelimit-remaining-${unit}`]),
                resetMs: result.value.standing[unit].resetMs,
              });
              // Nothing of the unit is nearer to its end.
              for (const each of ["user", "org"] as const)
                for (const limit of limitsIn(request, each))
                  if (limit.unit === unit)
                    expect(limit.remaining / limit.limit).toBeGreaterThanOrEqual(
                      (shown?.remaining ?? 0) / (shown?.limit ?? 1),
                    );
            }
          }
          // Whoever runs still is told of limits of its own, whatever others asked under meanwhile.
          for (const { request: earlier, reservation } of held)
            for (const unit of ["requests", "tokens"] as const) {
              const { name: window, limit } = reservation.standing[unit];
              const [scope, name] = window.split("/");
              const own = limitsOf(earlier.tenant, scope === "org" ? "org" : "user", earlier.principal);
              expect(own.rules.find((rule) => rule.name === name)?.capacity).toBe(limit);
            }
          const report = limitsReport(tenant) as {
            tiers: Record<string, Record<LimitScope, { name: string; limit: number }[]>>;
          };
          for (const scope of ["user", "org"] as const) {
            const { limits } = bucketReport(
              buckets.inspect(nameOf(request, scope), limitsOf(tenant, scope, request.principal).rules),
            ) as { limits: readonly ShownLimit[] };
            expect(limits.map(({ name, limit }) => ({ name, limit }))).toEqual(
              report.tiers[tier]?.[scope].map(({ name, limit }) => ({ name, limit })),
            );
            for (const { limit, used, remaining } of limits)
              if (used <= limit) expect(used + remaining).toBeCloseTo(limit, 9);
              else expect(remaining).toBe(0);
          }
          for (const { reservation, tokens: reserved } of held.splice(0, settles)) {
            const spent = Math.floor(reserved * usedShare);
            reservation.settle({ ...use(spent), microdollars: spent });
          }
          if (passMs < 0) clock.now += passMs;
          else await clock.advance(passMs);
        }
      },
    ),
    { numRuns: Number(process.env["SEEDS"] ?? 120) },
  );
  expect(refusals).toBeGreaterThan(50);
  expect(returned).toBeGreaterThan(10);
});

test("a turn is told of its own tier's limits, though another tier's were asked under before its headers leave, and hold a loan", async () => {
  const clock = new FakeClock();
  const tenant = tenantWith({});
  const admission = createLimitDesk(isolateOptions(new SimulatedBuckets(clock), "i")).admission(
    strictBackground(),
  );
  const admit = async (id: string, tier: "free" | "enterprise"): Promise<Reservation> => {
    const admitted = await within(clock, admission.admit(turn(tenant, id, { tier })));
    if (!admitted.ok) throw new Error("refused");
    return admitted.value;
  };
  const free = await admit("a", "free");
  const told = free.standing;
  for (let index = 0; index < 4; index += 1) await admit(`b${index}`, "enterprise");
  await clock.advance(50);
  const other = await admit("c", "enterprise");
  expect(other.standing.requests.limit).toBeGreaterThan(told.requests.limit);
  expect(free.standing).toEqual(told);
});

/** What a promise comes to while no time passes. */
async function atOnce<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
  const results: T[] = [];
  void promise.then((value) => results.push(value));
  for (let turn = 0; results.length === 0 && turn < 20; turn += 1) await clock.advance(0);
  for (const result of results) return result;
  throw new Error("it takes time");
}
