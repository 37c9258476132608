/** What a Batch object runs with: its owner's files, and lines that are asked as requests are. */
import type { BatchParts } from "../../durable-objects/batch/batch-parts.ts";
import { fileContents } from "../../durable-objects/library/file-contents.ts";
import type { BatchLife } from "../../src/shared/batches/batch-life.ts";
import { type Background, backgroundOf } from "../../src/shared/contracts/background.ts";
import type { BatchOver } from "../../src/shared/contracts/library.ts";
import { tenantIdSchema } from "../../src/shared/contracts/ids.ts";
import type { FileAddress } from "../../src/shared/retrieval/file-contents.ts";
import { planModel } from "../../src/shared/turn/plan.ts";
import { revivePrincipal } from "../../src/shared/turn/durable/turn-request.ts";
import { askLibrary } from "./ask-knowledge.ts";
import { dropBatchFile, keepBatchFile } from "./batch-files.ts";
import { findLine, runLine, turnOfLine } from "./batch-line.ts";
import { isolateOf, type Isolate } from "./isolate.ts";
import { forgetTurn } from "./stored-turn.ts";

export function batchParts(env: Cloudflare.Env, context: DurableObjectState): BatchParts {
  const isolate = isolateOf(env);
  const background = backgroundOf(context, isolate.report);
  const contents = fileContents(env);
  return {
    openInput: (life) => contents.open(inputOf(life), life.opening.input.storedIn),
    readInput: (life, at, length) => contents.read(inputOf(life), life.opening.input.storedIn, at, length),
    modelFault: (life, model) => modelFault(isolate, background, life, model),
    run: (life, line) => runLine(isolate, background, life, line),
    find: (life, line) => findLine(isolate, life, line),
    forget: async (life, line) => forgetTurn(isolate, await turnOfLine(isolate, life, line)),
    keepFile: (life, kind, texts) => keepBatchFile(isolate, life, kind, texts),
    dropFile: (life, kind) => dropBatchFile(isolate, life, kind),
    tellOver: (life, what) => tellOver(isolate, life, what),
    report: (detail) => isolate.report("batch", detail),
    counted: (what) => isolate.metrics.count("batchLines", what),
    ended: (status) => isolate.metrics.count("batches", status),
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
  const isKnown = tenant.value !== null && planModel(fleet.value, tenant.value, model, [], { principal }).ok;
  const message = "The model of this batch does not exist, or you do not have access to it.";
  return isKnown ? null : { code: "model_not_found", message, param: "body.model" };
}

async function tellOver({ env }: Isolate, life: BatchLife, what: BatchOver["what"]): Promise<void> {
  const told = await askLibrary(env, life, async (stub, message) =>
    stub.batchOver({ ...message, batchId: life.id, what }),
  );
  if (!told.ok && told.error.kind !== "object-unknown") throw new Error(`its library: ${told.error.kind}`);
}
