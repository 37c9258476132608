import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { ConversationStore } from "./conversation-store.ts";
import type { AppendTurn, NewItem } from "../../src/shared/contracts/conversation.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

const owner = { tenant: "demo", user: "alice" };
const stranger = { tenant: "demo", user: "bob" };
let made = 0;

function conversation() {
  made += 1;
  return env.CONVERSATION.getByName(`conversation-test-${made}`);
}

function item(text: string, role: "user" | "assistant" = "user"): NewItem {
  return { type: "message", role, json: JSON.stringify({ type: "message", role, content: text }) };
}

function append(turnId: string, items: readonly NewItem[], more: Partial<AppendTurn> = {}): AppendTurn {
  return { v: 1, owner, id: "my-chat", mustExist: false, incarnation: 1, turnId, items, ...more };
}

const everything = { v: 1, owner, mustExist: false, limitItems: 1000, limitTokens: 100_000 } as const;

async function texts(stub: ReturnType<typeof conversation>, limits: object = {}): Promise<string[]> {
  const outcome = await stub.history({ ...everything, ...limits });
  if (outcome.result !== "ok") throw new Error(outcome.result);
  return outcome.items.map((each) => (JSON.parse(each.json) as { content: string }).content);
}

test("a name never used is an empty conversation, and asking writes nothing", async () => {
  const stub = conversation();
  expect(await stub.history(everything)).toEqual({
    result: "ok",
    items: [],
    truncated: false,
    incarnation: 1,
    behind: "br_0",
  });
  expect(await stub.history({ ...everything, mustExist: true })).toEqual({ result: "unknown" });
  await runInDurableObject(stub, (_instance, state) => {
    expect(state.storage.sql.exec("SELECT count(*) AS n FROM sqlite_master").one()).toEqual({ n: 0 });
  });
});

test("turns are kept in order, across an eviction", async () => {
  const stub = conversation();
  expect(await stub.append(append("t1", [item("one"), item("ONE", "assistant")]))).toEqual({
    result: "appended",
    firstSequence: 1,
  });
  await evictDurableObject(stub);
  expect(await stub.append(append("t2", [item("two"), item("TWO", "assistant")]))).toEqual({
    result: "appended",
    firstSequence: 3,
  });
  await evictDurableObject(stub);
  expect(await texts(stub)).toEqual(["one", "ONE", "two", "TWO"]);
});

test("a turn is appended once, however often it is delivered", async () => {
  const stub = conversation();
  await Promise.all([1, 2, 3].map(() => stub.append(append("t1", [item("one")]))));
  await evictDurableObject(stub);
  expect(await stub.append(append("t1", [item("another")]))).toEqual({
    result: "already-appended",
    firstSequence: 1,
  });
  expect(await texts(stub)).toEqual(["one"]);
});

test("turns that end at the same time are each whole", async () => {
  const stub = conversation();
  const turns = Array.from({ length: 20 }, (_, at) => `t${at}`);
  await Promise.all(
    turns.map((turn) => stub.append(append(turn, [item(`${turn} a`), item(`${turn} b`), item(`${turn} c`)]))),
  );
  const found = await texts(stub);
  expect(found).toHaveLength(60);
  for (let at = 0; at < found.length; at += 3) {
    const turn = found[at]?.split(" ")[0] ?? "";
    expect(found.slice(at, at + 3)).toEqual([`${turn} a`, `${turn} b`, `${turn} c`]);
  }
});

test("another user of the same object learns nothing and changes nothing", async () => {
  const stub = conversation();
  await stub.append(append("t1", [item("secret")]));
  const theirs = { ...everything, owner: stranger };
  expect(await stub.history(theirs)).toEqual({ result: "unknown" });
  expect(await stub.append(append("t2", [item("x")], { owner: stranger }))).toEqual({ result: "unknown" });
  expect(await stub.listItems({ v: 1, owner: stranger, after: null, limit: 5, order: "asc" })).toEqual({
    result: "unknown",
  });
  expect(await stub.describe({ v: 1, owner: stranger })).toEqual({ result: "unknown" });
  expect(await stub.delete({ v: 1, owner: stranger })).toEqual({ result: "unknown" });
  expect(await stub.create({ v: 1, owner: stranger, id: "my-chat", metadata: "{}" })).toEqual({
    result: "unknown",
  });
  expect(await texts(stub)).toEqual(["secret"]);
});

