/**
 * What does `npm run fleet:config` do? Puts and gets the fleet document in KV, checked by the Worker's own schema, so that what is
 * written is what every isolate can read. A new version with every change: answers of another fleet are never served from a cache.
 */
import * as z from "zod";
import { fleetSchema, type Fleet } from "../src/shared/routing/fleet-config.ts";
import { fleetKey } from "../src/shared/routing/fleet-source.ts";
import type { TenantStore } from "./config-store.ts";

export class FleetError extends Error {}

/** Throws a FleetError that names the field's path. */
export function checkFleet(text: string): Fleet {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new FleetError("is not JSON");
  }
  // A version is made here, so that nobody has to remember it.
  const named =
    typeof document === "object" && document !== null && !("version" in document)
      ? { version: "0", ...document }
      : document;
  const fleet = fleetSchema.safeParse(named);
  if (!fleet.success) throw new FleetError(z.prettifyError(fleet.error));
  return fleet.data;
}

/** The document as it was written, its version a hash of all the rest. */
export async function putFleet(store: TenantStore, text: string): Promise<Fleet> {
  const fleet = checkFleet(text);
  const bytes = new TextEncoder().encode(JSON.stringify({ ...fleet, version: "" }));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const version = hash.slice(0, 8).reduce((hex, byte) => hex + byte.toString(16).padStart(2, "0"), "");
  const versioned = { ...fleet, version };
  await store.put([{ key: fleetKey, value: JSON.stringify(versioned) }]);
  return versioned;
}

export async function getFleet(store: TenantStore): Promise<string> {
  const text = await store.get(fleetKey);
  if (text === null) throw new FleetError("there is no fleet in KV");
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // A broken entry is shown as it is: whoever looks wants to mend it.
    return text;
  }
}

/** One line a cluster, then the aliases: what a document amounts to. */
export function summary({ version, clusters, aliases }: Fleet): string {
  const lines = clusters.map(
    ({ id, engine, region, replicas, models }) =>
      `  ${id} (${region}, ${engine}): ${replicas.length} replicas, ${models.map((model) => model.id).join(", ")}`,
  );
  const named = Object.entries(aliases).map(
    ([name, alias]) =>
      `  ${name}: ${alias.strategy ?? "fallback"}${alias.shadow === undefined ? "" : `, shadow ${alias.shadow.model}`}`,
  );
  return [`fleet version ${version}`, ...lines, ...named].join("\n");
}
