import * as fc from "fast-check";
import { expect, test } from "vitest";
import { bucketName } from "../limits/bucket-name.ts";
import { microdollarsFor } from "../limits/cost.ts";
import { createLimitDesk } from "../limits/limit-desk.ts";
import type { Reservation } from "../limits/ports.ts";
import { amounts, tenantWith, turn, within } from "../limits/simulated-turns.ts";
import { FakeClock, isolateOptions, SimulatedBuckets, strictBackground } from "../limits/simulated-world.ts";
import { edgeLimits, price } from "./simulated-stream.ts";
import { TokenBudget } from "./token-budget.ts";

/** One streaming answer as asked for, and what becomes of it. */
const wish = fc.record({
  promptTokens: fc.integer({ min: 1, max: 300 }),
  /** The engine's own count may differ from the estimate. */
  promptError: fc.integer({ min: -40, max: 40 }),
  maxTokens: fc.integer({ min: 1, max: 2_000 }),
  expected: fc.integer({ min: 1, max: 512 }),
  /** Tokens that arrive together. */
  chunk: fc.integer({ min: 1, max: 40 }),
  /** Where the client leaves; beyond the end: it does not. */
  leavesAfter: fc.integer({ min: 0, max: 4_000 }),
});

const seeds = 1_000;

/** Streams an answer as the one pass does: asks before every event, waits where it must, settles what was delivered. */
async function stream(
  clock: FakeClock,
  reservation: Reservation,
  asked: { promptTokens: number; promptError: number; maxTokens: number; chunk: number; leavesAfter: number },
  policy: "stop" | "finish",
): Promise<{ tokens: number; microdollars: number }> {
  const { promptTokens, maxTokens, chunk, leavesAfter } = asked;
  const budget = new TokenBudget(reservation, { promptTokens, answerTokens: maxTokens, price, policy });
  const counted = Math.max(1, promptTokens + asked.promptError);
  let completion = 0;
  while (completion < maxTokens && completion < leavesAfter) {
    const next = Math.min(maxTokens, completion + chunk);
    if (completion === 0) budget.promptCounted(counted);
    const verdict = budget.ask(next);
    if (verdict === "stop") break;
    if (verdict === "wait") {
      await budget.pending;
      continue;
    }
    completion = next;
    // Ten milliseconds a chunk, so that answers run beside one another.
    await new Promise<void>((resolve) => {
      clock.setTimer(resolve, 10);
    });
  }
  const tokens = completion === 0 ? 0 : counted + completion;
  const microdollars = completion === 0 ? 0 : microdollarsFor(price, counted, completion);
  reservation.settle({ tokens, requests: 1, microdollars, model: "m" });
  return { tokens, microdollars };
}

