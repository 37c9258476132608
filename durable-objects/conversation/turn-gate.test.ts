import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { AppendTurn, LoadHistory, NewItem } from "../../src/shared/contracts/conversation.ts";
import type { EnteringTurn } from "../../src/shared/turn/durable/turn-order.ts";

const owner = { tenant: "demo", user: "alice" };
let made = 0;

function conversation() {
  made += 1;
  return env.CONVERSATION.getByName(`turn-gate-test-${made}`);
}

function item(text: string): NewItem {
  return {
    type: "message",
    role: "user",
    json: JSON.stringify({ type: "message", role: "user", content: text }),
  };
}

function enter(turnId: string, more: Partial<EnteringTurn> = {}): LoadHistory {
  const turn: EnteringTurn = {
    turnId,
    responseId: `chatcmpl-${turnId}`,
    policy: "queue",
    waitMs: 60_000,
    maxWaiting: 8,
    runMs: 60_000,
    input: null,
    gone: [],
    cancelled: [],
    ...more,
  };
  return { v: 1, owner, mustExist: false, limitItems: 100, limitTokens: 1000, turn };
}

function append(turnId: string, texts: readonly string[] = [turnId]): AppendTurn {
  return { v: 1, owner, id: "c", mustExist: false, incarnation: 1, turnId, items: texts.map(item) };
}

type Stub = ReturnType<typeof conversation>;
async function entered(call: ReturnType<Stub["history"]>): Promise<string> {
  const outcome = await call;
  if (outcome.result !== "ok") return outcome.result;
  return outcome.items.map(({ json }) => (JSON.parse(json) as { content: string }).content).join(" ");
}

test("turns come in one at a time, in order, each with what the one before said", async () => {
  const stub = conversation();
  expect(await entered(stub.history(enter("t0")))).toBe("");
  const order: string[] = [];
  const turns = [1, 2, 3].map(async (at) => {
    const history = await entered(stub.history(enter(`t${at}`)));
    order.push(`t${at} after ${history}`);
    await stub.append(append(`t${at}`));
  });
  // Somebody who only reads waits for nobody.
  const { turn: _none, ...reading } = enter("reader");
  expect(await entered(stub.history(reading))).toBe("");
  expect(order).toEqual([]);
  await stub.append(append("t0"));
  await Promise.all(turns);
  expect(order).toEqual(["t1 after t0", "t2 after t0 t1", "t3 after t0 t1 t2"]);
});

test("who runs outlives the object's memory, and the same turn again is let in again", async () => {
  const stub = conversation();
  await stub.history(enter("t0"));
  await evictDurableObject(stub);
  expect(await stub.history(enter("t1", { policy: "reject" }))).toMatchObject({
    result: "busy",
    why: "running",
    running: { turnId: "t0", responseId: "chatcmpl-t0" },
  });
  expect(await entered(stub.history(enter("t0")))).toBe("");
  // It ends without a trace: the conversation was never made, and the next one may begin.
  expect(await stub.append(append("t0", []))).toEqual({ result: "released" });
  await evictDurableObject(stub);
  expect(await stub.describe({ v: 1, owner })).toEqual({ result: "unknown" });
  expect(await entered(stub.history(enter("t1", { policy: "reject" })))).toBe("");
});

test("a turn that asks again while it waits, since its object was lost, keeps its place and has no second one", async () => {
  const stub = conversation();
  await stub.history(enter("t0"));
  const lost = entered(stub.history(enter("t1")));
  const again = entered(stub.history(enter("t1", { maxWaiting: 1 })));
  const next = entered(stub.history(enter("t2")));
  await stub.append(append("t0"));
  expect(await Promise.all([lost, again])).toEqual(["t0", "t0"]);
  await stub.append(append("t1"));
  expect(await next).toBe("t0 t1");
  await stub.append(append("t2"));
  expect(await entered(stub.history(enter("t3", { policy: "reject" })))).toBe("t0 t1 t2");
});

