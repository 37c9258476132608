/**
 * What does a bucket count of turns that outlive the isolate in which they began? Beside loans, they are set aside by their id, again by each run,
 * and settled by it alone as often as it takes, whatever was killed between any two messages.
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Amounts, BucketOperation } from "./bucket-protocol.ts";
import { add, nothing } from "./bucket-state.ts";
import { loanPolicy } from "./loan-policy.ts";
import { Bucket, rules, settle } from "./simulated-bucket.ts";
import { amounts } from "./simulated-turns.ts";

const { reportWithinMs } = loanPolicy;
const counted = ["requests", "tokens", "microdollars"] as const;

interface Turn {
  readonly id: string;
  /** Tokens that its runs may deliver. */
  granted: number;
  delivered: number;
  /** What its outbox tells until it is acknowledged; `null`: it runs. */
  owed: Amounts | null;
}

interface Lent {
  readonly id: string;
  readonly receipt: number;
  readonly lentAtMs: number;
  readonly block: number;
  used: number;
  told: number;
  reports: number;
}

const step = fc.record({
  action: fc.constantFrom(
    ...(["ask", "ask", "ask", "raise", "deliver", "deliver", "deliver", "end", "tell", "give back"] as const),
    ...(["lend", "use", "report", "isolate dies", "kill", "commit", "rest"] as const),
  ),
  turn: fc.nat({ max: 5 }),
  tokens: fc.integer({ min: 1, max: 400 }),
  waitMs: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 500 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 40_000 }) },
  ),
});

const worlds = [
  rules,
  // A minute's limit leaks, and its marks are far ahead.
  [
    ...rules.map((rule) => ({ ...rule, capacity: rule.capacity * 100 })),
    { name: "tokens_per_minute", unit: "tokens", capacity: 20_000, windowMs: 60_000 } as const,
    { name: "requests_per_minute", unit: "requests", capacity: 200, windowMs: 60_000 } as const,
  ],
];

test("turns that are settled by their id alone, and loans beside them, are counted whole, never less than delivered, and each once, over kills between any two messages", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...worlds),
      fc.array(step, { minLength: 20, maxLength: 60 }),
      (limits, steps) => {
        const bucket = new Bucket();
        bucket.rules = limits;
        let turns: Turn[] = [];
        const ended: (Turn & { owed: Amounts })[] = [];
        const loans: Lent[] = [];
        let made = 0;
        const delivered = nothing();
        const due = nothing();

        const deliver = (tokens: number, requests: number): void =>
          add(delivered, amounts(requests, tokens, 0, 2 * tokens));
        const tell = ({ id, owed }: { id: string; owed: Amounts }): void => {
          const { type } = bucket.do(settle(id, null, owed), "now");
          expect(["settled", "duplicate"]).toContain(type);
        };
        const report = (loan: Lent, isLast: boolean): void => {
          const left = isLast ? 0 : loan.block - loan.used;
          bucket.do(reportOf(loan, left));
          add(due, amounts(0, loan.used - loan.told, 0, 2 * (loan.used - loan.told)));
          loan.told = loan.used;
          bucket.commit();
        };

        for (const { action, turn: nth, tokens, waitMs } of steps) {
          bucket.now += waitMs;
          const turn = turns[nth % Math.max(1, turns.length)];
          // Whose isolate is not heard for so long is given up, as one that died.
          while (bucket.now - (loans[0]?.lentAtMs ?? bucket.now) >= reportWithinMs) loans.shift();
          const loan = loans[0];
          if (action === "ask") {
            // A new one, or the next run of one whose run was lost.
            const asked =
              nth < turns.length && turn !== undefined
                ? turn
                : { id: `t${(made += 1)}`, granted: 0, delivered: 0, owed: null };
            const most = Math.max(tokens, asked.granted);
            if (bucket.admit(asked.id, most, 2 * most).type !== "granted") continue;
            asked.granted = most;
            if (!turns.includes(asked)) turns.push(asked);
          } else if (action === "raise" && turn !== undefined) {
            const most = turn.granted + tokens;
            if (bucket.admit(turn.id, most, 2 * most).type === "granted") turn.granted = most;
          } else if (action === "deliver" && turn !== undefined) {
            const more = Math.min(tokens, turn.granted - turn.delivered);
            deliver(more, turn.delivered === 0 && more > 0 ? 1 : 0);
            turn.delivered += more;
          } else if (action === "end" && turn !== undefined) {
            turns = turns.filter((other) => other !== turn);
            const owed = amounts(turn.delivered > 0 ? 1 : 0, turn.delivered, 0, 2 * turn.delivered);
            ended.push({ ...turn, owed });
            // Its object may be killed before it tells.
            if (tokens > 200) tell({ id: turn.id, owed });
          } else if (action === "tell") ended.forEach(tell);
          else if (action === "give back" && turn !== undefined && turn.delivered === 0) {
            bucket.do(settle(turn.id, null, nothing()), "now");
            turn.granted = 0;
          } else if (action === "lend") {
            const id = `loan${(made += 1)}`;
            const total = amounts(0, 20 * tokens, 0, 40 * tokens);
            const outcome = bucket.do({ type: "reserve", id, total, ttlMs: reportWithinMs, lend: true });
            if (outcome.type === "granted")
              loans.push({
                id,
                receipt: outcome.receipt,
                lentAtMs: bucket.now,
                block: 20 * tokens,
                used: 0,
                told: 0,
                reports: 0,
              });
          } else if (action === "use" && loan !== undefined) {
            const more = Math.min(tokens, loan.block - loan.used);
            deliver(more, 0);
            loan.used += more;
          } else if (action === "report" && loan !== undefined) {
            report(loan, tokens > 200);
            if (tokens > 200) loans.shift();
          } else if (action === "isolate dies") loans.shift();
          else if (action === "kill") bucket.kill();
          else if (action === "commit") bucket.commit();
          else if (action === "rest") bucket.rest();

          const { settled, reserved, unsettled, unaccounted } = bucket.inspect().usage;
          for (const unit of counted)
            expect(
              settled[unit] + reserved[unit] + unsettled[unit] + unaccounted[unit],
              unit,
            ).toBeGreaterThanOrEqual(delivered[unit]);
        }

        // Each outbox tells until it is acknowledged, in any order, twice where its acknowledgement was lost.
        for (const turn of turns)
          ended.push({
            ...turn,
            owed: amounts(turn.delivered > 0 ? 1 : 0, turn.delivered, 0, 2 * turn.delivered),
          });
        ended.forEach(tell);
        bucket.kill();
        ended.toReversed().forEach(tell);
        for (const { owed } of ended) add(due, owed);
        for (const unit of counted) expect(bucket.inspect().usage.settled[unit], unit).toBe(due[unit]);
      },
    ),
    { numRuns: 1_000 },
  );
});

function reportOf(loan: Lent, left: number): BucketOperation {
  loan.reports += 1;
  return {
    type: "settle",
    id: loan.id,
    receipt: loan.receipt,
    sequence: loan.reports,
    used: amounts(0, loan.used, 0, 2 * loan.used),
    models: [],
    held: amounts(0, left, 0, 2 * left),
    granted: amounts(0, loan.block, 0, 2 * loan.block),
    ended: left === 0,
  };
}
