import { describe, expect, it } from "vitest";
import { ArchiveStore } from "./archive-store.ts";
import { deleteErasedObjects, retryDelaySeconds } from "./consume-batch.ts";
import { type Database, faultOf, type Parameter } from "./database.ts";

/** Knows the table of objects to be deleted, and nothing else. */
function withObjects(count: number): { readonly left: Set<string>; readonly store: ArchiveStore } {
  const left = new Set(Array.from({ length: count }, (_, at) => `archive/demo/${at}.json`));
  const query = async (statement: string, [first]: readonly Parameter[] = []) => {
    if (statement.startsWith("SELECT"))
      return [...left].slice(0, Number(first)).map((key) => ({ object_key: key, note: "1" }));
    for (const { key } of JSON.parse(String(first)) as { key: string }[]) left.delete(key);
    return [];
  };
  const database: Database = { transaction: (work) => work(query) };
  return { left, store: new ArchiveStore(database) };
}

describe("what erasures left in the bucket", () => {
  it("is deleted to the last, also where no message comes any more", async () => {
    const { left, store } = withObjects(2_500);
    const calls: number[] = [];
    const deleteObjects = async (keys: readonly string[]) => void calls.push(keys.length);
    await deleteErasedObjects({ store, deleteObjects, report: () => undefined });
    expect(calls).toEqual([1_000, 1_000, 500]);
    expect(left.size).toBe(0);
  });

  it("stays noted from where the bucket failed, and the next run goes on", async () => {
    const { left, store } = withObjects(2_500);
    const events: string[] = [];
    let calls = 0;
    const run = () =>
      deleteErasedObjects({
        store,
        deleteObjects: async () => {
          calls += 1;
          if (calls === 2) throw new Error("the bucket is away");
        },
        report: (event) => events.push(event),
      });
    await run();
    expect([left.size, events]).toEqual([1_500, ["archive-objects"]]);
    await run();
    expect([left.size, events]).toEqual([0, ["archive-objects"]]);
  });
});

describe("how long a message waits", () => {
  it("doubles from 5 s to an hour, and not all at once", () => {
    expect([1, 2, 3, 10, 11, 1000].map((attempts) => retryDelaySeconds(attempts, 0.5))).toEqual([
      5, 10, 20, 2560, 3600, 3600,
    ]);
    expect(retryDelaySeconds(11, 0)).toBe(2700);
    expect(retryDelaySeconds(11, 1)).toBe(4500);
  });

  it("keeps ten tries within the hours that an outage may last before the dead letters", () => {
    let seconds = 0;
    for (let attempts = 1; attempts <= 10; attempts += 1) seconds += retryDelaySeconds(attempts, 0.5);
    expect(seconds).toBe(5115);
  });
});

describe("whose fault a failed statement is", () => {
  it.each([
    ["ECONNREFUSED", "database"],
    ["CONNECTION_ENDED", "database"],
    ["57P01", "database"],
    ["53300", "database"],
    ["40P01", "database"],
    ["42P01", "database"],
    ["25006", "database"],
    ["22P05", "row"],
    ["22021", "row"],
    ["23514", "row"],
    ["54000", "row"],
    ["P0001", "row"],
  ])("%s: the %s's", (code, fault) => {
    expect(faultOf(Object.assign(new Error("said"), { code }))).toBe(fault);
  });

  it("one without a code is the network's", () => {
    expect(faultOf(new Error("socket closed"))).toBe("database");
    expect(faultOf("thrown text")).toBe("database");
  });
});
