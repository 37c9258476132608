/** How long is a turn that ended kept, and what of it? */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import {
  changeStored,
  emits,
  events,
  owner,
  Probe,
  storedTurn,
  stranger,
  streamOf,
  usage,
} from "../../test/workers/generation-probe.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

/** Moves the end into the past, as time would: in storage, and then out of memory. */
async function shiftEnd(probe: Probe, byMs: number): Promise<void> {
  await changeStored(probe.stub, (stored) => {
    stored.endedMs = (stored.endedMs ?? 0) - byMs;
  });
}

test("after the replay time only the response stays, and after its own time nothing", async () => {
  const probe = new Probe();
  await new Response(await probe.start({ steps: emits(events(3)) })).text();
  await shiftEnd(probe, 600_000);
  expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
  expect(await probe.stub.read({ v: 1, owner, read: { from: 0, ids: true } })).toEqual({ result: "pruned" });
  expect(await probe.stub.retrieve({ v: 1, owner })).toMatchObject({ response: '{"answer":"whole"}' });
  expect(await probe.stub.start(probe.message({}))).toMatchObject({
    result: "ended",
    attached: true,
    response: '{"answer":"whole"}',
  });
  await runInDurableObject(probe.stub, (_instance, state) => {
    expect([...state.storage.kv.list()].map(([name]) => name)).toEqual(["turn"]);
    expect(storedTurn(state)).toMatchObject({ request: null, last: null });
  });
  await shiftEnd(probe, 86_400_000);
  expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
  expect(await probe.stub.retrieve({ v: 1, owner })).toEqual({ result: "unknown" });
  expect(await runDurableObjectAlarm(probe.stub)).toBe(false);
});

test("an expired claim's object stays until the next one's time is over, so that no request is answered twice", async () => {
  const probe = new Probe();
  const policy = { intervalMs: 50, replayMs: 60_000, retentionMs: 0, deadlineMs: 600_000 };
  const message = probe.message({ steps: emits(events(2)) }, { fingerprint: "a", policy });
  await new Response(streamOf(await probe.stub.start(message))).text();
  await runDurableObjectAlarm(probe.stub);
  const later = (ms: number): Promise<void> => shiftEnd(probe, ms);
  const again = { ...message, follow: { kind: "claim" } } as const;
  expect(await probe.stub.start(again)).toEqual({ result: "claimed", attached: true });
  await later(60_000);
  for (let round = 0; round < 2; round += 1) {
    expect(await probe.stub.start(message)).toEqual({ result: "expired" });
    await runDurableObjectAlarm(probe.stub);
  }
  expect(await probe.stub.read({ v: 1, owner, read: { from: 0, ids: true } })).toEqual({ result: "pruned" });
  await later(60_000 + 600_000 + 3_600_000);
  await runDurableObjectAlarm(probe.stub);
  expect(await probe.stub.retrieve({ v: 1, owner })).toEqual({ result: "unknown" });
  expect(await probe.stub.start(again)).toEqual({ result: "claimed", attached: false });
  expect(probe.control.runs).toBe(2);
});

test("an expired claim's object that is deleted keeps nothing but that: its next use is not answered twice", async () => {
  const probe = new Probe();
  const end = {
    status: "completed",
    events: [],
    response: '{"answer":"whole"}',
    receipt: '{"jti":"resp_1"}',
    usage,
    basis: "exact",
    effects: [],
  } as const;
  const message = probe.message({ steps: emits(events(2)), end }, { fingerprint: "a" });
  await new Response(streamOf(await probe.stub.start(message))).text();
  await shiftEnd(probe, 600_000);
  expect(await probe.stub.start(message)).toEqual({ result: "expired" });
  expect(await probe.stub.retrieve({ v: 1, owner })).toMatchObject({ receipt: '{"jti":"resp_1"}' });
  expect(await probe.stub.delete({ v: 1, owner })).toEqual({ result: "deleted" });
  // Whoever deleted it finds it no more, and no statement of what it was.
  expect(await probe.stub.retrieve({ v: 1, owner })).toMatchObject({ response: null, receipt: null });
  expect(await probe.stub.start(message)).toEqual({ result: "expired" });
  await runInDurableObject(probe.stub, (_instance, state) => {
    expect([...state.storage.kv.list()].map(([name]) => name)).toEqual(["turn"]);
    expect(storedTurn(state)).toMatchObject({ request: null, response: null, last: null });
  });
  await shiftEnd(probe, 600_000 + 600_000 + 3_600_000);
  expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
  expect(await probe.stub.retrieve({ v: 1, owner })).toEqual({ result: "unknown" });
  expect(probe.control.runs).toBe(1);
});

test("a response that is held stays until then, without its journal; one that is deleted is held no more", async () => {
  const probe = new Probe();
  const policy = { intervalMs: 50, replayMs: 60_000, retentionMs: 0, deadlineMs: 600_000 };
  const whole = await new Response(await probe.start({ steps: emits(events(2)) }, { policy })).text();
  expect(whole).toContain("[DONE]");
  const hold = (untilMs: number) => probe.stub.hold({ v: 1, owner, untilMs });
  expect(await hold(Date.now() + 3_600_000)).toEqual({ result: "held" });
  expect(await probe.stub.hold({ v: 1, owner: stranger, untilMs: Number.MAX_SAFE_INTEGER })).toEqual({
    result: "unknown",
  });
  await shiftEnd(probe, 60_000);
  await runDurableObjectAlarm(probe.stub);
  expect(await probe.stub.read({ v: 1, owner, read: { from: 0, ids: true } })).toEqual({ result: "pruned" });
  expect(await probe.stub.retrieve({ v: 1, owner })).toMatchObject({ response: '{"answer":"whole"}' });
  expect(await probe.stub.delete({ v: 1, owner })).toEqual({ result: "deleted" });
  expect(await hold(Date.now() + 3_600_000)).toEqual({ result: "unknown" });
  expect(await probe.stub.retrieve({ v: 1, owner })).toEqual({ result: "unknown" });
});
