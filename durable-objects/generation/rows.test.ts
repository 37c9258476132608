import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, expect, test, vi } from "vitest";
import { changeStored, emits, events, Probe, usage } from "../../test/workers/generation-probe.ts";
import { settlement, type Step } from "../../test/workers/scripted-generation.ts";
import { JournalPacker } from "../../src/shared/turn/durable/journal.ts";
import { eventually } from "../../test/workers/eventually.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

interface Counted {
  readonly by: Record<"put" | "delete" | "setAlarm" | "exec", number>;
  readonly rows: () => number;
}

/**
 * What the platform bills: a row a value put or deleted, a row an alarm set, `rowsWritten` of every statement. Counted at
 * the platform's own interfaces, whoever of our code calls them.
 */
async function countRows(probe: Probe): Promise<Counted> {
  const by = { put: 0, delete: 0, setAlarm: 0, exec: 0 };
  await runInDurableObject(probe.stub, (_object, { storage }) => {
    const count = (of: object, method: keyof typeof by, rowsOf: (result: unknown) => number): void => {
      const prototype = Object.getPrototypeOf(of) as Record<string, (...given: unknown[]) => unknown>;
      const original: unknown = Reflect.get(prototype, method);
      if (typeof original !== "function") throw new Error(`no ${method}`);
      vi.spyOn(prototype, method).mockImplementation(function (this: unknown, ...given: unknown[]) {
        const result: unknown = Reflect.apply(original, this, given);
        by[method] += rowsOf(result);
        return result;
      });
    };
    count(storage.kv, "put", () => 1);
    count(storage.kv, "delete", () => 1);
    count(storage, "setAlarm", () => 1);
    count(storage.sql, "exec", (cursor) => (cursor as { rowsWritten: number }).rowsWritten);
  });
  return { by, rows: () => Object.values(by).reduce((sum, each) => sum + each, 0) };
}

afterEach(() => void vi.restoreAllMocks());

/** A turn with that many separate journal writes, and two effects at its end. */
async function played(writes: number): Promise<Counted> {
  const probe = new Probe();
  const counted = await countRows(probe);
  const steps: Step[] = events(writes).flatMap((emit) => [{ emit, urgent: true }, { written: true }]);
  const effects = [settlement(probe.turnId, 15), settlement(`${probe.turnId}-other`, 1)];
  const end = {
    status: "completed",
    events: events(2),
    response: "{}",
    usage,
    basis: "exact",
    effects,
  } as const;
  await new Response(await probe.start({ steps, end })).text();
  await eventually(() => expect(probe.control.attempts).toHaveLength(2));
  await runInDurableObject(probe.stub, () => undefined);
  return counted;
}

test.for([1, 2, 5])(
  "a turn of %i journal writes and two effects writes four rows beside them: claim, alarm, end, acknowledgement",
  async (writes) => {
    const { by } = await played(writes);
    expect(by).toEqual({ put: 1 + writes + 1 + 1, delete: 0, setAlarm: 1, exec: 0 });
  },
);

const besides = 4;

test.for([2, 6, 60])(
  "a stream of %i s at the default interval writes at most 12 rows a second, all counted",
  (seconds) => {
    for (const tokenMs of [5, 25, 40, 90]) {
      const packer = new JournalPacker(100);
      let writes = 0;
      let due: number | null = null;
      for (let nowMs = 0; nowMs < seconds * 1000; nowMs += 1) {
        if (nowMs % tokenMs === 0) {
          if (nowMs === 0) packer.add({ data: "role" });
          packer.add({ data: "token" }, nowMs === 0);
          due = packer.dueInMs(nowMs);
        }
        if (due === null || (due = packer.dueInMs(nowMs)) !== 0) continue;
        packer.take(nowMs);
        writes += 1;
        due = null;
      }
      // What is left is written with the end.
      expect((writes + besides) / seconds).toBeLessThanOrEqual(12);
      expect(writes).toBeGreaterThan(seconds * 9);
    }
  },
);

test("a journal of many writes is a few values, so that pruning it costs a few rows", async () => {
  const probe = new Probe();
  const counted = await countRows(probe);
  const steps = events(120, 200).flatMap((emit, at) =>
    at % 4 === 3 ? [{ emit }, { written: true } as const] : emits([emit]),
  );
  await new Response(await probe.start({ steps })).text();
  expect(counted.by.put).toBeGreaterThan(25);
  await eventually(() => expect(probe.control.attempts).toHaveLength(1));
  await changeStored(probe.stub, (stored) => {
    stored.endedMs = (stored.endedMs ?? 0) - 600_000;
  });
  const before = counted.rows();
  expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
  expect(counted.by.delete).toBeLessThanOrEqual(2);
  expect(counted.rows() - before).toBeLessThanOrEqual(4);
});
