/** What nobody waits for, in front of a pool: when does it go, and whom does it never hold up? */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { mountGate, opened } from "../../../test/workers/gated-router.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function withBusySlots(busy: number) {
  const gate = mountGate();
  await gate.hear();
  const [host] = gate.hosts;
  if (host === undefined) throw new Error("there is a pool");
  host.fill(4 - busy);
  // The isolate hears of it with its next exchange.
  opened(await gate.dispatch()).report("done");
  await vi.advanceTimersByTimeAsync(1200);
  host.calls.length = 0;
  return { ...gate, host };
}

test.for([0, 1, 2] as const)(
  "with %i of four slots taken by others it goes, and asks no pool",
  async (busy) => {
    const { host, dispatchYielding } = await withBusySlots(busy);
    const answer = opened(await dispatchYielding());
    expect(host.calls.filter((call) => call === "ask")).toEqual([]);
    answer.report("done");
  },
);

test.for([3, 4] as const)(
  "with %i of four slots taken by others it is refused at once, and waits in no queue",
  async (busy) => {
    const { host, replicas, dispatchYielding } = await withBusySlots(busy);
    const calls = replicas.calls.length;
    expect(await dispatchYielding()).toEqual({
      ok: false,
      error: { kind: "overloaded", retryAfterMs: 1000 },
    });
    expect([replicas.calls.length, host.pool.queue.size, host.calls]).toEqual([calls, 0, []]);
  },
);

test("what goes on with an answer that has begun takes its place as any other", async () => {
  const { dispatchYielding } = await withBusySlots(3);
  const goesOnFrom = [{ cluster: "c0", replica: "gone" }];
  expect((await dispatchYielding({ goesOnFrom })).ok).toBe(true);
});
