import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { AppendTurn, NewItem } from "../../src/shared/contracts/conversation.ts";

const owner = { tenant: "demo", user: "alice" };
let made = 0;

function conversation() {
  made += 1;
  return env.CONVERSATION.getByName(`branches-test-${made}`);
}
type Stub = ReturnType<typeof conversation>;

function item(text: string, role: "user" | "assistant" = "user"): NewItem {
  return { type: "message", role, json: JSON.stringify({ type: "message", role, content: text }) };
}

function turn(turnId: string, behind: string | null = null): AppendTurn {
  const items = [item(`${turnId}?`), item(`${turnId}!`, "assistant")];
  return { v: 1, owner, id: "my-chat", mustExist: false, incarnation: 1, turnId, items, behind };
}

async function listed(stub: Stub, branch: number | null = null) {
  const page = await stub.listItems({ v: 1, owner, after: null, limit: 100, order: "asc", branch });
  if (page.result !== "ok") throw new Error(page.result);
  return page.items.map((each) => ({
    id: each.id,
    text: (JSON.parse(each.json) as { content: string }).content,
  }));
}

async function texts(stub: Stub, branch: number | null = null): Promise<string> {
  return (await listed(stub, branch)).map(({ text }) => text).join(" ");
}

/** The item that says `text`, in any branch that is listed. */
async function idOf(stub: Stub, text: string, branch: number | null = null): Promise<string> {
  const found = (await listed(stub, branch)).find((each) => each.text === text);
  if (found === undefined) throw new Error(`nothing says ${text}`);
  return found.id;
}

async function history(stub: Stub, upTo: string | null = null) {
  const loaded = await stub.history({
    v: 1,
    owner,
    mustExist: false,
    limitItems: 100,
    limitTokens: 10_000,
    upTo,
  });
  if (loaded.result !== "ok") return loaded.result;
  return loaded.items.map((each) => (JSON.parse(each.json) as { content: string }).content).join(" ");
}

test("an edit begins a branch behind what came before, and nothing is overwritten", async () => {
  const stub = conversation();
  for (const id of ["a", "b", "c"]) await stub.append(turn(id));
  const behindA = await idOf(stub, "a!");
  expect(await history(stub, behindA)).toBe("a? a!");
  await stub.append(turn("B", behindA));
  expect(await texts(stub)).toBe("a? a! B? B!");
  expect(await history(stub)).toBe("a? a! B? B!");
  expect(await texts(stub, 0)).toBe("a? a! b? b! c? c!");
  // What follows goes on with the branch; the other one can be gone on with as well.
  await stub.append(turn("C"));
  await evictDurableObject(stub);
  expect(await texts(stub)).toBe("a? a! B? B! C? C!");
  await stub.append(turn("d", await idOf(stub, "c!", 0)));
  expect(await texts(stub)).toBe("a? a! b? b! c? c! d? d!");
  expect(await texts(stub, 1)).toBe("a? a! B? B! C? C!");
});

test("the first turn can be asked anew, and an answer again and again", async () => {
  const stub = conversation();
  await stub.append(turn("a", "root"));
  expect(await history(stub, "root")).toBe("");
  await stub.append(turn("A", "root"));
  await stub.append(turn("AA", "root"));
  expect(await texts(stub)).toBe("AA? AA!");
  expect(await texts(stub, 1)).toBe("A? A!");
  expect(await texts(stub, 0)).toBe("a? a!");
  // An edit within an edit.
  await stub.append(turn("b", await idOf(stub, "A!", 1)));
  await stub.append(turn("c"));
  await stub.append(turn("B", await idOf(stub, "A!", 1)));
  expect(await texts(stub)).toBe("A? A! B? B!");
});

test("a turn delivered twice begins one branch", async () => {
  const stub = conversation();
  await stub.append(turn("a"));
  await stub.append(turn("b"));
  const behind = await idOf(stub, "a!");
  await Promise.all([stub.append(turn("B", behind)), stub.append(turn("B", behind))]);
  await evictDurableObject(stub);
  expect(await stub.append(turn("B", behind))).toMatchObject({ result: "already-appended" });
  expect(await stub.listItems({ v: 1, owner, after: null, limit: 5, order: "asc", branch: 2 })).toEqual({
    result: "branch-unknown",
  });
});

test("the active branch is chosen, and pages go along it", async () => {
  const stub = conversation();
  for (const id of ["a", "b"]) await stub.append(turn(id));
  await stub.append(turn("B", await idOf(stub, "a!")));
  expect(await stub.update({ v: 1, owner, branch: 0 })).toMatchObject({ result: "ok", branch: 0 });
  expect(await texts(stub)).toBe("a? a! b? b!");
  expect(await stub.update({ v: 1, owner, branch: 7 })).toEqual({ result: "branch-unknown" });
  await stub.update({ v: 1, owner, branch: 1 });
  const whole = await listed(stub);
  for (const order of ["asc", "desc"] as const) {
    const seen: string[] = [];
    let after: string | null = null;
    for (let more = true; more;) {
      const page: Awaited<ReturnType<typeof stub.listItems>> = await stub.listItems({
        v: 1,
        owner,
        after,
        limit: 1,
        order,
      });
      if (page.result !== "ok") throw new Error(page.result);
      seen.push(...page.items.map(({ id }) => id));
      after = seen.at(-1) ?? null;
      more = page.hasMore;
    }
    const ids = whole.map(({ id }) => id);
    expect(seen).toEqual(order === "asc" ? ids : ids.toReversed());
  }
  // An item of the other branch is no place in this one.
  const elsewhere = await idOf(stub, "b!", 0);
  expect(await stub.listItems({ v: 1, owner, after: elsewhere, limit: 1, order: "asc" })).toEqual({
    result: "after-unknown",
  });
});

