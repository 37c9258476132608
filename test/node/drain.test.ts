/** A replica that is drained: what runs there ends there, and nothing new begins, nor goes on, there. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { PooledView } from "../../src/shared/routing/pool/pooled-view.ts";
import type { ReplicaStanding } from "../../src/shared/routing/pool/snapshot.ts";
import { readStream } from "./read-stream.ts";
import { turnWorld, underClock, type TurnWorld } from "./turn-world.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** As the pool's snapshot has it after an admin's word. */
function stand(world: TurnWorld, at: number, state: ReplicaStanding): void {
  const { known, id } = world.known(at);
  const pooled: PooledView = {
    atMs: Date.now(),
    ownRequests: known.occupancy.requests,
    ownTokens: known.occupancy.tokens,
    view: {
      id,
      state,
      slots: 8,
      running: 0,
      waiting: 0,
      polledAtMs: null,
      leases: known.occupancy.requests,
      queuedTokens: 0,
      throughput: null,
      kvUsage: null,
      breaker: "closed",
      weight: state === "active" ? 1 : 0,
      startedAtMs: 0,
      zone: null,
      latencyMs: new Map(),
      url: null,
    },
  };
  known.pooled = pooled;
}

/** Where the first request of a world of two replicas went. */
function homeOf(world: TurnWorld): number {
  const [first] = world.asked;
  if (first === undefined) throw new Error("nobody was asked yet");
  return first.replica;
}

const chat = {
  model: "llama-3.1-8b",
  stream: true,
  temperature: 0,
  messages: [{ role: "user", content: "Write 60 words" }],
};
const slow = { ttftMs: 5, tokenMs: 20 };

test("what runs on a replica that begins to drain ends there, whole; everything new goes elsewhere", async () => {
  const world = turnWorld({ replicas: 2, speed: slow });
  const running = world.chat(chat);
  await vi.advanceTimersByTimeAsync(200);
  const home = homeOf(world);
  stand(world, home, "draining");
  stand(world, 1 - home, "active");
  const later = await underClock(Promise.all(Array.from({ length: 10 }, () => world.chat(chat))));
  const first = await underClock(running);
  expect(world.asked.slice(1).map(({ replica }) => replica)).toEqual(later.map(() => 1 - home));
  for (const { text } of [first, ...later]) {
    const read = readStream(text ?? "");
    expect(read).toMatchObject({ errors: [], finishReasons: ["stop"] });
    expect(read.content.split(" ")).toHaveLength(60);
  }
  expect(first.endings[0]?.engine).toMatchObject({ replica: `r${home}`, continued: 0 });
  // Nothing is left there: it may go.
  expect(world.known(home).known.occupancy).toEqual({ requests: 0, tokens: 0 });
});

test("an answer that breaks off elsewhere does not go on at a replica that drains", async () => {
  const world = turnWorld({ replicas: 2 });
  stand(world, 0, "draining");
  stand(world, 1, "active");
  world.setFault(1, { fault: "cut_after", after: 5, times: 1 });
  const result = await underClock(world.chat(chat));
  expect(readStream(result.text ?? "").errors).toEqual([]);
  expect(world.asked.map(({ replica }) => replica)).toEqual([1, 1]);
});

test("a replica that drains breaks off in its last answer: another goes on", async () => {
  const world = turnWorld({ replicas: 2, speed: slow });
  world.faultNext({ fault: "cut_after", after: 20 });
  const running = world.chat(chat);
  await vi.advanceTimersByTimeAsync(200);
  const home = homeOf(world);
  stand(world, home, "draining");
  stand(world, 1 - home, "active");
  const result = await underClock(running);
  expect(readStream(result.text ?? "").content.split(" ")).toHaveLength(60);
  expect(world.asked.map(({ replica }) => replica)).toEqual([home, 1 - home]);
});

test.each(["draining", "disabled", "lost"] as const)(
  "with every replica %s the client is told that there is no service, and nobody is asked",
  async (state) => {
    const world = turnWorld({ replicas: 2 });
    stand(world, 0, state);
    stand(world, 1, state);
    const result = await underClock(world.chat(chat));
    expect(result.refused).toBe("origin-unavailable");
    expect(result.charged.map(({ tokens, requests }) => tokens + requests)).toEqual([0]);
    expect(world.asked).toEqual([]);
  },
);

test("a replica that is active again is asked again", async () => {
  const world = turnWorld({ replicas: 1 });
  stand(world, 0, "draining");
  expect((await underClock(world.chat(chat))).refused).toBe("origin-unavailable");
  stand(world, 0, "active");
  expect(readStream((await underClock(world.chat(chat))).text ?? "").errors).toEqual([]);
});
