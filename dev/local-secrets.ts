import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseEnv } from "node:util";

const names = ["DEMO_JWT_SECRET", "PLATFORM_JWT_SECRET", "EDGEWISE_SECRET"] as const;
export type LocalSecrets = Record<(typeof names)[number], string>;

export const root = fileURLToPath(new URL("..", import.meta.url));
const file = `${root}.dev.vars`;

/** The folder of local state (KV, objects, caches), shared by `npm start`, the tenant command and the reset. */
export function localState(): string {
  return namedState() ?? `${root}.wrangler/state`;
}

/** The folder of `npm run serve`'s objects: plain workerd names files differently from wrangler. */
export function serveState(): string {
  const named = namedState();
  return named === undefined ? `${root}.wrangler/serve` : `${named}/serve`;
}

/**
 * The folder in EDGEWISE_STATE. An empty value counts as not set: as a folder it would be the root of the file system, where the
 * reset would delete files.
 */
export function namedState(): string | undefined {
  const named = process.env["EDGEWISE_STATE"];
  return named === undefined || named === "" ? undefined : resolve(named);
}

/** Every name and value of `.dev.vars`, read as wrangler reads it (quotes, comments, `export`); empty before it is made. */
export function readLocalVariables(): Map<string, string> {
  return variablesOf(existsSync(file) ? readFileSync(file, "utf8") : "");
}

export function variablesOf(text: string): Map<string, string> {
  return new Map(Object.entries(parseEnv(text)).map(([name, value]) => [name, value ?? ""]));
}

/** The local secrets, made on first use: 32 random bytes each, base64url. Readable by the owner only. */
export function ensureLocalSecrets(): LocalSecrets {
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  const known = readLocalVariables();
  const missing = names.filter((name) => !known.get(name));
  for (const name of missing) known.set(name, randomBytes(32).toString("base64url"));
  if (missing.length > 0) {
    const kept = lines.filter((line) => line.trim() !== "");
    writeFileSync(
      file,
      [...kept, ...missing.map((name) => `${name}="${known.get(name) ?? ""}"`), ""].join("\n"),
      { mode: 0o600 },
    );
  }
  return Object.fromEntries(names.map((name) => [name, known.get(name) ?? ""])) as LocalSecrets;
}
