/** Tells `npx wrangler dev` the ports of this fleet: by itself it only knows the bundled document with the usual ports. */
import { mkdirSync, writeFileSync } from "node:fs";
import { fleetSchema, type Fleet } from "../../src/shared/routing/fleet/fleet-config.ts";
import document from "../../config/fleet.dev.json" with { type: "json" };

/** Writes the fleet below `root` and returns the command that reads it; null: it is the bundled fleet. */
export function wranglerDevCommand(fleet: Fleet, root: string): string | null {
  const here = urlsOf(fleet);
  if (here === urlsOf(fleetSchema.parse(document))) return null;
  const port = new URL(here.split("\n")[0] ?? "").port;
  const folder = ".wrangler/edgewise";
  const file = `${folder}/dev-fleet-${port}.json`;
  mkdirSync(`${root}${folder}`, { recursive: true });
  writeFileSync(`${root}${file}`, JSON.stringify(fleet));
  return `npx wrangler dev --var "FLEET:$(cat ${file})"`;
}

function urlsOf({ clusters }: Fleet): string {
  return clusters.flatMap(({ replicas }) => replicas.map(({ url }) => url)).join("\n");
}
