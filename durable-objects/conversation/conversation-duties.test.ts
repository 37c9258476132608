import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { conversationIndexName } from "../../src/shared/contracts/conversation-index.ts";
import type { NewItem } from "../../src/shared/contracts/conversation.ts";
import { eventually } from "../../test/workers/eventually.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

let made = 0;

/** A user of its own, so that the list holds this test's conversations alone. */
function world() {
  made += 1;
  const owner = { tenant: "demo", user: `duties-${made}` };
  return {
    owner,
    conversation: env.CONVERSATION.getByName(`duties-test-${made}`),
    index: env.CONVERSATION_INDEX.getByName(conversationIndexName(owner)),
    all: { v: 1, owner, after: null, limit: 100, order: "desc" } as const,
  };
}

const item: NewItem = {
  type: "message",
  role: "user",
  json: '{"type":"message","role":"user","content":"secret"}',
};

function turn(owner: { tenant: string; user: string }) {
  return {
    v: 1,
    owner,
    id: "c",
    mustExist: false,
    incarnation: 1,
    turnId: "t1",
    items: [item],
    title: "Secret",
    // Well-formed, and nobody's.
    responseId: `chatcmpl-${"0".repeat(26)}n${"0".repeat(20)}`,
  } as const;
}

test("a message to the index that was lost with the object's memory is sent by the alarm", async () => {
  const { owner, conversation, index, all } = world();
  await conversation.append(turn(owner));
  await eventually(async () =>
    expect(await index.list(all)).toMatchObject({ entries: [{ title: "Secret" }] }),
  );
  // The answer to that message is on its way back for a moment more.
  await eventually(() =>
    runInDurableObject(conversation, async (_instance, { storage }) => {
      expect(storage.sql.exec("SELECT told FROM shown").one()["told"]).toBeGreaterThan(0);
      expect(await storage.getAlarm()).toBeNull();
    }),
  );
  // As if neither had heard of it: the index without the entry, the conversation without its acknowledgement.
  await runInDurableObject(index, (_instance, state) => {
    state.storage.sql.exec("DELETE FROM entry");
  });
  await runInDurableObject(conversation, async (_instance, state) => {
    state.storage.sql.exec("UPDATE shown SET told = 0");
    await state.storage.setAlarm(Date.now() + 60_000);
  });
  await evictDurableObject(conversation);
  expect(await runDurableObjectAlarm(conversation)).toBe(true);
  expect(await index.list(all)).toMatchObject({ entries: [{ id: "c", title: "Secret" }] });
  // And nothing is due any more.
  expect(await runDurableObjectAlarm(conversation)).toBe(false);
});

test("a conversation that older code made is told with its next change", async () => {
  const { owner, conversation, index, all } = world();
  await conversation.append(turn(owner));
  await runInDurableObject(conversation, (_instance, state) => {
    state.storage.sql.exec("DELETE FROM shown");
  });
  await evictDurableObject(conversation);
  expect(await conversation.describe({ v: 1, owner })).toMatchObject({ title: null, branch: 0, items: 1 });
  await conversation.update({ v: 1, owner, metadata: '{"a":"b"}' });
  await eventually(async () =>
    expect(await index.list(all)).toMatchObject({ entries: [{ metadata: '{"a":"b"}' }] }),
  );
});

test("a conversation that older code made, and that gets no title, is told once and not for ever", async () => {
  const { owner, conversation, index, all } = world();
  await conversation.append(turn(owner));
  await eventually(async () => expect(await index.list(all)).toMatchObject({ entries: [{ id: "c" }] }));
  await runInDurableObject(conversation, (_instance, state) => {
    state.storage.sql.exec("DELETE FROM shown");
  });
  await runInDurableObject(index, (_instance, state) => {
    state.storage.sql.exec("DELETE FROM entry");
  });
  await evictDurableObject(conversation);
  await conversation.append({ ...turn(owner), turnId: "t2", title: null });
  await eventually(async () => {
    await runDurableObjectAlarm(conversation);
    expect(await index.list(all)).toMatchObject({ entries: [{ id: "c", title: null }] });
    expect(await runDurableObjectAlarm(conversation)).toBe(false);
  });
});

test("a deletion leaves no content on disk, and its record says when every turn's object has confirmed", async () => {
  const { owner, conversation, index, all } = world();
  await conversation.append(turn(owner));
  expect(await conversation.delete({ v: 1, owner })).toMatchObject({
    result: "deleted",
    record: { conversationId: null, items: 1, turns: 1, turnsPending: 1 },
  });
  await eventually(async () =>
    expect(await index.deletions(all)).toMatchObject({ records: [{ turnsPending: 0 }] }),
  );
  expect(await index.list(all)).toMatchObject({ entries: [] });
  await runInDurableObject(conversation, (_instance, { storage }) => {
    const tables = storage.sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'",
      )
      .toArray();
    const left = tables.map(({ name }) =>
      JSON.stringify(storage.sql.exec(`SELECT * FROM ${name}`).toArray()),
    );
    expect(left.join()).not.toContain("ecret");
    expect(storage.kv.get("running")).toBeUndefined();
  });
  await runInDurableObject(index, (_instance, { storage }) => {
    for (const table of ["entry", "deletion"])
      expect(JSON.stringify(storage.sql.exec(`SELECT * FROM ${table}`).toArray())).not.toContain("ecret");
  });
  // A name that comes to life again is listed again, and keeps the record.
  expect(await conversation.append({ ...turn(owner), incarnation: 2, turnId: "t2" })).toMatchObject({
    result: "appended",
  });
  await eventually(async () => expect(await index.list(all)).toMatchObject({ entries: [{ id: "c" }] }));
  expect(await index.deletions(all)).toMatchObject({ records: [{ items: 1 }] });
});
