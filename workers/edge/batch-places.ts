/** A batch's place among those of all users of its tenant, which the tenant's own Library counts. */
import { expiresMs, type BatchLife } from "../../src/shared/batches/batch-life.ts";
import type { LineFault } from "../../src/shared/batches/check-line.ts";
import type { Background } from "../../src/shared/contracts/background.ts";
import { tenantIdSchema } from "../../src/shared/contracts/ids.ts";
import { tenantAsOwner } from "../../src/shared/retrieval/knowledge-ref.ts";
import { askLibrary } from "./ask-knowledge.ts";
import type { Isolate } from "./isolate.ts";

/** Of how many lines it is, is known now. `null`: they fit. Rejects where that can't be said now. */
export async function holdPlaces(
  isolate: Isolate,
  background: Background,
  life: BatchLife,
  lines: number,
): Promise<LineFault | null> {
  const id = tenantIdSchema.safeParse(life.owner.tenant);
  const tenant = id.success ? await isolate.tenants.byId(id.data, background) : null;
  if (tenant?.ok !== true) throw new Error("the configuration can't be read");
  // What becomes of a batch without a tenant its lines are told.
  if (tenant.value === null) return null;
  const { max_lines_total: maxLines } = tenant.value.batches;
  const held = await askLibrary(isolate.env, placeOf(life), async (stub, message) =>
    stub.holdPlaces({
      ...message,
      batchId: life.id,
      lines,
      maxLines,
      untilMs: expiresMs(life) + endsWithinMs,
    }),
  );
  if (!held.ok) throw new Error(`its tenant's library: ${held.error.kind}`);
  if (held.value.result === "held") return null;
  isolate.metrics.count("batchesRefused", "tenant_requests");
  return {
    code: "too_many_queued_requests",
    message: `All batches of this tenant's users together may have ${maxLines} requests that have not ended. Try again when some have.`,
    param: null,
  };
}

/** Rejects where it can't be told. */
export async function releasePlaces({ env }: Isolate, life: BatchLife): Promise<void> {
  const told = await askLibrary(env, placeOf(life), async (stub, message) =>
    stub.releasePlaces({ ...message, batchId: life.id }),
  );
  if (!told.ok && told.error.kind !== "object-unknown")
    throw new Error(`its tenant's library: ${told.error.kind}`);
}

function placeOf({ owner, jurisdiction }: BatchLife) {
  return { owner: tenantAsOwner(owner), jurisdiction };
}

/** Behind its time a batch has lines that end, and files to write. One that takes longer counts no more. */
const endsWithinMs = 2 * 86_400_000;
