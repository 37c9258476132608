/**
 * `npm start`: the whole product on this machine. The dev fleet (or ORIGIN_URL, or FLEET), the edge Worker, the origin
 * router and a demo tenant; prints when it is ready and what to paste; Ctrl-C ends all processes.
 */
import { parseArgs } from "node:util";
import { startArchive } from "./archive/start-archive.ts";
import { asksHelp, endWith } from "./commands/command-line.ts";
import { usualModel } from "./commands/fleet-command.ts";
import { resolveFleetDocument } from "./commands/fleet-document.ts";
import { ensureLocalSecrets, localState } from "./local-secrets.ts";
import { makeToken } from "./commands/local-token.ts";
import { onNpmEnd } from "./start/parent-watch.ts";
import { demandFreePorts, portFrom } from "./start/ports.ts";
import { routerConfig } from "./start/router-config.ts";
import { startDevFleet } from "./start/start-dev-fleet.ts";
import { printReady, startUsage, tidyLine } from "./start/start-output.ts";
import { claimState } from "./start/state-claim.ts";
import { waitUntilReady } from "./start/until-ready.ts";
import { startWrangler } from "./start/wrangler-process.ts";

async function main(parameters: string[]): Promise<void> {
  if (asksHelp(parameters)) {
    console.log(startUsage);
    return;
  }
  const { values } = parseArgs({
    args: parameters,
    options: { archive: { type: "boolean", default: false } },
  });
  const command = values.archive ? "npm start -- --archive" : "npm start";
  const port = portFrom("PORT", 8787);
  const router = process.env["ROUTER"] || "service";
  if (router !== "service" && router !== "in-process")
    throw new Error(`ROUTER=${router} is neither "service" nor "in-process".`);
  ensureLocalSecrets();
  const document = await resolveFleetDocument(process.env);
  await demandFreePorts([{ port, variable: "PORT" }], command);
  await claimState(localState(), `npm start on port ${port}`);
  const devFleet = document.source === "dev-fleet" ? await startDevFleet(port, command) : undefined;
  const archive = values.archive ? await startArchive(port, command) : undefined;
  const fleetJson = JSON.stringify(document.source === "dev-fleet" ? devFleet?.fleet : document.fleet);
  const wrangler = startWrangler({
    configs: [
      "wrangler.toml",
      "workers/document-reader/wrangler.toml",
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
    // The archiver's last batch still needs its database.
    (stopping ??= Promise.all([wrangler.stop(), devFleet?.stop()]).then(() => archive?.stop()));
  const end = (): void => void stop().then(() => process.exit(0));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);
  onNpmEnd(end);
  void wrangler.ended.then(async (code) => {
    if (stopping !== undefined) return;
    console.error(`${wrangler.lastLines()}\n\nwrangler dev ended by itself (code ${code}).`);
    await stop();
    process.exit(1);
  });
  const url = `http://127.0.0.1:${port}`;
  try {
    printReady({
      url,
      silentModel: await waitUntilReady(url),
      token: await makeToken(["--tenant", "demo", "--user", "alice"]),
      model: document.source === "dev-fleet" ? "auto" : usualModel(document.fleet),
      source: document.source === "dev-fleet" ? devFleetDescription : document.description,
      router,
      archive: archive?.description ?? "off (npm start -- --archive)",
    });
  } catch (error) {
    await stop();
    throw error;
  }
}

const devFleetDescription =
  "the dev fleet, a stand-in without a model (ORIGIN_URL=http://… puts a real server in its place)";

try {
  await main(process.argv.slice(2));
} catch (error) {
  endWith(error, startUsage, [Error]);
  process.exit();
}
