/** What is owed to the bucket of large items: puts and deletions that fail, are cut off by a kill or are overtaken. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { contentOf, faultyBucket, files } from "../../test/workers/content-fixture.ts";
import { eventually } from "../../test/workers/eventually.ts";
import { intentMs } from "../storage/content-ledger.ts";
import { ConversationStore } from "./conversation-store.ts";
import {
  asking,
  everything,
  conversation,
  item,
  append,
  history,
  rows,
  settled,
  withBucket,
  long,
} from "../../test/workers/large-items-fixture.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

test("while the bucket is down a turn is saved and read all the same; when it is back the item goes there, and nothing else stays", async () => {
  const { name, stub } = conversation();
  let away = true;
  const lost: string[] = [];
  const bucket = faultyBucket((call, key) => {
    if (call !== "put" || !away) return;
    lost.push(key);
    throw new Error("away");
  });
  await withBucket(stub, bucket, async (object, look, storage) => {
    await object.append(append("t1", [item(long)]));
    await object.alarm();
    expect(look().large.hasToMove).toBe(true);
    expect(await object.history(everything)).toMatchObject({
      result: "ok",
      items: [{ json: item(long).json }],
    });
    // It is asked ever less often, whoever asks for what meanwhile, and whatever memory is lost.
    const tries = () => lost.length;
    const before = tries();
    for (let again = 0; again < 3; again += 1) await object.append(append(`t2/${again}`, [item("short")]));
    await object.alarm();
    expect(tries()).toBe(before);
    for (const wait of [5_000, 10_000, 20_000]) {
      const nowMs = Date.now();
      expect(look().large.ledger.nextPutMs(nowMs)).toBeGreaterThan(nowMs + wait / 2);
      expect(look().large.ledger.nextPutMs(nowMs)).toBeLessThanOrEqual(nowMs + wait);
      storage.sql.exec("UPDATE content SET due_ms = due_ms - ?", wait);
      await object.alarm();
    }
    expect(tries()).toBe(before + 3);
    away = false;
    storage.sql.exec("UPDATE content SET due_ms = due_ms - 40000");
    await object.alarm();
    expect(await contentOf(name)).toHaveLength(1);
    // What was tried in vain may have arrived all the same.
    for (const key of lost) await files.put(key, "late");
    expect(lost.length).toBeGreaterThan(0);
    expect(look().large.ledger.countLeaving()).toBe(lost.length);
  });
  await runInDurableObject(stub, async (_instance, { storage }) => {
    const alarm = await storage.getAlarm();
    expect(alarm).toBeGreaterThan(Date.now() + intentMs / 2);
    storage.sql.exec("UPDATE content SET due_ms = 0 WHERE held = 0");
  });
  await settled(stub, name, 1);
  expect(await history(stub)).toEqual([long, "short", "short", "short"]);
  expect(await rows(stub)).toMatchObject({ parts: 0, content: 1 });
});

test("killed after the bytes were put and before the row said so: the item is read from where it was, and the bytes go", async () => {
  const { name, stub } = conversation();
  const key = `content/x/conversation/${name}/1-killed`;
  await stub.append(append("t1", [item(long)]));
  await settled(stub, name, 1);
  await runInDurableObject(stub, (_instance, { storage }) => {
    // As far as a kill behind the put leaves it: long enough ago that no put is under way.
    new ConversationStore(storage, true).large.ledger.intend(key, Date.now() - intentMs);
  });
  await files.put(key, item(long).json);
  await evictDurableObject(stub);
  expect(await history(stub)).toEqual([long]);
  await eventually(async () => {
    await runDurableObjectAlarm(stub);
    expect(await contentOf(name)).toEqual([expect.not.stringContaining("killed")]);
  });
});

test("with an item, and with its conversation, its bytes go; while the bucket is down they stay owed, and the record says so", async () => {
  const { name, stub } = conversation();
  let away = false;
  const bucket = faultyBucket((call) => {
    if (call === "delete" && away) throw new Error("away");
  });
  await withBucket(stub, bucket, async (object, look) => {
    await object.append(append("t1", [item(`1${long}`), item(`2${long}`), item(`3${long}`)]));
    await object.alarm();
    expect(await contentOf(name)).toHaveLength(3);
    const listed = await object.listItems({ ...asking, after: null, limit: 1, order: "asc" });
    await object.deleteItem({
      ...asking,
      itemId: listed.result === "ok" ? (listed.items[0]?.id ?? "") : "",
    });
    await object.alarm();
    expect(await contentOf(name)).toHaveLength(2);
    away = true;
    expect(await object.delete(asking)).toMatchObject({ record: { turnsPending: 2 } });
    await object.alarm();
    expect(look().head()?.deletion?.turnsPending).toBe(2);
    expect(look().large.ledger.nextMs()).not.toBeNull();
  });
  expect(await contentOf(name)).toHaveLength(2);
  await runInDurableObject(stub, (_instance, { storage: { sql } }) => {
    sql.exec("UPDATE head SET deleted_ms = 0");
    sql.exec("UPDATE content SET due_ms = 0");
  });
  await settled(stub, name, 0);
  expect(await stub.describe(asking)).toEqual({ result: "unknown" });
});

test("deleted while its bytes are on their way, and another stands in its place: those bytes go, and it has its own", async () => {
  const { name, stub } = conversation();
  const arrived = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  let first = true;
  const bucket = faultyBucket(async (call) => {
    if (call !== "put" || !first) return;
    first = false;
    arrived.resolve();
    await goOn.promise;
  });
  await withBucket(stub, bucket, async (object) => {
    // A branch's numbers begin anew with the conversation.
    const save = async (turnId: string, incarnation: number, text: string) => {
      await object.append(append(`${turnId}/0`, [item("a"), item("b")], { incarnation }));
      expect(
        await object.append(append(turnId, [item(text)], { incarnation, behind: "root" })),
      ).toMatchObject({ result: "appended", firstSequence: 2 ** 24 + 1 });
    };
    await save("t1", 1, `first${long}`);
    await arrived.promise;
    await object.delete(asking);
    await save("t2", 2, `other${long}`);
    goOn.resolve();
    await object.alarm();
    await object.alarm();
    const lying = await contentOf(name);
    const texts = await Promise.all(lying.map(async (key) => (await files.get(key))?.text()));
    expect(texts.map((text) => text?.includes(`"other`))).toEqual([true]);
  });
  expect(await history(stub)).toEqual([`other${long}`]);
});

test("what the version before takes out leaves its bytes here: they go with the next wake", async () => {
  const { name, stub } = conversation();
  await stub.append(append("t1", [item(long), item(`${long}!`)]));
  await settled(stub, name, 2);
  await runInDurableObject(stub, async (_instance, { storage }) => {
    storage.sql.exec("DELETE FROM item WHERE sequence = 1");
    storage.sql.exec("UPDATE head SET items = items - 1");
    await storage.deleteAlarm();
  });
  await evictDurableObject(stub);
  expect(await history(stub)).toEqual([`${long}!`]);
  await eventually(async () => expect(await contentOf(name)).toHaveLength(1));
  expect(await rows(stub)).toMatchObject({ content: 1 });
});
