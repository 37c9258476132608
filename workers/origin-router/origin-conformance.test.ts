import { serviceOrigin } from "../edge/adapters/service-origin.ts";
import { buildFleetIndex } from "../../src/shared/routing/fleet-index.ts";
import type { Fleet } from "../../src/shared/routing/fleet-config.ts";
import { createOriginRouter } from "../../src/shared/routing/origin-router.ts";
import { Poller } from "../../src/shared/routing/poller.ts";
import { seeded } from "../../src/shared/routing/pool/seeded-fixture.ts";
import { RouterState } from "../../src/shared/routing/router-state.ts";
import type { FakeReplicas } from "../../test/workers/fake-replicas.ts";
import { originConformance } from "../../test/workers/origin-conformance.ts";
import { serveRequest, type RunningAnswers } from "./serve-dispatch.ts";

function inProcess(fleet: Fleet, replicas: FakeReplicas) {
  const state = new RouterState();
  const pending: Promise<unknown>[] = [];
  const background = { run: (_name: string, work: Promise<unknown>) => void pending.push(work) };
  const origin = createOriginRouter({
    callerRegisters: false,
    state,
    poller: new Poller(),
    fleet: buildFleetIndex(fleet),
    transport: replicas.transport,
    background,
    now: () => Date.now(),
    // Both of two equal replicas are asked in any dozen turns: a lot of its own would leave one out in one of four thousand.
    random: seeded(1),
    wait: () => Promise.resolve(),
  });
  return { origin, state, background, settled: async () => void (await Promise.all(pending)) };
}

originConformance("in process, in workerd", inProcess);

/** The same HTTP on both sides of a binding that lies in one isolate; test/e2e has the real one. */
originConformance("behind a service binding", (fleet, replicas) => {
  const mounted = inProcess(fleet, replicas);
  const running: RunningAnswers = new Map();
  const binding = {
    async fetch(input: RequestInfo | URL, init?: RequestInit) {
      const request = new Request(input, init);
      const { origin, background } = mounted;
      const response = await serveRequest(request, {
        origin,
        running,
        background,
        inFlight: () => mounted.state.inFlight.size,
      });
      // What the runtime does when a fetch is aborted after its headers came and nobody reads.
      init?.signal?.addEventListener("abort", () => {
        if (response.body?.locked === false) background.run("abort", response.body.cancel());
      });
      return response;
    },
  } as Pick<Fetcher, "fetch">;
  return { ...mounted, origin: serviceOrigin(binding, mounted.background) };
});
