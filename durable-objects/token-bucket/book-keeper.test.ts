import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { bucketName, type LimitScope, readBucketName } from "../../src/shared/limits/bucket-name.ts";
import { type BucketBatch, noAmounts } from "../../src/shared/limits/bucket-protocol.ts";
import type { UsageTotal } from "../../src/shared/contracts/usage-book.ts";
import { UsageStore } from "../usage-book/usage-store.ts";
import { readUsage } from "../usage-book/usage-book-port.ts";
import { BookKeeper } from "./book-keeper.ts";
import { bucketStub } from "./bucket-stub.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

/** An org's bucket and its tenant's usage book, both as they ship. */
alarmsWait();
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function bucketOf(tenant: string, scope: LimitScope, id: string) {
  const address = { name: bucketName(tenant, scope, id), jurisdiction: "none" } as const;
  return () => bucketStub(env.TOKEN_BUCKET, address, false);
}

function used(id: string, tokens: number): BucketBatch {
  const used = { requests: 1, tokens, slots: 0, microdollars: 2 * tokens };
  const [operation] = [{ type: "settle", id, receipt: null, sequence: 1, used, held: noAmounts } as const];
  const models = [{ model: "m", requests: 1, tokens, microdollars: 2 * tokens }];
  return {
    version: 1,
    rules: [],
    leaseMs: 60_000,
    timeZone: "UTC",
    operations: [{ ...operation, models, granted: noAmounts, ended: true }],
    acknowledge: "now",
  };
}

async function booked(tenant: string): Promise<UsageTotal> {
  const wanted = { from: "2000-01-01", until: "2999-01-01", org: null, model: null, after: null } as const;
  const read = await readUsage(env, { tenant, jurisdiction: "none" }, { ...wanted, groups: [], limit: 1 });
  if (!read.ok) throw new Error(read.error);
  return read.value.total;
}

test("within a minute the book has what an org used, once, also after an eviction", async () => {
  const tenant = `t-${crypto.randomUUID()}`;
  const [a, b] = [bucketOf(tenant, "org", "a"), bucketOf(tenant, "org", 'b "quoted"/slash')];
  const beganMs = Date.now();
  await a().apply(used("one", 5));
  await b().apply(used("two", 7));
  expect(await booked(tenant)).toMatchObject({ requests: 0 });
  const dueMs = await runInDurableObject(a(), (_object, { storage }) => storage.getAlarm());
  expect(dueMs).toBeGreaterThan(beganMs);
  expect(dueMs).toBeLessThanOrEqual(Date.now() + 60_000);
  await evictDurableObject(a());
  for (const stub of [a, b, a]) await runDurableObjectAlarm(stub());
  expect(await booked(tenant)).toEqual({ requests: 2, tokens: 12, microdollars: 24 });
  await a().apply(used("three", 1));
  await a().apply(used("three", 1));
  await runDurableObjectAlarm(a());
  expect(await booked(tenant)).toEqual({ requests: 3, tokens: 13, microdollars: 26 });
});

test("a bucket that wakes again and again does not put the telling off", async () => {
  const org = bucketOf(`t-${crypto.randomUUID()}`, "org", "a");
  await org().apply(used("one", 5));
  const alarm = () => runInDurableObject(org(), (_object, { storage }) => storage.getAlarm());
  const dueMs = await alarm();
  await evictDurableObject(org());
  if (dueMs === null) throw new Error("no alarm");
  vi.useFakeTimers({ toFake: ["Date"], now: dueMs - 1 });
  await org().apply(used("two", 5));
  expect(await alarm()).toBe(dueMs);
});

test("a wake that is due sooner, as for sockets that have not heard of their revocation, is not put off in another life", async () => {
  const org = bucketOf(`t-${crypto.randomUUID()}`, "org", "a");
  await org().apply(used("one", 5));
  const alarm = () => runInDurableObject(org(), (_object, { storage }) => storage.getAlarm());
  const beatMs = ((await alarm()) ?? 0) + 600_000;
  const soonMs = beatMs - 28_000;
  await runInDurableObject(org(), (_object, { storage }) => storage.setAlarm(soonMs));
  await evictDurableObject(org());
  vi.useFakeTimers({ toFake: ["Date"], now: beatMs - 30_000 });
  await org().apply(used("two", 5));
  expect(await alarm()).toBe(soonMs);
});

test("a book that says nothing is told again: the alarm has others to tell", async () => {
  vi.spyOn(console, "error").mockReturnValue();
  const silent = { getByName: () => ({ book: () => new Promise(() => undefined) }) };
  const keeper = new BookKeeper(
    { name: bucketName("demo", "org", "a") } as DurableObjectId,
    { USAGE_BOOK: silent, ENVIRONMENT: "local" } as unknown as Cloudflare.Env,
  );
  vi.useFakeTimers();
  const telling = keeper.tell({ counted: 1, days: [] });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await telling).toBe(false);
});

test("a book that can't be told is told again, and nothing is lost or forgotten meanwhile", async () => {
  const tenant = `t-${crypto.randomUUID()}`;
  const org = bucketOf(tenant, "org", "a");
  await org().apply(used("one", 5));
  const logged = vi.spyOn(console, "error").mockReturnValue();
  const failing = vi.spyOn(UsageStore.prototype, "book").mockImplementation(() => {
    throw new Error("the disk is full");
  });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 40 * 86_400_000 });
  await runDurableObjectAlarm(org());
  expect(failing).toHaveBeenCalled();
  expect(JSON.stringify(logged.mock.calls)).toContain("usage-not-booked");
  failing.mockRestore();
  const dueMs = await runInDurableObject(org(), (_object, { storage }) => storage.getAlarm());
  expect(dueMs).toBeLessThanOrEqual(Date.now() + 30_000);
  await runDurableObjectAlarm(org());
  expect(await booked(tenant)).toEqual({ requests: 1, tokens: 5, microdollars: 10 });
});

test("a user's bucket tells nothing", async () => {
  const tenant = `t-${crypto.randomUUID()}`;
  const user = bucketOf(tenant, "user", "ann");
  await user().apply(used("one", 5));
  await runDurableObjectAlarm(user());
  expect(await booked(tenant)).toMatchObject({ requests: 0 });
});

test("a bucket's name says whose it is, and no other name does", () => {
  for (const id of ["a", 'b "quoted"/slash', "x/org/y", "\u{1F600}"])
    for (const scope of ["user", "org"] as const)
      for (const place of ["", "eu:"])
        expect(readBucketName(place + bucketName("demo", scope, id))).toEqual({ tenant: "demo", scope, id });
  for (const name of ["", "demo", "demo/team/x", "demo/org/x", "a/b/org/x", crypto.randomUUID()])
    expect(readBucketName(name)).toBeNull();
});
