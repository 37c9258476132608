/** What a conversation's object knows of turns that left nothing in it, and for how long; over HTTP: test/workers/erased-turns.test.ts. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import type { AppendTurn, NewItem } from "../../src/shared/contracts/conversation.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

const owner = { tenant: "demo", user: "leaves-nothing" };
const dayMs = 86_400_000;
let made = 0;

function conversation() {
  made += 1;
  return env.CONVERSATION.getByName(`unsaved-test-${made}`);
}
type Stub = ReturnType<typeof conversation>;

const item: NewItem = { type: "message", role: "user", json: '{"type":"message"}' };
/** Well-formed, and nobody's. */
const responseOf = (at: number) => `resp_${String(at).repeat(26)}n${"0".repeat(20)}`;

function append(at: number, more: Partial<AppendTurn>): AppendTurn {
  const responseId = responseOf(at);
  return {
    v: 1,
    owner,
    id: "c",
    mustExist: false,
    incarnation: 1,
    turnId: `t${at}`,
    items: [],
    responseId,
    ...more,
  };
}

/** What is noted for the next deletion, and what is being erased for the last one. */
async function known(
  stub: Stub,
): Promise<{ readonly next: readonly string[]; readonly last: readonly string[] }> {
  return runInDurableObject(stub, (_instance, { storage }) => {
    const ids = (query: string) =>
      storage.sql
        .exec<{ id: string }>(query)
        .toArray()
        .map(({ id }) => id);
    return {
      next: ids(
        "SELECT response_id AS id FROM turn_response UNION SELECT response_id FROM unsaved ORDER BY id",
      ),
      last: ids("SELECT response_id AS id FROM doomed WHERE response_id <> 'archive' ORDER BY id"),
    };
  });
}

/** Nobody confirms anything: what is doomed stays so. */
async function deleted(stub: Stub): Promise<number> {
  const outcome = await stub.delete({ v: 1, owner, id: "c" });
  if (outcome.result !== "deleted" || outcome.record === undefined) throw new Error(outcome.result);
  await runInDurableObject(stub, (_instance, { storage }) => {
    storage.sql.exec("DELETE FROM doomed");
    storage.sql.exec("CREATE TRIGGER stays BEFORE DELETE ON doomed BEGIN SELECT RAISE(IGNORE); END");
  });
  return outcome.record.deletedMs;
}

test.for([
  { what: "had begun before the last deletion", more: () => ({ began: 1 }), goes: "last" },
  { what: "had begun behind it", more: () => ({ began: 2 }), goes: "next" },
  {
    what: "had not come in, and was asked for before it",
    more: (ms: number) => ({ askedMs: ms - 1 }),
    goes: "last",
  },
  {
    what: "had not come in, and was asked for behind it",
    more: (ms: number) => ({ askedMs: ms + 1 }),
    goes: "next",
  },
  { what: "is older code's, which does not say", more: () => ({}), goes: "next" },
] as const)(
  "a turn that left nothing and $what goes with the $goes deletion, whether there is a conversation again or not",
  async ({ more, goes }) => {
    for (const isThere of [false, true]) {
      const stub = conversation();
      await stub.append(append(1, { items: [item] }));
      const deletedMs = await deleted(stub);
      if (isThere) await stub.append(append(2, { items: [item], incarnation: 2, responseId: null }));
      expect(await stub.append(append(3, { incarnation: 0, ...more(deletedMs) }))).toEqual({
        result: "released",
      });
      expect(await known(stub)).toEqual({ next: [], last: [], [goes]: [responseOf(3)] });
    }
  },
);

test("a turn that is too long to be saved is kept by its own object, and goes with the next deletion", async () => {
  const stub = conversation();
  await stub.append(append(1, { items: [item] }));
  const long = { ...item, json: "x".repeat(16_000_001) };
  expect(await stub.append(append(2, { items: [long] }))).toMatchObject({ result: "item-too-large" });
  expect(await known(stub)).toEqual({ next: [responseOf(1), responseOf(2)], last: [] });
});

