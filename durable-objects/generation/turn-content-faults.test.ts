/** A turn's long texts while the bucket fails, after a kill, and when something else happens while they are on their way. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { contentOf, files } from "../../test/workers/content-fixture.ts";
import { eventually } from "../../test/workers/eventually.ts";
import { changeStored } from "../../test/workers/generation-probe.ts";
import { ContentLedger } from "../storage/content-ledger.ts";
import { callObject } from "../storage/call-object.ts";
import {
  answer,
  asking,
  attempted,
  dueNow,
  ended,
  holdBucket,
  later,
  owed,
  replayMs,
  response,
  settled,
} from "../../test/workers/turn-content-fixture.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

test("while the bucket is down nothing is lost, and ten minutes later it is tried again; what was tried in vain goes", async () => {
  const probe = await ended();
  const lost: string[] = [];
  probe.control.bucket = (call, key) => {
    if (call !== "put") return;
    lost.push(key);
    throw new Error("away");
  };
  await later(probe, replayMs);
  expect(probe.control.reports).toContain("content-not-moved");
  expect(await response(probe)).toBe(answer({}));
  await runInDurableObject(probe.stub, async (_object, { storage }) => {
    const alarm = (await storage.getAlarm()) ?? 0;
    expect(alarm - Date.now()).toBeGreaterThan(500_000);
    expect(alarm - Date.now()).toBeLessThanOrEqual(600_000);
  });
  probe.control.bucket = () => undefined;
  // It may have arrived all the same.
  for (const key of lost) await files.put(key, "late");
  await dueNow(probe);
  await settled(probe, ["response"]);
  expect(lost).not.toContain((await contentOf(probe.turnId))[0]);
  expect(await response(probe)).toBe(answer({}));
});

test("killed after the bytes were put and before the turn said so: they go, and the answer goes there anew", async () => {
  const probe = await ended();
  const key = `content/x/turn/${probe.turnId}/response-killed`;
  await changeStored(probe.stub, (stored) => {
    Object.assign(stored, { content: true });
  });
  await runInDurableObject(probe.stub, (_object, { storage }) => {
    new ContentLedger(storage).intend(key, 0);
  });
  await files.put(key, answer({}));
  await evictDurableObject(probe.stub);
  await later(probe, replayMs);
  await settled(probe, ["response"]);
  expect(await contentOf(probe.turnId)).not.toContain(key);
  expect(await response(probe)).toBe(answer({}));
});

test("a deleted turn's bytes go; while the bucket is down they stay owed, and nobody sees the answer", async () => {
  const probe = await ended(true);
  await later(probe, replayMs);
  await settled(probe, ["request", "response"]);
  probe.control.bucket = (call) => {
    if (call === "delete") throw new Error("away");
  };
  expect(await probe.stub.delete(asking)).toEqual({ result: "deleted" });
  expect(await response(probe)).toBeNull();
  expect(await contentOf(probe.turnId)).toHaveLength(2);
  await evictDurableObject(probe.stub);
  await runDurableObjectAlarm(probe.stub);
  expect(probe.control.reports).toContain("content-not-erased");
  expect(await contentOf(probe.turnId)).toHaveLength(2);
  probe.control.bucket = () => undefined;
  await dueNow(probe);
  await settled(probe, []);
  expect(await probe.stub.retrieve(asking)).toEqual({ result: "unknown" });
});

test("deleted while its answer is on its way to the bucket: nothing of it stays there", async () => {
  const probe = await ended();
  const held = holdBucket(probe, "put");
  const moving = later(probe, replayMs);
  await held.reached;
  expect(await probe.stub.delete(asking)).toEqual({ result: "deleted" });
  held.letGo();
  await moving;
  await settled(probe, []);
  expect(await probe.stub.retrieve(asking)).toEqual({ result: "unknown" });
});

test("an answer whose bytes are missing is out of reach (503), never one without them, and can be deleted", async () => {
  const probe = await ended();
  await later(probe, replayMs);
  const [key = ""] = await contentOf(probe.turnId);
  await files.put(key, "cut off");
  const retrieve = () => callObject(async () => probe.stub.retrieve(asking));
  expect(await retrieve()).toMatchObject({
    ok: false,
    error: { kind: "object-unreachable", overloaded: false },
  });
  await files.delete(key);
  expect(await retrieve()).toMatchObject({ ok: false });
  probe.control.bucket = () => {
    throw new Error("away");
  };
  expect(await retrieve()).toMatchObject({ ok: false });
  probe.control.bucket = () => undefined;
  expect(await probe.stub.delete(asking)).toEqual({ result: "deleted" });
  expect(await probe.stub.retrieve(asking)).toEqual({ result: "unknown" });
});

test("given the metadata that it has while its answer is on its way to the bucket: the list is told all the same", async () => {
  const probe = await ended(true);
  const held = holdBucket(probe, "put");
  const moving = later(probe, replayMs);
  await held.reached;
  probe.control.failBefore = 1;
  expect(await probe.stub.update({ ...asking, metadata: "{}" })).toMatchObject({ result: "updated" });
  await eventually(async () =>
    expect(probe.control.attempts.filter((kind) => kind === "list")).toHaveLength(2),
  );
  await eventually(async () => expect(await attempted(probe)).toBe(1));
  held.letGo();
  await moving;
  await eventually(async () => {
    await runDurableObjectAlarm(probe.stub);
    expect(await owed(probe)).toBe(0);
  });
  expect(probe.control.told.at(-1)?.response).toBe(answer({}));
});
