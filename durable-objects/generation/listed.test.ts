/** A turn that is in its owner's list: what of it stays, what the list is told, and what that costs. */
import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, expect, test, vi } from "vitest";
import { countWrites } from "../../test/workers/count-writes.ts";
import { eventually } from "../../test/workers/eventually.ts";
import {
  changeStored,
  emits,
  events,
  owner,
  Probe,
  storedTurn,
  stranger,
  usage,
} from "../../test/workers/generation-probe.ts";
import { type Script, settlement } from "../../test/workers/scripted-generation.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

const dayMs = 86_400_000;

function listedScript(probe: Probe, more: Partial<Script> = {}): Partial<Script> {
  const list = { kind: "list", jurisdiction: "none", owner, responseId: `chatcmpl-${probe.turnId}` } as const;
  return {
    steps: emits(events(2)),
    end: {
      status: "completed",
      events: [{ data: "[DONE]" }],
      response: '{"answer":"whole","metadata":{}}',
      usage,
      basis: "exact",
      effects: [settlement(probe.turnId, 15), list],
    },
    ...more,
  };
}

/** A listed turn that has ended and told so. */
async function listed(more: Partial<Script> = {}): Promise<Probe> {
  const probe = new Probe();
  await new Response(await probe.start(listedScript(probe, more))).text();
  await eventually(async () => expect(await owed(probe)).toBe(0));
  return probe;
}

async function owed(probe: Probe): Promise<number> {
  return runInDurableObject(probe.stub, (_object, state) => {
    const { outbox, listed: list } = storedTurn(state);
    return outbox.length + (list === undefined || list.owed === null ? 0 : 1);
  });
}

const update = (probe: Probe, metadata: string, by = owner) =>
  probe.stub.update({ v: 1, owner: by, metadata });
const messages = (probe: Probe, after: number | null = null, by = owner) =>
  probe.stub.messages({ v: 1, owner: by, after, limit: 20, order: "asc" });

async function dueNow(probe: Probe): Promise<void> {
  await changeStored(probe.stub, (stored) => {
    for (const entry of [...stored.outbox, stored.listed?.owed]) if (entry) entry.dueMs = 0;
  });
}

afterEach(() => void vi.restoreAllMocks());

test("its end tells the list, with the time until which it is kept", async () => {
  const probe = await listed();
  const { createdMs, endedMs } = await runInDurableObject(probe.stub, (_object, state) => storedTurn(state));
  expect(probe.control.told).toEqual([
    {
      revision: endedMs,
      createdMs,
      untilMs: (endedMs ?? 0) + dayMs,
      response: '{"answer":"whole","metadata":{}}',
    },
  ]);
});

test("what is owed to the list is nothing that code of before the list would look at, and hold the turn for", async () => {
  const probe = new Probe();
  probe.control.failBefore = 2;
  await new Response(await probe.start(listedScript(probe))).text();
  await eventually(() => expect(probe.control.attempts).toHaveLength(2));
  await runInDurableObject(probe.stub, (_object, state) => {
    const { outbox } = storedTurn(state);
    expect(outbox).toHaveLength(1);
    expect(outbox[0]?.effect).toContain('"kind":"settle"');
  });
  for (let round = 0; round < 2 && (await owed(probe)) > 0; round += 1) {
    await dueNow(probe);
    await runDurableObjectAlarm(probe.stub);
  }
  expect([await owed(probe), probe.control.settled.size, probe.control.told.length]).toEqual([0, 1, 1]);
});

test("it writes no row more than one that is not listed", async () => {
  const counts = { put: 0, setAlarm: 0 };
  const probe = new Probe();
  await runInDurableObject(probe.stub, (_object, { storage }) => {
    countWrites(storage.kv, "put", () => (counts.put += 1));
    countWrites(storage, "setAlarm", () => (counts.setAlarm += 1));
  });
  const { steps = [], ...script } = listedScript(probe);
  const urgent = steps.flatMap((step) => [{ ...step, urgent: true }, { written: true } as const]);
  await new Response(await probe.start({ ...script, steps: urgent })).text();
  await eventually(async () => expect(await owed(probe)).toBe(0));
  // Claim, the journal's two, end, acknowledgement (rows.test.ts).
  expect(counts).toEqual({ put: 5, setAlarm: 1 });
});

