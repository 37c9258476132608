/** Lines that are asked directly: what each came to is told once, whatever is killed or out of reach. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import type { LineOutcome, LineToRun } from "./batch-parts.ts";
import { BatchProbe, line } from "../../test/workers/batch-probe.ts";
import { eventually } from "../../test/workers/eventually.ts";
import { nothingOwed } from "../../src/shared/batches/line-debt.ts";
import { BatchStore } from "./batch-store.ts";
import { answered, type BatchStep, refusedLine } from "../../test/workers/scripted-batch.ts";

const endpoint = "/v1/embeddings";
const steps: readonly BatchStep[] = ["read", "ask", "asked", "pay", "paid", "keep output", "told"];

function lines(...names: readonly string[]): string[] {
  return names.map((name) => line(name, "hello", endpoint));
}

function paidAnswer(asked: LineToRun): LineOutcome {
  return {
    ...(answered(asked) as ReturnType<typeof refusedLine>),
    isKept: true,
    debt: { use: { tokens: 12, requests: 1, microdollars: 3, model: "m" }, archived: null },
  };
}

/** Each answer is 12 tokens. */
async function threeLines(probe: BatchProbe, step: BatchStep, how: "stopsAt" | "failsAt"): Promise<void> {
  probe.control.answers = paidAnswer;
  probe.control[how] = step;
  await probe.create(lines("a", "b", "c"), { endpoint });
  await eventually(() => expect(probe.control.hasArrived).toBe(true));
}

/** Charges by id: told twice is once. */
function tokensPaid({ control }: BatchProbe): number {
  return [...control.paid.values()].reduce((sum, [debt]) => sum + (debt?.use.tokens ?? 0), 0);
}

/** Charges that somebody may not have heard of. */
function owedIn(sql: SqlStorage): string[] {
  return sql
    .exec<{ id: string }>("SELECT id FROM charge ORDER BY id")
    .toArray()
    .map(({ id }) => id);
}

function owed(probe: BatchProbe): Promise<string[]> {
  return runInDurableObject(probe.stub, (_instance, { storage }) => owedIn(storage.sql));
}

async function expectOnce(probe: BatchProbe): Promise<void> {
  const view = await probe.until("completed");
  expect(view.tally).toMatchObject({ completed: 3, failed: 0, inputTokens: 30, outputTokens: 6 });
  expect(probe.names("output").sort()).toEqual(["a", "b", "c"]);
  await eventually(() => expect(probe.control.told).toContain("ended"));
  expect(tokensPaid(probe)).toBe(36);
  for (const debts of probe.control.paid.values()) for (const debt of debts) expect(debt).toEqual(debts[0]);
  expect(await owed(probe)).toEqual([]);
}

test.for(steps)("killed at '%s' each line of vectors has one answer, and is paid once", async (step) => {
  const probe = new BatchProbe();
  await threeLines(probe, step, "stopsAt");
  await probe.kill();
  await runDurableObjectAlarm(probe.stub);
  await expectOnce(probe);
});

test.for(steps)("whoever can't be reached at '%s' is told again what a line came to", async (step) => {
  const probe = new BatchProbe();
  await threeLines(probe, step, "failsAt");
  await eventually(async () => {
    await runDurableObjectAlarm(probe.stub);
    expect((await probe.view()).status).toBe("completed");
    expect(probe.control.told).toContain("ended");
  });
  await expectOnce(probe);
});

test("a line that is refused for now, or breaks off, gives back what was set aside each time", async () => {
  const probe = new BatchProbe();
  let asked = 0;
  probe.control.answers = (one) => {
    asked += 1;
    if (asked === 1) return { kind: "wait", retryAfterMs: 10 };
    if (asked === 2) return { kind: "again", answered: refusedLine(one).answered };
    const debt = { use: { tokens: 12, requests: 1, microdollars: 3, model: "m" }, archived: null } as const;
    return { ...(answered(one) as ReturnType<typeof refusedLine>), debt };
  };
  await probe.create(lines("a"), { endpoint });
  await probe.until("completed");
  await eventually(() => expect(probe.control.told).toContain("ended"));
  expect([...probe.control.paid.values()].map(([debt]) => debt?.use.requests)).toEqual([0, 0, 1]);
});

