import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { TellIndex } from "../../src/shared/contracts/conversation-index.ts";

const owner = { tenant: "demo", user: "alice" };
let made = 0;

function index() {
  made += 1;
  return env.CONVERSATION_INDEX.getByName(`index-test-${made}`);
}

function tell(objectName: string, revision: number, more: Partial<TellIndex> = {}): TellIndex {
  const entry = { id: `conv_${objectName}`, createdMs: 1000, title: `r${revision}`, metadata: "{}" };
  return { v: 1, owner, objectName, revision, entry, deletion: null, ...more };
}

const all = { v: 1, owner, after: null, limit: 100, order: "desc" } as const;

test("a user without conversations has none, and asking writes nothing", async () => {
  const stub = index();
  expect(await stub.list(all)).toEqual({ result: "ok", entries: [], hasMore: false });
  expect(await stub.list({ ...all, after: "conv_x" })).toEqual({ result: "after-unknown" });
  expect(await stub.deletions(all)).toEqual({ result: "ok", records: [], hasMore: false });
  await runInDurableObject(stub, (_instance, state) => {
    expect(state.storage.sql.exec("SELECT count(*) AS n FROM sqlite_master").one()).toEqual({ n: 0 });
  });
});

test("messages late, doubled and out of order leave what the newest said", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 6 })), {
        minLength: 1,
        maxLength: 20,
      }),
      async (told) => {
        const stub = index();
        const newest = new Map<number, number>();
        for (const [conversation, revision] of told) {
          newest.set(conversation, Math.max(newest.get(conversation) ?? 0, revision));
          // The sixth says that it is gone.
          const more = revision === 6 ? { entry: null } : {};
          expect(await stub.tell(tell(String(conversation), revision, more))).toEqual({ result: "told" });
        }
        await evictDurableObject(stub);
        const listed = await stub.list(all);
        if (listed.result !== "ok") throw new Error(listed.result);
        const expected = [...newest].filter(([, revision]) => revision < 6);
        expect(new Map(listed.entries.map(({ id, title }) => [id, title]))).toEqual(
          new Map(expected.map(([conversation, revision]) => [`conv_${conversation}`, `r${revision}`])),
        );
      },
    ),
    { numRuns: 20 },
  );
});

test("pages go through all of them, newest first or last, also of the same millisecond", async () => {
  const stub = index();
  for (let at = 0; at < 25; at += 1) {
    const entry = {
      id: `c${String(at).padStart(2, "0")}`,
      createdMs: 1000 + (at >> 2),
      title: null,
      metadata: "{}",
    };
    await stub.tell(tell(`o${at}`, 1, { entry }));
  }
  const expected = Array.from({ length: 25 }, (_, at) => `c${String(at).padStart(2, "0")}`);
  for (const order of ["asc", "desc"] as const) {
    const seen: string[] = [];
    let after: string | null = null;
    for (let more = true; more;) {
      const page: Awaited<ReturnType<typeof stub.list>> = await stub.list({ ...all, after, limit: 4, order });
      if (page.result !== "ok") throw new Error(page.result);
      expect(page.entries.length).toBeLessThanOrEqual(4);
      seen.push(...page.entries.map(({ id }) => id));
      after = seen.at(-1) ?? null;
      more = page.hasMore;
    }
    expect(seen).toEqual(order === "asc" ? expected : expected.toReversed());
  }
});

test("what a deletion leaves is a record, told again as its turns go", async () => {
  const stub = index();
  await stub.tell(tell("o", 1));
  const deletion = {
    id: "del_1",
    conversationId: null,
    deletedMs: 5,
    items: 2,
    turns: 1,
    turnsPending: 1,
    recoverableUntilMs: 6,
  };
  await stub.tell(tell("o", 2, { entry: null, deletion }));
  await stub.tell(tell("o", 3, { entry: null, deletion: { ...deletion, turnsPending: 0 } }));
  await stub.tell(tell("p", 1, { entry: null, deletion: { ...deletion, id: "del_2" } }));
  expect(await stub.list(all)).toMatchObject({ entries: [] });
  const listed = await stub.deletions(all);
  if (listed.result !== "ok") throw new Error(listed.result);
  expect(listed.records.map(({ id, turnsPending }) => [id, turnsPending])).toEqual([
    ["del_2", 1],
    ["del_1", 0],
  ]);
  expect(await stub.deletions({ ...all, after: "del_2" })).toMatchObject({ records: [{ id: "del_1" }] });
});

test("another user learns nothing and changes nothing", async () => {
  const stub = index();
  await stub.tell(tell("o", 1));
  const stranger = { tenant: "demo", user: "bob" };
  expect(await stub.list({ ...all, owner: stranger })).toEqual({ result: "unknown" });
  expect(await stub.deletions({ ...all, owner: stranger })).toEqual({ result: "unknown" });
  expect(await stub.tell(tell("o", 2, { owner: stranger, entry: null }))).toEqual({ result: "unknown" });
  expect(await stub.list(all)).toMatchObject({ entries: [{ id: "conv_o" }] });
  const newer = { ...all, v: 2 } as unknown as typeof all;
  expect(await stub.list(newer)).toEqual({ result: "version-unsupported", supported: 1 });
});

test("a page goes on behind a conversation that was deleted since the one before", async () => {
  const stub = index();
  const entry = (at: number) => ({ id: `c${at}`, createdMs: 1000 * at, title: null, metadata: "{}" });
  for (const at of [1, 2, 3]) await stub.tell(tell(`o${at}`, 1, { entry: entry(at) }));
  await stub.tell(tell("o2", 2, { entry: null }));
  const behind = { ...all, after: "c2", afterObject: "o2" };
  expect(await stub.list(behind)).toMatchObject({ entries: [{ id: "c1" }] });
  expect(await stub.list({ ...behind, order: "asc" })).toMatchObject({ entries: [{ id: "c3" }] });
  expect(await stub.list({ ...behind, afterObject: "o4" })).toEqual({ result: "after-unknown" });
});
