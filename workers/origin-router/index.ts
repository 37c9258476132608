/**
 * The origin router as a Worker of its own: private, reached only by the edge Worker's service binding. Holds what must stay
 * out of the public Worker (secrets of tunnels). Composition root: all rules are in src/shared/routing.
 */
import devFleet from "../../config/fleet.dev.json";
import type { Background } from "../../src/shared/contracts/background.ts";
import type { Transport } from "../../src/shared/routing/attempt.ts";
import { createFleetSource, type FleetSource } from "../../src/shared/routing/fleet-source.ts";
import { createOriginRouter } from "../../src/shared/routing/origin-router.ts";
import { Poller } from "../../src/shared/routing/poller.ts";
import { RouterState } from "../../src/shared/routing/router-state.ts";
import { originTransport } from "../origin-bindings.ts";
import type { OriginRouterEnv } from "./env.ts";
import { serveRequest, type RunningAnswers } from "./serve-dispatch.ts";

/** What lives as long as the isolate. */
const state = new RouterState();
const poller = new Poller();
const running: RunningAnswers = new Map();
let fleetSource: FleetSource | null = null;
let transport: Transport | null = null;

export default {
  async fetch(request, env, context): Promise<Response> {
    fleetSource ??= createFleetSource({
      variable: env.FLEET,
      store: { get: (key) => env.CONFIG.get(key) },
      bundled: env.ENVIRONMENT === "local" ? devFleet : null,
      now: () => Date.now(),
      report,
    });
    transport ??= originTransport(env, () => Date.now(), report);
    const background: Background = {
      run: (name, work) => context.waitUntil(work.catch((error: unknown) => report(name, String(error)))),
    };
    const fleet = await fleetSource.current(background);
    if (!fleet.ok) return new Response(fleet.error.detail, { status: 503 });
    const origin = createOriginRouter({
      callerRegisters: false,
      state,
      poller,
      fleet: fleet.value,
      transport,
      background,
      now: () => Date.now(),
      random: () => Math.random(),
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    });
    return serveRequest(request, { origin, running, background, inFlight: () => state.inFlight.size });
  },
} satisfies ExportedHandler<OriginRouterEnv>;

function report(component: string, detail: string): void {
  // oxlint-disable-next-line no-console -- faults are rare and this Worker writes no request log: the edge does.
  console.error(JSON.stringify({ level: "error", worker: "origin-router", component, detail }));
}
