/** Items that are too long for their row: where they lie, how they are read, and that nothing of them stays. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { contentOf, faultyBucket, files } from "../../test/workers/content-fixture.ts";
import { eventually } from "../../test/workers/eventually.ts";
import { elsewhere } from "../../src/shared/content/large-content.ts";
import type { AppendTurn, NewItem } from "../../src/shared/contracts/conversation.ts";
import { intentMs } from "../storage/content-ledger.ts";
import { Conversation } from "./conversation.ts";
import { ConversationStore } from "./conversation-store.ts";
import { loadHistory } from "./load-history.ts";

const owner = { tenant: "demo", user: "alice" };
const asking = { v: 1, owner } as const;
const everything = { ...asking, mustExist: false, limitItems: 100, limitTokens: 1_000_000 } as const;
let made = 0;

function conversation() {
  made += 1;
  const name = `large-items-${made}`;
  return { name, stub: env.CONVERSATION.getByName(name) };
}

function item(text: string, role: "user" | "assistant" = "user"): NewItem {
  return { type: "message", role, json: JSON.stringify({ type: "message", role, content: text }) };
}

function append(turnId: string, items: readonly NewItem[], more: Partial<AppendTurn> = {}): AppendTurn {
  return { ...asking, id: "my-chat", mustExist: false, incarnation: 1, turnId, items, ...more };
}

const textOf = ({ json }: { readonly json: string }) => (JSON.parse(json) as { content: string }).content;

async function history(stub: ReturnType<typeof conversation>["stub"], limits: object = {}) {
  const outcome = await stub.history({ ...everything, ...limits });
  if (outcome.result !== "ok") throw new Error(outcome.result);
  return outcome.items.map(textOf);
}

type Object = ReturnType<typeof conversation>["stub"];

async function rows(stub: Object): Promise<{ json: string; parts: number; content: number }> {
  return runInDurableObject(stub, (_instance, { storage: { sql } }) => {
    const one = (query: string) => sql.exec<{ v: string & number }>(query).one().v;
    return {
      json: one("SELECT json AS v FROM item ORDER BY sequence LIMIT 1"),
      parts: one("SELECT count(*) AS v FROM large_part"),
      content: one("SELECT count(*) AS v FROM content"),
    };
  });
}

/** Until the bucket has, or has not any more, what is to be there. */
async function settled(stub: Object, name: string, keys: number): Promise<void> {
  await eventually(async () => {
    await runDurableObjectAlarm(stub);
    expect(await contentOf(name)).toHaveLength(keys);
  });
}

/** Another instance over the same storage, with a bucket of the test's. `look` is a store that knows what the instance has written by then. */
async function withBucket(
  stub: Object,
  bucket: R2Bucket | undefined,
  work: (object: Conversation, look: () => ConversationStore, storage: DurableObjectStorage) => Promise<void>,
): Promise<void> {
  await runInDurableObject(stub, async (_instance, state) => {
    const { FILES: _, ...without } = env;
    const object = new Conversation(state, bucket === undefined ? without : { ...without, FILES: bucket });
    await work(object, () => new ConversationStore(state.storage, bucket !== undefined), state.storage);
  });
  // The object's own memory knows nothing of what was written beside it.
  await evictDurableObject(stub);
}

const long = "é😀".repeat(40_000);

test("an item over 100 KB lies in the bucket under a name that tells nothing, and every way to read it has it whole", async () => {
  const { name, stub } = conversation();
  await stub.append(append("t1", [item(long), item("short", "assistant")]));
  expect(await history(stub)).toEqual([long, "short"]);
  await settled(stub, name, 1);
  expect(await rows(stub)).toMatchObject({ parts: 0, content: 1, json: elsewhere });
  const [key = ""] = await contentOf(name);
  expect(key).toMatch(new RegExp(`^content/[0-9a-z]{24}/conversation/${name}/1-[0-9a-z]{16}$`));
  expect(await (await files.get(key))?.text()).toBe(item(long).json);
  await evictDurableObject(stub);
  expect(await history(stub)).toEqual([long, "short"]);
  const listed = await stub.listItems({ ...asking, after: null, limit: 10, order: "asc" });
  if (listed.result !== "ok") throw new Error(listed.result);
  expect(listed.items.map(textOf)).toEqual([long, "short"]);
  expect(await stub.item({ ...asking, itemId: listed.items[0]?.id ?? "" })).toEqual({
    result: "ok",
    item: listed.items[0],
  });
  expect(await stub.exportItems({ ...asking, above: 0 })).toMatchObject({ items: listed.items });
  await stub.append(append("t2", [item("more"), item("words", "assistant")]));
  const work = await stub.summaryWork({ ...asking, afterUnits: 100, keepUnits: 90, mostUnits: 1_000_000 });
  if (work.result !== "ok") throw new Error(work.result);
  expect(work.work.items.map(textOf)).toEqual([long, "short"]);
});

