/** Erasures that are heard late, or twice: what was made since stays, and what was made before does not. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { responseIndexName } from "../../src/shared/contracts/completion-index.ts";
import type { AppendTurn } from "../../src/shared/contracts/conversation.ts";
import type { Owner } from "../../src/shared/contracts/owner.ts";
import { eventually } from "../../test/workers/eventually.ts";
import { claimedValue } from "../generation/turn-value.ts";
import { Conversation } from "../conversation/conversation.ts";
import { erase, index, listed, tell, tenantOf } from "./index-roll-fixture.ts";
import { RollStore } from "./roll-store.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

const dayMs = 86_400_000;

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function turn(owner: Owner, id: string, incarnation: number, more: Partial<AppendTurn> = {}): AppendTurn {
  const items = [{ type: "message", role: "user", json: '{"type":"message"}' }];
  return { v: 1, owner, id, mustExist: false, incarnation, turnId: `t${incarnation}`, items, ...more };
}

async function later(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

test("a conversation that is made anew while its erasure is told a second time stays", async () => {
  const owner = { tenant: "late-answers", user: "ann" };
  const stub = env.CONVERSATION.getByName("late-answers-ann");
  await stub.append(turn(owner, "talk", 1));
  await eventually(async () => expect(await listed(owner)).toEqual(["talk"]));
  const original: Conversation["delete"] = Reflect.get(Conversation.prototype, "delete");
  const lost = vi.spyOn(Conversation.prototype, "delete").mockImplementation(async function (
    this: Conversation,
    message,
  ) {
    await original.call(this, message);
    throw new Error("the answer is lost");
  });
  expect(await erase(owner, Date.now())).toMatchObject({ pending: 1 });
  lost.mockRestore();
  await later(2);
  expect(await stub.append(turn(owner, "talk", 2))).toMatchObject({ result: "appended" });
  await eventually(async () => expect(await listed(owner)).toEqual(["talk"]));
  await evictDurableObject(index(owner));
  await runDurableObjectAlarm(index(owner));
  expect(await stub.describe({ v: 1, owner })).toMatchObject({ result: "ok", items: 1 });
  expect(await listed(owner)).toEqual(["talk"]);
});

test("a turn that is claimed anew, in the object of one whose erasure is told a second time, stays", async () => {
  const owner = { tenant: "late-answers", user: "bob" };
  const objectName = `${"7".repeat(26)}n`;
  const list = env.COMPLETION_INDEX.getByName(responseIndexName(owner));
  const generation = env.GENERATION.getByName(objectName);
  const claimedAt = (nowMs: number) =>
    runInDurableObject(generation, (_instance, { storage }) => {
      const policy = { intervalMs: 100, replayMs: dayMs, retentionMs: dayMs, deadlineMs: dayMs };
      const start = { v: 1, owner, turnId: "t", fingerprint: null, request: "{}", policy } as const;
      const claimed = claimedValue({ ...start, follow: { kind: "end" } }, "{}", nowMs);
      storage.kv.put("turn", { ...claimed, status: "completed", endedMs: nowMs, response: "{}" });
    });
  const firstMs = Date.now();
  const entry = { id: `resp_${objectName}`, model: "", metadata: "{}", untilMs: firstMs + dayMs };
  await list.tell({ v: 1, owner, objectName, revision: firstMs, createdMs: firstMs, entry });
  // The one that was to be erased is gone, and nobody heard of it.
  await claimedAt(firstMs + 10);
  await evictDurableObject(generation);
  await list.erase({ v: 1, owner, throughMs: firstMs });
  expect(await generation.retrieve({ v: 1, owner })).toMatchObject({ result: "ended" });
  await evictDurableObject(generation);
  await claimedAt(firstMs);
  await evictDurableObject(generation);
  await list.tell({ v: 1, owner, objectName, revision: firstMs + 20, createdMs: firstMs, entry });
  await eventually(async () => {
    await runDurableObjectAlarm(list);
    expect(await generation.retrieve({ v: 1, owner })).toEqual({ result: "unknown" });
  });
});

test("a conversation whose first turn was asked for before an erasure, and is saved behind it, is erased", async () => {
  const owner = { tenant: "late-turns", user: "ann" };
  const askedMs = Date.now();
  await later(2);
  await erase(owner, Date.now());
  await later(2);
  const asked = env.CONVERSATION.getByName("late-turns-asked");
  const anew = env.CONVERSATION.getByName("late-turns-anew");
  expect(await asked.append(turn(owner, "asked", 1, { askedMs }))).toMatchObject({ result: "appended" });
  expect(await anew.append(turn(owner, "anew", 1, { askedMs: Date.now() }))).toMatchObject({
    result: "appended",
  });
  await eventually(async () => {
    await runDurableObjectAlarm(index(owner));
    expect(await asked.describe({ v: 1, owner })).toEqual({ result: "unknown" });
  });
  await eventually(async () => expect(await listed(owner)).toEqual(["anew"]));
});

test("a list that could not be told of its erasure for days hears of it, also when it joins anew", async () => {
  const owner = { tenant: "late-days", user: "ann" };
  const own = index(tenantOf(owner.tenant));
  const madeMs = Date.now();
  await tell(owner, "before", madeMs);
  const down = vi.spyOn(RollStore.prototype, "leaves").mockImplementation(() => {
    throw new Error("a user's list is down");
  });
  expect(await erase(tenantOf(owner.tenant), madeMs)).toMatchObject({ pending: 1 });
  vi.useFakeTimers({ toFake: ["Date"], now: madeMs + 2 * dayMs });
  await evictDurableObject(own);
  await runDurableObjectAlarm(own);
  down.mockRestore();
  // As if it had heard of nothing, and had left since.
  await runInDurableObject(index(owner), (_index, { storage }) => {
    storage.sql.exec("UPDATE membership SET enrolment = NULL");
    storage.sql.exec("UPDATE erasure SET through_ms = 0");
  });
  await evictDurableObject(index(owner));
  await tell(owner, "late", madeMs);
  expect(await listed(owner)).toEqual([]);
});

test("who asks again for an erasure that nobody could hear of has it tried again at once", async () => {
  const owner = { tenant: "late-again", user: "ann" };
  const madeMs = Date.now();
  await tell(owner, "again", madeMs);
  await tell(owner, "stays", madeMs + 1);
  const deaf = vi.spyOn(Conversation.prototype, "delete").mockRejectedValue(new Error("down"));
  expect(await erase(owner, madeMs)).toMatchObject({ pending: 1 });
  deaf.mockRestore();
  expect(await erase(owner, madeMs)).toMatchObject({ pending: 0, kept: true });
});
