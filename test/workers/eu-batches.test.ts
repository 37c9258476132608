/** Batches of a tenant whose objects, files and models are the EU's. */
import { abortAllDurableObjects, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import devFleet from "../../config/fleet.dev.json";
import { objectOfId } from "../../src/shared/turn/response-id.ts";
import { batchStub, chatLine, resultsOf, startBatch, untilStatus } from "./batch-fixture.ts";
import { bearer } from "./edge-under-test.ts";
import { callerOf } from "./knowledge-fixture.ts";
import { expectBill, limitless, scriptedEdge } from "./scripted-edge.ts";

const engine = scriptedEdge({ "eu-batches": { limits: limitless, jurisdiction: "eu" } });

beforeAll(async () => {
  const clusters = devFleet.clusters.map((cluster) => ({ ...cluster, jurisdiction: "eu" }));
  await env.CONFIG.put("fleet", JSON.stringify({ ...devFleet, clusters }));
});

test("a batch of a tenant that lives in the EU is named so with its files, goes on after a kill, and goes with its owner", async () => {
  const caller = await callerOf("eu-batches", "ann");
  const admin = await callerOf("eu-batches", "root", { scope: "tenant:admin" });
  engine.pause = { at: 0, until: new Promise(() => undefined) };
  const id = await startBatch(
    caller,
    ["a", "b", "c", "d", "e", "f"].map((name) => chatLine(name, "Count", { max_tokens: 5000 })),
  );
  await expect.poll(() => engine.asked.length).toBe(4);
  engine.pause = null;
  await abortAllDurableObjects();
  await runDurableObjectAlarm(batchStub(id));
  const batch = await untilStatus(caller, id, "completed");
  expect(await resultsOf(caller, batch.output_file_id)).toHaveLength(6);
  for (const name of [id, batch.output_file_id ?? ""]) expect(objectOfId(name)?.jurisdiction).toBe("eu");
  const { input_tokens: read, output_tokens: written } = batch.usage;
  await expectBill(await bearer("eu-batches", "ann"), 8, read + written);
  expect((await admin.ask("DELETE", "/admin/knowledge?user=ann")).body).toMatchObject({ pending: 0 });
  expect((await caller.ask("GET", `/v1/batches/${id}`)).status).toBe(404);
  expect((await caller.ask("GET", `/v1/files/${batch.output_file_id}`)).status).toBe(404);
});
