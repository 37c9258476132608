/** What a KnowledgeBase object runs with: where files lie, and what embeds and ranks their passages as its tenant is configured now. */
import {
  type KnowledgeParts,
  noEmbedder,
  type SearchModels,
} from "../../durable-objects/knowledge-base/knowledge-parts.ts";
import { fileContents } from "../../durable-objects/library/file-contents.ts";
import { type Background, backgroundOf } from "../../src/shared/contracts/background.ts";
import { tenantIdSchema, type UserId } from "../../src/shared/contracts/ids.ts";
import { Leaving } from "../../src/shared/contracts/leave-signal.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import type { FleetCaller } from "../../src/shared/retrieval/fleet-call.ts";
import { fleetEmbedder } from "../../src/shared/retrieval/fleet-embedder.ts";
import { fleetReranker } from "../../src/shared/retrieval/fleet-reranker.ts";
import { lexicalEmbedder } from "../../src/shared/retrieval/lexical-embedder.ts";
import { lexicalReranker } from "../../src/shared/retrieval/lexical-reranker.ts";
import type { Embedder, Reranker } from "../../src/shared/retrieval/ports.ts";
import { correlate, randomHex } from "../../src/shared/telemetry/correlation.ts";
import type { TenantConfig } from "../../src/shared/tenancy/tenant-config.ts";
import { documentReader } from "./document-reader.ts";
import { isolateOf, type Isolate } from "./isolate.ts";
import { mostPassages, outsideVectors } from "./outside-vectors.ts";

/** For one call of a model, all its attempts together. A search with less time passes its own deadline. */
const deadlineMs = 60_000;

const inProcess: SearchModels = { embedder: lexicalEmbedder, reranker: lexicalReranker };

export function knowledgeParts(env: Cloudflare.Env, context: DurableObjectState): KnowledgeParts {
  const isolate = isolateOf(env);
  const background = backgroundOf(context, isolate.report);
  const contents = fileContents(env);
  return {
    open: (file, storedIn) => contents.open(file, storedIn),
    documents: documentReader(env),
    async mostPassages(tenant) {
      if (env.VECTORS === undefined) return null;
      const read = await tenantOf(isolate, tenant, background);
      return read.ok && read.value !== null ? mostPassages(env, read.value) : null;
    },
    models: (tenant) => modelsOf(isolate, tenant, background),
    outside: outsideVectors(env),
    report: isolate.report,
  };
}

/** `null`: it is gone. */
async function tenantOf(
  isolate: Isolate,
  tenantId: string,
  background: Background,
): Promise<Result<TenantConfig | null, Refusal>> {
  const id = tenantIdSchema.safeParse(tenantId);
  return id.success ? isolate.tenants.byId(id.data, background) : ok(null);
}

async function modelsOf(isolate: Isolate, tenantId: string, background: Background): Promise<SearchModels> {
  const read = await tenantOf(isolate, tenantId, background);
  if (!read.ok) return failing(read.error);
  const tenant = read.value;
  // The tenant is deleted, or so new that it is not known here yet. The default models can't stand in: passages that another model than the
  // tenant's embedded would only be found by words, for good.
  if (tenant === null) return failing(tenantUnknown);
  const { embedder, reranker } = tenant.retrieval;
  if (embedder === null && reranker === null) return inProcess;
  const fleet = await isolate.fleet.current(background);
  if (!fleet.ok) return failing(fleet.error);
  const caller = callerFor(isolate, tenant, fleet.value, background);
  return {
    embedder:
      embedder === null ? lexicalEmbedder : orFailing(fleetEmbedder(caller, embedder.model), failingEmbedder),
    reranker:
      reranker === null ? lexicalReranker : orFailing(fleetReranker(caller, reranker.model), failingReranker),
  };
}

function callerFor(
  isolate: Isolate,
  tenant: TenantConfig,
  fleet: FleetCaller["fleet"],
  background: Background,
): FleetCaller {
  const { requestId, traceparent } = correlate(
    { requestId: null, correlationId: null, traceparent: null },
    randomHex,
  );
  return {
    origin: isolate.origin(fleet, background),
    fleet,
    tenant,
    // On behalf of the tenant: after every request that a client waits for.
    principal: { tenant: tenant.id, user: "" as UserId, tier: "free" },
    requestId,
    traceparent,
    place: {},
    signal: new Leaving(),
    deadlineMs,
  };
}

function orFailing<T>(made: Result<T, Refusal>, fail: (refusal: Refusal) => T): T {
  return made.ok ? made.value : fail(made.error);
}

const tenantUnknown: Refusal = {
  kind: "dependency-unavailable",
  component: "tenant-config",
  retryAfterMs: 1000,
  detail: "a vector store's tenant is not known here",
};

/** A search goes on without the part that fails, and says so; a file is retried. */
function failing(refusal: Refusal): SearchModels {
  return { embedder: failingEmbedder(refusal), reranker: failingReranker(refusal) };
}

function failingEmbedder(refusal: Refusal): Embedder {
  return { id: noEmbedder, dimensions: 0, embed: () => Promise.resolve(err(refusal)) };
}

function failingReranker(refusal: Refusal): Reranker {
  return { id: "none", rank: () => Promise.resolve(err(refusal)) };
}