test("a line whose object is killed each time that it is asked fails in the end, and costs nothing", async () => {
  const probe = new BatchProbe();
  probe.control.answers = () => new Promise(() => undefined);
  await probe.create(lines("a"), { endpoint });
  for (let times = 1; times <= 3; times += 1) {
    await eventually(() => expect(probe.control.asked).toHaveLength(times));
    await probe.kill();
    await runDurableObjectAlarm(probe.stub);
  }
  expect((await probe.until("completed")).tally).toMatchObject({ completed: 0, failed: 1 });
  expect(probe.control.asked).toEqual(["1/0", "1/1", "1/2"]);
  expect(tokensPaid(probe)).toBe(0);
  expect(probe.control.paid.size).toBe(3);
});

test("with its owner a batch is erased: what was set aside for lines under way is given back first", async () => {
  const probe = new BatchProbe();
  probe.control.answers = () => new Promise(() => undefined);
  await probe.create(lines("a", "b"), { endpoint });
  await eventually(() => expect(probe.control.asked).toHaveLength(2));
  await probe.stub.delete(probe.message);
  await eventually(() => expect(probe.control.paid.size).toBe(2));
  expect(tokensPaid(probe)).toBe(0);
  expect(probe.control.forgotten.toSorted()).toEqual(["1/0", "2/0"]);
  expect(await probe.stub.describe(probe.message)).toEqual({ result: "unknown" });
});

test("what of a charge was told is not told again with the rest, whatever is killed in between", async () => {
  const probe = new BatchProbe();
  // Of each the buckets hear at the first try, the archive never before a kill.
  let isAway = true;
  probe.control.left = (debt) => (isAway ? { ...debt, owing: [] } : null);
  probe.control.answers = paidAnswer;
  await probe.create(lines("a", "b", "c"), { endpoint });
  await eventually(() => expect(probe.control.paid.size).toBe(3));
  await probe.kill();
  isAway = false;
  await eventually(async () => {
    await runDurableObjectAlarm(probe.stub);
    expect(await owed(probe)).toEqual([]);
  });
  for (const debts of probe.control.paid.values()) {
    expect(debts.length).toBeGreaterThan(1);
    expect(debts.map(({ owing }) => owing)).toEqual([undefined, ...debts.slice(1).map(() => [])]);
  }
});

test("charges that can't be paid hold up none of the others, however many stand in front of them", async () => {
  const probe = new BatchProbe();
  probe.control.stopsAt = "open";
  await probe.create(lines("a"), { endpoint });
  await runInDurableObject(probe.stub, async (_instance, { storage }) => {
    const store = new BatchStore(storage);
    const life = store.life();
    if (life === null) throw new Error("it was created");
    const ids = Array.from({ length: 30 }, (_, at) => `emb-${String(at).padStart(2, "0")}`);
    for (const id of ids)
      storage.sql.exec("INSERT INTO charge VALUES (?, ?)", id, JSON.stringify(nothingOwed));
    const stuck = new Set(ids.slice(0, 13));
    const asked: string[] = [];
    const pay = async (_life: unknown, id: string) => {
      asked.push(id);
      if (stuck.has(id)) throw new Error(`nobody takes ${id}`);
      return null;
    };
    const told = async () => store.charges.tell(life, { pay }).catch((error: unknown) => String(error));
    // Who is out of reach is not asked for all of them in one go.
    expect([await told(), asked.length]).toEqual(["Error: nobody takes emb-00", 6]);
    expect(await told()).toBe("Error: nobody takes emb-06");
    expect(await told()).toBe("Error: nobody takes emb-12");
    expect(owedIn(storage.sql)).toEqual([...stuck]);
    stuck.clear();
    expect(await told()).toBeUndefined();
    expect(owedIn(storage.sql)).toEqual([]);
  });
});

test("a batch that has ended keeps nobody from another one, though what its lines came to can't be told yet", async () => {
  const probe = new BatchProbe();
  let isAway = true;
  probe.control.left = (debt) => (isAway ? { ...debt, owing: [] } : null);
  probe.control.answers = paidAnswer;
  await probe.create(lines("a"), { endpoint });
  await eventually(() => expect(probe.control.told).toContain("ended"));
  expect(probe.control.released).toBeGreaterThan(0);
  expect(await owed(probe)).toHaveLength(1);
  isAway = false;
  await eventually(async () => {
    await runDurableObjectAlarm(probe.stub);
    expect(await owed(probe)).toEqual([]);
  });
});
