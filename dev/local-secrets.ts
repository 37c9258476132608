import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const names = ["DEMO_JWT_SECRET", "PLATFORM_JWT_SECRET", "EDGEWISE_SECRET"] as const;
export type LocalSecrets = Record<(typeof names)[number], string>;

/** Where local state lives: KV, objects, caches. One place for `npm start`, the tenant command and the reset. */
export function localState(): string {
  return process.env["EDGEWISE_STATE"] ?? `${root}.wrangler/state`;
}

export const root = fileURLToPath(new URL("..", import.meta.url));
const file = `${root}.dev.vars`;

/** Every name and value of `.dev.vars`; empty before it is made. */
export function readLocalVariables(): Map<string, string> {
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  return new Map(
    lines.map((line) => [
      line.slice(0, line.indexOf("=")).trim(),
      line
        .slice(line.indexOf("=") + 1)
        .trim()
        .replace(/^"|"$/g, ""),
    ]),
  );
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
