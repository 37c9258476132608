/**
 * The smallest edge Worker around the origin router, for tests of both mounts on plain workerd: dispatches what it is sent to
 * every cluster, relays the answer as the product does, and reports how it ended.
 */
import { createFleetSource, type FleetSource } from "../../src/shared/routing/fleet/fleet-source.ts";
import { createOriginRouter } from "../../src/shared/routing/origin-router.ts";
import { Poller } from "../../src/shared/routing/poller.ts";
import type { Origin, OriginAnswer } from "../../src/shared/routing/ports.ts";
import { RouterState } from "../../src/shared/routing/router-state.ts";
import { serviceOrigin } from "../../workers/edge/adapters/service-origin.ts";

interface DispatchingEdgeEnv {
  readonly ROUTER: "in-process" | "service";
  readonly FLEET: string;
  readonly ORIGIN_ROUTER: Fetcher;
}

const state = new RouterState();
const poller = new Poller();
let fleetSource: FleetSource | null = null;

// oxlint-disable-next-line import/no-default-export -- a Worker's
export default {
  async fetch(request, env, context): Promise<Response> {
    if (new URL(request.url).pathname === "/state")
      return env.ROUTER === "service"
        ? env.ORIGIN_ROUTER.fetch("http://origin-router/in-flight")
        : Response.json({ inFlight: state.inFlight.size });
    const background = {
      run: (name: string, work: Promise<unknown>) =>
        context.waitUntil(work.catch((error: unknown) => report(name, String(error)))),
    };
    fleetSource ??= createFleetSource({
      variable: env.FLEET,
      store: { get: () => Promise.resolve(null) },
      bundled: null,
      now: () => Date.now(),
      report,
    });
    const fleet = await fleetSource.current(background);
    if (!fleet.ok) throw new Error(fleet.error.detail);
    const origin: Origin =
      env.ROUTER === "service"
        ? serviceOrigin(env.ORIGIN_ROUTER, background)
        : createOriginRouter({
            callerRegisters: false,
            state,
            poller,
            fleet: fleet.value,
            transport: (url, init) => fetch(url, init),
            background,
            now: () => Date.now(),
            random: () => Math.random(),
            wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
          });
    const body = await request.text();
    const result = await origin.dispatch(
      {
        requestId: request.headers.get("x-request-id") ?? "none",
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        clusters: [...fleet.value.clusters.keys()],
        model: "m",
        path: "/v1/chat/completions",
        body,
        stream: true,
        tenant: "tenant",
        tier: "pro",
        promptTokens: 8,
        affinity: null,
        tokens: 100,
        place: {},
        deadlineMs: 20_000,
      },
      request.signal,
    );
    if (!result.ok) return Response.json(result.error, { status: 503 });
    const { readable, writable } = new IdentityTransformStream();
    background.run("relay", relay(result.value, writable));
    return new Response(readable, { headers: { "content-type": result.value.contentType } });
  },
} satisfies ExportedHandler<DispatchingEdgeEnv>;

async function relay(answer: OriginAnswer, writable: WritableStream<Uint8Array>): Promise<void> {
  try {
    if (answer.firstChunk !== null) {
      const writer = writable.getWriter();
      await writer.write(answer.firstChunk);
      writer.releaseLock();
    }
    if (answer.body === null) await writable.close();
    else await answer.body.pipeTo(writable);
    answer.report("done");
  } catch {
    answer.report("client-gone");
  }
}

function report(component: string, detail: string): void {
  // oxlint-disable-next-line no-console -- shows up in the test's output when workerd ends.
  console.error(component, detail);
}
