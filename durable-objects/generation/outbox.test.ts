import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import {
  changeStored,
  emits,
  events,
  owner,
  Probe,
  storedTurn,
  usage,
} from "../../test/workers/generation-probe.ts";
import { type Script, settlement } from "../../test/workers/scripted-generation.ts";
import type { Delivery, Effect } from "../../src/shared/turn/durable/ports.ts";
import type { GenerationStore } from "./generation-store.ts";
import { Outbox } from "./outbox.ts";
import { eventually } from "../../test/workers/eventually.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

/** A turn that ends with a bill and with two items for its conversation. */
function saved(probe: Probe, ends: Partial<Effect & { kind: "append" }> = {}): Partial<Script> {
  const item = (role: string): { type: string; role: string; json: string } => ({
    type: "message",
    role,
    json: JSON.stringify({ type: "message", role, content: probe.turnId }),
  });
  const append: Effect = {
    kind: "append",
    jurisdiction: "none",
    objectName: probe.turnId,
    owner,
    conversationId: "my-chat",
    mustExist: false,
    incarnation: 1,
    items: [item("user"), item("assistant")],
    ...ends,
  };
  return {
    steps: emits(events(2)),
    end: {
      status: "completed",
      events: [],
      response: "{}",
      usage,
      basis: "exact",
      effects: [settlement(probe.turnId, 15), append],
    },
  };
}

function refusedWith(effects: readonly Effect[]): Script["end"] {
  return { status: "refused", refusal: { kind: "internal", detail: "nobody answers" }, headers: {}, effects };
}

async function items(probe: Probe): Promise<number> {
  const outcome = await env.CONVERSATION.getByName(probe.turnId).history({
    v: 1,
    owner,
    mustExist: false,
    limitItems: 100,
    limitTokens: 10_000,
  });
  return outcome.result === "ok" ? outcome.items.length : -1;
}

async function makeDue(probe: Probe): Promise<void> {
  await changeStored(probe.stub, ({ outbox }) => {
    for (const entry of outbox) entry.dueMs = 0;
  });
}

/** Lets the time pass until what was postponed is due, and rings. */
async function later(probe: Probe): Promise<void> {
  await makeDue(probe);
  await runDurableObjectAlarm(probe.stub);
}

async function pending(probe: Probe): Promise<unknown> {
  return runInDurableObject(probe.stub, (_instance, state) => storedTurn(state).outbox.length);
}

test.for([
  { failBefore: 0, failAfter: 0 },
  { failBefore: 1, failAfter: 0 },
  { failBefore: 2, failAfter: 0 },
  { failBefore: 5, failAfter: 0 },
  { failBefore: 0, failAfter: 1 },
  { failBefore: 0, failAfter: 2 },
  { failBefore: 1, failAfter: 3 },
])(
  "with $failBefore deliveries lost and $failAfter acknowledgements lost, each effect takes place once",
  async (faults) => {
    const probe = new Probe();
    Object.assign(probe.control, faults);
    await new Response(await probe.start(saved(probe))).text();
    for (let round = 0; round < 8; round += 1) await later(probe);
    expect(await pending(probe)).toBe(0);
    expect([...probe.control.settled]).toEqual([[probe.turnId, 15]]);
    expect(await items(probe)).toBe(2);
    expect(probe.control.attempts).toHaveLength(2 + faults.failBefore + faults.failAfter);
  },
);

test.for([0, 1, 2, 3])(
  "killed after %i lost deliveries, the outbox goes on where storage has it",
  async (failBefore) => {
    const probe = new Probe();
    probe.control.failBefore = failBefore;
    await new Response(await probe.start(saved(probe))).text();
    for (let round = 0; round < 4; round += 1) {
      await abortAllDurableObjects();
      await later(probe);
    }
    expect(await pending(probe)).toBe(0);
    expect([...probe.control.settled]).toEqual([[probe.turnId, 15]]);
    expect(await items(probe)).toBe(2);
  },
);

test("what a kill kept an ended turn from telling is told as soon as anybody looks at it, not when its alarm rings", async () => {
  const probe = new Probe();
  probe.control.failBefore = 2;
  await new Response(await probe.start(saved(probe))).text();
  await eventually(() => expect(probe.control.attempts).toHaveLength(2));
  await runInDurableObject(probe.stub, (_object, { storage }) => storage.deleteAlarm());
  await makeDue(probe);
  expect(await probe.stub.retrieve({ v: 1, owner })).toMatchObject({ status: "completed" });
  await eventually(async () => expect(await pending(probe)).toBe(0));
  expect([...probe.control.settled]).toEqual([[probe.turnId, 15]]);
  expect(await items(probe)).toBe(2);
  // Once: whoever looks again asks for nothing.
  await probe.stub.retrieve({ v: 1, owner });
  expect(probe.control.attempts).toHaveLength(4);
});

