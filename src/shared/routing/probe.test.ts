/** Whether anyone can answer is asked of so few that who they are matters. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fakeFleet } from "../../../test/workers/fake-replicas.ts";
import { finished, mount } from "../../../test/workers/mounted-router.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a region that is down hides no other one: an isolate that has seen nothing yet is ready", async () => {
  const { origin, replicas } = mount(fakeFleet(8, 1));
  replicas.health = (host) => (host.startsWith("c0") ? 503 : 200);
  expect(await finished(origin.probe("auto"))).toBe(true);
});

test("one that is well is found behind many of its own region that refuse", async () => {
  const { origin, replicas } = mount(fakeFleet(8));
  replicas.health = (host) => (host === "c0r7.test" ? 200 : 503);
  expect(await finished(origin.probe("auto"))).toBe(true);
});

test("where half of a region has been down for long, each of a monitor's questions finds the other half first", async () => {
  const { origin, replicas, polls } = mount(fakeFleet(8));
  replicas.health = (host) => (/r[0-3]\./.test(host) ? 503 : 200);
  for (let minute = 0; minute < 5; minute += 1) {
    polls.length = 0;
    expect(await finished(origin.probe("auto"))).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
  }
  expect(polls.filter((url) => url.endsWith("/health")).length).toBeLessThanOrEqual(6);
});

test("who says nothing is waited for once: others are not asked for seconds on end", async () => {
  const { origin, replicas, polls } = mount(fakeFleet(32));
  const answer = replicas.transport;
  let asked = 0;
  Object.assign(replicas, {
    transport: async (...call: Parameters<typeof answer>) => {
      asked += 1;
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return new Response(null, { status: 503, statusText: String(call.length) });
    },
  });
  expect(await finished(origin.probe("auto"))).toBe(false);
  expect(asked).toBe(3);
  expect(polls).toHaveLength(3);
});
