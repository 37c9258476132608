import { startFleet, type RunningFleet } from "./fleet.ts";
import { root } from "../local-secrets.ts";
import { exitCodes } from "../commands/command-line.ts";
import { onNpmEnd } from "../start/parent-watch.ts";
import { readOptions, usage } from "./options.ts";
import { wranglerDevCommand } from "./wrangler-dev.ts";

/** The dev fleet in a terminal: `npm run fleet`. Ends on SIGINT and SIGTERM, at once and without leaving a port. */
const options = readOptions(process.argv.slice(2), process.env);
if (!options.ok) fail(`${options.error}\n\n${usage}`, exitCodes.wrongUsage);
else if (options.value === "help") console.log(usage);
else {
  try {
    announce(await startFleet(options.value));
  } catch (error) {
    const { code, port } = error as { code?: string; port?: number };
    if (code !== "EADDRINUSE" && code !== "EACCES") throw error;
    const why = code === "EADDRINUSE" ? "is already in use" : "may not be opened by this user";
    fail(
      `The dev fleet cannot start: port ${port} ${why}. Set DEV_FLEET_PORT to the first of four free ports.`,
      exitCodes.failed,
    );
  }
}

function announce(fleet: RunningFleet): void {
  for (const replica of fleet.replicas) console.log(`${replica.id.padEnd(12)} ${replica.url}`);
  const models = new Set(
    fleet.fleet.clusters.flatMap(({ models }) => models.map((model) => model.served_name)),
  );
  console.log(`models       ${[...models].join(", ")}`);
  console.log("The dev fleet is ready. Ctrl-C stops it.");
  const command = wranglerDevCommand(fleet.fleet, root);
  if (command !== null) console.log(`Edgewise alone, in front of it: ${command}`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void fleet.stop());
  onNpmEnd(() => void fleet.stop());
}

function fail(message: string, code: number): void {
  console.error(message);
  process.exitCode = code;
}
