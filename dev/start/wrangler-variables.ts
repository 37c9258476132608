/**
 * Variables for `wrangler dev` that are too long for a command line: Linux allows 128 KB per argument, and a fleet of a thousand replicas
 * is longer. They are written to a file, and this module, which is loaded into wrangler (`node --import`), adds them as `--var` arguments
 * inside the process, where no limit applies.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { isMainThread } from "node:worker_threads";

/** The environment variable with the file's name. */
const fileName = "EDGEWISE_WRANGLER_VARIABLES";

/** @returns the environment variables that wrangler needs, besides this module, to get them */
export function leaveVariables(
  file: string,
  variables: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(variables), { mode: 0o600 });
  return { [fileName]: file };
}

/** wrangler starts itself again with the same arguments: only that second process may get these. */
function isWranglerItself([, script = ""]: readonly string[]): boolean {
  return /[\\/]wrangler-dist[\\/]cli\.js$/.test(script);
}

const file = process.env[fileName];
if (file !== undefined && isMainThread && isWranglerItself(process.argv)) {
  const variables = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
  for (const [name, value] of Object.entries(variables)) process.argv.push("--var", `${name}:${value}`);
}