test(
  `2 to 200 streams of mixed size at a quota's edge, with aborts: within the limit, exact in the end, over ${seeds} seeds`,
  { timeout: 240_000 },
  async () => {
    const worlds = fc.record({
      policy: fc.constantFrom("stop" as const, "finish" as const),
      tokensPerMonth: fc.integer({ min: 500, max: 60_000 }),
      cents: fc.integer({ min: 1, max: 12 }),
      concurrent: fc.integer({ min: 1, max: 200 }),
      wishes: fc.oneof(
        { weight: 9, arbitrary: fc.array(wish, { minLength: 2, maxLength: 20 }) },
        { weight: 1, arbitrary: fc.array(wish, { minLength: 100, maxLength: 200 }) },
      ),
    });
    await fc.assert(
      fc.asyncProperty(worlds, async ({ policy, tokensPerMonth, cents, concurrent, wishes }) => {
        const clock = new FakeClock();
        const buckets = new SimulatedBuckets(clock);
        const limits = edgeLimits(tokensPerMonth, cents, concurrent);
        const tenant = tenantWith({ user: { free: limits }, org: { free: limits }, when_exhausted: policy });
        const background = strictBackground();
        const admission = createLimitDesk(isolateOptions(buckets, "i")).admission(background);
        let running = 0;
        let debtTokens = 0;
        let debtMicrodollars = 0;
        const runs = wishes.map(async (asked, index) => {
          const answerTokens = Math.min(asked.expected, asked.maxTokens);
          const admitted = await admission.admit(
            turn(tenant, `c${index}`, { promptTokens: asked.promptTokens, answerTokens, price }),
          );
          if (!admitted.ok) return { tokens: 0, microdollars: 0, requests: 0 };
          running += 1;
          expect(running).toBeLessThanOrEqual(concurrent);
          // What `finish` may owe: the rest of its `max_tokens`; and either may be wrong about its prompt.
          const wrong = Math.max(0, asked.promptError);
          debtTokens += wrong + (policy === "finish" ? asked.maxTokens : 0);
          debtMicrodollars +=
            1 + wrong * price.input + (policy === "finish" ? asked.maxTokens * price.output : 0);
          const used = await stream(clock, admitted.value, asked, policy);
          running -= 1;
          return { ...used, requests: 1 };
        });
        const used = await within(clock, Promise.all(runs), 120_000);
        await clock.advance(10_000);
        const sum = used.reduce(
          (total, one) => ({
            requests: total.requests + one.requests,
            tokens: total.tokens + one.tokens,
            microdollars: total.microdollars + one.microdollars,
          }),
          { requests: 0, tokens: 0, microdollars: 0 },
        );
        expect(sum.requests).toBeLessThanOrEqual(150);
        expect(sum.tokens).toBeLessThanOrEqual(tokensPerMonth + debtTokens);
        expect(sum.microdollars).toBeLessThanOrEqual(cents * 10_000 + debtMicrodollars);
        for (const name of [bucketName("acme", "user", "alice"), bucketName("acme", "org", "research")]) {
          const { usage, limits: shown } = buckets.inspect(name, []);
          expect(usage.settled).toEqual(amounts(sum.requests, sum.tokens, 0, sum.microdollars));
          expect(usage.reserved).toEqual(amounts(0, 0));
          expect(shown).toEqual([]);
        }
        expect(background.failures).toEqual([]);
      }),
      { numRuns: seeds },
    );
  },
);

/** A reservation of which everything is known. */
function reservation(tokens: number, microdollars: number, extend: Reservation["extend"]): Reservation {
  return {
    chargeId: "c" as Reservation["chargeId"],
    standing: {
      requests: { limit: 1, remaining: 1, resetMs: 0, name: "" },
      tokens: { limit: 1, remaining: 1, resetMs: 0, name: "" },
    },
    tokens,
    microdollars,
    extend,
    refusal: null,
    settle: () => undefined,
  };
}

test("money ends an answer as tokens do, to the token", () => {
  const budget = new TokenBudget(
    reservation(10_000, 400, () => false),
    { promptTokens: 100, answerTokens: 5_000, price, policy: "stop" },
  );
  expect(budget.ask(100)).toBe("go-on");
  expect(budget.ask(101)).toBe("stop");
});

test("a prompt that the engine counts longer leaves less for the answer, a shorter one more", () => {
  const terms = {
    promptTokens: 100,
    answerTokens: 5_000,
    price: { input: 0, output: 0 },
    policy: "stop",
  } as const;
  const longer = new TokenBudget(
    reservation(200, 0, () => false),
    terms,
  );
  longer.promptCounted(150);
  expect([longer.ask(50), longer.ask(51)]).toEqual(["go-on", "stop"]);
  const shorter = new TokenBudget(
    reservation(200, 0, () => false),
    terms,
  );
  shorter.promptCounted(80);
  expect([shorter.ask(120), shorter.ask(121)]).toEqual(["go-on", "stop"]);
});

test("an answer that stays far from its reservation asks for nothing", () => {
  let asked = 0;
  const budget = new TokenBudget(
    reservation(1_000, 10_000, () => {
      asked += 1;
      return true;
    }),
    { promptTokens: 100, answerTokens: 5_000, price, policy: "stop" },
  );
  for (let tokens = 1; tokens < 800; tokens += 1) expect(budget.ask(tokens)).toBe("go-on");
  expect(asked).toBe(0);
});
