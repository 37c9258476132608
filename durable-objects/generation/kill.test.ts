import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import {
  blocks,
  changeStored,
  emits,
  events,
  Following,
  ids,
  owner,
  Probe,
} from "../../test/workers/generation-probe.ts";
import type { Step } from "../../test/workers/scripted-generation.ts";

const length = 10;

/** A script whose run stands still after event `k`, the events spread over rows in a way that differs with `k`. */
function upTo(k: number): Step[] {
  const steps: Step[] = [{ open: {} }];
  for (const [at, emit] of events(k).entries()) {
    steps.push({ emit });
    if ((at + k) % 3 === 0) steps.push({ written: true });
  }
  return [...steps, { pause: true }, ...emits(events(length - k))];
}

test.for(Array.from({ length: length + 1 }, (_, k) => k))(
  "killed after event %i: nothing delivered is lost or repeated, one end, one bill",
  async (k) => {
    const probe = new Probe();
    const reading = new Following(await probe.start({ steps: upTo(k) }));
    await reading.until(k);
    await abortAllDurableObjects();
    expect(await reading.rest()).toBe("cut");
    // The journal is the truth: whoever asks next finds the turn ended.
    const seen = ids(reading.text);
    const resumed = await probe.read(seen.length);
    const all = reading.text + resumed;
    expect(ids(all)).toEqual(Array.from({ length: k + 1 }, (_, at) => at));
    expect(blocks(all).slice(0, k)).toEqual(events(k).map(({ data }, at) => `id: ${at}\ndata: ${data}`));
    expect(all.match(/terminal/g)).toHaveLength(1);
    expect(await probe.read(0)).toBe(all);
    expect(await probe.stub.retrieve({ v: 1, owner })).toMatchObject({
      result: "ended",
      status: "incomplete",
      response: JSON.stringify({ delivered: k, reason: "lost" }),
    });
    // The client's retry attaches to what there is: no second run, no second bill.
    expect(await probe.stub.start(probe.message({}))).toMatchObject({ result: "stream", attached: true });
    await runDurableObjectAlarm(probe.stub);
    expect([...probe.control.settled.values()]).toEqual([k === 0 ? 0 : 10 + k]);
    expect(probe.control).toMatchObject({ runs: 1, attempts: ["settle"] });
  },
);

test("what was emitted and not yet written was delivered to nobody, and is not billed", async () => {
  const probe = new Probe();
  const policy = { intervalMs: 500, replayMs: 600_000, retentionMs: 0, deadlineMs: 600_000 };
  const steps: Step[] = [
    ...emits(events(1)),
    { written: true },
    ...emits(events(6).slice(1)),
    { pause: true },
  ];
  const reading = new Following(await probe.start({ steps }, { policy }));
  await reading.until(1);
  await runInDurableObject(probe.stub, () => probe.control.arrived.promise);
  await abortAllDurableObjects();
  await reading.rest();
  expect(ids(reading.text)).toEqual([0]);
  expect(ids(await probe.read(1))).toEqual([1]);
  await runDurableObjectAlarm(probe.stub);
  expect([...probe.control.settled.values()]).toEqual([11]);
});

test("a killed turn that nobody asks for ends by its liveness alarm", async () => {
  const probe = new Probe();
  await new Following(await probe.start({ steps: upTo(4) })).until(4);
  await abortAllDurableObjects();
  expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
  expect([...probe.control.settled.values()]).toEqual([14]);
  expect(await probe.stub.retrieve({ v: 1, owner })).toMatchObject({ status: "incomplete" });
});

test("memory that was spoiled counts for nothing: after an eviction, storage wins", async () => {
  const probe = new Probe();
  const text = await new Response(await probe.start({ steps: emits(events(5)) })).text();
  await changeStored(probe.stub, (stored) => {
    stored.response = "as stored";
  });
  expect(await probe.stub.retrieve({ v: 1, owner })).toMatchObject({ response: "as stored" });
  expect(await probe.read(0)).toBe(text);
});

test("a turn killed before its first event may be kept by nobody, so that the retry is a new turn", async () => {
  const probe = new Probe();
  await probe.start({ steps: upTo(0), interrupted: "refuses" });
  await abortAllDurableObjects();
  expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
  expect(await probe.stub.retrieve({ v: 1, owner })).toEqual({ result: "unknown" });
  const text = await new Response(await probe.start({ steps: emits(events(2)) })).text();
  expect(blocks(text)).toHaveLength(4);
  expect(probe.control.runs).toBe(2);
});

test("a running turn is looked after again and again, and ended at its deadline", async () => {
  const probe = new Probe();
  const reading = new Following(await probe.start({ steps: upTo(3) }));
  await reading.until(3);
  for (let round = 0; round < 3; round += 1) {
    expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
    expect(await probe.stub.retrieve({ v: 1, owner })).toMatchObject({ result: "running" });
  }
  await probe.stub.cancel({ v: 1, owner });

  const late = new Probe();
  const policy = { intervalMs: 50, replayMs: 600_000, retentionMs: 0, deadlineMs: 0 };
  const following = new Following(
    await late.start({ steps: [...emits(events(3)), { pause: true }] }, { policy }),
  );
  await following.rest();
  expect(blocks(following.text).at(-1)).toBe('id: 3\ndata: {"terminal":"deadline"}');
  expect(late.control.aborted).toBe(1);
});
