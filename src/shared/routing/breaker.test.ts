import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  Breaker,
  defaultBreakerSettings as settings,
  failureWeights,
  type FailureReason,
} from "./breaker.ts";

const reasons = Object.keys(failureWeights) as FailureReason[];

function tripped(nowMs = 0): Breaker {
  const breaker = new Breaker();
  breaker.failure("refused", nowMs);
  breaker.failure("refused", nowMs);
  return breaker;
}

test("two refused connections open it, one does not", () => {
  const breaker = new Breaker();
  breaker.failure("refused", 0);
  expect(breaker.state(0)).toBe("closed");
  breaker.failure("refused", 0);
  expect(breaker.state(0)).toBe("open");
});

test("one that was outrun often is doubted until its first byte, and open when it is then silent to its time-out", () => {
  const breaker = new Breaker();
  expect([1, 2, 3, 4, 5].map((at) => breaker.outrun(at))).toEqual([false, false, false, true, true]);
  breaker.firstByte(6);
  expect(breaker.outrun(7)).toBe(false);
  breaker.failure("first-byte-timeout", 8);
  expect(breaker.state(8)).toBe("closed");
  for (const at of [9, 10, 11]) breaker.outrun(at);
  breaker.failure("first-byte-timeout", 12);
  expect(breaker.state(12)).toBe("open");
  // On trial, each loss is to be seen to its end.
  breaker.firstByte(13);
  breaker.failure("refused", 14);
  expect(breaker.state(2000)).toBe("open");
  expect(breaker.outrun(20_000)).toBe(true);
});

test("failures far apart never open it", () => {
  const breaker = new Breaker();
  for (let at = 0; at < 50; at += 1) breaker.failure("refused", at * 60_000);
  expect(breaker.state(50 * 60_000)).toBe("closed");
});

test.each([
  [0.1, "closed"],
  [0.2, "closed"],
  [0.5, "open"],
  [1, "open"],
] as const)("with a share of %d failing, spread evenly, it is %s", (share, expected) => {
  const breaker = new Breaker();
  let due = 0;
  let opened = false;
  for (let request = 0; request < 200 && !opened; request += 1) {
    due += share;
    if (due >= 1) {
      due -= 1;
      breaker.failure("status", request);
    } else breaker.success(request);
    opened = breaker.state(request) === "open";
  }
  expect(opened ? "open" : "closed").toBe(expected);
});

test("it opens, lets one trial through, and closes on its first byte", () => {
  const breaker = tripped();
  expect(breaker.admits(settings.openMs - 1)).toBe(false);
  expect(breaker.state(settings.openMs)).toBe("half-open");
  expect(breaker.admits(settings.openMs)).toBe(true);
  breaker.begin(settings.openMs);
  expect(breaker.admits(settings.openMs)).toBe(false);
  breaker.firstByte(settings.openMs + 5);
  expect(breaker.state(settings.openMs + 5)).toBe("closed");
});

test("a failed trial opens it for twice as long, up to the most", () => {
  const breaker = tripped();
  let nowMs = 0;
  for (let openMs = settings.openMs; ; openMs *= 2) {
    const expected = Math.min(openMs, settings.maxOpenMs);
    expect(breaker.waitMs(nowMs)).toBe(expected);
    nowMs += expected;
    breaker.begin(nowMs);
    breaker.failure("refused", nowMs);
    if (openMs > 4 * settings.maxOpenMs) return;
  }
});

test("a replica that recovers and fails at once opens again for longer", () => {
  const breaker = tripped();
  breaker.begin(1000);
  breaker.firstByte(1000);
  breaker.failure("broken", 1001);
  expect(breaker.waitMs(1001)).toBe(2 * settings.openMs);
});

test("a trial that never reports bars the others for a while only", () => {
  const breaker = tripped();
  breaker.begin(1000);
  expect(breaker.admits(1000 + settings.trialMs - 1)).toBe(false);
  expect(breaker.admits(1000 + settings.trialMs)).toBe(true);
});

test("a client that leaves its trial lets the next one try", () => {
  const breaker = tripped();
  breaker.begin(1000);
  breaker.undecided();
  expect(breaker.admits(1001)).toBe(true);
});

test("a busy replica pauses without being broken", () => {
  const breaker = new Breaker();
  breaker.busy(500, 0);
  expect(breaker.state(0)).toBe("closed");
  expect(breaker.admits(499)).toBe(false);
  expect(breaker.admitsLastResort(499)).toBe(false);
  expect(breaker.admits(500)).toBe(true);
});

test("a good poll reopens what was out of reach, and not what answered wrongly", () => {
  const outOfReach = tripped();
  outOfReach.polledWell(10);
  expect(outOfReach.state(10)).toBe("half-open");
  const wrong = new Breaker();
  for (let at = 0; at < 3; at += 1) wrong.failure("status", 0);
  wrong.polledWell(10);
  expect(wrong.state(10)).toBe("open");
});

test("the last resort is granted seldom", () => {
  const breaker = tripped();
  expect(breaker.admitsLastResort(10)).toBe(true);
  breaker.begin(10);
  expect(breaker.admitsLastResort(10 + settings.lastResortMs - 1)).toBe(false);
  expect(breaker.admitsLastResort(10 + settings.lastResortMs)).toBe(true);
});

test("whatever happened, it may be asked again after the longest time open, and at all as soon as it says", () => {
  const event = fc.record({
    kind: fc.constantFrom("begin", "first", "success", "failure", "busy", "undecided", "poll"),
    reason: fc.constantFrom(...reasons),
    afterMs: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 20_000 })),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const breaker = new Breaker();
      let nowMs = 0;
      for (const { kind, reason, afterMs } of events) {
        nowMs += afterMs;
        if (kind === "begin") breaker.begin(nowMs);
        else if (kind === "first") breaker.firstByte(nowMs);
        else if (kind === "success") breaker.success(nowMs);
        else if (kind === "failure") breaker.failure(reason, nowMs);
        else if (kind === "busy") breaker.busy(afterMs, nowMs);
        else if (kind === "undecided") breaker.undecided();
        else breaker.polledWell(nowMs);
        expect(breaker.waitMs(nowMs)).toBeLessThanOrEqual(20_000);
        expect(breaker.score(nowMs)).toBeGreaterThanOrEqual(0);
        const mayBeAsked = (atMs: number) => breaker.admits(atMs) || breaker.admitsLastResort(atMs);
        const inMs = breaker.askableInMs(nowMs);
        expect(mayBeAsked(nowMs + inMs)).toBe(true);
        if (inMs > 0) expect(mayBeAsked(nowMs + inMs - 1)).toBe(false);
      }
      expect(breaker.admits(nowMs + 20_000 + settings.trialMs)).toBe(true);
    }),
  );
});
