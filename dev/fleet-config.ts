/** `npm run fleet:config -- put <file.json> | check <file.json> | get | delete`: the fleet document in KV. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { fleetKey } from "../src/shared/routing/fleet-source.ts";
import { asksHelp } from "./asks-help.ts";
import { remoteStore, runWrangler, withLocalStore, type TenantStore } from "./config-store.ts";
import { checkFleet, FleetError, getFleet, putFleet, summary } from "./fleet-command.ts";

const usage = `usage: npm run fleet:config -- put <file.json> | check <file.json> | get | delete
       [--env production [--namespace-id <id of the KV namespace bound as CONFIG>]]`;

async function run(store: TenantStore, command: string, file: string | undefined): Promise<string> {
  switch (command) {
    case "put":
      return summary(await putFleet(store, readText(file)));
    case "get":
      return getFleet(store);
    case "delete":
      await store.delete([fleetKey]);
      return "deleted";
    default:
      throw new FleetError(usage);
  }
}

function readText(file: string | undefined): string {
  if (file === undefined) throw new FleetError(usage);
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new FleetError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function answer(parameters: string[]): Promise<string> {
  if (asksHelp(parameters)) return usage;
  const { values, positionals } = parseArgs({
    args: parameters,
    options: { env: { type: "string" }, "namespace-id": { type: "string" } },
    allowPositionals: true,
  });
  const [command = "", file] = positionals;
  if (values.env !== undefined && values.env !== "production")
    throw new FleetError(`--env ${values.env}: is not production`);
  if (command === "check") return summary(checkFleet(readText(file)));
  return values.env === "production"
    ? run(remoteStore("production", runWrangler, values["namespace-id"]), command, file)
    : withLocalStore((store) => run(store, command, file));
}

try {
  console.log(await answer(process.argv.slice(2)));
} catch (error) {
  const expected = error instanceof FleetError || (error instanceof TypeError && "code" in error);
  console.error(expected ? error.message : error);
  process.exitCode = 1;
}