test("a refused turn that a kill kept from giving back is gone for whoever asks again", async () => {
  const probe = new Probe();
  probe.control.failBefore = 1;
  const script = { steps: [], end: refusedWith([settlement(probe.turnId, 0)]) };
  expect(await probe.stub.start(probe.message(script))).toMatchObject({ result: "refused" });
  await eventually(() => expect(probe.control.attempts).toHaveLength(1));
  await runInDurableObject(probe.stub, (_object, { storage }) => storage.deleteAlarm());
  await makeDue(probe);
  expect(await probe.stub.start(probe.message(script))).toMatchObject({ result: "refused", attached: true });
  await eventually(() => expect([...probe.control.settled]).toEqual([[probe.turnId, 0]]));
  const answered = await eventually(async () => probe.start({ steps: emits(events(2)) }));
  expect(await new Response(answered).text()).toContain("token");
});

test("an effect that is delivered again after its acknowledgement was lost with the object changes nothing", async () => {
  const probe = new Probe();
  await new Response(await probe.start(saved(probe))).text();
  await later(probe);
  // The crash between the receiver's deed and our note of it: the row is there again.
  const again = saved(probe).end;
  if (again === undefined || "throws" in again) throw new Error("no effects");
  const effects = again.effects.map((effect) => JSON.stringify(effect));
  await changeStored(probe.stub, (stored) => {
    stored.outbox = effects.map((effect, id) => ({ id, effect, attempts: 0, dueMs: 0 }));
  });
  await abortAllDurableObjects();
  await runDurableObjectAlarm(probe.stub);
  expect(await pending(probe)).toBe(0);
  expect([...probe.control.settled]).toEqual([[probe.turnId, 15]]);
  expect(await items(probe)).toBe(2);
});

test("what can never be saved is dropped with a report, and holds nothing up", async () => {
  const probe = new Probe();
  await new Response(await probe.start(saved(probe, { mustExist: true }))).text();
  await later(probe);
  expect(await pending(probe)).toBe(0);
  expect(probe.control.reports).toEqual(["effect-dropped"]);
  expect(await items(probe)).toBe(0);
});

test("an effect that keeps failing is kept, reported from the fifth time on, and outlives the response", async () => {
  const probe = new Probe();
  probe.control.failBefore = 1000;
  const policy = { intervalMs: 50, replayMs: 0, retentionMs: 0, deadlineMs: 600_000 };
  await new Response(await probe.start(saved(probe), { policy })).text();
  for (let round = 0; round < 5; round += 1) await later(probe);
  expect(await pending(probe)).toBe(2);
  expect(probe.control.reports).toContain("effect-delayed");
  probe.control.failBefore = 0;
  await makeDue(probe);
  await runDurableObjectAlarm(probe.stub);
  expect([...probe.control.settled]).toEqual([[probe.turnId, 15]]);
  expect(await probe.stub.retrieve({ v: 1, owner })).toEqual({ result: "unknown" });
});

test.for([1, 2])(
  "cut right behind effect %i, before its acknowledgement, each takes place once",
  async (hangsAt) => {
    const probe = new Probe();
    probe.control.hangsAt = hangsAt;
    await new Response(await probe.start(saved(probe))).text();
    await eventually(() => expect(probe.control.attempts).toHaveLength(2));
    await eventually(async () => expect(await items(probe)).toBe(2));
    await abortAllDurableObjects();
    expect(await pending(probe)).toBe(2);
    await later(probe);
    expect(await pending(probe)).toBe(0);
    expect([...probe.control.settled]).toEqual([[probe.turnId, 15]]);
    expect(await items(probe)).toBe(2);
    expect(probe.control.attempts).toHaveLength(4);
  },
);

test("what comes late for a turn that is gone acknowledges nothing of the next one in its object", async () => {
  const settled: unknown[] = [];
  const store = {
    turn: { turnId: "gone" },
    dueEffects: () => [{ id: 0, effect: settlement("gone", 1), attempts: 0 }],
    settle: (attempts: unknown) => settled.push(attempts),
  };
  const late = Promise.withResolvers<Delivery>();
  const outbox = new Outbox(
    store as unknown as GenerationStore,
    () => late.promise,
    () => undefined,
  );
  const delivering = outbox.deliverDue();
  store.turn = { turnId: "next" };
  late.resolve({ result: "acknowledged" });
  await delivering;
  expect(settled).toEqual([]);
});

test("of many that ask at once one delivers at a time", async () => {
  let under = 0;
  let most = 0;
  const store = {
    turn: { turnId: "one" },
    dueEffects: () => [{ id: 0, effect: settlement("one", 1), attempts: 0 }],
    settle: () => undefined,
  };
  const outbox = new Outbox(
    store as unknown as GenerationStore,
    async () => {
      most = Math.max(most, ++under);
      await scheduler.wait(1);
      under--;
      return { result: "acknowledged" };
    },
    () => undefined,
  );
  await Promise.all([outbox.deliverDue(), outbox.deliverDue(), outbox.deliverDue()]);
  expect(most).toBe(1);
});

test("what of an effect is left after a try is tried again, and nothing else of it", async () => {
  const probe = new Probe();
  probe.control.left = (effect) => (effect.kind === "settle" ? { ...effect, owing: ["user"] } : null);
  await new Response(await probe.start(saved(probe))).text();
  await eventually(async () => expect(await pending(probe)).toBe(1));
  await abortAllDurableObjects();
  await later(probe);
  expect(await pending(probe)).toBe(0);
  expect(probe.control.settledFor).toEqual([undefined, ["user"]]);
});