test("no turn comes between a tool's call and its result, nor behind what is not there", async () => {
  const stub = conversation();
  const call = { type: "function_call", role: null, json: '{"type":"function_call","content":"call"}' };
  const output = {
    type: "function_call_output",
    role: null,
    json: '{"type":"function_call_output","content":"output"}',
  };
  await stub.append({ ...turn("a"), items: [item("a?"), call, output, item("a!", "assistant")] });
  expect(await history(stub, await idOf(stub, "call"))).toBe("item-unknown");
  expect(await history(stub, await idOf(stub, "output"))).toBe("a? call output");
  expect(await history(stub, "msg_0000000100000000000000zz")).toBe("item-unknown");
});

test("an item that is taken out is gone, and what comes behind it stays", async () => {
  const stub = conversation();
  for (const id of ["a", "b"]) await stub.append(turn(id));
  const gone = await idOf(stub, "a!");
  expect(await stub.deleteItem({ v: 1, owner, itemId: gone })).toMatchObject({ result: "ok", items: 3 });
  expect(await stub.deleteItem({ v: 1, owner, itemId: gone })).toEqual({ result: "unknown" });
  expect(await texts(stub)).toBe("a? b? b!");
  expect(await history(stub, gone)).toBe("item-unknown");
  await stub.deleteItem({ v: 1, owner, itemId: await idOf(stub, "b!") });
  // The last one that is left is still the end: what comes behind it goes on with the branch.
  await stub.append(turn("c", await idOf(stub, "b?")));
  expect(await texts(stub)).toBe("a? b? c? c!");
  expect(await stub.describe({ v: 1, owner })).toMatchObject({ branch: 0, items: 4 });
});

test("a turn that names no item goes on with the branch that it answers to, whichever is chosen while it is written", async () => {
  const stub = conversation();
  for (const id of ["a", "b"]) await stub.append(turn(id));
  await stub.append(turn("B", await idOf(stub, "a!")));
  const asked = { v: 1, owner, mustExist: false, limitItems: 100, limitTokens: 10_000 } as const;
  const began = await stub.history(asked);
  expect(began).toMatchObject({ result: "ok", behind: "br_1" });
  await stub.update({ v: 1, owner, branch: 0 });
  // Where it goes on after its object was lost, it reads the same.
  expect(await history(stub, "br_1")).toBe("a? a! B? B!");
  await stub.append(turn("C", "br_1"));
  expect(await texts(stub, 0)).toBe("a? a! b? b!");
  expect(await texts(stub, 1)).toBe("a? a! B? B! C? C!");
  // It is the active one again, as with every turn: who asked sees what was answered.
  expect(await stub.describe({ v: 1, owner })).toMatchObject({ branch: 1 });
  expect(await history(stub, "br_2")).toBe("item-unknown");
});

test("the first turn of a conversation stands at the end of the branch that it will begin with", async () => {
  const stub = conversation();
  expect(await history(stub, "br_0")).toBe("");
  expect(await history(stub, "br_1")).toBe("item-unknown");
  await stub.append(turn("a", "br_0"));
  expect(await texts(stub)).toBe("a? a!");
});

test("a turn whose parent is taken out while it is written goes where that stood", async () => {
  const stub = conversation();
  for (const id of ["a", "b"]) await stub.append(turn(id));
  const parent = await idOf(stub, "a!");
  await stub.deleteItem({ v: 1, owner, itemId: parent });
  await stub.append(turn("B", parent));
  expect(await texts(stub)).toBe("a? B? B!");
  expect(await texts(stub, 0)).toBe("a? b? b!");
  // An id that no item of it had is no place: the end is.
  await stub.append(turn("c", "msg_000000zz0000000000000000"));
  expect(await texts(stub)).toBe("a? B? B! c? c!");
});

test("a conversation has at most 1,000 branches: one more is refused before anything is asked, and what was asked is kept", async () => {
  const stub = conversation();
  for (const id of ["a", "b"]) await stub.append(turn(id));
  await runInDurableObject(stub, (_instance, { storage }) => {
    for (let branch = 1; branch <= 1000; branch += 1)
      storage.sql.exec("INSERT INTO branch VALUES (?, 0, 2, 3, 0)", branch);
  });
  const behind = await idOf(stub, "a!");
  expect(await history(stub, behind)).toBe("branches-full");
  expect(await history(stub, await idOf(stub, "b!"))).toBe("a? a! b? b!");
  await stub.append(turn("c", behind));
  expect(await texts(stub)).toBe("a? a! b? b! c? c!");
});

test("a page goes on behind an item that was taken out since the one before", async () => {
  const stub = conversation();
  for (const id of ["a", "b", "c"]) await stub.append(turn(id));
  const ids = (await listed(stub)).map(({ id }) => id);
  for (const order of ["asc", "desc"] as const) {
    const gone = order === "asc" ? ids[1] : ids[4];
    await stub.deleteItem({ v: 1, owner, itemId: gone ?? "" });
    const page = await stub.listItems({ v: 1, owner, after: gone ?? "", limit: 1, order });
    expect(page).toMatchObject({ result: "ok", items: [{ id: order === "asc" ? ids[2] : ids[3] }] });
  }
  // Neither one that never was, nor another of the same place.
  for (const after of [
    "msg_000000zz0000000000000000",
    `${ids[0]?.slice(0, -1)}${ids[0]?.endsWith("0") ? "1" : "0"}`,
  ])
    expect(await stub.listItems({ v: 1, owner, after, limit: 1, order: "asc" })).toEqual({
      result: "after-unknown",
    });
});
