/** Which fleet does a local Edgewise talk to? ORIGIN_URL, else FLEET, else the dev fleet. */
import { readFileSync } from "node:fs";
import * as z from "zod";
import { fleetSchema, type Fleet } from "../src/shared/routing/fleet-config.ts";
import { probeServer, type ProbedModel } from "./origin-probe.ts";

export type FleetDocument =
  | { readonly source: "dev-fleet" }
  | { readonly source: "origin-url" | "file"; readonly fleet: Fleet; readonly description: string };

export class FleetDocumentError extends Error {}

/** Rejects with a FleetDocumentError whose message says what to mend. */
export async function resolveFleetDocument(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<FleetDocument> {
  const originUrl = environment["ORIGIN_URL"];
  const file = environment["FLEET"];
  if (originUrl !== undefined && originUrl !== "") return fromServer(originUrl);
  if (file !== undefined && file !== "") return fromFile(file);
  return { source: "dev-fleet" };
}

function fromFile(file: string): FleetDocument {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new FleetDocumentError(
      `FLEET=${file}: ${error instanceof Error ? error.message : "can't be read"}`,
    );
  }
  const parsed = fleetSchema.safeParse(value);
  if (!parsed.success)
    throw new FleetDocumentError(`FLEET=${file} is no fleet document:\n${z.prettifyError(parsed.error)}`);
  const fleet = parsed.data;
  const replicas = fleet.clusters.reduce((sum, cluster) => sum + cluster.replicas.length, 0);
  return {
    source: "file",
    fleet,
    description: `${file}: ${fleet.clusters.length} clusters, ${replicas} replicas`,
  };
}

async function fromServer(given: string): Promise<FleetDocument> {
  // Both forms are what people paste: the server's root, and the base URL of an OpenAI client.
  const url = given.replace(/\/+$/, "").replace(/\/v1$/, "");
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw new FleetDocumentError(`ORIGIN_URL=${given} is not an http(s) URL.`);
  const models = await probeServer(url).catch((error: unknown) => {
    throw new FleetDocumentError(
      `ORIGIN_URL=${given}: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  const [first] = models;
  if (first === undefined) throw new FleetDocumentError(`ORIGIN_URL=${given} lists no model at /v1/models.`);
  const fleet = fleetSchema.parse({
    version: `origin-url-${Date.now().toString(36)}`,
    clusters: [
      {
        id: "origin",
        region: "local",
        engine: first.isVllm ? "vllm" : "openai",
        replicas: [{ id: "origin-1", url }],
        models: models.map(recordOf),
      },
    ],
    aliases: { auto: { models: [first.id] } },
  });
  return {
    source: "origin-url",
    fleet,
    description: `${url}: ${models.map((model) => model.id).join(", ")} (auto is ${first.id})`,
  };
}

function recordOf(model: ProbedModel): Record<string, unknown> {
  return {
    id: model.id,
    served_name: model.id,
    context_window: model.contextWindow,
    // It is in this fleet since now: what servers of this kind say is when they were asked.
    created: Math.floor(Date.now() / 1000),
    // What a server that says nothing of itself can do is left to its own refusals.
    capabilities: [
      "chat",
      "completions",
      "embeddings",
      "rerank",
      "tools",
      "vision",
      "audio",
      "reasoning",
      "structured-output",
    ],
    // Servers of this kind (llama.cpp, Ollama) know the usual sampling fields, and ignore the others.
    engine_features: { ...model.features, sampling_fields: true },
  };
}
