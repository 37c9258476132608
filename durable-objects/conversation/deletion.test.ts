/** What is left of a deletion, and what must not come back after it? */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { ArchiveMessage } from "../../src/shared/archive/message.ts";
import type { AppendTurn, NewItem } from "../../src/shared/contracts/conversation.ts";
import { eventually } from "../../test/workers/eventually.ts";
import { ConversationDuties } from "./conversation-duties.ts";
import { ConversationStore } from "./conversation-store.ts";

const owner = { tenant: "demo", user: "deletes" };
const dayMs = 86_400_000;
let made = 0;

function conversation() {
  made += 1;
  return env.CONVERSATION.getByName(`deletion-test-${made}`);
}

const item: NewItem = {
  type: "message",
  role: "user",
  json: '{"type":"message","role":"user","content":"secret"}',
};

function append(turnId: string, incarnation: number, more: Partial<AppendTurn> = {}): AppendTurn {
  return { v: 1, owner, id: `c${made}`, mustExist: false, incarnation, turnId, items: [item], ...more };
}

function enter(turnId: string) {
  const turn = {
    turnId,
    responseId: `chatcmpl-${turnId}`,
    policy: "queue",
    waitMs: 60_000,
    maxWaiting: 8,
    runMs: 60_000,
    input: null,
    gone: [],
    cancelled: [],
  } as const;
  return { v: 1, owner, mustExist: false, limitItems: 100, limitTokens: 1000, turn } as const;
}

test("a turn that runs while the last trace of a deletion goes is saved all the same", async () => {
  const stub = conversation();
  await stub.append(append("t1", 1));
  await stub.delete({ v: 1, owner });
  await runInDurableObject(stub, (_instance, { storage }) => {
    storage.sql.exec("UPDATE head SET deleted_ms = deleted_ms - ?", dayMs + 1);
  });
  expect(await stub.history(enter("t2"))).toMatchObject({ result: "ok", incarnation: 2 });
  await runDurableObjectAlarm(stub);
  // It is looked after again, should the turn end without a trace.
  await runInDurableObject(stub, async (_instance, { storage }) => {
    expect(await storage.getAlarm()).toBeGreaterThan(Date.now());
  });
  expect(await stub.append(append("t2", 2))).toMatchObject({ result: "appended" });
  expect(await stub.describe({ v: 1, owner })).toMatchObject({ result: "ok", items: 1 });
});

test("the last trace goes when the turn that ran has ended without one", async () => {
  const stub = conversation();
  await stub.append(append("t1", 1));
  await stub.delete({ v: 1, owner });
  await runInDurableObject(stub, (_instance, { storage }) => {
    storage.sql.exec("UPDATE head SET deleted_ms = deleted_ms - ?", dayMs + 1);
  });
  await stub.history(enter("t2"));
  await runDurableObjectAlarm(stub);
  expect(await stub.append(append("t2", 0, { items: [] }))).toEqual({ result: "released" });
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  expect(await stub.history({ ...enter("t3") })).toMatchObject({ incarnation: 1 });
});

test("a model's title of a conversation that was deleted is none of the one that was made since", async () => {
  const stub = conversation();
  await stub.append(append("t1", 1));
  await stub.delete({ v: 1, owner });
  await stub.append(append("t2", 2, { title: "Of the new one" }));
  const title = { v: 1, owner, title: "The secret", titleBy: "model" } as const;
  expect(await stub.update({ ...title, incarnation: 1 })).toEqual({ result: "unknown" });
  expect(await stub.describe({ v: 1, owner })).toMatchObject({ title: "Of the new one", titleBy: "rule" });
  expect(await stub.update({ ...title, incarnation: 2 })).toMatchObject({ titleBy: "model" });
});

test("a turn that is not saved, since its conversation was deleted, is erased in its own object", async () => {
  const stub = conversation();
  const objectName = `${"1".repeat(26)}n`;
  const generation = env.GENERATION.getByName(objectName);
  await runInDurableObject(generation, (_instance, { storage }) => {
    storage.kv.put("turn", {
      v: 1,
      turnId: "t2",
      owner,
      fingerprint: null,
      status: "completed",
      createdMs: Date.now(),
      endedMs: Date.now(),
      pruned: false,
      intervalMs: 100,
      replayMs: 600_000,
      retentionMs: 30 * dayMs,
      deadlineMs: 600_000,
      headers: {},
      refusal: null,
      bill: null,
      request: null,
      response: '{"secret":"kept"}',
      last: null,
      outbox: [],
    });
  });
  await evictDurableObject(generation);
  const asked = { v: 1, owner } as const;
  expect(await generation.retrieve(asked)).toMatchObject({ response: '{"secret":"kept"}' });
  // It had ended, and nobody knew of it here: a crash undid the note that it runs.
  await stub.append(append("t1", 1));
  await stub.delete({ v: 1, owner });
  const responseId = `chatcmpl-${objectName}${"0".repeat(20)}`;
  expect(await stub.append(append("t2", 1, { responseId }))).toEqual({ result: "superseded" });
  await eventually(async () => expect(await generation.retrieve(asked)).toEqual({ result: "unknown" }));
});

test("a second deletion while the archive is told of the first is told as well", async () => {
  await runInDurableObject(conversation(), async (_instance, state) => {
    const told: number[] = [];
    const first = Promise.withResolvers<void>();
    const queue = {
      sendBatch: async (messages: readonly { readonly body: ArchiveMessage }[]) => {
        for (const { body } of messages) if (body.kind === "erase") told.push(body.beforeMs);
        if (told.length === 1) await first.promise;
      },
    };
    const store = new ConversationStore(state.storage);
    const duties = new ConversationDuties(
      state,
      { ...env, ARCHIVE: "on", ARCHIVE_QUEUE: queue as unknown as Queue },
      () => store,
    );
    const live = (nowMs: number): void => {
      store.open("c", owner, "{}", nowMs - 100);
      const turn = { items: [item], behind: null, responseId: null, nowMs };
      store.append({ turnId: `t${nowMs}`, ...turn });
      const counts = { items: 1, turns: 1, turnsPending: 0, recoverableUntilMs: 0 };
      store.erase([], { id: `del_${nowMs}`, conversationId: null, deletedMs: nowMs, ...counts });
    };
    live(1000);
    const telling = duties.run();
    await eventually(() => expect(told).toEqual([1000]));
    live(2000);
    first.resolve();
    await telling;
    await duties.run();
    expect(told).toEqual([1000, 2000]);
    expect(store.doomedCount()).toBe(0);
  });
});
