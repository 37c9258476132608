/**
 * The commands for a single document of the platform in KV (the fleet, its firewall): `put`, `check`, `get`, `delete`. The Worker's own schema
 * checks it, so that every isolate can read what is written.
 */
import { parseArgs } from "node:util";
import { asksHelp, endWith, UsageError } from "./command-line.ts";
import {
  environmentOf,
  placeOptions,
  placeUsage,
  StoreError,
  withStore,
  type ConfigStore,
} from "./config-store.ts";
import { DocumentError, readDocument } from "./read-document.ts";

export interface StoredDocument {
  /** The name shown to people: `fleet`. */
  readonly name: string;
  /** The key in KV. */
  readonly key: string;
  /** Returns a summary. Throws a DocumentError that names the field. */
  check(text: string): string;
  /** Writes it and returns a summary. */
  put(store: ConfigStore, text: string): Promise<string>;
}

/** Prints the answer; a failure ends the process as `endWith` does. */
export async function runDocumentCommand(document: StoredDocument, script: string): Promise<void> {
  const usage = `usage: npm run ${script} -- put <file.json> | check <file.json> | get | delete
       ${placeUsage}`;
  try {
    console.log(await answer(document, usage, process.argv.slice(2)));
  } catch (error) {
    endWith(error, usage, [StoreError, DocumentError]);
  }
}

async function answer(document: StoredDocument, usage: string, parameters: string[]): Promise<string> {
  if (asksHelp(parameters)) return usage;
  const { values, positionals } = parseArgs({
    args: parameters,
    options: placeOptions,
    allowPositionals: true,
  });
  const [command = "", file = ""] = positionals;
  const takesFile = command === "put" || command === "check";
  // An extra argument was meant for something, so it is an error.
  if (positionals.length !== (takesFile ? 2 : 1)) throw new UsageError();
  if (command !== "check") return withStore(values, (store) => run(document, store, command, file));
  // A wrong place is an error here, too, although none is needed.
  environmentOf(values);
  return document.check(readDocument(file));
}

async function run(
  document: StoredDocument,
  store: ConfigStore,
  command: string,
  file: string,
): Promise<string> {
  switch (command) {
    case "put":
      return document.put(store, readDocument(file));
    case "get":
      return getDocument(document, store);
    case "delete":
      await store.delete([document.key]);
      return "deleted";
    default:
      throw new UsageError();
  }
}

export async function getDocument(
  { name, key }: Pick<StoredDocument, "name" | "key">,
  store: Pick<ConfigStore, "get">,
): Promise<string> {
  const text = await store.get(key);
  if (text === null) throw new DocumentError(`there is no ${name} in KV`);
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // A broken entry is shown unchanged, so that it can be repaired.
    return text;
  }
}
