/** A product on plain workerd that is killed (SIGKILL) and started again on the same state, in front of a dev fleet that lives on. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import { freePort } from "../../../dev/start/free-ports.ts";
import { startFleet } from "../../../dev/origin/fleet.ts";
import { startServe } from "../../../dev/serve/start-serve.ts";

export interface RestartedProduct {
  /** The same after each start. */
  readonly url: string;
  /** Resolves when the process is gone. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** @param speed of the fleet, in milliseconds */
export async function startRestartedProduct(speed: {
  readonly ttftMs: number;
  readonly tokenMs: number;
}): Promise<RestartedProduct> {
  const fleet = await startFleet({ basePort: 0, ...speed });
  const state = await mkdtemp(join(tmpdir(), "edgewise-restarted-"));
  const port = await freePort();
  const begin = () =>
    startServe({
      bundles: { ...inject("bundles"), remove: () => Promise.resolve() },
      port,
      router: "in-process",
      fleet: fleet.fleet,
      stateFolder: state,
    });
  let serve = await begin();
  return {
    url: serve.url,
    async kill() {
      process.kill(serve.pid, "SIGKILL");
      await serve.ended;
    },
    async start() {
      serve = await begin();
    },
    async stop() {
      await serve.stop();
      await fleet.stop();
      await rm(state, { recursive: true, force: true });
    },
  };
}