test("what is known of turns of a conversation that was never made goes when their own objects have forgotten them, and not under a turn that runs", async () => {
  const stub = conversation();
  const beganMs = Date.now();
  await stub.append(append(1, { incarnation: 0, began: 1, keptMs: 30 * dayMs }));
  await stub.append(append(2, { incarnation: 0, began: 1, keptMs: 0 }));
  const alarm = () => runInDurableObject(stub, (_instance, { storage }) => storage.getAlarm());
  expect(await alarm()).toBeGreaterThanOrEqual(beganMs + 30 * dayMs);
  await evictDurableObject(stub);
  await runDurableObjectAlarm(stub);
  expect(await known(stub)).toEqual({ next: [responseOf(1), responseOf(2)], last: [] });
  expect(await alarm()).toBeGreaterThanOrEqual(beganMs + 30 * dayMs);
  const turn = {
    turnId: "t3",
    responseId: responseOf(3),
    policy: "queue",
    waitMs: 1,
    maxWaiting: 8,
  } as const;
  const entering = { ...turn, runMs: 60_000, input: null, gone: [], cancelled: [] } as const;
  await stub.history({ v: 1, owner, mustExist: false, limitItems: 9, limitTokens: 9, turn: entering });
  await runInDurableObject(stub, (_instance, { storage }) => {
    storage.sql.exec("UPDATE unsaved SET until_ms = ?", Date.now() - 1);
  });
  await runDurableObjectAlarm(stub);
  expect((await known(stub)).next).toHaveLength(2);
  await stub.append(append(3, { incarnation: 0, responseId: null }));
  await runDurableObjectAlarm(stub);
  const tables = await runInDurableObject(
    stub,
    (_instance, { storage }) => storage.sql.exec("SELECT count(*) AS n FROM sqlite_master").one()["n"],
  );
  expect(tables).toBe(0);
  // Nothing is left to delete, and what comes now begins anew.
  expect(await stub.delete({ v: 1, owner, id: "c" })).toEqual({ result: "unknown" });
  expect(await stub.append(append(4, { items: [item] }))).toMatchObject({ result: "appended" });
});

test("of turns that go on failing without a conversation, those that are over are forgotten, and one more costs no more, however many there are", async () => {
  const stub = conversation();
  await stub.append(append(1, { incarnation: 0, began: 1 }));
  const rowsRead = await runInDurableObject(stub, async (instance, { storage }) => {
    const kept = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)";
    storage.sql.exec(`INSERT INTO unsaved ${kept} SELECT 'resp_' || i, ? + i FROM n`, Date.now() + dayMs);
    storage.sql.exec("UPDATE unsaved SET until_ms = ? WHERE response_id = ?", Date.now() - 1, responseOf(1));
    const exec = vi.spyOn(Object.getPrototypeOf(storage.sql) as SqlStorage, "exec");
    await instance.append(append(2, { incarnation: 0, began: 1 }));
    const read = exec.mock.results.reduce(
      (sum, { value }) => sum + (value as { readonly rowsRead: number }).rowsRead,
      0,
    );
    exec.mockRestore();
    return read;
  });
  expect(rowsRead).toBeLessThan(100);
  const { next } = await known(stub);
  expect(next).toHaveLength(2001);
  expect(next).not.toContain(responseOf(1));
  expect(next).toContain(responseOf(2));
});

test("of a conversation that must exist, and does not, nothing is noted: none will ever be made by its name", async () => {
  const stub = conversation();
  await stub.append(append(1, { incarnation: 0, mustExist: true }));
  const tables = await runInDurableObject(
    stub,
    (_instance, { storage }) => storage.sql.exec("SELECT count(*) AS n FROM sqlite_master").one()["n"],
  );
  expect(tables).toBe(0);
});