test("a conv_ id that was never created is unknown, and is no more once it was deleted", async () => {
  const stub = conversation();
  const turn = append("t1", [item("one")], { mustExist: true, id: "conv_1" });
  expect(await stub.append(turn)).toEqual({ result: "unknown" });
  expect(await stub.create({ v: 1, owner, id: "conv_1", metadata: '{"topic":"x"}' })).toMatchObject({
    result: "created",
  });
  expect(await stub.create({ v: 1, owner, id: "conv_1", metadata: "{}" })).toMatchObject({
    result: "exists",
  });
  expect(await stub.append(turn)).toMatchObject({ result: "appended" });
  expect(await stub.describe({ v: 1, owner })).toMatchObject({
    id: "conv_1",
    metadata: '{"topic":"x"}',
    items: 1,
  });
  expect(await stub.delete({ v: 1, owner })).toMatchObject({ result: "deleted" });
  expect(await stub.history({ ...everything, mustExist: true })).toEqual({ result: "unknown" });
  expect(await stub.delete({ v: 1, owner })).toEqual({ result: "unknown" });
});

test("a turn that began before a deletion is not saved after it", async () => {
  const stub = conversation();
  await stub.append(append("t1", [item("one")]));
  await stub.delete({ v: 1, owner });
  expect(await stub.append(append("t2", [item("two")], { incarnation: 1 }))).toEqual({
    result: "superseded",
  });
  expect(await stub.history(everything)).toMatchObject({ items: [], incarnation: 2 });
  expect(await stub.append(append("t3", [item("three")], { incarnation: 2 }))).toMatchObject({
    result: "appended",
  });
  expect(await texts(stub)).toEqual(["three"]);
});

test("what a deletion leaves behind goes by alarm", async () => {
  const stub = conversation();
  await stub.append(append("t1", [item("one")]));
  await stub.delete({ v: 1, owner });
  await evictDurableObject(stub);
  await runDurableObjectAlarm(stub);
  expect(await stub.history(everything)).toMatchObject({ incarnation: 2 });
  await runInDurableObject(stub, (_instance, state) => {
    state.storage.sql.exec("UPDATE head SET deleted_ms = deleted_ms - 86400001");
  });
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  await runInDurableObject(stub, (_instance, state) => {
    expect(state.storage.sql.exec("SELECT count(*) AS n FROM sqlite_master").one()).toEqual({ n: 0 });
  });
  expect(await stub.history(everything)).toMatchObject({ items: [], incarnation: 1 });
});

test("items are paged both ways, by the id of the last one seen", async () => {
  const stub = conversation();
  for (let turn = 0; turn < 5; turn += 1)
    await stub.append(append(`t${turn}`, [item(`${turn}a`), item(`${turn}b`)]));
  for (const order of ["asc", "desc"] as const) {
    const seen: string[] = [];
    let after: string | null = null;
    for (let more = true; more;) {
      const page: Awaited<ReturnType<typeof stub.listItems>> = await stub.listItems({
        v: 1,
        owner,
        after,
        limit: 3,
        order,
      });
      if (page.result !== "ok") throw new Error(page.result);
      expect(page.items.length).toBeLessThanOrEqual(3);
      seen.push(...page.items.map((each) => (JSON.parse(each.json) as { content: string }).content));
      after = page.items.at(-1)?.id ?? null;
      more = page.hasMore;
    }
    const expected = ["0a", "0b", "1a", "1b", "2a", "2b", "3a", "3b", "4a", "4b"];
    expect(seen).toEqual(order === "asc" ? expected : expected.reverse());
  }
  for (const after of ["msg_0000000100000000000000zz", "x", "msg_zzzzzzzzzzzzzzzzzzzzzzzz"])
    expect(await stub.listItems({ v: 1, owner, after, limit: 3, order: "asc" })).toEqual({
      result: "after-unknown",
    });
});

