/** What is remembered of an engine that broke off an answer, and how much a fleet that always does is asked? */
import { describe, expect, test } from "vitest";
import { body, fakeClock, prose } from "./fault-fixture.ts";
import { readStream } from "./read-stream.ts";
import { turnWorld, underClock } from "./turn-world.ts";

fakeClock();

describe("a breaker", () => {
  test("of an engine that broke off counts it once, though another went on, and that one's stays clean", async () => {
    const world = turnWorld({ replicas: 2 });
    world.faultNext({ fault: "cut_after", after: 5, times: 1 });
    const { endings } = await underClock(world.chat(body(prose)));
    const [broken = -1, other = -1] = world.asked.map(({ replica }) => replica);
    expect(new Set([broken, other])).toEqual(new Set([0, 1]));
    expect(endings[0]?.engine).toEqual({
      cluster: "us-east",
      replica: `r${other}`,
      attempts: 2,
      tried: [],
      continued: 1,
      left: [`us-east/r${broken}: origin-error`],
      notContinued: null,
    });
    expect(world.known(broken).known.breaker.score(Date.now())).toBeGreaterThan(0.5);
    expect(world.known(broken).known.breaker.state(Date.now())).toBe("closed");
    expect(world.known(other).known.breaker.score(Date.now())).toBe(0);
    expect(world.state.inFlight.size).toBe(0);
  });

  test("opens for an engine that keeps breaking off, and new answers begin elsewhere", async () => {
    const world = turnWorld({ replicas: 2 });
    world.faultNext({ fault: "stall_after", after: 5 });
    for (let turn = 0; turn < 4; turn += 1) {
      const result = await underClock(world.chat(body(prose)));
      expect(readStream(result.text ?? "").errors).toEqual([]);
    }
    expect(world.asked.at(-1)?.replica).not.toBe(world.asked[0]?.replica);
    expect(world.state.inFlight.size).toBe(0);
  });
});

test("an answer that its engine breaks off again and again goes on at one that is well, though its breaker is open still", async () => {
  const world = turnWorld({ replicas: 2 });
  world.setFault(0, { fault: "end_early", after: 2 });
  const { breaker } = world.known(1).known;
  for (let failures = 0; failures < 3; failures += 1) breaker.failure("status", Date.now());
  // Others are trying it just now.
  breaker.begin(Date.now());
  const { endings, text } = await underClock(world.chat(body(prose)));
  expect(readStream(text ?? "").errors).toEqual([]);
  expect(endings[0]?.engine).toMatchObject({ replica: "r1", continued: 1, notContinued: null });
});

test("the retry budget bounds what goes on: a fleet that always breaks off is not asked four times as much", async () => {
  const world = turnWorld({ replicas: 2 });
  for (const at of [0, 1]) world.setFault(at, { fault: "end_early", after: 5 });
  while (world.state.retryBudget.take(Date.now()));
  const turns = 20;
  await underClock(Promise.all(Array.from({ length: turns }, () => world.chat(body(prose)))));
  // A fifth of the traffic, and five a second.
  expect(world.asked.length).toBeLessThanOrEqual(turns * 1.2 + 10);
  expect(world.state.inFlight.size).toBe(0);
});
