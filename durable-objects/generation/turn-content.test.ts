/** A turn's long texts once it is over: where they lie, how they are read, and that nothing of them stays. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { contentOf, files } from "../../test/workers/content-fixture.ts";
import { eventually } from "../../test/workers/eventually.ts";
import {
  changeStored,
  emits,
  events,
  owner,
  Probe,
  storedTurn,
  usage,
} from "../../test/workers/generation-probe.ts";
import { settlement } from "../../test/workers/scripted-generation.ts";
import { ContentLedger } from "../storage/content-ledger.ts";
import { callObject } from "../storage/call-object.ts";

const asking = { v: 1, owner } as const;
const long = "é😀".repeat(60_000);
const replayMs = 600_000;
const dayMs = 86_400_000;

/** A turn that has ended with a long answer; its request holds that as well. */
async function ended(isListed = false): Promise<Probe> {
  const probe = new Probe();
  const list = { kind: "list", jurisdiction: "none", owner, responseId: `chatcmpl-${probe.turnId}` } as const;
  const end = {
    status: "completed",
    events: [{ data: "[DONE]" }],
    response: answer({}),
    usage,
    basis: "exact",
    effects: [settlement(probe.turnId, 15), ...(isListed ? [list] : [])],
  } as const;
  await new Response(await probe.start({ steps: emits(events(2)), end })).text();
  await eventually(async () => expect(await owed(probe)).toBe(0));
  return probe;
}

function answer(metadata: object): string {
  return JSON.stringify({ answer: long, metadata });
}

async function owed(probe: Probe): Promise<number> {
  return runInDurableObject(probe.stub, (_object, state) => {
    const { outbox, listed } = storedTurn(state);
    return outbox.length + (listed?.owed == null ? 0 : 1);
  });
}

/** How often the list was told in vain. */
async function attempted(probe: Probe): Promise<number> {
  return runInDurableObject(probe.stub, (_object, state) => storedTurn(state).listed?.owed?.attempts ?? 0);
}

/** As time would: in storage, and out of memory. Then what is due is done. */
async function later(probe: Probe, ms: number): Promise<void> {
  await changeStored(probe.stub, (stored) => {
    stored.endedMs = (stored.endedMs ?? 0) - ms;
  });
  await runDurableObjectAlarm(probe.stub);
}

async function settled(probe: Probe, texts: readonly string[]): Promise<void> {
  await eventually(async () => {
    await runDurableObjectAlarm(probe.stub);
    expect((await contentOf(probe.turnId)).map(textName)).toEqual(texts);
  });
}

const textName = (key: string): string => key.split("/").at(-1)?.split("-")[0] ?? "";

async function response(probe: Probe): Promise<string | null> {
  const outcome = await probe.stub.retrieve(asking);
  if (outcome.result !== "ended") throw new Error(outcome.result);
  return outcome.response;
}

async function texts(probe: Probe): Promise<string[]> {
  return runInDurableObject(probe.stub, (_object, { storage }) =>
    [...storage.kv.list({ prefix: "text/" })].map(([key]) => key),
  );
}

/** What was intended or is to go is due now. */
async function dueNow(probe: Probe): Promise<void> {
  await runInDurableObject(probe.stub, (_object, { storage }) => {
    storage.sql.exec("UPDATE content SET due_ms = 0 WHERE held = 0");
  });
  await evictDurableObject(probe.stub);
}

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
  const leaving = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  probe.control.bucket = async (call) => {
    if (call !== "delete") return;
    leaving.resolve();
    await goOn.promise;
  };
  const ending = later(probe, dayMs);
  await leaving.promise;
  await probe.stub.hold({ ...asking, untilMs: Date.now() + dayMs });
  expect(await response(probe)).toBeNull();
  goOn.resolve();
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
  const arrived = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  probe.control.bucket = async (call) => {
    if (call !== "put") return;
    arrived.resolve();
    await goOn.promise;
  };
  const moving = later(probe, replayMs);
  await arrived.promise;
  expect(await probe.stub.delete(asking)).toEqual({ result: "deleted" });
  goOn.resolve();
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

test("given the metadata that it has while its answer is on its way to the bucket: the list is told all the same", async () => {
  const probe = await ended(true);
  const arrived = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  probe.control.bucket = async (call) => {
    if (call !== "put") return;
    arrived.resolve();
    await goOn.promise;
  };
  const moving = later(probe, replayMs);
  await arrived.promise;
  probe.control.failBefore = 1;
  expect(await probe.stub.update({ ...asking, metadata: "{}" })).toMatchObject({ result: "updated" });
  await eventually(async () =>
    expect(probe.control.attempts.filter((kind) => kind === "list")).toHaveLength(2),
  );
  await eventually(async () => expect(await attempted(probe)).toBe(1));
  goOn.resolve();
  await moving;
  await eventually(async () => {
    await runDurableObjectAlarm(probe.stub);
    expect(await owed(probe)).toBe(0);
  });
  expect(probe.control.told.at(-1)?.response).toBe(answer({}));
});
