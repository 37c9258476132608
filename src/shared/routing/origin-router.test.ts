import { originConformance } from "../../../test/workers/origin-conformance.ts";
import { buildFleetIndex } from "./fleet/fleet-index.ts";
import { createOriginRouter } from "./origin-router.ts";
import { Poller } from "./poller.ts";
import { seeded } from "./pool/seeded-fixture.ts";
import { RouterState } from "./router-state.ts";

originConformance("in process", (fleet, replicas) => {
  const state = new RouterState();
  const background: Promise<unknown>[] = [];
  const index = buildFleetIndex(fleet);
  const origin = createOriginRouter({
    callerRegisters: false,
    state,
    poller: new Poller(),
    fleet: index,
    transport: replicas.transport,
    background: { run: (_name, work) => void background.push(work) },
    now: () => Date.now(),
    // Both of two equal replicas are asked in any dozen turns: a lot of its own would leave one out in one of four thousand.
    random: seeded(1),
    wait: () => Promise.resolve(),
  });
  const breaker = () => state.clusters(index).get("c0")?.replicas[0]?.known.breaker;
  return { origin, state, breaker, settled: async () => void (await Promise.all(background)) };
});