test("a turn that is more than a message carries is refused whole", async () => {
  const stub = conversation();
  const large = item("é".repeat(16_000_000));
  expect(await stub.append(append("t1", [item("one"), large]))).toEqual({
    result: "item-too-large",
    maxBytes: 16_000_000,
  });
  expect(await texts(stub)).toEqual([]);
});

test("a message of another version is answered as such", async () => {
  const stub = conversation();
  const newer = { ...everything, v: 2 } as unknown as typeof everything;
  expect(await stub.history(newer)).toEqual({ result: "version-unsupported", supported: 1 });
});

test("a conversation of 5,000 items opens by reading no more rows than it returns, and two", async () => {
  const stub = conversation();
  for (let turn = 0; turn < 250; turn += 1)
    await stub.append(
      append(
        `t${turn}`,
        Array.from({ length: 20 }, (_, at) =>
          item(`${turn} ${at} ${"x".repeat(200)}`, at % 2 ? "assistant" : "user"),
        ),
      ),
    );
  await evictDurableObject(stub);
  const outcome = await stub.history({ ...everything, limitItems: 100, limitTokens: 8000 });
  if (outcome.result !== "ok") throw new Error(outcome.result);
  expect(outcome.truncated).toBe(true);
  expect(outcome.items).toHaveLength(100);
  expect(outcome.items.at(-1)?.sequence).toBe(5000);
  await runInDurableObject(stub, (_instance, state) => {
    const store = new ConversationStore(state.storage);
    const window = store.reader.latest(store.branches.path(0), { items: 100, tokens: 8000 });
    expect(window.items).toHaveLength(100);
    expect(store.reader.rowsRead).toBeLessThanOrEqual(102);
  });
});

test("appending a turn of two items writes four rows", async () => {
  const stub = conversation();
  await stub.append(append("t0", [item("zero")]));
  // The index is told of the first turn, and of no other.
  await runDurableObjectAlarm(stub);
  await runInDurableObject(stub, async (instance, state) => {
    const { sql } = state.storage;
    const before = sql.exec("SELECT total_changes() AS n").one()["n"] as number;
    await instance.append(append("t1", [item("one"), item("ONE", "assistant")]));
    expect((sql.exec("SELECT total_changes() AS n").one()["n"] as number) - before).toBe(4);
  });
});

test("a title that its user chose stays, also where the rule had found the same", async () => {
  const stub = conversation();
  await stub.append(append("t1", [item("one")], { title: "Tides" }));
  await stub.update({ v: 1, owner, title: "Tides" });
  await stub.update({ v: 1, owner, title: "A model's", titleBy: "model" });
  expect(await stub.describe({ v: 1, owner })).toMatchObject({ title: "Tides", titleBy: "user" });
});

test("items are added once under one id, also where one was taken out since; other items under it are told", async () => {
  const stub = conversation();
  await stub.create({ v: 1, owner, id: "conv_1", metadata: "{}" });
  const add = (...texts: string[]) =>
    stub.addItems({ v: 1, owner, addId: "add/key/k", items: texts.map((text) => item(text)) });
  const added = await add("one", "two");
  if (added.result !== "ok") throw new Error(added.result);
  expect(await add("one", "two")).toEqual(added);
  for (const others of [["one"], ["one", "three"], ["one", "two", "three"]])
    expect(await add(...others)).toEqual({ result: "reused" });
  await stub.deleteItem({ v: 1, owner, itemId: added.items[0]?.id ?? "" });
  expect(await add("one", "two")).toMatchObject({ result: "ok", items: [{ id: added.items[1]?.id }] });
  expect(await texts(stub)).toEqual(["two"]);
});
