/**
 * The origin router as a Worker of its own: private, reached only by the edge Worker's service binding. Holds what must stay
 * out of the public Worker (secrets of tunnels). Composition root: all rules are in src/shared/routing.
 */
import devFleet from "../../config/fleet.dev.json";
import { createOriginPoolClass } from "../../durable-objects/origin-pool/origin-pool.ts";
import { poolControl } from "../../durable-objects/origin-pool/pool-port.ts";
import { backgroundOf } from "../../src/shared/contracts/background.ts";
import type { Transport } from "../../src/shared/routing/attempt.ts";
import { createFleetSource, type FleetSource } from "../../src/shared/routing/fleet/fleet-source.ts";
import { createOriginRouter } from "../../src/shared/routing/origin-router.ts";
import type { PoolLinks } from "../../src/shared/routing/pool/pool-links.ts";
import { Poller } from "../../src/shared/routing/poller.ts";
import { RouterState } from "../../src/shared/routing/router-state.ts";
import { originTransport } from "../origin-bindings.ts";
import type { OriginRouterEnv } from "./env.ts";
import { createPoolLinks } from "./pools.ts";
import { BoundedMap } from "../../src/shared/isolate/bounded-map.ts";
import { serveRequest, type EndedAnswers, type RunningAnswers } from "./serve-dispatch.ts";

/** What lives as long as the isolate. */
interface Mount {
  readonly fleetSource: FleetSource;
  readonly transport: Transport;
  /** Absent without the binding: every cluster is then routed to without a pool. */
  readonly pools?: PoolLinks;
}

/**
 * The edge says of an answer that it was none within milliseconds of its last byte, where its client keeps up. An answer of which it says so
 * later has counted as whole, and counts as a fault then. What another isolate of this Worker is told is lost.
 */
const untilWholeMs = 500;

const state = new RouterState();
const poller = new Poller();
const running: RunningAnswers = new Map();
const ended: EndedAnswers = new BoundedMap({ maxEntries: 2048 });
let mounted: Mount | null = null;

function mountOf(env: OriginRouterEnv): Mount {
  mounted ??= {
    fleetSource: createFleetSource({
      variable: env.FLEET,
      store: { get: (key) => env.CONFIG.get(key) },
      bundled: env.ENVIRONMENT === "local" ? devFleet : null,
      now: () => Date.now(),
      report,
    }),
    transport: originTransport(env, () => Date.now(), report),
    ...(env.ORIGIN_POOL === undefined ? {} : { pools: createPoolLinks(env.ORIGIN_POOL, state) }),
  };
  return mounted;
}

export const OriginPool = createOriginPoolClass((env: OriginRouterEnv) => {
  const { fleetSource, transport } = mountOf(env);
  return {
    async fleet(background) {
      const reading = await fleetSource.current(background);
      return reading.ok ? reading.value : null;
    },
    transport,
    report,
  };
});

export default {
  async fetch(request, env, context): Promise<Response> {
    const { fleetSource, transport, pools } = mountOf(env);
    const background = backgroundOf(context, report);
    const fleet = await fleetSource.current(background);
    if (!fleet.ok) return new Response(fleet.error.detail, { status: 503 });
    const origin = createOriginRouter({
      callerRegisters: false,
      state,
      poller,
      pools,
      fleet: fleet.value,
      transport,
      background,
      now: () => Date.now(),
      random: () => Math.random(),
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    });
    return serveRequest(request, {
      origin,
      running,
      ended,
      background,
      untilWhole: () => new Promise((resolve) => setTimeout(resolve, untilWholeMs)),
      inFlight: () => state.inFlight.size,
      pools: env.ORIGIN_POOL === undefined ? null : poolControl(env.ORIGIN_POOL),
    });
  },
} satisfies ExportedHandler<OriginRouterEnv>;

function report(component: string, detail: string): void {
  // oxlint-disable-next-line no-console -- faults are rare and this Worker writes no request log: the edge does.
  console.error(JSON.stringify({ level: "error", worker: "origin-router", component, detail }));
}
