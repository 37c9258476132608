/** Alive, and ready? `/health` says that this Worker runs; `/health/ready` asks what it depends on, and names only the part. */
import { emptyBatch } from "../../../src/shared/limits/bucket-protocol.ts";
import { bucketName } from "../../../src/shared/limits/bucket-name.ts";
import { timedOut, within } from "../../../src/shared/isolate/within.ts";
import { listModels } from "../../../src/shared/routing/models/resolve-model.ts";
import { Readiness } from "../../../src/shared/telemetry/readiness.ts";
import type { RequestScope } from "../../../src/shared/telemetry/request-scope.ts";
import type { PublicHandler } from "../handle.ts";
import type { Isolate } from "../isolate.ts";
import { respondJson } from "../respond.ts";

export const health: PublicHandler = ({ scope }) => respondJson(scope, { status: "ok" });

/** As long as the isolate: nothing in it is of one request. */
const readiness = new Readiness();
/** As long as a request waits for its bucket. */
const bucketMs = 1_000;

export const ready: PublicHandler = async ({ scope, isolate }) => {
  const failing = await readiness.firstFailing(
    () => firstFailing(isolate, scope),
    scope.background,
    isolate.now,
  );
  return failing === null
    ? respondJson(scope, { status: "ready" })
    : respondJson(scope, { status: "unavailable", part: failing }, { "retry-after": "5" }, 503);
};

/** The first part that does not work: `configuration`, `bucket`, or `model:<alias>`. */
async function firstFailing(isolate: Isolate, scope: RequestScope): Promise<string | null> {
  const fleet = await isolate.fleet.current(scope.background);
  if (!fleet.ok) return "configuration";
  if (!(await bucketAnswers(isolate))) return "bucket";
  const origin = isolate.origin(fleet.value, scope.background);
  const names = listModels(fleet.value).map((model) => model.id);
  const healthy = await Promise.all(names.map((name) => origin.probe(name).catch(() => false)));
  const down = names.find((_, at) => healthy[at] !== true);
  return down === undefined ? null : `model:${down}`;
}

/** An empty batch to a bucket that nobody owns: it answers from memory and writes nothing. */
async function bucketAnswers(isolate: Isolate): Promise<boolean> {
  try {
    const asking = isolate.callBucket(
      { name: bucketName("edgewise", "org", "health"), jurisdiction: "none" },
      emptyBatch,
    );
    if ((await within(asking, bucketMs)) !== timedOut) return true;
    isolate.report("bucket", "no answer in time");
    return false;
  } catch (error) {
    isolate.report("bucket", String(error));
    return false;
  }
}
