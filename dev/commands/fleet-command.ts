/**
 * `npm run fleet:config`, for the fleet document (document-command.ts). Every change gives it a new version, so that a cache never serves answers
 * of another fleet.
 */
import * as z from "zod";
import { baseUrlFault } from "../../src/shared/routing/fleet/base-url.ts";
import { fleetSchema, type Fleet } from "../../src/shared/routing/fleet/fleet-config.ts";
import { fleetKey } from "../../src/shared/routing/fleet/fleet-source.ts";
import { describeIssues, forWriters, notJson } from "../../src/shared/tenancy/document-fault.ts";
import type { ConfigStore } from "./config-store.ts";
import type { StoredDocument } from "./document-command.ts";
import { DocumentError } from "./read-document.ts";

export class FleetError extends DocumentError {}

/** Throws a FleetError that names the field's path. */
export function checkFleet(text: string): Fleet {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new FleetError(notJson(error));
  }
  // The version is set here, so that it can't be forgotten.
  const named =
    typeof document === "object" && document !== null && !("version" in document)
      ? { version: "0", ...document }
      : document;
  const fleet = fleetSchema.safeParse(named, forWriters);
  if (!fleet.success) throw new FleetError(describeIssues(fleet.error));
  const faults = faultsOf(fleet.data);
  if (faults.length > 0) throw new FleetError(faults.join("\n"));
  return fleet.data;
}

/**
 * Faults that no document can intend. They are checked only when one is written, not by the schema, so that documents already in
 * KV can still be read.
 */
function faultsOf({ clusters }: Fleet): readonly string[] {
  return clusters.flatMap(({ replicas, models }, at) => [
    ...replicas.flatMap(({ url }, replica) => {
      const fault = url === undefined ? null : baseUrlFault(new URL(url));
      return fault === null ? [] : [`clusters[${at}].replicas[${replica}].url: ${fault}`];
    }),
    // A turn's price depends on the model's id and the cluster: with two prices the first would apply to both.
    ...models.flatMap(({ id }, model) =>
      models.findIndex((other) => other.id === id) === model
        ? []
        : [`clusters[${at}].models[${model}].id: is used twice`],
    ),
  ]);
}

/**
 * Stores the document with a hash of the rest as its version. A model without a creation date gets that of the previous document,
 * or the present time.
 */
export async function putFleet(store: ConfigStore, text: string, nowMs: number = Date.now()): Promise<Fleet> {
  const fleet = dated(checkFleet(text), knownSince(await store.get(fleetKey)), Math.floor(nowMs / 1000));
  const written = await versioned(fleet);
  await store.put([{ key: fleetKey, value: JSON.stringify(written) }]);
  return written;
}

/** The fleet with a hash of the rest as its version. */
export async function versioned(fleet: Fleet): Promise<Fleet> {
  const bytes = new TextEncoder().encode(JSON.stringify({ ...fleet, version: "" }));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const version = hash.slice(0, 8).reduce((hex, byte) => hex + byte.toString(16).padStart(2, "0"), "");
  return { ...fleet, version };
}

function dated(fleet: Fleet, since: ReadonlyMap<string, number>, nowSeconds: number): Fleet {
  const clusters = fleet.clusters.map((cluster) => ({
    ...cluster,
    models: cluster.models.map((model) => ({
      ...model,
      created: model.created ?? since.get(`${cluster.id}/${model.id}`) ?? nowSeconds,
    })),
  }));
  return { ...fleet, clusters };
}

/** Creation times by cluster and model; empty for a document that is broken or of another form. */
function knownSince(text: string | null): ReadonlyMap<string, number> {
  const since = new Map<string, number>();
  const parsed = documentSchema.safeParse(text);
  for (const cluster of parsed.data?.clusters ?? [])
    for (const { id, created } of cluster.models)
      if (created !== undefined) since.set(`${cluster.id}/${id}`, created);
  return since;
}

/** The needed part of the document in KV, so that documents of older programs can be read as well. */
const documentSchema = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: "custom", message: "is not JSON" });
      return z.NEVER;
    }
  })
  .pipe(
    z.object({
      clusters: z.array(
        z.object({
          id: z.string(),
          models: z.array(z.object({ id: z.string(), created: z.number().optional() })),
        }),
      ),
    }),
  );

/** A summary of a document: one line for each cluster, then the aliases. */
export function summary({ version, clusters, aliases }: Fleet): string {
  const lines = clusters.map(
    ({ id, engine, region, replicas, models }) =>
      `  ${id} (${region}, ${engine}): ${replicas.length} replicas, ${models.map((model) => model.id).join(", ")}`,
  );
  const named = Object.entries(aliases).map(
    ([name, alias]) =>
      `  ${name}: ${alias.strategy ?? "fallback"}${alias.shadow === undefined ? "" : `, shadow ${alias.shadow.model}`}`,
  );
  return [`fleet version ${version}`, ...lines, ...named, ...hints(aliases)].join("\n");
}

/** Warnings: not errors, but rarely intended. */
export function hints(aliases: Fleet["aliases"]): readonly string[] {
  return "auto" in aliases ? [] : [noAuto];
}

/** A model for examples. */
export function usualModel({ aliases, clusters }: Fleet): string {
  if ("auto" in aliases) return "auto";
  const models = clusters.flatMap((cluster) => cluster.models);
  const chats = models.find(({ capabilities }) => capabilities.includes("chat")) ?? models[0];
  return Object.keys(aliases)[0] ?? chats?.id ?? "auto";
}

const noAuto =
  "no alias 'auto': who asks for it, as the documentation's examples do, gets 404 model_not_found; models are asked for by the ids above";

export const fleetDocument: StoredDocument = {
  name: "fleet",
  key: fleetKey,
  check: (text) => summary(checkFleet(text)),
  put: async (store, text) => summary(await putFleet(store, text)),
};
