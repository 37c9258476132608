import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  decideStart,
  dueWork,
  nextAlarmMs,
  restartDelayMs,
  type OutboxState,
  retryDelayMs,
  type TurnState,
} from "./turn-state.ts";

const owner = { tenant: "demo", user: "alice" };
const running: TurnState = {
  status: "running",
  owner,
  fingerprint: null,
  createdMs: 0,
  endedMs: null,
  deadlineMs: 600_000,
  replayMs: 600_000,
  retentionMs: 86_400_000,
  pruned: false,
  refusal: null,
};
const empty: OutboxState = { pending: 0, nextDueMs: null };

test("the first start claims, the next attaches, a stranger's learns nothing, another body is a mismatch", () => {
  expect(decideStart(null, { owner, fingerprint: null }, 0)).toBe("claim");
  expect(decideStart(running, { owner, fingerprint: null }, 0)).toBe("attach");
  expect(decideStart(running, { owner: { tenant: "demo", user: "bob" }, fingerprint: null }, 0)).toBe(
    "unknown",
  );
  expect(decideStart(running, { owner, fingerprint: "x" }, 0)).toBe("mismatch");
});

test("a claim holds while the turn runs and as long as it can be replayed, then it is over; a refused one's never was", () => {
  const asked = { owner, fingerprint: "x" };
  const claimed: TurnState = { ...running, fingerprint: "x" };
  const ended: TurnState = { ...claimed, status: "completed", endedMs: 5000 };
  expect(decideStart(claimed, asked, 1e12)).toBe("attach");
  expect(decideStart(ended, asked, 604_999)).toBe("attach");
  expect(decideStart(ended, { ...asked, fingerprint: "y" }, 604_999)).toBe("mismatch");
  expect(decideStart(ended, asked, 605_000)).toBe("expired");
  expect(decideStart(ended, { ...asked, fingerprint: "y" }, 605_000)).toBe("expired");
  const refusal = { kind: "conflict", message: "" } as const;
  expect(decideStart({ ...ended, status: "refused", refusal }, asked, 605_000)).toBe("attach");
  // What was cancelled before its first event is told to whoever comes again for it, and is nobody's answer.
  const unbegun: TurnState = { ...ended, status: "cancelled", refusal };
  expect(decideStart(unbegun, asked, 5000)).toBe("expired");
  expect(decideStart({ ...unbegun, fingerprint: null }, { owner, fingerprint: null }, 5000)).toBe("attach");
  expect(decideStart({ ...ended, fingerprint: null }, { owner, fingerprint: null }, 605_000)).toBe("attach");
});

test("a running turn is looked after every 30 s, and at its deadline", () => {
  expect(nextAlarmMs(running, empty, 1000)).toBe(31_000);
  expect(nextAlarmMs(running, empty, 599_000)).toBe(600_000);
  expect(dueWork(running, empty, 599_999).overdue).toBe(false);
  expect(dueWork(running, empty, 600_000).overdue).toBe(true);
});

const turns = fc.record({
  status: fc.constantFrom("running", "refused", "completed", "incomplete", "failed", "cancelled"),
  owner: fc.constant(owner),
  fingerprint: fc.constant(null),
  createdMs: fc.nat(1_000_000),
  ranMs: fc.nat(1_000_000),
  deadlineMs: fc.integer({ min: 1000, max: 4_000_000 }),
  replayMs: fc.nat(1_000_000),
  retentionMs: fc.nat(100_000_000),
});

test("whatever the state, obeying each alarm ends in nothing kept, and never spins", () => {
  fc.assert(
    fc.property(
      turns,
      fc.nat(4),
      fc.nat(8),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (turn, effects, failures, random) => {
        const { ranMs, ...rest } = turn;
        let state: TurnState = {
          ...rest,
          status: turn.status,
          endedMs: turn.status === "running" ? null : turn.createdMs + ranMs,
          pruned: false,
          refusal: null,
        };
        let nowMs = turn.createdMs + ranMs;
        let outbox: OutboxState =
          state.endedMs === null || effects === 0 ? empty : { pending: effects, nextDueMs: nowMs };
        let failed = 0;
        let idle = 0;
        for (let alarms = 0; alarms < 1000; alarms += 1) {
          const at = nextAlarmMs(state, outbox, nowMs);
          expect(at).toBeGreaterThanOrEqual(nowMs);
          nowMs = at;
          const due = dueWork(state, outbox, nowMs);
          if (due.erase) {
            expect(outbox.pending).toBe(0);
            if (state.status !== "refused")
              expect(nowMs).toBeGreaterThanOrEqual(
                (state.endedMs ?? Infinity) + Math.max(state.replayMs, state.retentionMs),
              );
            return;
          }
          idle = due.overdue || due.deliver || due.prune || state.endedMs === null ? 0 : idle + 1;
          expect(idle).toBe(0);
          if (due.overdue) {
            state = { ...state, status: "failed", endedMs: nowMs };
            outbox = effects === 0 ? empty : { pending: effects, nextDueMs: nowMs };
          }
          if (due.deliver) {
            failed += 1;
            if (failed <= failures) outbox = { ...outbox, nextDueMs: nowMs + retryDelayMs(failed, random) };
            else outbox = outbox.pending === 1 ? empty : { pending: outbox.pending - 1, nextDueMs: nowMs };
          }
          if (due.prune) state = { ...state, pruned: true };
        }
        throw new Error("never erased");
      },
    ),
  );
});

test("deliveries are retried with growing distance, five minutes at most", () => {
  expect(retryDelayMs(1, 1)).toBe(500);
  expect(retryDelayMs(2, 0)).toBe(500);
  expect(retryDelayMs(5, 1)).toBe(8000);
  expect(retryDelayMs(1000, 1)).toBe(300_000);
});

test("a lost run goes on after a growing wait, three times at most and not beyond its deadline", () => {
  const turn = { createdMs: 1000, deadlineMs: 60_000 };
  expect([0, 1, 2].map((restarts) => restartDelayMs(turn, restarts, 1, 2000))).toEqual([250, 1000, 4000]);
  expect(restartDelayMs(turn, 0, 0, 2000)).toBe(0);
  expect(restartDelayMs(turn, 3, 1, 2000)).toBeNull();
  expect(restartDelayMs(turn, 0, 1, 61_000)).toBeNull();
});
