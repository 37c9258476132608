/** An ended turn with a long answer, and what lies of it where. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect } from "vitest";
import { contentOf } from "./content-fixture.ts";
import { eventually } from "./eventually.ts";
import { changeStored, emits, events, owner, Probe, storedTurn, usage } from "./generation-probe.ts";
import { settlement } from "./scripted-generation.ts";

export const asking = { v: 1, owner } as const;
const long = "é😀".repeat(60_000);
export const replayMs = 600_000;
export const dayMs = 86_400_000;

/** A turn that has ended with a long answer; its request holds that as well. */
export async function ended(isListed = false): Promise<Probe> {
  const probe = new Probe();
  const list = { kind: "list", jurisdiction: "none", owner, responseId: `chatcmpl-${probe.turnId}` } as const;
  const end = {
    status: "completed",
    events: [{ data: "[DONE]" }],
    response: answer({}),
    usage,
    basis: "exact",
    effects: [settlement(probe.turnId, 15), ...(isListed ? [list] : [])],
  } as const;
  await new Response(await probe.start({ steps: emits(events(2)), end })).text();
  await eventually(async () => expect(await owed(probe)).toBe(0));
  return probe;
}

export function answer(metadata: object): string {
  return JSON.stringify({ answer: long, metadata });
}

export async function owed(probe: Probe): Promise<number> {
  return runInDurableObject(probe.stub, (_object, state) => {
    const { outbox, listed } = storedTurn(state);
    return outbox.length + (listed?.owed == null ? 0 : 1);
  });
}

/** How often the list was told in vain. */
export async function attempted(probe: Probe): Promise<number> {
  return runInDurableObject(probe.stub, (_object, state) => storedTurn(state).listed?.owed?.attempts ?? 0);
}

/** As time would: in storage, and out of memory. Then what is due is done. */
export async function later(probe: Probe, ms: number): Promise<void> {
  await changeStored(probe.stub, (stored) => {
    stored.endedMs = (stored.endedMs ?? 0) - ms;
  });
  await runDurableObjectAlarm(probe.stub);
}

export async function settled(probe: Probe, texts: readonly string[]): Promise<void> {
  await eventually(async () => {
    await runDurableObjectAlarm(probe.stub);
    expect((await contentOf(probe.turnId)).map(textName)).toEqual(texts);
  });
}

const textName = (key: string): string => key.split("/").at(-1)?.split("-")[0] ?? "";

export async function response(probe: Probe): Promise<string | null> {
  const outcome = await probe.stub.retrieve(asking);
  if (outcome.result !== "ended") throw new Error(outcome.result);
  return outcome.response;
}

export async function texts(probe: Probe): Promise<string[]> {
  return runInDurableObject(probe.stub, (_object, { storage }) =>
    [...storage.kv.list({ prefix: "text/" })].map(([key]) => key),
  );
}

/** What was intended or is to go is due now. */
export async function dueNow(probe: Probe): Promise<void> {
  await runInDurableObject(probe.stub, (_object, { storage }) => {
    storage.sql.exec("UPDATE content SET due_ms = 0 WHERE held = 0");
  });
  await evictDurableObject(probe.stub);
}

/** The bucket's calls of this kind wait until they are let go. */
export function holdBucket(probe: Probe, call: "put" | "delete") {
  const reached = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  probe.control.bucket = async (called) => {
    if (called !== call) return;
    reached.resolve();
    await goOn.promise;
  };
  return { reached: reached.promise, letGo: goOn.resolve };
}
