/** Whom an erasure through lists can't reach: told by the alarm, and in nobody's way. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { completionIndexName, responseIndexName } from "../../src/shared/contracts/completion-index.ts";
import type { EraseIndex, EraseIndexOutcome } from "../../src/shared/contracts/index-roll.ts";
import { ConversationIndex } from "../conversation-index/conversation-index.ts";
import { Conversation } from "../conversation/conversation.ts";
import { RollStore } from "./roll-store.ts";
import { index, tenantOf, tell, erase, listed } from "./index-roll-fixture.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

test("a conversation, or a user's list, that could not be told of its erasure is told by the alarm, also after an eviction", async () => {
  const owner = { tenant: "roll-of-deaf", user: "ann" };
  const madeMs = Date.now();
  await tell(owner, "deaf", madeMs);
  const down = vi.spyOn(Conversation.prototype, "delete").mockRejectedValue(new Error("down"));
  // Out of the list at once, and owed by it.
  expect(await erase(owner, madeMs)).toMatchObject({ result: "erased", pending: 1 });
  expect(await listed(owner)).toEqual([]);
  const calls = down.mock.calls.length;
  down.mockRestore();
  expect(calls).toBeGreaterThan(0);
  await evictDurableObject(index(owner));
  expect(await runDurableObjectAlarm(index(owner))).toBe(true);
  expect(await erase(owner, madeMs)).toEqual({ result: "erased", pending: 0 });

  await tell(owner, "again", madeMs + 1);
  const erasing = vi.spyOn(RollStore.prototype, "leaves").mockImplementation(() => {
    throw new Error("a user's list is down");
  });
  expect(await erase(tenantOf(owner.tenant), madeMs + 1)).toMatchObject({ pending: 1 });
  erasing.mockRestore();
  await evictDurableObject(index(tenantOf(owner.tenant)));
  expect(await runDurableObjectAlarm(index(tenantOf(owner.tenant)))).toBe(true);
  expect(await listed(owner)).toEqual([]);
  expect(await erase(tenantOf(owner.tenant), madeMs + 1)).toEqual({ result: "erased", pending: 0 });
});

test("of the two lists of one class an erasure of one reaches its own, by the alarm behind an eviction as well", async () => {
  const owner = { tenant: "roll-of-two", user: "ann" };
  const list = (name: string) => env.COMPLETION_INDEX.getByName(name);
  const madeMs = Date.now();
  const entry = { id: "resp_x", model: "", metadata: "{}", untilMs: madeMs + 86_400_000 };
  for (const nameOf of [responseIndexName, completionIndexName])
    await list(nameOf(owner)).tell({ v: 1, owner, objectName: "x", revision: 1, createdMs: madeMs, entry });
  const kept = async (name: string) => {
    const page = await list(name).list({
      v: 1,
      owner,
      after: null,
      limit: 9,
      order: "asc",
      model: null,
      metadata: [],
    });
    return page.result === "ok" ? page.entries.length : page.result;
  };
  const tenants = list(responseIndexName(tenantOf(owner.tenant)));
  const unheard = vi.spyOn(RollStore.prototype, "leaves").mockImplementation(() => {
    throw new Error("a user's list is down");
  });
  await tenants.erase({ v: 1, owner: tenantOf(owner.tenant), throughMs: madeMs });
  unheard.mockRestore();
  await runInDurableObject(list(responseIndexName(owner)), (_list, { storage }) => {
    storage.sql.exec("UPDATE entry SET id = 'resp_x', until_ms = ?", entry.untilMs);
  });
  expect(await kept(responseIndexName(owner))).toBe(1);
  await evictDurableObject(tenants);
  expect(await runDurableObjectAlarm(tenants)).toBe(true);
  expect(await kept(responseIndexName(owner))).toBe(0);
  expect(await kept(completionIndexName(owner))).toBe(1);
});

test("conversations that can't be reached hold up no other, of whichever name, and are tried again with the next", async () => {
  const owner = { tenant: "roll-of-dead", user: "ann" };
  const madeMs = Date.now();
  const names = [0, 1, 2, 3, 4, 5, 6, 7].map((at) => `dead-${at}`);
  for (const name of [...names, "well-0", "well-1"]) await tell(owner, name, madeMs);
  const told: string[] = [];
  const deaf = vi.spyOn(Conversation.prototype, "delete").mockImplementation(async function (
    this: Conversation,
  ) {
    const { name = "" } = (this as unknown as { ctx: DurableObjectState }).ctx.id;
    if (name.startsWith("dead")) throw new Error("down");
    told.push(name);
    return { result: "unknown" };
  });
  expect(await erase(owner, madeMs)).toMatchObject({ pending: 8 });
  expect(told).toEqual(["well-0", "well-1"]);
  deaf.mockRestore();
  expect(await erase(owner, madeMs)).toEqual({ result: "erased", pending: 0 });
});

type Erases = (this: ConversationIndex, message: EraseIndex) => Promise<EraseIndexOutcome>;

test("users whose lists can't be reached hold up no other, however many of them come first", async () => {
  const tenant = "roll-of-dead-users";
  const madeMs = Date.now();
  const users = Array.from({ length: 57 }, (_, at) => `dead-${at}`);
  for (const user of [...users, "well-0", "well-1", "well-2", "well-3", "well-4"])
    await tell({ tenant, user }, `of-${user}`, madeMs);
  const erases: Erases = Reflect.get(ConversationIndex.prototype, "erase");
  const deaf = vi.spyOn(ConversationIndex.prototype, "erase").mockImplementation(function (
    this: ConversationIndex,
    message,
  ) {
    if (message.owner.user.startsWith("dead")) throw new Error("down");
    return erases.call(this, message);
  });
  expect(await erase(tenantOf(tenant), madeMs)).toMatchObject({ pending: 57 });
  deaf.mockRestore();
  expect(await listed({ tenant, user: "well-4" })).toEqual([]);
  expect(await erase(tenantOf(tenant), madeMs)).toEqual({ result: "erased", pending: 0 });
  expect(await listed({ tenant, user: "dead-56" })).toEqual([]);
});
