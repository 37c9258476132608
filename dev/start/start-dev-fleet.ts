/** Starts the dev fleet inside `npm start` and `npm run serve`, like `npm run fleet` with flags from the environment. */
import { replicaPorts, startFleet, type FleetOptions, type RunningFleet } from "../origin/fleet.ts";
import { readOptions } from "../origin/options.ts";
import { demandFreePorts } from "./ports.ts";

const variable = "DEV_FLEET_PORT";

/** @param edgePort the port of the edge. @param command the command that the user typed */
export async function startDevFleet(edgePort: number, command: string): Promise<RunningFleet> {
  const options = devFleetOptions();
  const ports = replicaPorts(options);
  // Both are still free, but the fleet would take the edge's port, and a model server would answer there.
  if (ports.includes(edgePort))
    throw new Error(
      `PORT=${edgePort} is one of the dev fleet's ports, ${ports[0]} to ${ports.at(-1)} (${variable}). Set one of the two to another.`,
    );
  await demandFreePorts(
    ports.map((port) => ({ port, variable })),
    command,
  );
  return startFleet(options);
}

function devFleetOptions(): FleetOptions {
  const options = readOptions([], process.env);
  if (!options.ok) throw new Error(options.error);
  if (options.value === "help") throw new Error("help is a flag, and none was given");
  return options.value;
}
