/** A product on plain workerd that is killed (SIGKILL) and started again on the same state, in front of a dev fleet that lives on. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import { freePort } from "../../../dev/start/free-ports.ts";
import { startFleet, type RunningFleet } from "../../../dev/origin/fleet.ts";
import { keepAsking, LastLines } from "../last-words.ts";
import { startServe, type ServeOptions } from "../../../dev/serve/start-serve.ts";
import type { Fleet } from "../../../src/shared/routing/fleet/fleet-config.ts";

export interface RestartedProduct {
  /** The same after each start. */
  readonly url: string;
  readonly fleet: RunningFleet;
  /** Of the process that runs now. */
  readonly pid: number;
  /** What the product was given of it, at its last start. */
  readonly document: Fleet;
  /** Resolves when the process is gone. */
  kill(): Promise<void>;
  /** @param fleet another document than the one before, as where an operator changed it; absent: the same */
  start(fleet?: Fleet): Promise<void>;
  stop(): Promise<void>;
}

export interface RestartedOptions extends Pick<ServeOptions, "kvSeeds" | "onLine"> {
  /** Of the fleet, in milliseconds. */
  readonly ttftMs: number;
  readonly tokenMs: number;
}

export async function startRestartedProduct({
  ttftMs,
  tokenMs,
  onLine,
  ...more
}: RestartedOptions): Promise<RestartedProduct> {
  const fleet = await startFleet({ basePort: 0, ttftMs, tokenMs });
  const state = await mkdtemp(join(tmpdir(), "edgewise-restarted-"));
  const port = await freePort();
  const printed = new LastLines();
  let document = fleet.fleet;
  const begin = () =>
    startServe({
      ...more,
      onLine: (line) => {
        printed.add(line);
        onLine?.(line);
      },
      bundles: { ...inject("bundles"), remove: () => Promise.resolve() },
      port,
      router: "in-process",
      fleet: document,
      stateFolder: state,
    });
  let serve = await begin();
  const forget = keepAsking(`the product at ${serve.url} printed last`, printed.text);
  return {
    url: serve.url,
    fleet,
    get pid() {
      return serve.pid;
    },
    get document() {
      return document;
    },
    async kill() {
      process.kill(serve.pid, "SIGKILL");
      await serve.ended;
    },
    async start(changed) {
      document = changed ?? document;
      serve = await begin();
    },
    async stop() {
      forget();
      await serve.stop();
      await fleet.stop();
      await rm(state, { recursive: true, force: true });
    },
  };
}
