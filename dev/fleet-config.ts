/** `npm run fleet:config -- put <file.json> | check <file.json> | get | delete`: the fleet document in KV. */
import { parseArgs } from "node:util";
import { fleetKey } from "../src/shared/routing/fleet/fleet-source.ts";
import { asksHelp, endWith, UsageError } from "./commands/command-line.ts";
import {
  environmentOf,
  placeOptions,
  placeUsage,
  StoreError,
  withStore,
  type ConfigStore,
} from "./commands/config-store.ts";
import { checkFleet, FleetError, getFleet, putFleet, summary } from "./commands/fleet-command.ts";
import { DocumentError, readDocument } from "./commands/read-document.ts";

const usage = `usage: npm run fleet:config -- put <file.json> | check <file.json> | get | delete
       ${placeUsage}`;

async function run(store: ConfigStore, command: string, file: string): Promise<string> {
  switch (command) {
    case "put":
      return summary(await putFleet(store, readDocument(file)));
    case "get":
      return getFleet(store);
    case "delete":
      await store.delete([fleetKey]);
      return "deleted";
    default:
      throw new UsageError();
  }
}

async function answer(parameters: string[]): Promise<string> {
  if (asksHelp(parameters)) return usage;
  const { values, positionals } = parseArgs({
    args: parameters,
    options: placeOptions,
    allowPositionals: true,
  });
  const [command = "", file = ""] = positionals;
  const takesFile = command === "put" || command === "check";
  // What is given beside a command was meant for something.
  if (positionals.length !== (takesFile ? 2 : 1)) throw new UsageError();
  if (command !== "check") return withStore(values, (store) => run(store, command, file));
  // A wrong place is told here too, where none is needed.
  environmentOf(values);
  return summary(checkFleet(readDocument(file)));
}

try {
  console.log(await answer(process.argv.slice(2)));
} catch (error) {
  endWith(error, usage, [FleetError, StoreError, DocumentError]);
}