test("its messages are had as long as its response is, of any length; nothing else of the journal", async () => {
  for (const filler of ["", "x".repeat(200_000)]) {
    const probe = await listed({ effects: [{ ...settlement(filler, 1) }] });
    const has = { result: "ok", messages: JSON.stringify([[0, probe.turnId]]), hasMore: false };
    expect(await messages(probe)).toEqual(has);
    await changeStored(probe.stub, (stored) => {
      stored.endedMs = (stored.endedMs ?? 0) - 600_000;
    });
    expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
    expect(await probe.stub.read({ v: 1, owner, read: { from: 0, ids: true } })).toEqual({
      result: "pruned",
    });
    expect(await messages(probe)).toEqual(has);
    expect(await messages(probe, 7)).toEqual({ result: "after-unknown" });
    expect(await messages(probe, null, stranger)).toEqual({ result: "unknown" });
    const keys = () =>
      runInDurableObject(probe.stub, (_object, { storage }) => [...storage.kv.list()].map(([name]) => name));
    expect(await keys()).toEqual(
      filler === "" ? ["turn"] : ["text/request/0000", "text/request/place", "turn"],
    );
    expect(await probe.stub.delete({ v: 1, owner })).toEqual({ result: "deleted" });
    expect(await messages(probe)).toEqual({ result: "unknown" });
    expect(await keys()).toEqual([]);
  }
});

test("a response is told to its list, too, and its request goes with the journal: it says itself what it was asked with", async () => {
  const probe = new Probe();
  const list = { kind: "list", jurisdiction: "none", owner, responseId: `resp_${probe.turnId}` } as const;
  const script = listedScript(probe);
  const effects = [settlement(probe.turnId, 15), list];
  await new Response(
    await probe.start({ ...script, ...(script.end && { end: { ...script.end, effects } }) }),
  ).text();
  await eventually(async () => expect(await owed(probe)).toBe(0));
  expect(probe.control.told).toHaveLength(1);
  await changeStored(probe.stub, (stored) => {
    stored.endedMs = (stored.endedMs ?? 0) - 600_000;
  });
  expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
  const { request, response } = await runInDurableObject(probe.stub, (_object, state) => storedTurn(state));
  expect([request, response]).toEqual([null, '{"answer":"whole","metadata":{}}']);
  expect(await probe.stub.read({ v: 1, owner, read: { from: 0, ids: true } })).toEqual({ result: "pruned" });
  expect(await probe.stub.delete({ v: 1, owner })).toEqual({ result: "deleted" });
  await eventually(() => expect(probe.control.told.at(-1)).toMatchObject({ response: null }));
});

test("one that stays longer, since its claim is used again behind its time, says so to its list: an erasure finds it there", async () => {
  const probe = new Probe();
  const policy = { intervalMs: 50, replayMs: 60_000, retentionMs: 90_000, deadlineMs: 600_000 };
  const message = probe.message(listedScript(probe), { fingerprint: "a", policy });
  await probe.stub.start({ ...message, follow: { kind: "end" } });
  await eventually(async () => expect(await owed(probe)).toBe(0));
  await changeStored(probe.stub, (stored) => {
    stored.endedMs = (stored.endedMs ?? 0) - 60_000;
  });
  const toldUntilMs = async () => {
    await eventually(async () => expect(await owed(probe)).toBe(0));
    return probe.control.told.at(-1)?.untilMs;
  };
  for (let round = 0; round < 2; round += 1) {
    const nowMs = Date.now();
    expect(await probe.stub.start(message)).toEqual({ result: "expired" });
    expect(await toldUntilMs()).toBeGreaterThanOrEqual(nowMs + 600_000);
  }
});

test("what its run kept of files goes with the journal", async () => {
  const probe = await listed({ steps: [{ keep: "a passage" }, ...emits(events(1))] });
  await changeStored(probe.stub, (stored) => {
    stored.endedMs = (stored.endedMs ?? 0) - 600_000;
  });
  expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
  const keys = await runInDurableObject(probe.stub, (_object, { storage }) =>
    [...storage.kv.list()].map(([name]) => name),
  );
  expect(keys).toEqual(["turn"]);
  expect(await messages(probe)).toMatchObject({ result: "ok" });
});

