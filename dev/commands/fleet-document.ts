/** Which fleet does a local Edgewise use? ORIGIN_URL, else FLEET, else the dev fleet. */
import { fleetIdSchema } from "../../src/shared/routing/fleet/alias-config.ts";
import { capabilitySchema, fleetSchema, type Fleet } from "../../src/shared/routing/fleet/fleet-config.ts";
import { checkFleet, FleetError, hints, versioned } from "./fleet-command.ts";
import { probeServer, type ProbedModel } from "../start/origin-probe.ts";
import { DocumentError, readDocument } from "./read-document.ts";

export type FleetDocument =
  | { readonly source: "dev-fleet" }
  | { readonly source: "origin-url" | "file"; readonly fleet: Fleet; readonly description: string };

export class FleetDocumentError extends Error {}

/** How a server's abilities are found out. */
export interface FirstLook {
  /**
   * For everything that is requested after its list. A first token may wait while a model is loaded, which takes some tens of seconds for
   * a large one; if it takes longer, the product starts without it and says so.
   */
  readonly mostMs: number;
  /** Whoever waits for longer is told for what. */
  readonly quietMs: number;
  readonly tell: (line: string) => void;
}

const usualLook: FirstLook = { mostMs: 60_000, quietMs: 3000, tell: (line) => console.log(line) };

/** Rejects with a FleetDocumentError whose message says what to fix. */
export async function resolveFleetDocument(
  environment: Readonly<Record<string, string | undefined>>,
  look: FirstLook = usualLook,
): Promise<FleetDocument> {
  const originUrl = environment["ORIGIN_URL"];
  const file = environment["FLEET"];
  if (originUrl !== undefined && originUrl !== "") return fromServer(originUrl, look);
  if (file !== undefined && file !== "") return fromFile(file);
  return { source: "dev-fleet" };
}

async function fromFile(file: string): Promise<FleetDocument> {
  let fleet: Fleet;
  try {
    // Versioned as with `npm run fleet:config -- put`: an edited file is another fleet, and their cached answers must not mix.
    fleet = await versioned(checkFleet(readDocument(file)));
  } catch (error) {
    if (error instanceof FleetError)
      throw new FleetDocumentError(`FLEET=${file} is no fleet document:\n${error.message}`);
    if (error instanceof DocumentError) throw new FleetDocumentError(`FLEET=${error.message}`);
    throw error;
  }
  const replicas = fleet.clusters.reduce((sum, cluster) => sum + cluster.replicas.length, 0);
  return {
    source: "file",
    fleet,
    description: [
      `${file}: ${fleet.clusters.length} clusters, ${replicas} replicas`,
      ...hints(fleet.aliases),
    ].join("; "),
  };
}

async function fromServer(given: string, { mostMs, quietMs, tell }: FirstLook): Promise<FleetDocument> {
  // People paste both forms: the server's root, and the base URL of an OpenAI client.
  const url = given.replace(/\/+$/, "").replace(/\/v1$/, "");
  const parsed = URL.canParse(url) ? new URL(url) : null;
  // Not shown, since it contains a password.
  if (parsed !== null && (parsed.username !== "" || parsed.password !== ""))
    throw new FleetDocumentError("ORIGIN_URL holds a user's name or password, which is never sent in a URL.");
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.search !== "" || parsed.hash !== "")
    throw new FleetDocumentError(`ORIGIN_URL=${given} is not an http(s) URL without a query.`);
  const waiting = setTimeout(
    () =>
      tell(`Waiting for the first answer of ${url}, ${mostMs / 1000} s at most: it may be loading a model.`),
    quietMs,
  );
  const { models, chats, isSlow } = await probeServer(url, mostMs)
    .catch((error: unknown) => {
      throw new FleetDocumentError(
        `ORIGIN_URL=${given}: ${error instanceof Error ? error.message : String(error)}`,
      );
    })
    .finally(() => clearTimeout(waiting));
  const [first] = models;
  if (first === undefined) throw new FleetDocumentError(`ORIGIN_URL=${given} lists no model at /v1/models.`);
  const usual = chats ?? first;
  // The usual model is always kept when the list is shortened.
  const taken = [usual, ...models.filter((model) => model !== usual)].slice(0, mostModels);
  const ids = platformIds(taken.map(({ id }) => id));
  const idOf = ({ id }: ProbedModel): string => ids.get(id) ?? id;
  const fleet = fleetSchema.parse({
    version: `origin-url-${Date.now().toString(36)}`,
    clusters: [
      {
        id: "origin",
        region: "local",
        engine: first.isVllm ? "vllm" : "openai",
        replicas: [{ id: "origin-1", url }],
        models: taken.map((model) => recordOf(model, idOf(model))),
      },
    ],
    aliases: { auto: { models: [idOf(usual)] } },
  });
  const leftOut = models.length - taken.length;
  return {
    source: "origin-url",
    fleet,
    description: `${url}: ${taken.map(idOf).join(", ")}${leftOut > 0 ? `, and ${leftOut} more that are left out` : ""} (auto is ${idOf(usual)})${isSlow ? slowNote(mostMs) : ""}`,
  };
}

function slowNote(mostMs: number): string {
  return (
    `; it did not answer a first chat within ${mostMs / 1000} s, so it is taken for a server that tells no usage, ` +
    "and tokens are estimated: start again once it answers"
  );
}

/** The most models that a cluster's schema allows. */
const mostModels = 64;

/**
 * Maps the server's model names to ids of the platform. They are the same if possible; but without a configured name vLLM and llama.cpp use
 * the path of the model's file, and an id must begin with a letter or digit and contain no blanks.
 */
export function platformIds(served: readonly string[]): ReadonlyMap<string, string> {
  const ids = new Map(served.filter(isFleetId).map((name) => [name, name]));
  const taken = new Set(ids.values());
  for (const name of served) {
    if (ids.has(name)) continue;
    const file = name.split(/[\\/]/).findLast((part) => part !== "") ?? "";
    const base =
      file
        .replaceAll(/[^a-zA-Z0-9._:-]+/g, "-")
        .replace(/^[^a-zA-Z0-9]+/, "")
        .slice(0, 120) || "model";
    let id = base;
    for (let count = 2; taken.has(id); count += 1) id = `${base}-${count}`;
    taken.add(id);
    ids.set(name, id);
  }
  return ids;
}

function isFleetId(name: string): boolean {
  return fleetIdSchema.safeParse(name).success;
}

function recordOf(model: ProbedModel, id: string): Record<string, unknown> {
  return {
    id,
    served_name: model.id,
    context_window: model.contextWindow,
    // Created now: the date that such servers report is just the time of the request.
    created: Math.floor(Date.now() / 1000),
    // The server does not report its capabilities, so assume all; it refuses what it can't do.
    capabilities: capabilitySchema.options.filter((capability) => capability !== "moderation"),
    // Such servers (llama.cpp, Ollama) support the usual sampling fields and ignore the others.
    engine_features: { ...model.features, sampling_fields: true },
  };
}