test("an item of many megabytes is kept, with a bucket and without; without one, one of a megabyte lies in its row as before", async () => {
  const huge = "é😀".repeat(2_000_000);
  const { name, stub } = conversation();
  expect(await stub.append(append("t1", [item(huge)]))).toMatchObject({ result: "appended" });
  await settled(stub, name, 1);
  expect(await history(stub)).toEqual([huge]);
  const other = conversation();
  await withBucket(other.stub, undefined, async (object, _look, storage) => {
    await object.append(append("t1", [item("m".repeat(1_000_000)), item(huge)]));
    await object.alarm();
    // Nothing is owed to a bucket that is not there.
    expect(await storage.getAlarm()).toBeNull();
    expect(storage.sql.exec("SELECT count(*) AS n FROM item WHERE json <> 'elsewhere'").one()).toEqual({
      n: 1,
    });
    const outcome = await object.history(everything);
    expect(outcome.result === "ok" && outcome.items.map(textOf)).toEqual(["m".repeat(1_000_000), huge]);
  });
  // A bucket that comes later gets what was too long for a row.
  await settled(other.stub, other.name, 1);
  expect(await history(other.stub)).toEqual(["m".repeat(1_000_000), huge]);
});

test("more than a message carries is refused, and says how much may be", async () => {
  const { stub } = conversation();
  await stub.create({ ...asking, id: "conv_1", metadata: "{}" });
  const items = Array.from({ length: 3 }, () => item("x".repeat(4_000_001)));
  const refused = { result: "item-too-large", maxBytes: 12_000_000 };
  expect(await stub.addItems({ ...asking, addId: "a", items })).toEqual(refused);
  expect(await stub.create({ ...asking, owner, id: "conv_1", metadata: "{}", items })).toMatchObject({
    result: "exists",
  });
});

test("a history that is cut for the window fetches nothing that it leaves out, and a page no more than it holds", async () => {
  const { name, stub } = conversation();
  const images = [1, 2, 3].map((at) => item(`${at}${"x".repeat(3_000_000)}`));
  for (const [at, each] of images.entries()) await stub.append(append(`t${at}`, [each]));
  await settled(stub, name, 3);
  const fetched: string[] = [];
  const bucket = faultyBucket((call, key) => {
    if (call === "get") fetched.push(key.split("/").at(-1)?.split("-")[0] ?? "");
  });
  await withBucket(stub, bucket, async (object) => {
    const cut = await object.history({ ...everything, limitTokens: 400_000 });
    expect(cut).toMatchObject({ result: "ok", truncated: true, items: [{ sequence: 3 }] });
    expect(fetched.splice(0)).toEqual(["3"]);
    const page = await object.listItems({ ...asking, after: null, limit: 10, order: "asc" });
    expect(page).toMatchObject({ hasMore: true, items: [{ sequence: 1 }] });
    expect(fetched.splice(0)).toEqual(["1"]);
    // Nobody asks what is in them.
    expect(object.branches(asking)).toMatchObject({ result: "ok" });
    await object.deleteItem({ ...asking, itemId: page.result === "ok" ? (page.items[0]?.id ?? "") : "" });
    expect(fetched).toEqual([]);
  });
});

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

test("bytes that are not there, a bucket that is down or not bound any more: 503, never a history without them", async () => {
  const { name, stub } = conversation();
  await stub.append(append("t1", [item(long)]));
  await settled(stub, name, 1);
  const asked = {
    conversation: { id: "my-chat", objectName: name, mustExist: false },
    owner,
    jurisdiction: "none",
    limitTokens: 1_000_000,
  } as const;
  const [key = ""] = await contentOf(name);
  const down = faultyBucket(() => {
    throw new Error("away");
  });
  for (const bucket of [down, undefined])
    await withBucket(stub, bucket, async (object) => {
      await expect(object.history(everything)).rejects.toThrow("stored content can't be read");
      await expect(object.listItems({ ...asking, after: null, limit: 1, order: "asc" })).rejects.toThrow(
        "stored content",
      );
    });
  await files.put(key, "cut off");
  expect(await loadHistory(env.CONVERSATION, "local", asked)).toMatchObject({
    ok: false,
    error: { kind: "dependency-unavailable", component: "conversation" },
  });
  await files.delete(key);
  const refused = await loadHistory(env.CONVERSATION, "local", asked);
  expect(refused).toMatchObject({ ok: false, error: { kind: "dependency-unavailable" } });
  expect(JSON.stringify(refused)).not.toContain(key);
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

test("large items are added once under one id; others under it are told", async () => {
  const { name, stub } = conversation();
  await stub.create({ ...asking, id: "conv_1", metadata: "{}" });
  const add = (text: string) => stub.addItems({ ...asking, addId: "add/key/k", items: [item(text)] });
  const added = await add(long);
  expect(added).toMatchObject({ result: "ok", items: [{ json: item(long).json }] });
  await settled(stub, name, 1);
  expect(await add(long)).toEqual(added);
  expect(await add(`${long}!`)).toEqual({ result: "reused" });
  expect(await history(stub)).toEqual([long]);
});

test("of items that are more than a page holds each is answered, and each is compared when they are sent again", async () => {
  const { stub } = conversation();
  await stub.create({ ...asking, id: "conv_1", metadata: "{}" });
  const texts = ["a", "b", "c"].map((text) => text.repeat(2_100_000));
  const add = (last: string) =>
    stub.addItems({
      ...asking,
      addId: "add/key/k",
      items: [...texts.slice(0, 2), last].map((text) => item(text)),
    });
  const added = await add(texts[2] ?? "");
  expect(added.result === "ok" && added.items.map(textOf)).toEqual(texts);
  expect(await add(texts[2] ?? "")).toEqual(added);
  expect(await add("another")).toEqual({ result: "reused" });
});
