import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, expect, test, vi } from "vitest";
import { blocks, emits, events, Following, ids, owner, Probe } from "../../test/workers/generation-probe.ts";
import type { Step } from "../../test/workers/scripted-generation.ts";
import { eventually } from "../../test/workers/eventually.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

/** A write that storage refuses, as when it is full or its disk fails: the turn ends all the same, without a gap. */
afterEach(() => void vi.restoreAllMocks());

/** Refuses the puts of `key…` from the `after`-th on, `times` of them. */
async function refusePuts(probe: Probe, key: string, after: number, times: number): Promise<void> {
  await runInDurableObject(probe.stub, (_object, { storage }) => {
    const prototype = Object.getPrototypeOf(storage.kv) as SyncKvStorage;
    const original: unknown = Reflect.get(prototype, "put");
    if (typeof original !== "function") throw new Error("no put");
    let seen = 0;
    vi.spyOn(prototype, "put").mockImplementation(function (this: SyncKvStorage, name, value) {
      if (name.startsWith(key)) {
        seen += 1;
        if (seen > after && seen <= after + times) throw new Error("storage is full");
      }
      Reflect.apply(original, this, [name, value]);
    });
  });
}

/** Two rows, then more. */
const steps: Step[] = [
  ...emits(events(2)),
  { written: true },
  ...emits(events(2)),
  { written: true },
  ...emits(events(2)),
];

test.for([
  ["a row in the middle, once", "journal/", 1, 1],
  ["a row in the middle, twice", "journal/", 1, 2],
  ["every row after the first", "journal/", 1, 1000],
  ["the end, once", "turn", 1, 1],
] as const)(
  "storage refuses %s: the turn ends, its numbers have no gap, one bill",
  async ([, key, after, times]) => {
    const probe = new Probe();
    await refusePuts(probe, key, after, times);
    const reading = new Following(await probe.start({ steps }));
    expect(await reading.rest()).toBe("ended");
    expect(ids(reading.text)).toEqual(blocks(reading.text).map((_, at) => at));
    expect(reading.text.match(/terminal/g)).toHaveLength(1);
    // Also as it is read from disk, where memory knows nothing.
    await eventually(() => expect(probe.control.attempts).toEqual(["settle"]));
    await evictDurableObject(probe.stub);
    expect(await probe.read(0)).toBe(reading.text);
    const delivered = blocks(reading.text).length - 1;
    expect([...probe.control.settled.values()]).toEqual([delivered === 0 ? 0 : 10 + delivered]);
  },
);

test("storage refuses the end twice: the turn is lost from memory, and ends at its next wake", async () => {
  const probe = new Probe();
  await refusePuts(probe, "turn", 1, 2);
  const reading = new Following(await probe.start({ steps }));
  await reading.until(4);
  await eventually(() => expect(probe.control.reports).toContain("end-not-stored"));
  expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
  expect(await reading.rest()).toBe("ended");
  expect(ids(reading.text)).toEqual(blocks(reading.text).map((_, at) => at));
  expect(await probe.stub.retrieve({ v: 1, owner })).toMatchObject({ result: "ended", status: "incomplete" });
  expect(probe.control.settled.size).toBe(1);
});
