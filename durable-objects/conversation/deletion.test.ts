/** What is left of a deletion, and what must not come back after it? */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { ArchiveMessage } from "../../src/shared/archive/message.ts";
import type { TellIndex } from "../../src/shared/contracts/conversation-index.ts";
import type { AppendTurn, NewItem } from "../../src/shared/contracts/conversation.ts";
import { eventually } from "../../test/workers/eventually.ts";
import { ConversationDuties } from "./conversation-duties.ts";
import { ConversationStore } from "./conversation-store.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

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

test.for([
  { leaves: "items", began: null, result: "superseded", isErased: true },
  { leaves: "nothing", began: 1, result: "released", isErased: true },
  { leaves: "nothing", began: 2, result: "released", isErased: false },
])(
  "a turn that is not saved, since its conversation was deleted, is erased in its own object, also one that leaves $leaves; one that began behind the deletion ($began) is not",
  async ({ leaves, began, result, isErased }) => {
    const stub = conversation();
    const objectName = `${String(began ?? 3).repeat(26)}n`;
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
    const left = leaves === "nothing" ? { items: [], began, incarnation: 0 } : {};
    expect(await stub.append({ ...append("t2", 1, { responseId }), ...left })).toEqual({ result });
    if (!isErased) await runDurableObjectAlarm(stub);
    await eventually(async () =>
      expect(await generation.retrieve(asked)).toMatchObject({ result: isErased ? "unknown" : "ended" }),
    );
  },
);

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
      const turn = { items: [item], place: null, responseId: null, nowMs };
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
    expect(store.doomed.count()).toBe(0);
  });
});

/** A conversation with an index and turns' objects of the test's own, which can be away. */
async function dutiful(
  play: (world: {
    readonly state: DurableObjectState;
    readonly store: ConversationStore;
    readonly duties: ConversationDuties;
    readonly told: TellIndex[];
    readonly erased: string[];
    readonly away: { index: boolean; turns: boolean; turn: string };
    /** It lives once more, with one turn, and is deleted. */
    readonly live: (nth: number, responseId?: string) => void;
  }) => Promise<void>,
): Promise<void> {
  await runInDurableObject(conversation(), async (_instance, state) => {
    const told: TellIndex[] = [];
    const erased: string[] = [];
    const away = { index: false, turns: false, turn: "" };
    const index = {
      tell: async (message: TellIndex) => {
        if (away.index) throw new Error("the index is away");
        told.push(message);
        return { result: "told" };
      },
    };
    const generation = (name: string) => ({
      delete: async () => {
        if (away.turns || name === away.turn) throw new Error("the turn's object is away");
        erased.push(name);
        return { result: "deleted" };
      },
    });
    const store = new ConversationStore(state.storage);
    const fakes = {
      CONVERSATION_INDEX: { getByName: () => index } as unknown as typeof env.CONVERSATION_INDEX,
      GENERATION: { getByName: generation } as unknown as typeof env.GENERATION,
    };
    const duties = new ConversationDuties(state, { ...env, ...fakes, ARCHIVE: "off" }, () => store);
    const live = (nth: number, responseId: string | null = null): void => {
      const nowMs = Date.now();
      store.open("c", owner, "{}", nowMs);
      store.append({ turnId: `t${nth}`, items: [item], place: null, responseId, nowMs });
      store.erase([], {
        id: `del_${nth}`,
        conversationId: null,
        deletedMs: nowMs,
        items: 1,
        turns: 1,
        turnsPending: 0,
        recoverableUntilMs: 0,
      });
    };
    await play({ state, store, duties, told, erased, away, live });
  });
}

const turnObject = (at: number) => `${String(at).repeat(26)}n`;
const turnOf = (at: number) => `chatcmpl-${turnObject(at)}${"0".repeat(20)}`;

test("two deletions while the list can't be asked both have their record, and it shows neither conversation", async () => {
  await dutiful(async ({ duties, told, away, live }) => {
    away.index = true;
    live(1);
    await duties.run();
    live(2);
    await duties.run();
    expect(told).toEqual([]);
    away.index = false;
    await duties.run();
    expect(new Set(told.map(({ deletion }) => deletion?.id))).toEqual(new Set(["del_1", "del_2"]));
    expect(told.map(({ entry }) => entry)).toEqual(told.map(() => null));
    const revisions = told.map(({ revision }) => revision);
    // Each is above the one before: else the list would take it for an old one.
    expect(revisions).toEqual([...new Set(revisions)].toSorted((a, b) => a - b));
    told.length = 0;
    await duties.run();
    expect(told).toEqual([]);
  });
});

test("a deletion whose turns were still pending at the next one is told when they are erased", async () => {
  await dutiful(async ({ duties, told, away, erased, live }) => {
    away.turns = true;
    live(1, turnOf(1));
    await duties.run();
    expect(told.at(-1)?.deletion).toMatchObject({ id: "del_1", turnsPending: 1 });
    live(2, turnOf(2));
    await duties.run();
    away.turns = false;
    await duties.run();
    expect(erased.toSorted()).toEqual([turnObject(1), turnObject(2)]);
    for (const id of ["del_1", "del_2"])
      expect(told.findLast(({ deletion }) => deletion?.id === id)?.deletion?.turnsPending).toBe(0);
    expect(duties.isDone).toBe(true);
  });
});

test("a list that can't be asked keeps no turn of a deleted conversation from being erased, and is told in the end", async () => {
  await dutiful(async ({ state, store, duties, told, away, erased, live }) => {
    away.index = true;
    live(1, turnOf(1));
    await duties.run();
    expect(erased).toEqual([turnObject(1)]);
    expect(store.doomed.count()).toBe(0);
    // It is tried again, and the last trace stays until it worked.
    expect(duties.isDone).toBe(false);
    expect(await state.storage.getAlarm()).toBeLessThan(Date.now() + 60_000);
    away.index = false;
    await duties.run();
    expect(told.at(-1)).toMatchObject({ entry: null, deletion: { id: "del_1", turnsPending: 0 } });
    expect(duties.isDone).toBe(true);
  });
});

test("a turn whose object can't be reached keeps no other turn of its conversation from being erased", async () => {
  await dutiful(async ({ duties, store, away, erased, live }) => {
    away.turn = turnObject(0);
    live(1, turnOf(0));
    for (let at = 1; at <= 9; at += 1) store.doomed.add(turnOf(at));
    await duties.run();
    expect(erased).toHaveLength(9);
    expect(store.doomed.page("", 100)).toEqual([turnOf(0)]);
    away.turn = "";
    await duties.run();
    expect(duties.isDone).toBe(true);
  });
});
