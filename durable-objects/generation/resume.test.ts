import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { blocks, emits, events, Following, ids, owner, Probe } from "../../test/workers/generation-probe.ts";
import type { Script, Step } from "../../test/workers/scripted-generation.ts";
import { eventually } from "../../test/workers/eventually.ts";

const length = 8;
const message = { v: 1, owner } as const;

/** A run that stands still after event `k`, its events in rows that differ with `k`. */
function upTo(k: number): Step[] {
  const steps: Step[] = [{ open: {} }];
  for (const [at, emit] of events(k).entries()) {
    steps.push({ emit });
    if ((at + k) % 3 === 0) steps.push({ written: true });
  }
  return [...steps, { pause: true }, ...emits(events(length).slice(k))];
}

async function killed(k: number, script: Partial<Script>): Promise<{ probe: Probe; seen: string }> {
  const probe = new Probe();
  const reading = new Following(await probe.start({ steps: upTo(k), ...script }));
  await reading.until(k);
  await abortAllDurableObjects();
  expect(await reading.rest()).toBe("cut");
  return { probe, seen: reading.text };
}

async function ended(probe: Probe): Promise<unknown> {
  return eventually(async () => {
    const outcome = await probe.stub.retrieve(message);
    expect(outcome.result).toBe("ended");
    return outcome;
  });
}

test.for(Array.from({ length: length + 1 }, (_, k) => k))(
  "killed after event %i it goes on: nothing delivered is lost or repeated, one end, one bill",
  async (k) => {
    const { probe, seen } = await killed(k, { resumes: "goes-on" });
    const all = seen + (await probe.read(ids(seen).length));
    expect(ids(all)).toEqual(Array.from({ length: length + 2 }, (_, at) => at));
    expect(blocks(all).slice(0, length)).toEqual(
      events(length).map(({ data }, at) => `id: ${at}\ndata: ${data}`),
    );
    expect(blocks(all).slice(length)).toEqual([
      `id: ${length}\ndata: {"finish":"stop"}`,
      `id: ${length + 1}\ndata: [DONE]`,
    ]);
    expect(await probe.read(0)).toBe(all);
    expect(await ended(probe)).toMatchObject({ status: "completed", response: '{"answer":"whole"}' });
    await eventually(() => expect([...probe.control.settled.values()]).toEqual([15]));
    expect(probe.control).toMatchObject({ runs: 2, attempts: ["settle"] });
    expect(probe.control.notes).toEqual([k === 0 ? null : `${k} told`]);
  },
);

test("nobody has to ask: the liveness alarm lets a killed turn go on", async () => {
  const { probe } = await killed(3, { resumes: "goes-on" });
  expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
  await eventually(() => expect([...probe.control.settled.values()]).toEqual([15]));
  expect(await ended(probe)).toMatchObject({ status: "completed" });
});

test("a retry attaches to a turn that goes on", async () => {
  const { probe, seen } = await killed(3, { resumes: "goes-on" });
  const whole = await new Response(await probe.start({})).text();
  expect(whole.startsWith(seen)).toBe(true);
  expect(ids(whole)).toHaveLength(length + 2);
});

test("a run that is lost again and again goes on three times, then the turn ends with what there is", async () => {
  const { probe } = await killed(3, { resumes: "hangs" });
  for (let round = 0; round < 3; round += 1) {
    expect(await probe.stub.retrieve(message)).toMatchObject({ result: "running" });
    await eventually(() => expect(probe.control.runs).toBe(2 + round));
    await abortAllDurableObjects();
  }
  expect(await probe.stub.retrieve(message)).toMatchObject({ result: "ended", status: "incomplete" });
  expect(await probe.read(3)).toBe('id: 3\ndata: {"terminal":"lost"}\n\n');
  await eventually(() => expect([...probe.control.settled.values()]).toEqual([13]));
});

test.for(["refused", "throws"] as const)(
  "where nobody can go on with it (%s) the turn ends with what there is, once",
  async (resumes) => {
    const { probe } = await killed(3, { resumes });
    expect(await probe.read(3)).toBe('id: 3\ndata: {"terminal":"lost"}\n\n');
    expect(await ended(probe)).toMatchObject({ status: "incomplete" });
    await eventually(() => expect([...probe.control.settled.values()]).toEqual([13]));
  },
);

test("a killed turn that is cancelled before it goes on asks nobody any more", async () => {
  const { probe } = await killed(3, { resumes: "goes-on" });
  expect(await probe.stub.cancel(message)).toMatchObject({ changed: true, status: "cancelled" });
  expect(await probe.read(3)).toBe('id: 3\ndata: {"terminal":"cancelled"}\n\n');
  await runInDurableObject(probe.stub, () => undefined);
  await eventually(() => expect([...probe.control.settled.values()]).toEqual([13]));
  expect(probe.control.runs).toBe(1);
});

test("a turn that older code wrote goes on, and what newer code wrote beside it is kept", async () => {
  const { probe } = await killed(3, { resumes: "goes-on" });
  await runInDurableObject(probe.stub, (_object, { storage }) => {
    const { restarts: _restarts, ...older } = storage.kv.get<Record<string, unknown>>("turn") ?? {};
    storage.kv.put("turn", { ...older, ofNewerCode: "kept" });
  });
  await abortAllDurableObjects();
  expect(await ended(probe)).toMatchObject({ status: "completed" });
  await runInDurableObject(probe.stub, (_object, { storage }) => {
    expect(storage.kv.get("turn")).toMatchObject({ restarts: 1, ofNewerCode: "kept" });
  });
});
