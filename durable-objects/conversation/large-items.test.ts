/** Items that are too long for their row: where they lie, and how they are read. */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { contentOf, faultyBucket, files } from "../../test/workers/content-fixture.ts";
import { elsewhere } from "../../src/shared/content/large-content.ts";
import { loadHistory } from "./load-history.ts";
import {
  owner,
  asking,
  everything,
  conversation,
  item,
  append,
  textOf,
  history,
  rows,
  settled,
  withBucket,
  long,
} from "../../test/workers/large-items-fixture.ts";

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
