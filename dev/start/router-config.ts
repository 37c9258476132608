/**
 * The configuration of the origin router beside the edge in `wrangler dev`: its own plus the fleet, since `--var` reaches only the
 * first Worker, and the fleet's secrets, since wrangler reads `.dev.vars` beside each configuration.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { readLocalVariables, root } from "../local-secrets.ts";

/** The prefix of secrets that a fleet document can name. Only these go to the router. */
const prefix = "ORIGIN_";

/**
 * @returns the file. Each port has a separate folder: wrangler watches it, and a second `npm start` must not change the fleet of
 * the first.
 */
export function routerConfig(fleetJson: string, port: number): string {
  const folder = `${root}.wrangler/edgewise/origin-router-${port}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/.dev.vars`, secretsFile(readLocalVariables()), { mode: 0o600 });
  const file = `${folder}/wrangler.json`;
  writeFileSync(
    file,
    JSON.stringify({
      name: "edgewise-origin-router",
      main: "../../../workers/origin-router/index.ts",
      compatibility_date: "2026-10-15",
      compatibility_flags: ["enable_request_signal", "no_nodejs_global_timers"],
      send_metrics: false,
      vars: { ENVIRONMENT: "local", FLEET: fleetJson },
      kv_namespaces: [{ binding: "CONFIG", id: "edgewise-config" }],
      durable_objects: { bindings: [{ name: "ORIGIN_POOL", class_name: "OriginPool" }] },
      migrations: [{ tag: "v1", new_sqlite_classes: ["OriginPool"] }],
    }),
  );
  return file;
}

/** The origins' secrets as a separate `.dev.vars`. */
export function secretsFile(variables: ReadonlyMap<string, string>): string {
  return [...variables]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => `${name}=${quoted(name, value)}\n`)
    .join("");
}

/** Between double quotes `\\n` would become a line's end: so the other quotes are tried first. */
function quoted(name: string, value: string): string {
  const quote = ["'", "`", '"'].find((one) => !value.includes(one));
  if (quote === undefined) throw new Error(`${name} in .dev.vars holds all three kinds of quotes.`);
  return `${quote}${value}${quote}`;
}