test("the queue has a length and a time", async () => {
  const stub = conversation();
  await stub.history(enter("t0"));
  const late = stub.history(enter("t1", { waitMs: 1 }));
  expect(await late).toMatchObject({ result: "busy", why: "late" });
  const waiting = [2, 3].map((at) => stub.history(enter(`t${at}`, { maxWaiting: 2 })));
  // Calls over one stub arrive in their order.
  expect(await stub.history(enter("t4", { maxWaiting: 2 }))).toMatchObject({ result: "busy", why: "full" });
  for (const turnId of ["t0", "t2", "t3"]) await stub.append(append(turnId, []));
  expect(await Promise.all(waiting.map(entered))).toEqual(["", ""]);
});

test("a turn that replaces another waits for its end; one that is gone, or over its time, is not waited for", async () => {
  const stub = conversation();
  await stub.history(enter("t0"));
  const replacing = { policy: "replace" } as const;
  expect(await stub.history(enter("t1", replacing))).toMatchObject({
    result: "busy",
    running: { turnId: "t0" },
  });
  const next = entered(stub.history(enter("t1", { ...replacing, cancelled: ["t0"] })));
  await stub.append(append("t0"));
  expect(await next).toBe("t0");
  expect(await entered(stub.history(enter("t2", { ...replacing, gone: ["t1"] })))).toBe("t0");
  await stub.append(append("t2"));
  await stub.history(enter("t3", { runMs: 0 }));
  expect(await entered(stub.history(enter("t4", { policy: "reject" })))).toBe("t0 t2");
});

test("a turn that is ended while it waits leaves the queue", async () => {
  const stub = conversation();
  await stub.history(enter("t0"));
  const ended = entered(stub.history(enter("t1")));
  const next = entered(stub.history(enter("t2")));
  await stub.append(append("t1", []));
  expect(await ended).toBe("");
  await stub.append(append("t0"));
  expect(await next).toBe("t0");
});

test("a turn whose end overtakes its coming in stands in nobody's way", async () => {
  const stub = conversation();
  // Cancelled while it asked to be let in: what it left arrives first.
  expect(await stub.append(append("t0", []))).toEqual({ result: "released" });
  expect(await entered(stub.history(enter("t0")))).toBe("");
  expect(await entered(stub.history(enter("t1", { policy: "reject" })))).toBe("");
  // Nor does one that comes while another runs: it waits for nobody.
  await stub.append(append("t2", []));
  expect(await entered(stub.history(enter("t2")))).toBe("");
  await stub.append(append("t1"));
  expect(await entered(stub.history(enter("t3", { policy: "reject" })))).toBe("t1");
});

test("a deletion lets go of whoever waits, and the turn that ran is not saved", async () => {
  const stub = conversation();
  await stub.create({ v: 1, owner, id: "conv_1", metadata: "{}", items: [item("secret")] });
  const strict = { ...enter("t0"), mustExist: true };
  await stub.history(strict);
  const waiting = stub.history({ ...enter("t1"), mustExist: true });
  await stub.delete({ v: 1, owner });
  expect(await waiting).toEqual({ result: "unknown" });
  expect(await stub.append({ ...append("t0"), mustExist: true })).toEqual({ result: "superseded" });
  expect(await stub.describe({ v: 1, owner })).toEqual({ result: "unknown" });
});

test("50 turns at once, some of which end without a trace, are each let in once and never two together", async () => {
  const stub = conversation();
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 50 }, async (_, at) => {
      const outcome = await stub.history(enter(`t${at}`, { maxWaiting: 100 }));
      expect(outcome.result).toBe("ok");
      inside += 1;
      most = Math.max(most, inside);
      await Promise.resolve();
      inside -= 1;
      await stub.append(append(`t${at}`, at % 3 === 0 ? [] : [`t${at}`]));
    }),
  );
  expect(most).toBe(1);
  expect(await stub.describe({ v: 1, owner })).toMatchObject({ items: 33 });
});

