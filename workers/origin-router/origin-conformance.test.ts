import { expect, test } from "vitest";
import { serviceOrigin } from "../edge/adapters/service-origin.ts";
import { buildFleetIndex } from "../../src/shared/routing/fleet/fleet-index.ts";
import type { Fleet } from "../../src/shared/routing/fleet/fleet-config.ts";
import { createOriginRouter } from "../../src/shared/routing/origin-router.ts";
import { Poller } from "../../src/shared/routing/poller.ts";
import { seeded } from "../../src/shared/routing/pool/seeded-fixture.ts";
import { RouterState } from "../../src/shared/routing/router-state.ts";
import { FakeReplicas, fakeFleet, fakeRequest } from "../../test/workers/fake-replicas.ts";
import { originConformance } from "../../test/workers/origin-conformance.ts";
import { BoundedMap } from "../../src/shared/isolate/bounded-map.ts";
import { serveRequest, type EndedAnswers, type RunningAnswers } from "./serve-dispatch.ts";

function inProcess(fleet: Fleet, replicas: FakeReplicas) {
  const state = new RouterState();
  const pending: Promise<unknown>[] = [];
  const index = buildFleetIndex(fleet);
  const background = { run: (_name: string, work: Promise<unknown>) => void pending.push(work) };
  const origin = createOriginRouter({
    callerRegisters: false,
    state,
    poller: new Poller(),
    fleet: index,
    transport: replicas.transport,
    background,
    now: () => Date.now(),
    // Both of two equal replicas are asked in any dozen turns: a lot of its own would leave one out in one of four thousand.
    random: seeded(1),
    wait: () => Promise.resolve(),
  });
  const breaker = () => state.clusters(index).get("c0")?.replicas[0]?.known.breaker;
  return { origin, state, breaker, background, settled: async () => void (await Promise.all(pending)) };
}

originConformance("in process, in workerd", inProcess);

/** The same HTTP on both sides of a binding that lies in one isolate; test/e2e has the real one. */
function behindBinding(fleet: Fleet, replicas: FakeReplicas) {
  const mounted = inProcess(fleet, replicas);
  const running: RunningAnswers = new Map();
  const ended: EndedAnswers = new BoundedMap({ maxEntries: 8 });
  const outcomes: Promise<Response>[] = [];
  const whole = Promise.withResolvers<void>();
  const binding = {
    async fetch(input: RequestInfo | URL, init?: RequestInit) {
      const request = new Request(input, init);
      const { origin, background } = mounted;
      const serving = serveRequest(request, {
        origin,
        running,
        ended,
        background,
        untilWhole: () => whole.promise,
        inFlight: () => mounted.state.inFlight.size,
        pools: null,
      });
      if (request.url.includes("/outcome?")) outcomes.push(serving);
      const response = await serving;
      // What the runtime does when a fetch is aborted after its headers came and nobody reads.
      init?.signal?.addEventListener("abort", () => {
        if (response.body?.locked === false) background.run("abort", response.body.cancel());
      });
      return response;
    },
  } as Pick<Fetcher, "fetch">;
  const settled = async (): Promise<void> => {
    await Promise.all(outcomes);
    whole.resolve();
    await mounted.settled();
  };
  const outcomesSent = async (): Promise<void> => void (await Promise.all(outcomes));
  return { ...mounted, settled, outcomesSent, running, origin: serviceOrigin(binding, mounted.background) };
}

originConformance("behind a service binding", behindBinding);

test("the router's own Worker frees a replica's slot with the last byte, before it is known whether that was an answer, and then forgets it", async () => {
  const { origin, state, running, breaker, settled } = behindBinding(fakeFleet(1), new FakeReplicas());
  const signal = new AbortController().signal;
  for (const stream of [true, false]) {
    const result = await origin.dispatch(fakeRequest(["c0"], { stream }), signal);
    if (!result.ok) throw new Error(result.error.kind);
    await new Response(result.value.body).text();
    while (state.inFlight.size > 0) await new Promise((resolve) => setTimeout(resolve, 0));
    result.value.report("done");
  }
  expect(running.size).toBe(2);
  expect(breaker()?.takeOutcomes().successes).toBe(0);
  await settled();
  expect(running.size).toBe(0);
  expect(breaker()?.takeOutcomes().successes).toBe(2);
});

test("an answer that counted as whole before its slow reader found that it was cut off counts as a fault as well, once", async () => {
  const { origin, running, breaker, outcomesSent, settled } = behindBinding(fakeFleet(1), new FakeReplicas());
  const result = await origin.dispatch(fakeRequest(["c0"]), new AbortController().signal);
  if (!result.ok) throw new Error(result.error.kind);
  await new Response(result.value.body).text();
  await settled();
  expect(running.size).toBe(0);
  expect(breaker()?.takeOutcomes()).toEqual({ successes: 1, failures: {} });
  result.value.report("stalled");
  await outcomesSent();
  expect(breaker()?.takeOutcomes()).toEqual({ successes: 0, failures: { stalled: 1 } });
});

test("an answer that broke under a client who left is no fault of its replica, whatever its reader says of it", async () => {
  const { origin, breaker, outcomesSent, settled } = behindBinding(fakeFleet(1), new FakeReplicas());
  const client = new AbortController();
  const result = await origin.dispatch(fakeRequest(["c0"], { stream: false }), client.signal);
  if (!result.ok) throw new Error(result.error.kind);
  await new Response(result.value.body).text();
  await settled();
  expect(breaker()?.takeOutcomes()).toEqual({ successes: 1, failures: {} });
  client.abort();
  result.value.report("origin-error");
  await outcomesSent();
  expect(breaker()?.takeOutcomes()).toEqual({ successes: 0, failures: {} });
});
