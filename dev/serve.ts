/**
 * `npm run serve`: the production-like bundle on plain workerd, for load tests with any tool.
 * PORT (8787), ORIGIN_URL or FLEET (else the dev fleet), ROUTER=in-process|service. Takes the tokens of `npm run token`.
 */
import { parseArgs } from "node:util";
import { asksHelp, endWith } from "./commands/command-line.ts";
import { usualModel } from "./commands/fleet-command.ts";
import { resolveFleetDocument } from "./commands/fleet-document.ts";
import { serveState } from "./local-secrets.ts";
import { makeToken } from "./commands/local-token.ts";
import { onNpmEnd } from "./start/parent-watch.ts";
import { demandFreePorts, portFrom } from "./start/ports.ts";
import { bundleForServe, startServe } from "./serve/start-serve.ts";
import { startDevFleet } from "./start/start-dev-fleet.ts";
import { claimState } from "./start/state-claim.ts";

const command = "npm run serve";
const usage = `usage: ${command}
       Environment: PORT (8787), DEV_FLEET_PORT (9101, the first of four), ROUTER (in-process or service),
         ORIGIN_URL (a model server) or FLEET (a fleet file) in the dev fleet's place, EDGEWISE_STATE (a folder)`;

async function main(parameters: string[]): Promise<void> {
  if (asksHelp(parameters)) {
    console.log(usage);
    return;
  }
  parseArgs({ args: parameters, options: {} });
  const port = portFrom("PORT", 8787);
  const router = process.env["ROUTER"] || "in-process";
  if (router !== "service" && router !== "in-process")
    throw new Error(`ROUTER=${router} is neither "service" nor "in-process".`);
  const document = await resolveFleetDocument(process.env);
  await demandFreePorts([{ port, variable: "PORT" }], command);
  await claimState(serveState(), `${command} on port ${port}`);
  const devFleet = document.source === "dev-fleet" ? await startDevFleet(port, command) : undefined;
  const fleet = document.source === "dev-fleet" ? devFleet?.fleet : document.fleet;
  if (fleet === undefined) throw new Error("a started dev fleet has a document");
  const bundles = await bundleForServe();
  const serving = startServe({
    bundles,
    port,
    router,
    fleet,
    stateFolder: serveState(),
    onLine: (line) => console.log(line),
  });
  let stopping = false;
  const end = (): void => {
    stopping = true;
    // It may still be starting; if that fails there is nothing to stop, and `main` prints why.
    const stopped = serving.then(
      (serve) => serve.stop(),
      () => undefined,
    );
    void Promise.all([stopped, devFleet?.stop()]).then(() => process.exit(0));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);
  onNpmEnd(end);
  // By then workerd has read its modules, or never will.
  await serving.then(bundles.remove, bundles.remove);
  const serve = await serving;
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
  -d '{"model":"${usualModel(fleet)}","stream":true,"messages":[{"role":"user","content":"Explain quantum computing"}]}'
`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  endWith(error, usage, [Error]);
  process.exit();
}
