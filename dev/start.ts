/**
 * `npm start`: the whole product on this machine. The dev fleet (or ORIGIN_URL, or FLEET), the edge Worker, the origin
 * router and a demo tenant; says when it is ready and what to paste; Ctrl-C leaves no process.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startArchive } from "./archive/start-archive.ts";
import { resolveFleetDocument } from "./fleet-document.ts";
import { ensureLocalSecrets, localState, root } from "./local-secrets.ts";
import { defaultBasePort, startFleet, type RunningFleet } from "./origin/fleet.ts";
import { demandFreePorts, portFrom } from "./ports.ts";
import { printReady, tidyLine } from "./start-output.ts";
import { makeToken } from "./local-token.ts";
import { readOptions } from "./origin/options.ts";
import { startWrangler } from "./wrangler-process.ts";

const readyWithinMs = 90_000;

async function main(): Promise<void> {
  const port = portFrom("PORT", 8787);
  const router = process.env["ROUTER"] ?? "service";
  if (router !== "service" && router !== "in-process")
    throw new Error(`ROUTER=${router} is neither "service" nor "in-process".`);
  const { values } = parseArgs({ options: { archive: { type: "boolean", default: false } } });
  ensureLocalSecrets();
  const document = await resolveFleetDocument(process.env);
  await demandFreePorts([{ port, variable: "PORT" }]);
  const devFleet = document.source === "dev-fleet" ? await startDevFleet() : undefined;
  const archive = values.archive ? await startArchive(port) : undefined;
  const fleetJson = JSON.stringify(document.source === "dev-fleet" ? devFleet?.fleet : document.fleet);
  const wrangler = startWrangler({
    configs: [
      "wrangler.toml",
      ...(router === "service" ? [routerConfig(fleetJson, port)] : []),
      ...(archive === undefined ? [] : [archive.config]),
    ],
    port,
    persistTo: localState(),
    variables: { ROUTER: router, FLEET: fleetJson, ARCHIVE: archive === undefined ? "off" : "on" },
    onLine: (line) => {
      const shown = tidyLine(line);
      if (shown !== undefined) console.log(shown);
    },
  });
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    // The archiver's last batch still wants its database.
    (stopping ??= Promise.all([wrangler.stop(), devFleet?.stop()]).then(() => archive?.stop()));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => void stop().then(() => process.exit(0)));
  }
  void wrangler.ended.then(async (code) => {
    if (stopping !== undefined) return;
    console.error(`${wrangler.lastLines()}\n\nwrangler dev ended by itself (code ${code}).`);
    await stop();
    process.exit(1);
  });
  const url = `http://127.0.0.1:${port}`;
  await waitUntilReady(url);
  printReady({
    url,
    token: await makeToken(["--tenant", "demo", "--user", "alice"]),
    source: document.source === "dev-fleet" ? devFleetDescription : document.description,
    router,
    archive: archive?.description ?? "off (npm start -- --archive)",
  });
}

const devFleetDescription =
  "the dev fleet, a stand-in without a model (ORIGIN_URL=http://… puts a real server in its place)";

/** The dev fleet as `npm run fleet` would start it, its flags from the environment. */
async function startDevFleet(): Promise<RunningFleet> {
  const options = readOptions([], process.env);
  if (!options.ok) throw new Error(options.error);
  if (options.value === "help") throw new Error("help is a flag, and none was given");
  const first = options.value.basePort ?? defaultBasePort;
  await demandFreePorts([0, 1, 2, 3].map((at) => ({ port: first + at, variable: "DEV_FLEET_PORT" })));
  return startFleet(options.value);
}

/**
 * The router's own configuration plus the fleet: `--var` reaches only the first Worker. A file for each port: wrangler watches
 * it, and a second `npm start` beside this one must not change the fleet under the first.
 */
function routerConfig(fleetJson: string, port: number): string {
  const folder = `${root}.wrangler/edgewise`;
  mkdirSync(folder, { recursive: true });
  const file = `${folder}/origin-router-${port}.json`;
  writeFileSync(
    file,
    JSON.stringify({
      name: "edgewise-origin-router",
      main: "../../workers/origin-router/index.ts",
      compatibility_date: "2026-10-15",
      compatibility_flags: ["enable_request_signal", "no_nodejs_global_timers"],
      send_metrics: false,
      vars: { ENVIRONMENT: "local", FLEET: fleetJson },
      kv_namespaces: [{ binding: "CONFIG", id: "edgewise-config" }],
      durable_objects: { bindings: [{ name: "ORIGIN_POOL", class_name: "OriginPool" }] },
      migrations: [{ tag: "v1", new_sqlite_classes: ["OriginPool"] }],
    }),
  );
  return file;
}

async function waitUntilReady(url: string): Promise<void> {
  const until = Date.now() + readyWithinMs;
  let last = "no answer yet";
  while (Date.now() < until) {
    try {
      const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5000) });
      if (response.ok) return;
      last = `${response.status} ${await response.text()}`;
    } catch (error) {
      last = String(error);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 150);
    });
  }
  throw new Error(`Not ready after ${readyWithinMs / 1000} s: ${last}`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
