/**
 * `npm run serve`: the production-like bundle on plain workerd, for anyone who wants to load it with a tool of their own.
 * PORT (8787), ORIGIN_URL or FLEET (else the dev fleet), ROUTER=in-process|service. Takes the tokens of `npm run token`.
 */
import { resolveFleetDocument } from "./fleet-document.ts";
import { root } from "./local-secrets.ts";
import { makeToken } from "./local-token.ts";
import { defaultBasePort, startFleet, type RunningFleet } from "./origin/fleet.ts";
import { readOptions } from "./origin/options.ts";
import { demandFreePorts, portFrom } from "./ports.ts";
import { bundleForServe, startServe } from "./serve/start-serve.ts";

async function main(): Promise<void> {
  const port = portFrom("PORT", 8787);
  const router = process.env["ROUTER"] ?? "in-process";
  if (router !== "service" && router !== "in-process")
    throw new Error(`ROUTER=${router} is neither "service" nor "in-process".`);
  const document = await resolveFleetDocument(process.env);
  await demandFreePorts([{ port, variable: "PORT" }]);
  const devFleet = document.source === "dev-fleet" ? await startDevFleet() : undefined;
  const fleet = document.source === "dev-fleet" ? devFleet?.fleet : document.fleet;
  if (fleet === undefined) throw new Error("a started dev fleet has a document");
  const bundles = await bundleForServe();
  const serving = startServe({
    bundles,
    port,
    router,
    fleet,
    stateFolder: process.env["EDGEWISE_STATE"] ?? `${root}.wrangler/serve`,
    onLine: (line) => console.log(line),
  });
  // workerd has read its modules by then, or never will.
  await serving.then(bundles.remove, bundles.remove);
  const serve = await serving;
  let stopping = false;
  const stop = async (): Promise<void> => {
    stopping = true;
    await Promise.all([serve.stop(), devFleet?.stop()]);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => void stop().then(() => process.exit(0)));
  void serve.ended.then(async () => {
    if (stopping) return;
    console.error("workerd ended by itself.");
    await devFleet?.stop();
    process.exit(1);
  });
  const token = await makeToken(["--tenant", "demo", "--user", "alice"]);
  console.log(`
Edgewise on plain workerd: ${serve.url} (router ${router}, process ${serve.pid})
Models: ${document.source === "dev-fleet" ? "the dev fleet, a stand-in without a model" : document.description}

curl -N ${serve.url}/v1/chat/completions -H "Authorization: Bearer ${token}" -H "Content-Type: application/json" \\
  -d '{"model":"auto","stream":true,"messages":[{"role":"user","content":"Explain quantum computing"}]}'
`);
}

async function startDevFleet(): Promise<RunningFleet> {
  const options = readOptions([], process.env);
  if (!options.ok) throw new Error(options.error);
  if (options.value === "help") throw new Error("help is a flag, and none was given");
  const first = options.value.basePort ?? defaultBasePort;
  await demandFreePorts([0, 1, 2, 3].map((at) => ({ port: first + at, variable: "DEV_FLEET_PORT" })));
  return startFleet(options.value);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
