/** A turn's long texts once it is over: where they lie, how they are read, and that nothing of them stays. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { contentOf } from "../../test/workers/content-fixture.ts";
import { Probe, usage } from "../../test/workers/generation-probe.ts";
import {
  answer,
  asking,
  dayMs,
  ended,
  holdBucket,
  later,
  replayMs,
  response,
  settled,
  texts,
} from "../../test/workers/turn-content-fixture.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

test("a long answer lies in the bucket once its journal is gone, and is read whole; with its time it goes", async () => {
  const probe = await ended();
  expect(await contentOf(probe.turnId)).toEqual([]);
  await later(probe, replayMs);
  const [key = ""] = await contentOf(probe.turnId);
  expect(key).toMatch(new RegExp(`^content/[0-9a-z]{24}/turn/${probe.turnId}/response-[0-9a-z]{16}$`));
  expect(await texts(probe)).toEqual(["text/response/0000", "text/response/place"]);
  await evictDurableObject(probe.stub);
  expect(await response(probe)).toBe(answer({}));
  expect(await probe.stub.cancel(asking)).toMatchObject({ changed: false, response: answer({}) });
  expect(await probe.stub.start(probe.message({}))).toMatchObject({ result: "ended", response: answer({}) });
  await later(probe, dayMs);
  await settled(probe, []);
  expect(await probe.stub.retrieve(asking)).toEqual({ result: "unknown" });
  expect(await runDurableObjectAlarm(probe.stub)).toBe(false);
});

test("kept for longer when its time is over and its bytes are on their way out: it is gone, and not out of reach for weeks", async () => {
  const probe = await ended();
  await later(probe, replayMs);
  const held = holdBucket(probe, "delete");
  const ending = later(probe, dayMs);
  await held.reached;
  await probe.stub.hold({ ...asking, untilMs: Date.now() + dayMs });
  expect(await response(probe)).toBeNull();
  held.letGo();
  await ending;
  await settled(probe, []);
  expect(await probe.stub.retrieve(asking)).toEqual({ result: "unknown" });
});

test("without a bucket it stays where it was", async () => {
  const probe = new Probe();
  probe.control.bucket = null;
  await new Response(
    await probe.start({
      end: { status: "completed", events: [], response: answer({}), usage, basis: "exact", effects: [] },
    }),
  ).text();
  await later(probe, replayMs);
  expect(await contentOf(probe.turnId)).toEqual([]);
  expect(await response(probe)).toBe(answer({}));
});

test("of a listed turn the request goes there as well; a change of its metadata brings the answer back, and there anew", async () => {
  const probe = await ended(true);
  await later(probe, replayMs);
  await settled(probe, ["request", "response"]);
  await evictDurableObject(probe.stub);
  const message = { ...asking, after: null, limit: 20, order: "asc" } as const;
  expect(await probe.stub.messages(message)).toMatchObject({ result: "ok" });
  const [, before = ""] = await contentOf(probe.turnId);
  expect(await probe.stub.update({ ...asking, metadata: '{"a":"b"}' })).toMatchObject({ result: "updated" });
  expect(await response(probe)).toBe(answer({ a: "b" }));
  await settled(probe, ["request", "response"]);
  const [, between = ""] = await contentOf(probe.turnId);
  expect(between).not.toBe(before);
  // In the same life of the object: a move that has ended does not keep the next one from beginning.
  expect(await probe.stub.update({ ...asking, metadata: '{"a":"c"}' })).toMatchObject({ result: "updated" });
  await settled(probe, ["request", "response"]);
  expect(await contentOf(probe.turnId)).not.toContain(between);
  await evictDurableObject(probe.stub);
  expect(await response(probe)).toBe(answer({ a: "c" }));
  expect(probe.control.told.at(-1)?.response).toBe(answer({ a: "c" }));
});

test("a deletion by the version before is one: the answer is not seen again, and its bytes go with the next alarm", async () => {
  const probe = await ended();
  await later(probe, replayMs);
  expect(await contentOf(probe.turnId)).toHaveLength(1);
  await runInDurableObject(probe.stub, async (_object, { storage }) => {
    const keys = Array.from(storage.kv.list({ prefix: "text/response/" }), ([key]) => key);
    for (const key of keys) storage.kv.delete(key);
    await storage.setAlarm(Date.now() + 60_000);
  });
  await evictDurableObject(probe.stub);
  expect(await response(probe)).toBeNull();
  await settled(probe, []);
});