test("other metadata are its own at once, and the list's soon; another's, and no metadata, change nothing", async () => {
  const probe = await listed();
  const changed = { answer: "whole", metadata: { k: "v" } };
  expect(await update(probe, '{"k":"w"}', stranger)).toEqual({ result: "unknown" });
  const updated = { result: "updated", response: JSON.stringify(changed) };
  expect(await update(probe, '{"k":"v"}')).toEqual(updated);
  expect(await update(probe, '{"k":"v"}')).toEqual(updated);
  expect(await probe.stub.retrieve({ v: 1, owner })).toMatchObject({ response: JSON.stringify(changed) });
  await eventually(async () => expect(await owed(probe)).toBe(0));
  const { told } = probe.control;
  expect(told.at(-1)?.response).toBe(JSON.stringify(changed));
  expect(told.at(-1)?.revision).toBeGreaterThan(told[0]?.revision ?? Infinity);
  expect([...probe.control.settled]).toEqual([[probe.turnId, 15]]);
});

test("while the list can't be reached, changes are one thing to be told: what there is then", async () => {
  const probe = await listed();
  probe.control.failBefore = 20;
  for (let at = 0; at < 5; at += 1) await update(probe, JSON.stringify({ at: String(at) }));
  await eventually(() => expect(probe.control.attempts.length).toBeGreaterThan(2));
  expect(await owed(probe)).toBe(1);
  probe.control.failBefore = 0;
  probe.control.told.length = 0;
  await dueNow(probe);
  await runDurableObjectAlarm(probe.stub);
  expect(await owed(probe)).toBe(0);
  expect(probe.control.told.at(-1)?.response).toContain('{"at":"4"}');
});

test("killed right behind a change, the alarm tells the list", async () => {
  const probe = await listed();
  probe.control.hangsAt = probe.control.attempts.length + 1;
  await update(probe, '{"k":"v"}');
  await abortAllDurableObjects();
  probe.control.told.length = 0;
  expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
  expect(await owed(probe)).toBe(0);
  expect(probe.control.told.at(-1)?.response).toContain('{"k":"v"}');
});

test("deleted, the list is told, and until it was nothing stays but that", async () => {
  const probe = await listed();
  probe.control.failBefore = 2;
  expect(await probe.stub.delete({ v: 1, owner })).toEqual({ result: "deleted" });
  expect(await probe.stub.retrieve({ v: 1, owner })).toMatchObject({ response: null });
  expect(await update(probe, "{}")).toEqual({ result: "unknown" });
  await runInDurableObject(probe.stub, (_object, state) => {
    expect([...state.storage.kv.list()].map(([name]) => name)).toEqual(["turn"]);
    expect(storedTurn(state)).toMatchObject({
      request: null,
      response: null,
      outbox: [],
      listed: { owed: { attempts: 1 } },
    });
    expect(JSON.stringify(storedTurn(state))).not.toContain("whole");
  });
  // Twice is once.
  expect(await probe.stub.delete({ v: 1, owner })).toEqual({ result: "deleted" });
  for (let round = 0; round < 3; round += 1) {
    if ((await probe.stub.retrieve({ v: 1, owner })).result === "unknown") break;
    await dueNow(probe);
    await runDurableObjectAlarm(probe.stub);
  }
  const [last] = probe.control.told.slice(-1);
  expect(last).toMatchObject({ response: null });
  expect(last?.revision).toBeGreaterThan(probe.control.told[0]?.revision ?? Infinity);
  expect(await probe.stub.retrieve({ v: 1, owner })).toEqual({ result: "unknown" });
});

test("one that is in no list, such as an older version's, has neither messages nor other metadata, and tells nobody", async () => {
  const probe = new Probe();
  await new Response(await probe.start({ steps: emits(events(2)) })).text();
  expect(await update(probe, "{}")).toEqual({ result: "unknown" });
  expect(await messages(probe)).toEqual({ result: "unknown" });
  expect(await probe.stub.delete({ v: 1, owner })).toEqual({ result: "deleted" });
  expect(probe.control.told).toEqual([]);
});

test("while it is being written, it has neither yet", async () => {
  const probe = new Probe();
  const script = listedScript(probe, { steps: [...emits(events(1)), { pause: true }] });
  const stream = await probe.start(script);
  expect(await update(probe, "{}")).toEqual({ result: "running" });
  expect(await messages(probe)).toEqual({ result: "running" });
  await runInDurableObject(probe.stub, () => probe.control.go());
  await new Response(stream).text();
  expect(await messages(probe)).toMatchObject({ result: "ok" });
});