test("a conversation whose first turn left nothing was not deleted: whoever watches waits for the next one", async () => {
  const stub = conversation();
  const watch = async (known: string | null, seen: number | null) =>
    stub.watch({ v: 1, owner, known, seen, waitMs: 0 });
  expect(await watch(null, null)).toEqual({ result: "unknown" });
  await stub.history(enter("t0"));
  const began = await watch(null, null);
  if (began.result !== "ok") throw new Error(began.result);
  const { changes: seen = null } = began;
  await stub.append(append("t0", []));
  expect(await watch("chatcmpl-t0", seen)).toMatchObject({ result: "ok", running: null });
  expect(await watch(null, seen)).toMatchObject({ result: "ok", running: null });
  await stub.history(enter("t1"));
  await stub.append(append("t1"));
  expect(await watch(null, seen)).toMatchObject({ ended: [{ turnId: "t1" }] });
  await stub.delete({ v: 1, owner });
  expect(await watch(null, seen)).toEqual({ result: "unknown" });
});

/** What a watcher is told that asks with what it was told last. */
class Watching {
  #seen: number | null = null;
  readonly #stub: Stub;

  constructor(stub: Stub) {
    this.#stub = stub;
  }

  async next(known: string | null): Promise<{ running: string | null; ended: string[]; more: boolean }> {
    const told = await this.#stub.watch({ v: 1, owner, known, seen: this.#seen, waitMs: 0 });
    if (told.result !== "ok") throw new Error(told.result);
    this.#seen = told.changes ?? null;
    const { running, ended = [], more = false } = told;
    return { running: running?.turnId ?? null, ended: ended.map(({ turnId }) => turnId), more };
  }
}

test("whoever watches is told of turns that came and went between two questions, with what was asked", async () => {
  const stub = conversation();
  await stub.append(append("t0"));
  const watching = new Watching(stub);
  expect(await watching.next(null)).toEqual({ running: null, ended: [], more: false });
  for (const turnId of ["t1", "t2"]) {
    await stub.history(enter(turnId, { input: `["${turnId}"]` }));
    await stub.append(append(turnId));
  }
  await stub.history(enter("t3"));
  expect(await watching.next(null)).toEqual({ running: "t3", ended: ["t1", "t2"], more: false });
  await stub.append(append("t3"));
  expect(await watching.next("chatcmpl-t3")).toEqual({ running: null, ended: ["t3"], more: false });
  // One that left nothing: its client has its words back, and nobody is to see them as said.
  await stub.history(enter("t4"));
  await stub.append(append("t4", []));
  expect(await watching.next(null)).toEqual({ running: null, ended: [], more: false });
});

test("whoever watches is told that something changed where no turn tells of it, or nobody remembers which", async () => {
  const stub = conversation();
  await stub.append(append("t0"));
  const watching = new Watching(stub);
  await watching.next(null);
  const waiting = stub.watch({ v: 1, owner, known: null, seen: 0, waitMs: 60_000 });
  expect(await waiting).toMatchObject({ more: true, ended: [] });
  await stub.addItems({ v: 1, owner, addId: "add/1", items: [item("added")] });
  expect(await watching.next(null)).toMatchObject({ ended: [], more: true });
  // A turn that a crash made nobody know of.
  await stub.append(append("t1"));
  expect(await watching.next(null)).toMatchObject({ ended: [], more: true });
  for (let at = 2; at < 12; at += 1) {
    await stub.history(enter(`t${at}`));
    await stub.append(append(`t${at}`));
  }
  expect(await watching.next(null)).toMatchObject({ ended: [], more: true });
  await evictDurableObject(stub);
  expect(await watching.next(null)).toMatchObject({ ended: [], more: true });
  expect(await watching.next(null)).toMatchObject({ ended: [], more: false });
});
