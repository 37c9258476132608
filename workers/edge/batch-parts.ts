/** What a Batch object runs with: its owner's files, and lines that are asked as requests are. */
import type { BatchParts } from "../../durable-objects/batch/batch-parts.ts";
import { fileContents } from "../../durable-objects/library/file-contents.ts";
import { endedMs, type BatchLife, type EndedBatch } from "../../src/shared/batches/batch-life.ts";
import { type Background, backgroundOf } from "../../src/shared/contracts/background.ts";
import { VectorRoom } from "../../src/shared/batches/vector-room.ts";
import type { BatchEndpoint, BatchTally } from "../../src/shared/contracts/batch.ts";
import { Leaving } from "../../src/shared/contracts/leave-signal.ts";
import type { BatchOver } from "../../src/shared/contracts/library.ts";
import { tenantIdSchema } from "../../src/shared/contracts/ids.ts";
import type { FileAddress } from "../../src/shared/retrieval/file-contents.ts";
import type { Capability } from "../../src/shared/routing/fleet/fleet-config.ts";
import { isInProcess } from "../../src/shared/wire/moderations-request.ts";
import { objectOfId } from "../../src/shared/turn/response-id.ts";
import { planModel } from "../../src/shared/turn/plan.ts";
import { revivePrincipal } from "../../src/shared/turn/durable/turn-request.ts";
import { askLibrary } from "./ask-knowledge.ts";
import { holdPlaces, releasePlaces } from "./batch-places.ts";
import { dropBatchFile, keepBatchFile } from "./batch-files.ts";
import { runLine } from "./batch-line.ts";
import { isDirect, payLine } from "./direct-line.ts";
import { isolateOf, type Isolate } from "./isolate.ts";
import { findLine, turnOfLine } from "./line-turn.ts";
import { forgetTurn } from "./stored-turn.ts";

export function batchParts(env: Cloudflare.Env, context: DurableObjectState): BatchParts {
  const isolate = isolateOf(env);
  const background = backgroundOf(context, isolate.report);
  const contents = fileContents(env);
  /** Lines under way, by number: those that are asked directly end with their batch. */
  const direct = new Map<number, Leaving>();
  const room = new VectorRoom(vectorsAtOnce);
  return {
    openInput: (life) => contents.open(inputOf(life), life.opening.input.storedIn),
    readInput: (life, at, length) => contents.read(inputOf(life), life.opening.input.storedIn, at, length),
    modelFault: (life, model) => modelFault(isolate, background, life, model),
    async run(life, line) {
      const left = new Leaving();
      direct.set(line.number, left);
      try {
        return await runLine(isolate, background, life, line, { left, room });
      } finally {
        direct.delete(line.number);
      }
    },
    find: (life, line) => findLine(isolate, life, line),
    async forget(life, line) {
      if (isDirect(life.opening.endpoint)) direct.get(line.number)?.leave("its batch is gone");
      else await forgetTurn(isolate, await turnOfLine(isolate, life, line));
    },
    pay: (life, chargeId, debt) => payLine(isolate, background, life, chargeId, debt),
    keepFile: (life, kind, texts) => keepBatchFile(isolate, life, kind, texts),
    dropFile: (life, kind) => dropBatchFile(isolate, life, kind),
    holdPlaces: (life, lines) => holdPlaces(isolate, background, life, lines),
    releasePlaces: (life) => releasePlaces(isolate, life),
    tellOver: (life, what) => tellOver(isolate, life, what),
    report: (detail) => isolate.report("batch", detail),
    counted: (what, lines) => {
      if (lines > 0) isolate.metrics.count("batchLines", what, lines);
    },
    ended(life, tally) {
      isolate.metrics.count("batches", life.status);
      isolate.witness(endedLine(life, tally));
    },
  };
}

/** One line of the log for a batch that has ended (docs/log.md). */
function endedLine(life: EndedBatch, { completed, failed, inputTokens, outputTokens }: BatchTally) {
  const { id, owner, opening, status, total, model, createdMs, errors } = life;
  return {
    event: "batch",
    batch: objectOfId(id)?.objectName ?? "",
    tenant: owner.tenant,
    org: opening.principal.org,
    endpoint: opening.endpoint,
    model,
    status,
    total,
    completed,
    failed,
    inputTokens,
    outputTokens,
    durationMs: endedMs(life) - createdMs,
    ...(errors.length === 0 ? {} : { errors: [...new Set(errors.map(({ code }) => code))] }),
  };
}

function inputOf({ opening: { input }, jurisdiction }: BatchLife): FileAddress {
  return { owner: input.owner, jurisdiction, fileId: input.fileId };
}

async function modelFault(isolate: Isolate, background: Background, life: BatchLife, model: string) {
  const id = tenantIdSchema.safeParse(life.owner.tenant);
  const tenant = id.success ? await isolate.tenants.byId(id.data, background) : null;
  const fleet = await isolate.fleet.current(background);
  if (tenant?.ok !== true || !fleet.ok) throw new Error("the configuration can't be read");
  const principal = revivePrincipal(life.opening.principal);
  const { endpoint } = life.opening;
  if (endpoint === "/v1/moderations" && isInProcess(model)) return null;
  const plan =
    tenant.value === null
      ? null
      : planModel(fleet.value, tenant.value, model, needs[endpoint], { principal });
  if (plan?.ok === true) return null;
  const param = "body.model";
  return plan?.error.kind === "parameter-unsupported"
    ? { code: "invalid_model", message: plan.error.message, param }
    : {
        code: "model_not_found",
        message: "The model of this batch does not exist, or you do not have access to it.",
        param,
      };
}

/** What a model must be able to do. Lines of a chat may need more, each by itself. */
const needs = {
  "/v1/chat/completions": ["chat"],
  "/v1/responses": ["chat"],
  "/v1/completions": ["completions"],
  "/v1/embeddings": ["embeddings"],
  "/v1/moderations": ["moderation"],
} as const satisfies Record<BatchEndpoint, readonly Capability[]>;

/** As JSON some 25 MB of a thousand numbers each, in an isolate of 128 MB. */
const vectorsAtOnce = 1024;

async function tellOver({ env }: Isolate, life: BatchLife, what: BatchOver["what"]): Promise<void> {
  const told = await askLibrary(env, life, async (stub, message) =>
    stub.batchOver({ ...message, batchId: life.id, what }),
  );
  if (!told.ok && told.error.kind !== "object-unknown") throw new Error(`its library: ${told.error.kind}`);
}
